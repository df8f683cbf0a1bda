"""The bench's images: what is said when they cannot be built, and when one is built anew."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bench import tls_image
from bench.tls_image import Build, image_of
from host_tools.rig.emulated_pico import ImageMissing
from host_tools.rig.flash_image import uf2

BUILD = Build("one", "as it is")
FIRMWARE = b"firmware"


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Build]:
    """The builds that were compiled; a compiler is not needed."""
    compiled = []

    def compile_into(build: Build, folder: Path) -> bytes:
        folder.mkdir()
        compiled.append(build)
        return FIRMWARE

    monkeypatch.setattr(tls_image, "_IMAGES", tmp_path)
    monkeypatch.setattr(tls_image, "_MPY_CROSS", tmp_path)
    monkeypatch.setattr(tls_image, "_PICO_SOURCES", tmp_path)
    monkeypatch.setattr(tls_image, "_compiled", compile_into)
    return compiled


@pytest.mark.parametrize(("needed", "target"), [("_MPY_CROSS", "make tls"), ("_PICO_SOURCES", "make image")])
def test_without_sources_it_says_what_fetches_them(
    needed: str, target: str, built: list[Build], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tls_image, needed, tmp_path / "nowhere")
    with pytest.raises(ImageMissing, match=target):
        image_of(BUILD)


def test_an_image_is_built_once_and_what_it_took_is_thrown_away(built: list[Build], tmp_path: Path) -> None:
    images = [image_of(BUILD), image_of(BUILD)]
    assert [image.read_bytes() for image in images] == [uf2({0: FIRMWARE})] * 2
    assert built == [BUILD]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.fingerprint", "one.uf2"]


def test_one_that_would_be_built_otherwise_is_built_anew(built: list[Build]) -> None:
    other = replace(BUILD, defines=("MBEDTLS_HAVE_ASM",))
    image_of(BUILD)
    image_of(other)
    assert built == [BUILD, other]
