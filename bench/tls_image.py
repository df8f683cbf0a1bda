"""Builds images of a Pico with TLS, from the sources that `make image` and `make tls` have fetched.

The product's image for a Pico has no network and no TLS; these have TLS and the firmware's pacing of it, and nothing
else of the firmware. mbedtls is compiled as MicroPython's rp2 port configures it, or with further options.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench.micropython import ROOT
from host_tools.rig.emulated_pico import ImageMissing
from host_tools.rig.flash_image import uf2

BOARD = ROOT / "bench" / "tls_board"

_CACHE = ROOT / ".cache"
_MICROPYTHON = _CACHE / "tls" / "sources" / "micropython"
_MPY_CROSS = _MICROPYTHON / "mpy-cross" / "build" / "mpy-cross"
_PICO_SOURCES = _CACHE / "pico" / "sources" / "usr" / "src"
_COMPILER = _CACHE / "pico" / "compiler" / "usr" / "bin"
_IMAGES = _CACHE / "tls_pico"
_FROZEN = ("error.py", "tls.py")  # as manifest.py has it


@dataclass(frozen=True)
class Build:
    """How mbedtls is compiled.

    Attributes:
        name: of the image's file.
        told: what differs from MicroPython's own configuration.
        defines: for the compiler.
        optimisation: the compiler's option.
    """

    name: str
    told: str
    defines: tuple[str, ...] = ()
    optimisation: str = "-Os"


def image_of(build: Build) -> Path:
    """The image, UF2; built when there is none, or another one.

    Raises:
        ImageMissing: there is nothing to build it from, or it cannot be built; the text says what to do.
    """
    for needed, target in ((_MPY_CROSS, "tls"), (_PICO_SOURCES, "image")):
        if not needed.exists():
            raise ImageMissing(f"there are no sources to build a Pico's image with TLS: run make {target}")
    image = _IMAGES / f"{build.name}.uf2"
    mark = image.with_suffix(".fingerprint")
    fingerprint = _fingerprint(build)
    if not image.exists() or not mark.exists() or mark.read_text() != fingerprint:
        folder = _IMAGES / f"build-{build.name}"
        image.write_bytes(uf2({0: _compiled(build, folder)}))
        mark.write_text(fingerprint)
        shutil.rmtree(folder)
    return image


def _fingerprint(build: Build) -> str:
    digest = hashlib.sha256(repr(build).encode())
    for path in (
        *sorted(BOARD.iterdir()),
        *(ROOT / "firmware" / "star57" / "link" / name for name in _FROZEN),
    ):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _compiled(build: Build, folder: Path) -> bytes:
    """The firmware, as it lies in flash."""
    shutil.rmtree(folder, ignore_errors=True)
    _IMAGES.mkdir(exist_ok=True)
    _link_tinyusb()
    log = _IMAGES / f"{build.name}.log"
    environment = _environment(build)
    with log.open("w") as told:
        for command in (_configure(build, folder), ["make", "-C", str(folder), f"-j{os.cpu_count()}"]):
            done = subprocess.run(command, env=environment, stdout=told, stderr=told, check=False)
            if done.returncode:
                raise ImageMissing(f"the image {build.name} could not be built: {log} has the details")
    return (folder / "firmware.bin").read_bytes()


def _link_tinyusb() -> None:
    tinyusb = _MICROPYTHON / "lib" / "tinyusb"
    if not tinyusb.is_symlink():
        tinyusb.rmdir()
        tinyusb.symlink_to(_PICO_SOURCES / "tinyusb")


def _configure(build: Build, folder: Path) -> list[str]:
    return [
        "cmake", "-S", str(_MICROPYTHON / "ports" / "rp2"), "-B", str(folder), "-G", "Unix Makefiles",
        "-DPICO_NO_PICOTOOL=1", "-DPICO_BUILD_DOCS=0", f"-DPICO_SDK_PATH_OVERRIDE={_PICO_SOURCES / 'pico-sdk'}",
        f"-DMICROPY_BOARD={BOARD.name}", f"-DMICROPY_BOARD_DIR={BOARD}",
        f"-DCMAKE_C_FLAGS_MINSIZEREL={build.optimisation} -DNDEBUG",
    ]  # fmt: skip


def _environment(build: Build) -> dict[str, str]:
    """MicroPython's version is given, for it would take it from the git repository that it lies in."""
    environment = os.environ | {
        "SOURCE_DATE_EPOCH": "1735689600",
        "MICROPY_GIT_TAG": "v1.25.0",
        "MICROPY_GIT_HASH": "",
        "MICROPY_MPYCROSS": str(_MPY_CROSS),
        "CFLAGS": " ".join(f"-D{define}" for define in build.defines),
    }
    if shutil.which("arm-none-eabi-gcc") is None:
        environment["PATH"] = f"{_COMPILER}{os.pathsep}{os.environ['PATH']}"
    return environment
