"""Who called, sealed to the trace centre's public key (libsodium sealed box): it cannot open them."""

from __future__ import annotations

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox
from pydantic import BaseModel, ConfigDict, ValidationError

from host_tools.service.messages import CallerId


class SealingError(Exception):
    """A key that is none, or a sealed record that this key does not open."""


class WhoCalled(BaseModel):
    """What only the holder of the centre's private key may read."""

    model_config = ConfigDict(
        frozen=True, hide_input_in_errors=True, ser_json_bytes="base64", val_json_bytes="base64"
    )

    origin: str | None
    """The calling number that the trace found."""
    presented: CallerId | None
    """What the line presented."""
    request: bytes
    """The request, byte for byte as it came."""


class Seal:
    """Seals to one public key, 64 hex digits.

    Raises:
        SealingError: not a public key that can be sealed to.
    """

    def __init__(self, public_key: str) -> None:
        try:
            self._box = SealedBox(PublicKey(bytes.fromhex(public_key)))
            self._box.encrypt(b"")  # libsodium refuses a weak key only when it is used
        except (ValueError, CryptoError) as error:
            raise SealingError("not a public key of 64 hex digits") from error

    def seal(self, who_called: WhoCalled) -> bytes:
        """The sealed record, 48 bytes longer than its content."""
        return self._box.encrypt(who_called.model_dump_json().encode())


def new_key_pair() -> tuple[str, str]:
    """A new private key and its public key, 64 hex digits each."""
    private_key = PrivateKey.generate()
    return bytes(private_key).hex(), bytes(private_key.public_key).hex()


def open_sealed(sealed: bytes, private_key: str) -> WhoCalled:
    """The content of a sealed record.

    Raises:
        SealingError: not a key, another key's record, or a record that was changed.
    """
    try:
        content = SealedBox(PrivateKey(bytes.fromhex(private_key))).decrypt(sealed)
        return WhoCalled.model_validate_json(content)
    except (ValueError, CryptoError, ValidationError) as error:
        raise SealingError("this key does not open this record") from error
