"""A signed release: what it says of the firmware for one board, once the release key vouches for it.

It is a signature of 384 bytes, RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017, 8.2) by a key of 3072 bits and the exponent
65537, and the manifest behind it, a JSON object (docs/update.md).
"""

import asyncio
import hashlib
import json

from micropython import const

NO_RELEASE_KEY = "no_release_key"
BAD_SIGNATURE = "bad_signature"
MALFORMED = "malformed"

_SIGNATURE_BYTES = const(384)
_KEY_HEX_DIGITS = const(768)
# 65537 is 2^16 + 1: so many squarings, and one multiplication.
_SQUARINGS = const(16)
# RFC 8017, 9.2, note 1: what stands before a hash by SHA-256.
_DIGEST_INFO = b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"
_FIELDS = {"board", "version", "commit", "release", "slots"}
_IMAGE_FIELDS = {"size", "sha256"}
_GREATEST_RELEASE = const(0x7FFF_FFFF)
_GREATEST_SIZE = const(0x10_0000)
_HEX = "0123456789abcdef"


class ReleaseError(Exception):
    """It is not taken; `reason` is one word."""

    def __init__(self, reason):
        super().__init__(reason)
        self.reason = reason


class Release:
    """`number` rises with each release; `board`, `version` of the firmware; `images`: slot -> (size, sha256 in hex)."""

    def __init__(self, manifest):
        self.number = manifest["release"]
        self.board = manifest["board"]
        self.version = manifest["version"]
        self.images = {slot: (image["size"], image["sha256"]) for slot, image in manifest["slots"].items()}


async def read(signed, release_key):
    """The Release in `signed`, bytes, by the public modulus `release_key`, in 768 hex digits.

    Others have the processor in between: it is 18 steps, of 27 ms at the most, on an RP2040. Raises ReleaseError.
    """
    if len(release_key) != _KEY_HEX_DIGITS:
        raise ReleaseError(NO_RELEASE_KEY)
    signature, manifest = signed[:_SIGNATURE_BYTES], signed[_SIGNATURE_BYTES:]
    if await _opened(signature, int(release_key, 16)) != _encoded(manifest):
        raise ReleaseError(BAD_SIGNATURE)
    return _release(manifest)


async def _opened(signature, modulus):
    """RFC 8017, 5.2.2: what was signed, as far as the signature says."""
    base = int.from_bytes(signature, "big")
    if len(signature) != _SIGNATURE_BYTES or base >= modulus:
        raise ReleaseError(BAD_SIGNATURE)
    power = base
    for _ in range(_SQUARINGS):
        power = power * power % modulus
        await asyncio.sleep_ms(0)
    return (power * base % modulus).to_bytes(_SIGNATURE_BYTES, "big")


def _encoded(manifest):
    """RFC 8017, 9.2: EMSA-PKCS1-v1_5 of what stands behind the signature."""
    digest = _DIGEST_INFO + hashlib.sha256(manifest).digest()
    return b"\x00\x01" + b"\xff" * (_SIGNATURE_BYTES - 3 - len(digest)) + b"\x00" + digest


def _release(data):
    try:
        manifest = json.loads(data)
    except ValueError:
        raise ReleaseError(MALFORMED) from None
    if not _is_manifest(manifest):
        raise ReleaseError(MALFORMED)
    return Release(manifest)


def _is_manifest(manifest):
    if not isinstance(manifest, dict) or set(manifest) != _FIELDS:
        return False
    slots = manifest["slots"]
    return (
        _is_integer(manifest["release"], _GREATEST_RELEASE)
        and all(isinstance(manifest[name], str) for name in ("board", "version", "commit"))
        and isinstance(slots, dict)
        and set(slots) == {"a", "b"}
        and all(_is_image(image) for image in slots.values())
    )


def _is_image(image):
    if not isinstance(image, dict) or set(image) != _IMAGE_FIELDS:
        return False
    sha256 = image["sha256"]
    return (
        _is_integer(image["size"], _GREATEST_SIZE)
        and isinstance(sha256, str)
        and len(sha256) == 64
        and all(digit in _HEX for digit in sha256)
    )


def _is_integer(value, most):
    return type(value) is int and 1 <= value <= most
