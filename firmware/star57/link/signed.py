"""Signed messages (docs/protocol.md): JWS in compact form (RFC 7515), signed by HS256 (RFC 7518, 3.2)."""

import hashlib
import json
from binascii import a2b_base64, b2a_base64

from micropython import const

KEY_BYTES = const(32)
LONGEST_BYTES = const(3000)
# In base64: an adapter id of 32 and a number of 16 take 128.
_LONGEST_HEADER_BYTES = const(256)

# RFC 2104: the block of SHA-256, and what its key is mixed with.
_BLOCK_BYTES = const(64)
_INNER = const(0x36)
_OUTER = const(0x5C)
_BASE64_URL = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


class SignatureError(Exception):
    """No answer to what was asked; `reason` is "too_large", "malformed", "bad_signature" or "other_sequence"."""

    def __init__(self, reason):
        super().__init__(reason)
        self.reason = reason


class Signer:
    """Signs what the adapter of `adapter_id` asks, and knows what is answered to it, by its `key` of 32 bytes."""

    def __init__(self, adapter_id, key):
        self._adapter_id = adapter_id
        block = key + bytes(_BLOCK_BYTES - len(key))
        self._inner = bytes(byte ^ _INNER for byte in block)
        self._outer = bytes(byte ^ _OUTER for byte in block)

    def ask(self, sequence, payload):
        """The signed message of an ask, as bytes; `sequence` 0 to 2^53 - 1, `payload` at most 2048 bytes of JSON."""
        text = '{{"alg":"HS256","typ":"ask","kid":"{}","seq":{}}}'.format(self._adapter_id, sequence)
        signed = _base64_url(text.encode()) + b"." + _base64_url(payload)
        return signed + b"." + _base64_url(self._signature(signed))

    def answer(self, token, sequence):
        """The payload of the answer `token`, bytes, to the ask of that sequence number. Raises SignatureError."""
        if len(token) > LONGEST_BYTES:
            raise SignatureError("too_large")
        # Nobody has signed this yet: 3000 dots, or a header of 2000 brackets, would take all memory that there is.
        parts = token.split(b".", 3)
        if len(parts) != 3 or len(parts[0]) > _LONGEST_HEADER_BYTES:
            raise SignatureError("malformed")
        header = _header(parts[0])
        payload = _bytes(parts[1])
        if not _is_same(_bytes(parts[2]), self._signature(token[: len(parts[0]) + 1 + len(parts[1])])):
            raise SignatureError("bad_signature")
        number = header.get("seq")
        if header != {"alg": "HS256", "typ": "answer", "kid": self._adapter_id, "seq": number}:
            raise SignatureError("malformed")
        if type(number) is not int or number != sequence:
            raise SignatureError("other_sequence")
        return payload

    def _signature(self, signed):
        inner = hashlib.sha256(self._inner)
        inner.update(signed)
        outer = hashlib.sha256(self._outer)
        outer.update(inner.digest())
        return outer.digest()


def _header(text):
    try:
        header = json.loads(_bytes(text))
    except ValueError:
        raise SignatureError("malformed") from None
    if not isinstance(header, dict):
        raise SignatureError("malformed")
    return header


def _base64_url(data):
    """RFC 4648, 5, without padding."""
    return b2a_base64(data, newline=False).rstrip(b"=").replace(b"+", b"-").replace(b"/", b"_")


def _bytes(text):
    # binascii passes over what is no base64, and ignores bits that are left over: one text alone stands for its bytes.
    if any(byte not in _BASE64_URL for byte in text):
        raise SignatureError("malformed")
    try:
        data = a2b_base64(text.replace(b"-", b"+").replace(b"_", b"/") + b"=" * (-len(text) % 4))
    except ValueError:
        raise SignatureError("malformed") from None
    if _base64_url(data) != text:
        raise SignatureError("malformed")
    return data


def _is_same(one, other):
    """Takes as long whatever is different, so that nobody learns a signature by trying."""
    difference = len(one) ^ len(other)
    for place in range(min(len(one), len(other))):
        difference |= one[place] ^ other[place]
    return difference == 0
