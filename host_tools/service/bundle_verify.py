"""Verifies a bundle that a trace centre has released. This file runs on its own, with Python and PyNaCl:

    python3 bundle_verify.py BUNDLE.zip KEY

KEY is the centre's public signing key: a PEM file, or 64 hex digits. It must have come from the centre on another way
than the bundle did. Ends with 0 when nothing was changed since the release, and with 1 otherwise, and says why.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import json
import struct
import sys
import zipfile
import zlib
from pathlib import Path
from typing import Any

from nacl.exceptions import CryptoError
from nacl.signing import VerifyKey

MANIFEST = "manifest.json"
SIGNATURE = "manifest.sig"
FORMAT = "star57 release"
MAX_FILES = 16
MAX_BYTES = 64 * 2**20
# SubjectPublicKeyInfo of an Ed25519 key, up to its 32 bytes (RFC 8410, 4).
_DER_PREFIX = bytes.fromhex("302a300506032b6570032100")
# All that zipfile raises for bytes that are no zip, or one of a kind that it cannot read.
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OverflowError,
    EOFError,
    OSError,
)
_PEM = "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n"


class BundleInvalid(Exception):
    """A bundle that is not what a centre has released; the text says what is wrong."""


class NotABundle(BundleInvalid):
    """Not a zip of a release at all."""


class SignatureWrong(BundleInvalid):
    """The manifest is not signed with this key."""


class FileChanged(BundleInvalid):
    """A file is not the one that was released."""


class FileMissing(BundleInvalid):
    """A file that was released is not there."""


class FileAdded(BundleInvalid):
    """A file is there that was not released."""


class KeyUnreadable(Exception):
    """Not a public key that signatures are checked with."""


def verify(bundle: bytes, public_key: bytes) -> dict[str, Any]:
    """The manifest of `bundle`, when nothing in it was changed since it was signed.

    Args:
        bundle: the zip.
        public_key: the centre's, 32 bytes (Ed25519, RFC 8032).

    Raises:
        BundleInvalid: one of its kinds, with a sentence that names the file.
    """
    files = _files(bundle)
    for name in (MANIFEST, SIGNATURE):
        if name not in files:
            raise NotABundle(f"there is no {name}: this is no bundle of a trace centre")
    try:
        VerifyKey(public_key).verify(files[MANIFEST], files[SIGNATURE])
    except (CryptoError, ValueError) as error:
        raise SignatureWrong(
            f"{MANIFEST} is not signed with this key: it was changed, or is of another centre"
        ) from error
    return _checked(files)


def read_public_key(text: str) -> bytes:
    """The 32 bytes of a public key in PEM, or of 64 hex digits.

    Raises:
        KeyUnreadable: it is neither.
    """
    try:
        if "BEGIN" not in text:
            key = bytes.fromhex(text.strip())
        else:
            lines = [line.strip() for line in text.strip().splitlines()]
            der = base64.b64decode("".join(lines[1:-1]), validate=True)
            if lines[0] != _PEM.splitlines()[0] or not der.startswith(_DER_PREFIX):
                raise KeyUnreadable("not an Ed25519 public key in PEM")
            key = der[len(_DER_PREFIX) :]
    except (ValueError, binascii.Error) as error:
        raise KeyUnreadable("neither a public key in PEM nor 64 hex digits") from error
    if len(key) != 32:
        raise KeyUnreadable("not a public key of 32 bytes")
    return key


def public_key_pem(public_key: bytes) -> str:
    """An Ed25519 public key of 32 bytes in PEM, as openssl reads it."""
    return _PEM.format(base64.b64encode(_DER_PREFIX + public_key).decode())


def _files(bundle: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
            members = archive.infolist()
            if len(members) > MAX_FILES or sum(member.file_size for member in members) > MAX_BYTES:
                raise NotABundle("it holds more than any bundle of a trace centre")
            if any(
                member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for member in members
            ):
                raise NotABundle("it is packed in a way that no bundle is")
            if len({member.filename for member in members}) != len(members):
                raise NotABundle("it holds two files of one name")
            return {member.filename: archive.read(member) for member in members}
    except _UNREADABLE as error:
        raise NotABundle("not a zip that can be read whole") from error


def _checked(files: dict[str, bytes]) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads(files[MANIFEST])
    if manifest.get("format") != FORMAT:
        raise NotABundle(f"{MANIFEST} is not that of a release")
    released: dict[str, str] = manifest["files"]
    for name, sha256 in released.items():
        if name not in files:
            raise FileMissing(f"{name} is missing")
        if hashlib.sha256(files[name]).hexdigest() != sha256:
            raise FileChanged(f"{name} was changed since the release")
    for name in files:
        if name not in (*released, MANIFEST, SIGNATURE):
            raise FileAdded(f"{name} was added since the release")
    return manifest


def main(arguments: list[str]) -> int:
    """Verifies the bundle that the arguments name, says what was found, and answers the status to end with."""
    if len(arguments) != 2:
        sys.stderr.write("bundle_verify: say which: BUNDLE.zip and KEY, a PEM file or 64 hex digits\n")
        return 2
    path, key = arguments
    try:
        text = Path(key).read_text(encoding="ascii") if Path(key).is_file() else key
        manifest = verify(Path(path).read_bytes(), read_public_key(text))
    except (OSError, KeyUnreadable, BundleInvalid, UnicodeDecodeError) as error:
        sys.stderr.write(f"bundle_verify: {error}\n")
        return 1
    sys.stdout.write(in_words(manifest))
    return 0


def in_words(manifest: dict[str, Any]) -> str:
    """What a bundle that is right says of itself, in a few lines."""
    instrument = manifest["instrument"]
    return (
        f"right: nothing was changed since the release of {manifest['released_at']}\n"
        f"case {manifest['case_id']}, {len(manifest['records'])} records, released by {manifest['released_by']}\n"
        f"to {instrument['agency']}, {instrument['officer']}, case number {instrument['case_number']}\n"
        f"signed with the key {manifest['signed_by']}\n"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
