"""Releases of firmware for tests, signed by the key of docs/vectors/release.json."""

import hashlib
import json

with open("docs/vectors/release.json") as _file:
    VECTORS = json.load(_file)

RELEASE_KEY = VECTORS["key"]["modulus"]
_DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
_signed = {}


def signed_manifest(manifest):
    """The signature over `manifest`, a dict, and the manifest behind it."""
    data = json.dumps(manifest, separators=(",", ":")).encode()
    if data not in _signed:
        digest = _DIGEST_INFO + hashlib.sha256(data).digest()
        encoded = b"\x00\x01" + b"\xff" * (381 - len(digest)) + b"\x00" + digest
        exponent = int(VECTORS["key"]["private_exponent"], 16)
        signature = pow(int.from_bytes(encoded, "big"), exponent, int(RELEASE_KEY, 16))
        _signed[data] = signature.to_bytes(384, "big") + data
    return _signed[data]


def image_of(version, size):
    """`size` bytes that the emulated slots take for a firmware of that version."""
    head = "star57 {}\n".format(version).encode()
    return head + bytes((place * 7 + place // 251) & 0xFF for place in range(size - len(head)))


def release(number, image_b, board="emulated", version="0.2.0", sha256=None):
    """A signed release, and its hash in hex; slot a has one byte. `sha256`: said of image_b, if not its own."""
    manifest = {
        "board": board,
        "version": version,
        "commit": "0123abc",
        "release": number,
        "slots": {
            "a": {"size": 1, "sha256": hashlib.sha256(b"a").digest().hex()},
            "b": {"size": len(image_b), "sha256": sha256 or hashlib.sha256(image_b).digest().hex()},
        },
    }
    signed = signed_manifest(manifest)
    return signed, hashlib.sha256(signed).digest().hex()
