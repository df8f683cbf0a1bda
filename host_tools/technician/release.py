"""A release of firmware for one kind of board: one file, a ZIP, with a manifest that the release key signs.

It holds `manifest.json`, the firmware for either slot, `slot-a.bin` and `slot-b.bin`, and once it is signed `signature`
(RSASSA-PKCS1-v1_5 with SHA-256, RFC 8017, 8.2). What an adapter is sent first, and checks, is the signature with the
manifest behind it: `Release.signed`. docs/update.md has the manifest's fields.
"""

from __future__ import annotations

import hashlib
import io
import json
import struct
import zipfile
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

Slot = Literal["a", "b"]
SLOTS: tuple[Slot, ...] = get_args(Slot)
MOST_FIRMWARE_BYTES = 2**20
MOST_SIGNED_BYTES = 960
"""As the protocol carries it in one part."""
GREATEST_RELEASE = 2**31 - 1

_MANIFEST = "manifest.json"
_SIGNATURE = "signature"
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The same release makes the same file, whenever it is made."""
_NO_ZIP = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    NotImplementedError,
    RuntimeError,
    ValueError,
    EOFError,
)
"""What the library raises for a file that is damaged, encrypted or none."""

Label = Annotated[str, StringConstraints(pattern=r"^[ -~]{1,64}$")]


class ReleaseFault(Exception):
    """It is no release that could be pushed; the text says why."""


class NotSigned(ReleaseFault):
    """The release key has not signed it."""


class WrongSignature(ReleaseFault):
    """Another key has signed it, or another manifest."""


class Firmware(BaseModel):
    """What the manifest says of the firmware for one slot; `size` in bytes."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    size: Annotated[int, Field(ge=1, le=MOST_FIRMWARE_BYTES)]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Firmwares(BaseModel):
    """Of either slot."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    a: Firmware
    b: Firmware


class Manifest(BaseModel):
    """What a release says of itself; `release` is a number that rises with each of a kind of board."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    board: Label
    version: Label
    commit: Label | Literal[""]
    release: Annotated[int, Field(ge=1, le=GREATEST_RELEASE)]
    slots: Firmwares


@dataclass(frozen=True)
class Release:
    """A release, whole: its manifest agrees with its firmware.

    Attributes:
        manifest_json: the manifest, byte for byte as it is signed.
        firmware: for either slot.
        signature: 384 bytes; None before it is signed.
    """

    manifest_json: bytes
    firmware: dict[Slot, bytes]
    signature: bytes | None = None

    @property
    def manifest(self) -> Manifest:
        """What it says of itself."""
        return Manifest.model_validate_json(self.manifest_json)

    @property
    def signed(self) -> bytes:
        """The signature, and the manifest behind it.

        Raises:
            NotSigned: there is none.
        """
        if self.signature is None:
            raise NotSigned("it is not signed: star57 update sign")
        return self.signature + self.manifest_json

    @property
    def sha256(self) -> str:
        """Of `signed`: what the release is known by, to the service and to adapters.

        Raises:
            NotSigned: there is no signature.
        """
        return hashlib.sha256(self.signed).hexdigest()


def package(facts: Path, release: int) -> Release:
    """A release of what `make image` has built, without a signature.

    Args:
        facts: the JSON file beside an image, which names the firmware of either slot.
        release: 1 to 2^31 - 1; greater than those of all releases for this board before it.

    Raises:
        ReleaseFault: the files do not agree, are missing, or the board has one slot.
    """
    try:
        told: dict[str, Any] = json.loads(facts.read_text())
        slots = told["slots"]
        firmware: dict[Slot, bytes] = {
            slot: (facts.parent / slots[slot]["name"]).read_bytes() for slot in SLOTS
        }
        for slot, data in firmware.items():
            if hashlib.sha256(data).hexdigest() != slots[slot]["sha256"]:
                raise ReleaseFault(f"{slots[slot]['name']} is not what {facts.name} says: build it anew")
        return new(told["board"], told["version"], told["commit"], release, firmware)
    except OSError as error:
        raise ReleaseFault(f"{error.filename} cannot be read: make image builds it") from error
    except (ValueError, TypeError, KeyError) as error:
        raise ReleaseFault(f"{facts} does not tell of firmware for two slots") from error


def new(board: str, version: str, commit: str, release: int, firmware: dict[Slot, bytes]) -> Release:
    """A release of this firmware, without a signature.

    Raises:
        ReleaseFault: something of it has a length or a value that no adapter takes.
    """
    slots = {
        slot: {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for slot, data in firmware.items()
    }
    fields = {"board": board, "version": version, "commit": commit, "release": release, "slots": slots}
    try:
        manifest = Manifest.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        raise ReleaseFault(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    return Release(manifest.model_dump_json().encode(), firmware)


def sign(release: Release, key: rsa.RSAPrivateKey) -> Release:
    """The release, signed by `key` of 3072 bits."""
    return replace(release, signature=key.sign(release.manifest_json, padding.PKCS1v15(), hashes.SHA256()))


def verify(release: Release, release_key: str) -> None:
    """Checks the signature as an adapter does, by the public modulus `release_key` in hex digits.

    Raises:
        NotSigned: there is no signature.
        WrongSignature: it is not by this key, or not of this manifest.
    """
    signature = release.signed[: -len(release.manifest_json)]
    key = rsa.RSAPublicNumbers(65537, int(release_key, 16)).public_key()
    try:
        key.verify(signature, release.manifest_json, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature as error:
        raise WrongSignature("it is signed by another key than this release key") from error


def write(release: Release, path: Path) -> None:
    """Writes the release's file.

    Raises:
        ReleaseFault: it cannot be written.
    """
    members = {_MANIFEST: release.manifest_json}
    members |= {_name(slot): data for slot, data in release.firmware.items()}
    if release.signature is not None:
        members[_SIGNATURE] = release.signature
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(zipfile.ZipInfo(name, _LONG_AGO), data, zipfile.ZIP_DEFLATED)
    beside = path.with_name(f".{path.name}.new")
    try:
        beside.write_bytes(whole.getvalue())
        beside.replace(path)
    except OSError as error:
        raise ReleaseFault(f"{path} cannot be written: {error.strerror}") from error


def read(path: Path) -> Release:
    """The release in a file; its signature is not checked, for that takes the release key: `verify`.

    Raises:
        ReleaseFault: it is none, or its parts do not agree.
    """
    try:
        with zipfile.ZipFile(path) as file:
            members = {info.filename: _member(file, info) for info in file.infolist()}
    except OSError as error:
        raise ReleaseFault(f"{path} cannot be read: {error.strerror}") from error
    except _NO_ZIP as error:
        raise ReleaseFault(f"{path} is no release") from error
    return _release(path, members)


def _member(file: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """A member, read no further than any of a release may be long."""
    if info.file_size > MOST_FIRMWARE_BYTES or info.compress_type not in _COMPRESSIONS:
        raise ValueError("no member of a release")
    with file.open(info) as member:
        return member.read(MOST_FIRMWARE_BYTES)


def _release(path: Path, members: dict[str, bytes]) -> Release:
    signature = members.pop(_SIGNATURE, None)
    if members.keys() != {_MANIFEST, *map(_name, SLOTS)}:
        raise ReleaseFault(f"{path} is no release")
    release = Release(members[_MANIFEST], {slot: members[_name(slot)] for slot in SLOTS}, signature)
    try:
        manifest = release.manifest
    except ValidationError as error:
        raise ReleaseFault(f"the manifest in {path} is none") from error
    for slot, data in release.firmware.items():
        said: Firmware = getattr(manifest.slots, slot)
        if (said.size, said.sha256) != (len(data), hashlib.sha256(data).hexdigest()):
            raise ReleaseFault(f"the firmware for slot {slot} in {path} is not what the manifest says")
    return release


def _name(slot: Slot) -> str:
    return f"slot-{slot}.bin"
