"""Passwords: argon2id (RFC 9106), hashed in threads, and not too many at once."""

from __future__ import annotations

import asyncio
import secrets
import unicodedata
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cached_property

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST = 12
LONGEST = 128
_AT_ONCE = 2
_MOST_WAITING = 32


class Busy(Exception):
    """Too many passwords are being checked."""


class Passwords:
    """Makes and checks hashes of passwords.

    Args:
        hasher: 64 MiB and 3 passes where nothing else is said.
    """

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._free = asyncio.Semaphore(_AT_ONCE)
        self._waiting = 0

    def hash(self, password: str) -> str:
        """A salted hash, which says by itself how it was made."""
        return self._hasher.hash(_normal(password))

    def is_right(self, password_hash: str | None, password: str) -> bool:
        """Whether the hash is of this password. Without a hash the answer is no, and takes as long."""
        try:
            return self._hasher.verify(password_hash or self._of_nobody, _normal(password)) and bool(
                password_hash
            )
        except (VerificationError, InvalidHashError):
            return False

    def is_outdated(self, password_hash: str) -> bool:
        """Whether it was made in another way than hashes are made now."""
        return self._hasher.check_needs_rehash(password_hash)

    async def hash_aside(self, password: str) -> str:
        """As `hash`, in a thread.

        Raises:
            Busy: too many wait.
        """
        async with self._turn():
            return await asyncio.to_thread(self.hash, password)

    async def is_right_aside(self, password_hash: str | None, password: str) -> bool:
        """As `is_right`, in a thread.

        Raises:
            Busy: too many wait.
        """
        async with self._turn():
            return await asyncio.to_thread(self.is_right, password_hash, password)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """Waits until few enough hash at once: each takes 64 MiB."""
        if self._waiting >= _MOST_WAITING:
            raise Busy
        self._waiting += 1
        try:
            await self._free.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._free.release()

    @cached_property
    def _of_nobody(self) -> str:
        return self.hash(secrets.token_urlsafe())


def one_time_password() -> str:
    """A password to begin with, of 100 bits; it can be read out."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(5)) for _ in range(4))


def _normal(password: str) -> str:
    """The same letters, however a keyboard composes them (RFC 8265 §4.2.2)."""
    return unicodedata.normalize("NFC", password)
