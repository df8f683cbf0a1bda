"""How the Pico makes duties of samples, and finds memory for its rings: `rp2040.audio_out` on an emulated Pico."""

from __future__ import annotations

import base64
import json

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("rp2040py", reason="rp2040py is not installed: make setup")

from host_tools.rig.emulated_pico import IMAGE, EmulatedPico, PicoError
from host_tools.rig.micropython import ROOT
from tests.host.boards.micropython_source import constants_of

pytestmark = pytest.mark.skipif(not IMAGE.exists(), reason="no image has been built: make image")

CONSTANTS = constants_of(ROOT / "boards" / "rp2040" / "audio_out.py")
DUTIES = CONSTANTS["_DUTIES"]
RING_SAMPLES = CONSTANTS["_RING_SAMPLES"]
RING_BYTES = (32_768, 8_192)  # of AudioIn and AudioOut

Numbers = npt.NDArray[np.int64]

_RINGS = """
import gc, uctypes
from rp2040 import ring_memory

def places_of_rings():
    rings = []
    for size in (32768, 8192):
        rings.append(ring_memory.aligned(size))
    return [(uctypes.addressof(ring), len(ring)) for ring in rings]
"""

_WRITE = """
import binascii
from array import array
from rp2040 import audio_out

ring = array("H", bytes(2 * 4096))
untouched = array("H", [57] * 4096)

def write(address, at, n):
    ring[:] = untouched
    audio_out._write(uctypes.bytearray_at(address, 2 * n), ring, at, n)
    print(binascii.b2a_base64(memoryview(ring)).decode().strip())
"""


@pytest.fixture(scope="module")
def pico() -> EmulatedPico:
    emulated = EmulatedPico()
    emulated.boot()
    emulated.execute(_RINGS)
    return emulated


@pytest.fixture(scope="module")
def writer(pico: EmulatedPico) -> EmulatedPico:
    """It keeps a ring of its own in the heap: tests of memory come before."""
    pico.execute(_WRITE)
    return pico


def _assert_aligned(told: str) -> None:
    """Both rings are whole, begin at a multiple of their size, and lie apart."""
    places = [tuple(place) for place in json.loads(told.replace("(", "[").replace(")", "]"))]
    assert [size for _, size in places] == list(RING_BYTES)
    assert all(address % size == 0 for address, size in places)
    (first, first_bytes), (second, second_bytes) = places
    assert first + first_bytes <= second or second + second_bytes <= first


def test_rings_are_aligned_on_a_fresh_heap(pico: EmulatedPico) -> None:
    """As on a board: the firmware makes its rings while the heap is one piece."""
    _assert_aligned(pico.execute("print(places_of_rings())"))


@pytest.mark.parametrize("piece_bytes", [256, 1024, 3000])
def test_rings_are_aligned_among_pieces_or_refused(pico: EmulatedPico, piece_bytes: int) -> None:
    """Every second of sixty pieces has been given back. What must not come is a ring that is not aligned."""
    pieces = f"gc.collect()\npieces = [bytearray({piece_bytes}) for _ in range(60)][::2]\ngc.collect()\n"
    ask = "try: print(places_of_rings())\nexcept MemoryError: print('refused')\npieces = None"
    told = pico.execute(pieces + ask).strip()
    if told != "refused":
        _assert_aligned(told)


def test_memory_that_is_not_there_is_told(pico: EmulatedPico) -> None:
    """The heap is full of 9 kB, every second of them given back: much is free, and no 32 kB in one piece."""
    pieces = "gc.collect()\npieces = [bytearray(9000) for _ in range(gc.mem_free() // 9200 - 1)][::2]\ngc.collect()\n"
    with pytest.raises(PicoError, match="MemoryError"):
        pico.execute(pieces + "places_of_rings()")
    assert int(pico.execute("gc.collect()\nprint(gc.mem_free())")) > 2 * RING_BYTES[0]
    pico.execute("pieces = None")


def _written(writer: EmulatedPico, samples: Numbers, at: int = 0) -> Numbers:
    """The whole ring after `samples` have been written from `at` on; what was not written is 57."""
    address = writer.lay_out(samples.astype("<i2").tobytes())
    told = writer.execute(f"write({address}, {at}, {len(samples)})")
    return np.frombuffer(base64.b64decode(told), "<u2").astype(np.int64)


def test_samples_become_all_duties_in_order(writer: EmulatedPico) -> None:
    """Each sixteenth sample, and both ends: a duty is 32.8 samples wide."""
    samples = np.append(np.arange(-32_768, 32_767, 17), 32_767)
    assert len(samples) <= RING_SAMPLES
    duties = _written(writer, samples)[: len(samples)]

    assert duties[0] == 0
    assert duties[-1] == DUTIES - 1 == 1999
    assert set(np.diff(duties)) == {0, 1}
    assert list(duties) == list((samples + 32_768) * DUTIES >> 16)


def test_silence_is_the_middle_of_the_carrier(writer: EmulatedPico) -> None:
    samples = np.arange(-40, 41)
    duties = _written(writer, samples)[: len(samples)]

    assert duties[40] == CONSTANTS["_MIDDLE"] == 1000
    # A whole duty, 0 to 32, begins at silence; a step down is the next.
    assert list(duties[40:73]) == [1000] * 33
    assert duties[39] == 999


@pytest.mark.parametrize("at", [0, 1, RING_SAMPLES - 3])
def test_a_block_is_written_round_the_rings_end_and_nowhere_else(writer: EmulatedPico, at: int) -> None:
    samples = np.array([0, 32_767, -32_768, 0, 16_384])
    ring = _written(writer, samples, at)

    places = (at + np.arange(len(samples))) % RING_SAMPLES
    assert list(ring[places]) == [1000, 1999, 0, 1000, 1500]
    assert np.all(np.delete(ring, places) == 57)
