"""The certificates within a time stamp, put into the order that a strict reader of DER asks for.

They are a SET OF (RFC 5652, 5.1), which DER sorts (X.690, 11.6) and CMS does not: many authorities, among them OpenSSL,
send the signer's certificate first. No signature covers their order.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

_CERTIFICATES = 0xA0
_LONG = 0x80


class _Part(NamedTuple):
    """A tag, and where in the whole it begins, has its content, and ends."""

    tag: int
    begin: int
    content: int
    end: int


def in_order(response: bytes) -> bytes:
    """A response (RFC 3161, 2.4.2) with its certificates sorted; whatever is no such response as it is."""
    try:
        certificates = _certificates(response)
        each = sorted(response[part.begin : part.end] for part in _within(response, certificates))
    except (IndexError, ValueError, StopIteration):
        return response
    return response[: certificates.content] + b"".join(each) + response[certificates.end :]


def _certificates(response: bytes) -> _Part:
    whole = next(_parts(response, 0, len(response)))
    _status, token = _within(response, whole)[:2]
    _type, content = _within(response, token)
    (signed_data,) = _within(response, content)
    return next(part for part in _within(response, signed_data) if part.tag == _CERTIFICATES)


def _within(der: bytes, part: _Part) -> list[_Part]:
    return list(_parts(der, part.content, part.end))


def _parts(der: bytes, begin: int, end: int) -> Iterator[_Part]:
    while begin < end:
        content, length = begin + 2, der[begin + 1]
        if length & _LONG:
            content, length = (
                content + (length ^ _LONG),
                int.from_bytes(der[content : content + (length ^ _LONG)]),
            )
        if content + length > end:
            raise IndexError("a length goes beyond what it is in")
        yield _Part(der[begin], begin, content, content + length)
        begin = content + length
