"""Stutter dial tone on the pair: the real firmware couples it on, and the exchange's register hears every digit."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from host_tools.exchange.central_office import CentralOffice, Phase
from host_tools.exchange.levels import RATE_HZ, Samples, dbm0_of_peak
from host_tools.exchange.pair import COUPLING_DB, Pair
from host_tools.exchange.telephone import Telephone
from host_tools.prompts.build import PACK
from host_tools.prompts.recognise import prompts_heard, tones_heard
from host_tools.rig.flash import HEADER, MAGIC
from host_tools.rig.lockstep import BoardSettings, MicroPythonFirmware
from tests.host.exchange.lines import SMITH

N = 160
BLOCK_MS = 20
BEATS = 267  # samples: three beats of 350 and 440 Hz
LINE = "5555550100"
ENTRY = {
    "request": {"request_id": "1" * 32, "call": {"call_id": "2" * 16}},
    "answer": {"outcome": "traced", "trace_id": "T-00000001", "charge_cents": 500},
}


class House:
    """A telephone, the adapter and the exchange; the adapter has an answer that the household has not heard."""

    def __init__(self, flash: Path, told: bool, seed: int) -> None:
        flash.mkdir()
        (flash / "settings.json").write_text(json.dumps({"adapter_id": "test-01", "line": LINE}))
        (flash / "outbox.a").write_bytes(_slot(json.dumps([{**ENTRY, "told": told}]).encode()))
        self.telephone = Telephone()
        self.office = CentralOffice(seed=seed)
        self.pair = Pair(self.office, self.telephone)
        self.firmware = MicroPythonFirmware(BoardSettings(flash))
        self.firmware.start()
        self.relay_energised = False
        self.relay_moved = False
        self.phone_out: Samples = np.zeros(N, np.int16)
        self.given: list[Samples] = []
        self.coupled: list[bool] = []

    def run(self, duration_ms: float) -> Samples:
        """Lets time pass; answers what the earpiece carried."""
        heard = [np.zeros(0, np.int16)]
        for _ in range(round(duration_ms / BLOCK_MS)):
            block = self.pair.advance(N, self.relay_energised, self.phone_out)
            heard.append(self.pair.recording.phone_heard[-1])
            answer = self.firmware.exchange_block(block)
            self.phone_out, self.relay_energised = answer.phone_out, answer.relay_energised
            self.relay_moved = self.relay_moved or self.relay_energised
            self.given.append(self.phone_out)
            self.coupled.append(bool(self.phone_out.any()) and not self.relay_energised)
        return np.concatenate(heard)

    def dial(self, keys: str, on_ms: float = 80, off_ms: float = 80) -> None:
        """Presses keys and waits until they are heard."""
        self.telephone.press(keys, on_ms, off_ms)
        self.run(len(keys) * (on_ms + off_ms) + 60)


Build = Callable[..., House]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Build]:
    built: list[House] = []

    def build(told: bool = False, seed: int = 57) -> House:
        built.append(House(tmp_path / f"flash-{len(built)}", told, seed))
        built[-1].run(200)
        return built[-1]

    yield build
    for each in built:
        each.firmware.stop()


def _slot(payload: bytes) -> bytes:
    checksum = zlib.crc32(HEADER.pack(MAGIC, 1, len(payload), 0)[4:12] + payload)
    return HEADER.pack(MAGIC, 1, len(payload), checksum) + payload


def _level_db(audio: Samples) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The level over three beats, every 5 ms."""
    windows = np.lib.stride_tricks.sliding_window_view(audio.astype(np.float64), BEATS)[:: RATE_HZ // 200]
    return np.asarray(10 * np.log10(np.mean(windows**2, axis=1) + 1.0))


@pytest.mark.parametrize("seed", range(12))
def test_it_is_heard_over_dial_tone_at_any_phase(house: Build, seed: int) -> None:
    """The exchange's dial tone comes 100 to 300 ms after the lift, each time at another phase."""
    line = house(seed=seed)
    line.telephone.lift()
    heard = line.run(4000)
    (tone,) = tones_heard(heard)
    assert tone.name == "stutter dial"
    assert tone.interruptions_per_minute == pytest.approx(302, rel=0.07)
    level_db = _level_db(heard)
    steady_db = float(np.median(level_db[-200:]))
    assert np.abs(level_db[-200:] - steady_db).max() < 0.2
    # Where the bursts and the pauses are, from what was coupled on.
    loud = np.flatnonzero(line.coupled[10:])
    first = int(loud[0]) + 1
    bursts = 0
    for burst in range(10):
        at = (first * N + burst * 1592) // 40
        if at * 40 < 8 * 400:
            continue  # dial tone may not be there yet
        bursts += bool(np.abs(level_db[at : at + 14] - steady_db).max() > 1.0)
        assert np.abs(level_db[at + 23 : at + 32] - steady_db).max() < 0.3
    assert bursts >= 7


def test_it_ends_within_two_seconds(house: Build) -> None:
    line = house()
    line.telephone.lift()
    line.run(4000)
    loud = np.flatnonzero(line.coupled)
    assert 1.7 < (loud[-1] - loud[0]) * BLOCK_MS / 1000 <= 2.0
    assert not line.relay_moved


def test_nothing_is_coupled_on_when_all_has_been_told(house: Build) -> None:
    line = house(told=True)
    line.telephone.lift()
    heard = line.run(3000)
    assert [tone.name for tone in tones_heard(heard)] == ["dial"]
    assert not any(line.coupled)


def test_nothing_is_coupled_on_when_a_call_is_answered(house: Build) -> None:
    line = house()
    line.office.incoming_call(SMITH)
    line.run(1500)
    line.telephone.lift()
    line.run(3000)
    assert line.office.phase is Phase.TALKING
    assert not any(line.coupled)


def test_an_idle_pair_stays_silent(house: Build) -> None:
    assert not house().run(2000).any()


@pytest.mark.parametrize("number", ["911", "5555550123"])
@pytest.mark.parametrize("after_ms", range(120, 1000, 110))
def test_every_digit_reaches_the_exchange(house: Build, number: str, after_ms: int) -> None:
    line = house(seed=after_ms)
    line.telephone.lift()
    line.run(after_ms - after_ms % BLOCK_MS)
    line.telephone.pause(after_ms % BLOCK_MS + 1)
    line.dial(number, on_ms=50, off_ms=50)
    assert line.office.dialled == number
    assert line.office.phase is Phase.CALLING
    assert not line.relay_moved
    assert not any(line.coupled[-len(number) * 5 :])


@pytest.mark.parametrize("after_ms", [140, 380, 440, 500])
def test_every_pulse_reaches_the_exchange(house: Build, after_ms: int) -> None:
    line = house(seed=after_ms)
    line.telephone.lift()
    line.run(after_ms)
    line.telephone.pulse("911")
    line.run(5000)
    assert line.office.dialled == "911"
    assert not line.relay_moved


@pytest.mark.parametrize(("low_dbm0", "high_dbm0"), [(-15, -13), (-20, -18)])
def test_a_telephone_far_away_is_heard_too(house: Build, low_dbm0: float, high_dbm0: float) -> None:
    line = house()
    line.telephone.lift()
    line.run(460)
    line.telephone.press("911", 50, 50, low_dbm0, high_dbm0)
    line.run(400)
    assert line.office.dialled == "911"


@pytest.mark.parametrize("after_ms", [300, 440, 560, 820])
def test_the_code_works_meanwhile_and_what_waited_is_told(house: Build, after_ms: int) -> None:
    line = house(seed=after_ms)
    line.telephone.lift()
    line.run(after_ms)
    line.dial("*57")
    assert line.relay_energised
    line.run(25_000)
    heard = np.concatenate(line.pair.recording.phone_heard)
    names = [prompt.name for prompt in prompts_heard(heard, PACK)]
    assert names[:4] == ["earlier_traced", "charge_is", "5", "dollars"]
    assert line.firmware.record("outbox")[0]["told"] is True
    line.telephone.hang_up()
    line.run(1500)
    line.coupled.clear()
    line.telephone.lift()
    line.run(3000)
    assert not any(line.coupled)


def test_who_hangs_up_early_is_told_again(house: Build) -> None:
    line = house()
    line.telephone.lift()
    line.run(440)
    line.dial("*57")
    line.run(500)
    line.telephone.hang_up()
    line.run(1500)
    assert line.firmware.record("outbox")[0]["told"] is False
    line.telephone.lift()
    assert [tone.name for tone in tones_heard(line.run(3000))] == ["stutter dial"]


def test_it_is_not_taken_for_a_call_that_waits(house: Build) -> None:
    for seed in range(6):
        line = house(seed=seed)
        line.telephone.lift()
        line.run(4000)
        line.telephone.hang_up()
        line.run(2000)
        assert line.firmware.record("calls") is None


def test_its_level_at_the_pair(house: Build) -> None:
    """5 dB below the exchange's dial tone, which is -13 dBm0 for each frequency."""
    line = house()
    line.telephone.lift()
    line.run(600)
    peak = float(np.abs(np.concatenate(line.given)).max())
    assert dbm0_of_peak(peak / 2) - COUPLING_DB == pytest.approx(-18, abs=0.5)
