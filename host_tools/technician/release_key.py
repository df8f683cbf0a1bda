"""The release key: RSA of 3072 bits, which signs firmware; its private half is a PEM file under a passphrase (PKCS #8).

A Pico checks a signature of RSA by 17 multiplications, in a third of a second, with what MicroPython has.
"""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

MIN_PASSPHRASE_LETTERS = 12
_BITS = 3072
_EXPONENT = 65537


class ReleaseKeyFault(Exception):
    """The release key is not to be had; the text says why."""


class WrongPassphrase(ReleaseKeyFault):
    """The passphrase does not open it."""


class PassphraseTooShort(ReleaseKeyFault):
    """A new key's passphrase has less than 12 letters."""


def new_key(path: Path, passphrase: str) -> str:
    """Makes a key pair, keeps the private key at `path`, and answers the public one as `release_key` has it.

    Args:
        path: of a file that is not there yet: a release key is never overwritten, for adapters out there know it.
        passphrase: at least 12 letters.

    Raises:
        PassphraseTooShort: nothing is kept.
        ReleaseKeyFault: there is a file, or it cannot be written.
    """
    if len(passphrase) < MIN_PASSPHRASE_LETTERS:
        raise PassphraseTooShort(f"a passphrase has at least {MIN_PASSPHRASE_LETTERS} letters")
    key = rsa.generate_private_key(_EXPONENT, _BITS)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(_typed(passphrase)))
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError as error:
        raise ReleaseKeyFault(f"there is a file {path} already") from error
    except OSError as error:
        raise ReleaseKeyFault(f"the key cannot be kept in {path}: {error.strerror}") from error
    return modulus(key)


def open_key(path: Path, passphrase: str) -> rsa.RSAPrivateKey:
    """The private key.

    Raises:
        WrongPassphrase: the passphrase does not open it.
        ReleaseKeyFault: there is no such key in the file.
    """
    try:
        key = load_pem_private_key(path.read_bytes(), _typed(passphrase))
    except OSError as error:
        raise ReleaseKeyFault(f"{path} cannot be read: {error.strerror}") from error
    except TypeError as error:
        raise ReleaseKeyFault(f"the key in {path} is under no passphrase") from error
    except ValueError as error:
        raise WrongPassphrase(f"{path} is no private key, or the passphrase does not open it") from error
    if not isinstance(key, rsa.RSAPrivateKey) or key.key_size != _BITS:
        raise ReleaseKeyFault(f"the key in {path} is not RSA of {_BITS} bits")
    if key.public_key().public_numbers().e != _EXPONENT:
        raise ReleaseKeyFault(f"the exponent of the key in {path} is not {_EXPONENT}")
    return key


def modulus(key: rsa.RSAPrivateKey) -> str:
    """The public modulus in 768 hex digits: the setting `release_key` of each board."""
    return f"{key.public_key().public_numbers().n:0{_BITS // 4}x}"


def _typed(passphrase: str) -> bytes:
    # The same letters, however a keyboard composes them (RFC 8265, 4.2.2).
    return unicodedata.normalize("NFC", passphrase).encode()
