"""Who called, sealed to the trace centre's public key (libsodium sealed box): the service cannot open it.

New records go to the key that the service has now. A record's row says by `fingerprint` which key opens it, so an older
one is still opened by its own key after the keys were changed.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Literal

from jwt.utils import base64url_decode
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox
from pydantic import BaseModel, ConfigDict, ValidationError

from host_tools.service.messages import CallerId, Decoded

Presentation = Literal["presented", "private", "out_of_area", "none"]

# Absence of number (ETSI EN 300 659-3, 5.4.3; Telcordia GR-31): "P" private, "O" unavailable.
_PRESENTATIONS: dict[str | None, Presentation] = {"P": "private", "O": "out_of_area"}
# So that a record's length does not tell how long a name is: nearly all records have one length.
_PADDED_TO_BYTES = 2048


class SealingError(Exception):
    """A key that is none, or a sealed record that this key does not open."""


class WhoCalled(BaseModel):
    """What only the holder of the centre's private key may read. Times are Unix seconds.

    Attributes:
        trace_id: the trace that it belongs to: a record that was moved to another one is found out.
        line: the called line.
        origin: the calling number that the trace found.
        name, address: of the subscriber of that number, where the operator knows them.
        presented: what the line presented.
        presentation: whether a number was presented, and why not.
        time_source: where the adapter's times come from.
        called_at: when the call came.
        requested_at: when the household confirmed, by the adapter's clock.
        received_at: when the request came, by the service's clock.
        rings: complete rings that the adapter has counted.
        answered, call_waiting: whether the call was answered; whether call waiting announced it.
        forwarded_from: the number that the caller had dialled, when the call was forwarded.
        decoded: how well the adapter had heard its last caller ID, as of its last heartbeat.
        request: the signed request, byte for byte as it came.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        ser_json_bytes="base64",
        val_json_bytes="base64",
    )

    trace_id: str | None
    line: str
    origin: str | None
    name: str | None
    address: str | None
    presented: CallerId | None
    presentation: Presentation
    time_source: Literal["network", "caller_id", "none"]
    called_at: int | None
    requested_at: int
    received_at: int
    rings: int
    answered: bool
    forwarded_from: str | None
    call_waiting: bool
    decoded: Decoded | None
    request: bytes

    @property
    def request_id(self) -> str | None:
        """The id that the signed request has within; None when it cannot be read."""
        try:
            said = json.loads(base64url_decode(self.request.split(b".")[1]))
            return str(said["request_id"])
        except (ValueError, LookupError, TypeError, RecursionError):
            return None


class Seal:
    """Seals to one public key, 64 hex digits.

    Raises:
        SealingError: not a public key that can be sealed to.
    """

    def __init__(self, public_key: str) -> None:
        try:
            key = bytes.fromhex(public_key)
            self._box = SealedBox(PublicKey(key))
            self._box.encrypt(b"")  # libsodium refuses a weak key only when it is used
        except (ValueError, CryptoError) as error:
            raise SealingError("not a public key of 64 hex digits") from error
        self.fingerprint = fingerprint(key)
        """Of the key that opens what is sealed here, 16 hex digits."""

    def seal(self, who_called: WhoCalled) -> bytes:
        """The sealed record. Its length is that of its content, filled up to a multiple of 2048, and 48 bytes."""
        content = who_called.model_dump_json().encode()
        return self._box.encrypt(content + b" " * (-len(content) % _PADDED_TO_BYTES))


def fingerprint(public_key: bytes) -> str:
    """What a key is called: the first 16 hex digits of its SHA-256."""
    return sha256(public_key).hexdigest()[:16]


def presentation_of(presented: CallerId | None) -> Presentation:
    """Whether the line presented a number, and why not."""
    if presented is None:
        return "none"
    if presented.number:
        return "presented"
    return _PRESENTATIONS.get(presented.reason, "none")


def new_key_pair() -> tuple[str, str]:
    """A new private key and its public key, 64 hex digits each."""
    private_key = PrivateKey.generate()
    return bytes(private_key).hex(), bytes(private_key.public_key).hex()


def open_sealed(sealed: bytes, private_key: str) -> WhoCalled:
    """The content of a sealed record.

    Raises:
        SealingError: not a key, another key's record, or a record that was changed.
    """
    try:
        content = SealedBox(PrivateKey(bytes.fromhex(private_key))).decrypt(sealed)
        return WhoCalled.model_validate_json(content)
    except (ValueError, CryptoError, ValidationError) as error:
        raise SealingError("this key does not open this record") from error
