"""Tags of origins: whether two traces of one line found the same caller, without opening either.

A tag is a keyed hash (HMAC-SHA256, RFC 2104) of line and origin. Tags of two lines cannot be compared, and whoever has
the database alone learns nothing from one. Whoever has the database and the keys can try all numbers: the file of keys
is as secret as the private key of the centre, and is kept from the database's backups.
"""

from __future__ import annotations

import hmac
import os
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

_KEY_BYTES = 32


class OriginKeysUnreadable(Exception):
    """The file of keys is not there, cannot be read, or holds something else."""


class _Key(BaseModel):
    """`made_at` is in Unix seconds."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)

    id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
    key: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] = Field(repr=False)
    made_at: Annotated[int, Field(ge=0)]


_KEYS = TypeAdapter(Annotated[list[_Key], Field(min_length=1)])


class OriginKeys:
    """The keys that tags are made with, the newest last. An older one only finds what was tagged with it."""

    def __init__(self, keys: Sequence[_Key]) -> None:
        self._keys = tuple(keys)

    @classmethod
    def new(cls, at: int = 0) -> OriginKeys:
        """One new key, made at `at` (Unix seconds)."""
        return cls([_new_key(at)])

    @classmethod
    def load(cls, path: Path) -> OriginKeys:
        """The keys in the file.

        Raises:
            OriginKeysUnreadable: with a sentence that says what is wrong.
        """
        try:
            return cls(_KEYS.validate_json(path.read_bytes()))
        except OSError as error:
            raise OriginKeysUnreadable(f"the origin keys cannot be read: {error.strerror}") from error
        except ValidationError as error:
            raise OriginKeysUnreadable("the file holds no origin keys") from error

    @classmethod
    def load_or_make(cls, path: Path, at: int = 0) -> OriginKeys:
        """The keys in the file, which is made with one new key when there is none.

        Raises:
            OriginKeysUnreadable: with a sentence that says what is wrong.
        """
        if not path.exists():
            cls.new(at)._keep(path, _place_first)
        return cls.load(path)

    def save(self, path: Path) -> None:
        """Writes the file, for its owner alone; it is the old one or the new one, whatever happens.

        Raises:
            OriginKeysUnreadable: it cannot be written.
        """
        self._keep(path, os.replace)

    def _keep(self, path: Path, place: Callable[[Path, Path], None]) -> None:
        beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(_KEYS.dump_json(list(self._keys), indent=1))
                file.flush()
                os.fsync(file.fileno())
            place(beside, path)
        except OSError as error:
            raise OriginKeysUnreadable(f"the origin keys cannot be written: {error.strerror}") from error
        finally:
            with suppress(OSError):
                beside.unlink(missing_ok=True)

    def rotated(self, at: int, forget_before: int = 0) -> OriginKeys:
        """These keys and a new one, made at `at`, without those replaced before `forget_before` (Unix seconds).

        A key may be forgotten once every trace that was tagged with it is deleted.
        """
        replaced_at = [key.made_at for key in self._keys[1:]] + [at]
        kept = [key for key, until in zip(self._keys, replaced_at, strict=True) if until >= forget_before]
        return OriginKeys([*kept, _new_key(at)])

    @property
    def ids(self) -> list[str]:
        """What the keys are called, the newest last; 16 hex digits each."""
        return [key.id for key in self._keys]

    def tag(self, line: str, origin: str) -> tuple[str, str]:
        """The id of the newest key, and the tag by it: 64 hex digits."""
        return self._keys[-1].id, _tag(self._keys[-1], line, origin)

    def tags(self, line: str, origin: str) -> list[str]:
        """The tags by every key: each trace of `origin` by `line` has one of them."""
        return [_tag(key, line, origin) for key in self._keys]


def _place_first(beside: Path, path: Path) -> None:
    # Of replicas that start together the first has made the keys: with others of its own nobody could count.
    with suppress(FileExistsError):
        os.link(beside, path)


def _new_key(at: int) -> _Key:
    return _Key(id=secrets.token_hex(8), key=secrets.token_hex(_KEY_BYTES), made_at=at)


def _tag(key: _Key, line: str, origin: str) -> str:
    # One number is written with and without the plus of ITU-T E.123. A line is digits, so nothing else reads alike.
    said = f"{line} {origin.removeprefix('+')}".encode()
    return hmac.digest(bytes.fromhex(key.key), said, "sha256").hex()
