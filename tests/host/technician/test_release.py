"""Releases: packaged, signed and read, by the vectors that the firmware is held to."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from host_tools.technician import release as releases
from host_tools.technician.release import (
    MOST_SIGNED_BYTES,
    Manifest,
    NotSigned,
    Release,
    ReleaseFault,
    WrongSignature,
)

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).resolve().parents[3] / "docs" / "vectors" / "release.json").read_text()
)
RELEASE_KEY: str = VECTORS["key"]["modulus"]
FIRMWARE: dict[releases.Slot, bytes] = {"a": b"firmware for a" * 100, "b": b"firmware for b" * 200}


def private_key() -> rsa.RSAPrivateKey:
    """The key of the vectors."""
    modulus, exponent = int(RELEASE_KEY, 16), int(VECTORS["key"]["private_exponent"], 16)
    p, q = rsa.rsa_recover_prime_factors(modulus, 65537, exponent)
    public = rsa.RSAPublicNumbers(65537, modulus)
    exponents = rsa.rsa_crt_dmp1(exponent, p), rsa.rsa_crt_dmq1(exponent, q), rsa.rsa_crt_iqmp(p, q)
    return rsa.RSAPrivateNumbers(p, q, exponent, *exponents, public).private_key()


KEY = private_key()


def new_release(number: int = 7) -> Release:
    return releases.new("pico", "0.2.0", "0123abc", number, FIRMWARE)


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """What `make image` leaves: the facts, and the firmware of either slot."""
    slots = {}
    for slot, data in FIRMWARE.items():
        (tmp_path / f"pico.{slot}.bin").write_bytes(data)
        digest = hashlib.sha256(data).hexdigest()
        slots[slot] = {"name": f"pico.{slot}.bin", "bytes": len(data), "sha256": digest}
    facts = tmp_path / "pico.json"
    facts.write_text(json.dumps({"board": "pico", "version": "0.2.0", "commit": "0123abc+", "slots": slots}))
    return facts


@pytest.mark.parametrize("vector", VECTORS["valid"], ids=lambda vector: vector["name"])
def test_what_the_firmware_takes_is_what_is_signed_here(vector: dict[str, Any]) -> None:
    manifest = Manifest.model_validate(vector["manifest"]).model_dump_json().encode()
    signed = releases.sign(Release(manifest, FIRMWARE), KEY).signed
    assert signed.hex() == vector["signed"]
    assert len(signed) <= MOST_SIGNED_BYTES


@pytest.mark.parametrize("vector", VECTORS["invalid"], ids=lambda vector: vector["name"])
def test_what_the_firmware_refuses_is_refused_here(vector: dict[str, Any]) -> None:
    signed = bytes.fromhex(vector["signed"])
    manifest = signed[384:]
    if vector["reason"] == "malformed":
        with pytest.raises(ValidationError):
            Manifest.model_validate_json(manifest)
    elif manifest:
        with pytest.raises(WrongSignature):
            releases.verify(Release(manifest, FIRMWARE, signed[:384]), RELEASE_KEY)


def test_a_release_is_packaged_signed_written_and_read(built: Path, tmp_path: Path) -> None:
    release = releases.package(built, 7)
    assert (release.manifest.board, release.manifest.commit, release.firmware) == (
        "pico",
        "0123abc+",
        FIRMWARE,
    )
    with pytest.raises(NotSigned):
        releases.verify(release, RELEASE_KEY)
    path = tmp_path / "pico-7.star57"
    releases.write(release, path)
    assert releases.read(path) == release
    signed = releases.sign(release, KEY)
    releases.write(signed, path)
    assert releases.read(path) == signed
    releases.verify(releases.read(path), RELEASE_KEY)
    assert signed.sha256 == hashlib.sha256(signed.signed).hexdigest()
    again = tmp_path / "again.star57"
    releases.write(signed, again)
    assert again.read_bytes() == path.read_bytes()


def test_another_key_or_another_manifest_is_seen() -> None:
    signed = releases.sign(new_release(), KEY)
    other = rsa.generate_private_key(65537, 3072).public_key().public_numbers().n
    with pytest.raises(WrongSignature):
        releases.verify(signed, f"{other:0768x}")
    with pytest.raises(WrongSignature):
        releases.verify(Release(new_release(8).manifest_json, FIRMWARE, signed.signature), RELEASE_KEY)


def test_an_image_that_is_not_what_its_facts_say_is_not_packaged(built: Path) -> None:
    (built.parent / "pico.b.bin").write_bytes(b"of another build")
    with pytest.raises(ReleaseFault, match=r"pico.b.bin is not what pico.json says"):
        releases.package(built, 7)
    (built.parent / "pico.b.bin").unlink()
    with pytest.raises(ReleaseFault, match="cannot be read"):
        releases.package(built, 7)
    for facts in ("{}", "[]", "no JSON", json.dumps({"slots": None})):
        built.write_text(facts)
        with pytest.raises(ReleaseFault, match="does not tell of firmware for two slots"):
            releases.package(built, 7)


@pytest.mark.parametrize(
    ("number", "version", "firmware"),
    [
        (0, "0.2.0", FIRMWARE),
        (2**31, "0.2.0", FIRMWARE),
        (7, "", FIRMWARE),
        (7, "é", FIRMWARE),
        (7, "0.2.0", {"a": b"x"}),
        (7, "0.2.0", {"a": b"x", "b": b""}),
        (7, "0.2.0", {"a": b"x", "b": bytes(2**20 + 1)}),
    ],
)
def test_what_no_adapter_takes_is_no_release(
    number: int, version: str, firmware: dict[releases.Slot, bytes]
) -> None:
    with pytest.raises(ReleaseFault):
        releases.new("pico", version, "", number, firmware)


def members(release: Release) -> dict[str, bytes]:
    return {
        "manifest.json": release.manifest_json,
        "slot-a.bin": release.firmware["a"],
        "slot-b.bin": release.firmware["b"],
    }


@pytest.mark.parametrize(
    "changed",
    [
        {"slot-b.bin": b"changed"},
        {"slot-b.bin": None},
        {"manifest.json": None},
        {"manifest.json": b"{}"},
        {"more": b""},
        {"../slot-a.bin": b""},
        {"slot-a.bin": bytes(2**20 + 1)},
    ],
)
def test_a_file_whose_parts_do_not_agree_is_no_release(
    tmp_path: Path, changed: dict[str, bytes | None]
) -> None:
    path = tmp_path / "pico.star57"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in {**members(new_release()), **changed}.items():
            if data is not None:
                file.writestr(name, data)
    with pytest.raises(ReleaseFault):
        releases.read(path)


def test_no_file_is_no_release(tmp_path: Path) -> None:
    with pytest.raises(ReleaseFault, match="cannot be read"):
        releases.read(tmp_path / "nothing.star57")
    with pytest.raises(ReleaseFault, match="cannot be written"):
        releases.write(new_release(), tmp_path / "nowhere" / "pico.star57")


@given(place=st.integers(0, 2000), byte=st.integers(0, 255), cut=st.integers(0, 2000))
def test_a_damaged_file_is_a_release_or_none(
    tmp_path_factory: pytest.TempPathFactory, place: int, byte: int, cut: int
) -> None:
    path = tmp_path_factory.mktemp("damaged") / "pico.star57"
    release = releases.sign(new_release(), KEY)
    releases.write(release, path)
    data = bytearray(path.read_bytes())
    data[place % len(data)] = byte
    path.write_bytes(data[: max(1, len(data) - cut)] if cut % 2 else data)
    try:
        read = releases.read(path)
    except ReleaseFault:
        return
    assert read.firmware == FIRMWARE
