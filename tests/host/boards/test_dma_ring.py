"""DMA without end, on the emulated Pico: where one channel's run ends its twin goes on, and no sample is lost."""

from __future__ import annotations

import pytest

from host_tools.rig.emulated_pico import IMAGE, EmulatedPico

pytestmark = pytest.mark.skipif(not IMAGE.exists(), reason="no image has been built: make image")

RING_SAMPLES = 8192

COUNTS = """
import time
from rp2040.audio_in import AudioIn

audio = AudioIn(run_transfers=2 * 8192)
taken = 0
for _ in range(10):
    time.sleep_ms(400)
    behind = audio.behind()
    audio._move(behind)
    taken += behind
print(taken, audio.lost)
audio.stop()
"""

STALLS = """
import time
from rp2040.audio_in import AudioIn

audio = AudioIn()
time.sleep_ms(2600)
print(audio.behind(), audio.lost)
audio.stop()
"""


@pytest.fixture
def pico() -> EmulatedPico:
    pico = EmulatedPico()
    pico.boot()
    return pico


def test_runs_of_one_ring_follow_each_other_without_a_gap(pico: EmulatedPico) -> None:
    """Four seconds: nearly four runs of a ring each, the last of them by the twin."""
    taken, lost = map(int, pico.execute(COUNTS).split())
    assert 4 * 8000 <= taken < 4 * 8000 + 400
    assert lost == 0


def test_what_has_gone_round_unseen_is_counted(pico: EmulatedPico) -> None:
    """2.6 s are 20800 samples, of which the ring has kept the last 7872."""
    behind, lost = map(int, pico.execute(STALLS).split())
    assert behind == RING_SAMPLES - 320
    assert behind + lost == pytest.approx(20_800, abs=40)
