"""Signed messages of `docs/protocol.md`: JWS (RFC 7515) in compact form, signed by HS256 (RFC 7518, 3.2)."""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass, field
from typing import Annotated, Literal

from jwt import PyJWS
from jwt.exceptions import InvalidSignatureError, InvalidTokenError
from jwt.utils import base64url_decode, base64url_encode
from pydantic import Field, ValidationError

from host_tools.service.messages import MAX_COUNT, AdapterId, Message, RefusalReason, Refused

MAX_TOKEN_BYTES = 3000
KEY_BYTES = 32

Kind = Literal["ask", "answer"]

_ALGORITHM = "HS256"
_COMPACT = re.compile(rb"([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]+")  # no padding: RFC 7515, 2
_JWS = PyJWS(algorithms=[_ALGORITHM], options={"enforce_minimum_key_length": True})


class _Header(Message):
    """The protected header: these members and no other."""

    alg: Literal["HS256"]
    typ: Kind
    kid: AdapterId
    seq: Annotated[int, Field(ge=0, le=MAX_COUNT)]


@dataclass(frozen=True)
class Unverified:
    """What a token says of itself, before anybody has seen whether it is true."""

    adapter_id: str
    sequence: int


@dataclass(frozen=True)
class Signed:
    """An ask whose signature is right: `key` is its adapter's. The payload may still be anything."""

    adapter_id: str
    sequence: int
    key: bytes = field(repr=False)
    payload: bytes = field(repr=False)
    token: bytes = field(repr=False)
    """The whole message as it came."""


def new_key() -> bytes:
    """A key for an adapter, 32 random bytes."""
    return secrets.token_bytes(KEY_BYTES)


def sign(message: bytes, key: bytes, adapter_id: str, sequence: int, typ: Kind = "answer") -> bytes:
    """The signed message.

    Args:
        message: the payload, at most 2048 bytes.
        key: the adapter's, 32 bytes.
        adapter_id: whose key it is.
        sequence: number of the ask, 0 to 2^53 - 1.
        typ: "answer" is what the service sends.
    """
    headers = {"typ": typ, "kid": adapter_id, "seq": sequence}
    return _JWS.encode(message, key, _ALGORITHM, headers).encode()


def read(token: bytes, typ: Kind = "ask") -> Unverified:
    """Who `token` says that it is of, so that the key can be looked up.

    Raises:
        Refused: `too_large` beyond 3000 bytes, `malformed` when it is no signed message of this `typ`.
    """
    if len(token) > MAX_TOKEN_BYTES:
        raise Refused(RefusalReason.TOO_LARGE)
    compact = _COMPACT.fullmatch(token)
    if not compact:
        raise Refused(RefusalReason.MALFORMED)
    header = _header(compact[1])
    if header.typ != typ:
        raise Refused(RefusalReason.MALFORMED)
    return Unverified(header.kid, header.seq)


def verify(token: bytes, key: bytes, typ: Kind = "ask") -> bytes:
    """The payload of `token`, when it is signed with `key`; it may still be anything.

    Raises:
        Refused: as by `read`; `bad_signature`.
    """
    read(token, typ)
    try:
        payload: bytes = _JWS.decode(token, key, algorithms=[_ALGORITHM])
    except InvalidSignatureError as error:
        raise Refused(RefusalReason.BAD_SIGNATURE) from error
    except InvalidTokenError as error:
        raise Refused(RefusalReason.MALFORMED) from error
    return payload


def _header(segment: bytes) -> _Header:
    # PyJWT would take UTF-16, a member twice, and members that it does not know.
    try:
        text = base64url_decode(segment)
        if base64url_encode(text) != segment:
            raise Refused(RefusalReason.MALFORMED)
        return _Header.model_validate(json.loads(text.decode(), object_pairs_hook=_members))
    except (ValueError, RecursionError, ValidationError):
        # Without its cause, whose text would repeat what was sent.
        raise Refused(RefusalReason.MALFORMED) from None


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member twice")
    return members
