"""Lines of a connection to an adapter, signed by its house key: JWS as `docs/protocol.md` has it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from jwt import PyJWS
from jwt.exceptions import InvalidTokenError

KEY_BYTES = 32

_ALGORITHM = "HS256"
_MAX_SEQUENCE = 9_007_199_254_740_991
_JWS = PyJWS(algorithms=[_ALGORITHM], options={"enforce_minimum_key_length": True})


class SignatureError(Exception):
    """This line is not signed by the key of the adapter that it names."""


@dataclass(frozen=True)
class Told:
    """What an adapter has signed."""

    adapter_id: str
    sequence: int
    payload: bytes = field(repr=False)


def read(line: bytes, keys: dict[str, bytes]) -> Told:
    """What is in `line`, signed with the one of `keys`, by adapter id, that it names.

    Raises:
        SignatureError: it is not.
    """
    try:
        header = _JWS.get_unverified_header(line)
        key = keys.get(header.get("kid", ""))
        if key is None:
            raise SignatureError("the adapter is not known")
        payload: bytes = _JWS.decode(line, key, algorithms=[_ALGORITHM])
    except InvalidTokenError:
        raise SignatureError("the signature is wrong") from None
    return Told(header["kid"], _sequence(header), payload)


def sign(payload: bytes, key: bytes, adapter_id: str, sequence: int) -> bytes:
    """The line, without its end, that tells `payload` to the adapter, in the connection that began with `sequence`."""
    return _JWS.encode(
        payload, key, _ALGORITHM, {"typ": "answer", "kid": adapter_id, "seq": sequence}
    ).encode()


def _sequence(header: dict[str, Any]) -> int:
    sequence = header.get("seq")
    if type(sequence) is not int or not 0 <= sequence <= _MAX_SEQUENCE or header.get("typ") != "ask":
        raise SignatureError("it is not what an adapter tells")
    return sequence
