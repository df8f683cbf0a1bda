"""The service's secret: 32 bytes in a file, of which a key is made for each use."""

from __future__ import annotations

import hashlib
import hmac
import os
from functools import cached_property
from pathlib import Path

from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

_BYTES = 32


class SecretUnusable(Exception):
    """The file of the secret cannot be read or made, or holds none."""


class NotOurs(Exception):
    """Something was not encrypted with this secret, or for another use."""


class Secret:
    """The secret in `path`; the file is made when there is none. It is read at its first use.

    Every method raises SecretUnusable when the file cannot be had.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def check(self) -> None:
        """Makes the file when there is none, and reads it."""
        self._key("start")

    def mac(self, use: str, text: str) -> str:
        """A message authentication code of `text` for this use (HMAC-SHA-256), in hex."""
        return hmac.new(self._key(use), text.encode(), hashlib.sha256).hexdigest()

    def encrypt(self, use: str, plain: bytes) -> bytes:
        """`plain`, encrypted and authenticated for this use (XSalsa20-Poly1305)."""
        return bytes(SecretBox(self._key(use)).encrypt(plain))

    def decrypt(self, use: str, encrypted: bytes) -> bytes:
        """What `encrypt` was given.

        Raises:
            NotOurs: it is not of this secret and use.
        """
        try:
            return SecretBox(self._key(use)).decrypt(encrypted)
        except (CryptoError, ValueError) as error:
            raise NotOurs from error

    def _key(self, use: str) -> bytes:
        return hmac.new(self._bytes, use.encode(), hashlib.sha256).digest()

    @cached_property
    def _bytes(self) -> bytes:
        try:
            _make(self._path)
            secret = bytes.fromhex(self._path.read_text("ascii"))
        except (OSError, ValueError) as error:
            raise SecretUnusable(f"{self._path} cannot be read as a secret of 64 hex digits") from error
        if len(secret) != _BYTES:
            raise SecretUnusable(f"{self._path} does not hold 64 hex digits")
        return secret


def _make(path: Path) -> None:
    """Makes the file, whole or not at all, for its owner alone; one that is there stays."""
    if path.exists():
        return
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(os.urandom(_BYTES).hex() + "\n")
            file.flush()
            os.fsync(file.fileno())
        # A link, not a rename: of two processes that start at once, the second takes the secret of the first.
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
