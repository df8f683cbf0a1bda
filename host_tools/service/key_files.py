"""The trace centre's private keys: a folder of files, each encrypted with a passphrase and named by its fingerprint.

Argon2id (RFC 9106) makes a key of the passphrase, and a secretbox of libsodium holds the private key under it. There
are two kinds: an opening key (X25519) opens sealed records, a signing key (Ed25519) signs what is released. One
passphrase may open both. They lie on the host of the desk, and nowhere else.
"""

from __future__ import annotations

import os
import unicodedata
from base64 import b64decode, b64encode
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey
from nacl.pwhash import argon2id
from nacl.secret import SecretBox
from nacl.signing import SigningKey
from nacl.utils import random as random_bytes
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from host_tools.service.sealing import fingerprint

MIN_PASSPHRASE_LETTERS = 12
_PRIVATE_KEY_BYTES = 32


class KeyFileError(Exception):
    """A private key is not to be had."""


class NoSuchKey(KeyFileError):
    """The folder does not hold it."""


class WrongPassphrase(KeyFileError):
    """The passphrase does not open it."""


class KeyFileDamaged(KeyFileError):
    """Its file cannot be read, or holds something else."""


class PassphraseTooShort(KeyFileError):
    """A new key's passphrase has less than 12 letters."""


class KeyKind(StrEnum):
    """What a key does."""

    OPENING = "opening"
    SIGNING = "signing"


@dataclass(frozen=True)
class Cost:
    """What it costs to try a passphrase, as libsodium has it: passes over so much memory."""

    passes: int = argon2id.OPSLIMIT_MODERATE
    memory_bytes: int = argon2id.MEMLIMIT_MODERATE


class KeyFile(BaseModel):
    """What a file says; `salt` and `sealed` are base64, `made_at` Unix seconds."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)

    format: Literal["star57 private key"] = "star57 private key"
    kind: KeyKind
    public_key: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    made_at: Annotated[int, Field(ge=0)]
    # A file that was put there must not make argon2 take all memory.
    passes: Annotated[int, Field(ge=1, le=16)]
    memory_bytes: Annotated[int, Field(ge=8192, le=2**30)]
    salt: str
    sealed: str


class KeyFolder:
    """The folder of key files at `path`."""

    def __init__(self, path: Path, cost: Cost | None = None) -> None:
        self._path = path
        self._cost = cost or Cost()

    def new_key(self, kind: KeyKind, passphrase: str, at: int) -> str:
        """Makes a key pair, keeps the private key, and answers the public one: 64 hex digits.

        Args:
            kind: what the key is to do.
            passphrase: at least 12 letters.
            at: Unix seconds.

        Raises:
            PassphraseTooShort: nothing is kept.
            KeyFileError: the file cannot be written.
        """
        if len(passphrase) < MIN_PASSPHRASE_LETTERS:
            raise PassphraseTooShort(f"a passphrase has at least {MIN_PASSPHRASE_LETTERS} letters")
        private_key = random_bytes(_PRIVATE_KEY_BYTES)
        salt = random_bytes(argon2id.SALTBYTES)
        box = _box(passphrase, salt, self._cost)
        file = KeyFile(
            kind=kind,
            public_key=_public_key(kind, private_key).hex(),
            made_at=at,
            passes=self._cost.passes,
            memory_bytes=self._cost.memory_bytes,
            salt=_text(salt),
            sealed=_text(bytes(box.encrypt(private_key))),
        )
        self._keep(file)
        return file.public_key

    def opening_keys(self, fingerprints: Iterable[str], passphrase: str) -> dict[str, str]:
        """The private keys of these fingerprints, 64 hex digits each, by their fingerprint.

        Raises:
            NoSuchKey, WrongPassphrase, KeyFileDamaged: one of them is not to be had.
        """
        return {which: self._open(KeyKind.OPENING, which, passphrase).hex() for which in fingerprints}

    def signing_key(self, passphrase: str) -> SigningKey:
        """The newest signing key.

        Raises:
            NoSuchKey, WrongPassphrase, KeyFileDamaged: it is not to be had.
        """
        files = [self._read(path) for path in self._paths(KeyKind.SIGNING)]
        if not files:
            raise NoSuchKey("there is no signing key in the folder of keys")
        newest = max(files, key=lambda file: (file.made_at, file.public_key))
        which = fingerprint(bytes.fromhex(newest.public_key))
        return SigningKey(self._open(KeyKind.SIGNING, which, passphrase))

    def fingerprints(self, kind: KeyKind) -> list[str]:
        """Of every key of this kind that is here, in order."""
        return sorted(path.name.split(".", 1)[0] for path in self._paths(kind))

    def _paths(self, kind: KeyKind) -> list[Path]:
        return sorted(self._path.glob(f"*.{kind}-key"))

    def _keep(self, file: KeyFile) -> None:
        path = self._path / f"{fingerprint(bytes.fromhex(file.public_key))}.{file.kind}-key"
        # Beside it first: half a signing key would hinder every release.
        beside = path.with_name(f".{path.name}.new")
        try:
            self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "w", encoding="utf-8") as written:
                written.write(file.model_dump_json(indent=1) + "\n")
                written.flush()
                os.fsync(written.fileno())
            beside.replace(path)
        except OSError as error:
            raise KeyFileError(f"the key cannot be kept in {self._path}: {error.strerror}") from error
        finally:
            with suppress(OSError):
                beside.unlink(missing_ok=True)

    def _open(self, kind: KeyKind, which: str, passphrase: str) -> bytes:
        path = self._path / f"{which}.{kind}-key"
        if path not in self._paths(kind):
            raise NoSuchKey(f"the {kind} key {which} is not in the folder of keys")
        file = self._read(path)
        try:
            box = _box(passphrase, b64decode(file.salt), Cost(file.passes, file.memory_bytes))
            private_key = box.decrypt(b64decode(file.sealed))
        except ValueError as error:
            raise KeyFileDamaged(f"{path.name} is damaged") from error
        except RuntimeError as error:
            raise KeyFileError(f"there is not enough memory to open {path.name}") from error
        except CryptoError as error:
            raise WrongPassphrase(f"the passphrase does not open the {kind} key {which}") from error
        public_key = _public_key(kind, private_key)
        if file.kind is not kind or file.public_key != public_key.hex() or fingerprint(public_key) != which:
            raise KeyFileDamaged(f"{path.name} holds another key than it says")
        return private_key

    def _read(self, path: Path) -> KeyFile:
        try:
            return KeyFile.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise KeyFileDamaged(f"{path.name} cannot be read as a key") from error


def _box(passphrase: str, salt: bytes, cost: Cost) -> SecretBox:
    # The same letters, however a keyboard composes them (RFC 8265, 4.2.2): a browser's and a terminal's need not agree.
    typed = unicodedata.normalize("NFC", passphrase).encode()
    return SecretBox(argon2id.kdf(SecretBox.KEY_SIZE, typed, salt, cost.passes, cost.memory_bytes))


def _public_key(kind: KeyKind, private_key: bytes) -> bytes:
    if kind is KeyKind.OPENING:
        return bytes(PrivateKey(private_key).public_key)
    return bytes(SigningKey(private_key).verify_key)


def _text(data: bytes) -> str:
    return b64encode(data).decode()
