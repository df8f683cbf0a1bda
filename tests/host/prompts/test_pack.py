"""The committed pack, measured; and that texts, pack and firmware agree."""

from __future__ import annotations

import json
import subprocess

import numpy as np
import pytest
import soundfile

from host_tools.prompts.build import ACTIVE_LEVEL_DBM0, LOUDEST_FRAME_DBM0, PACK, SCRIPT
from host_tools.prompts.level import (
    RMS_0_DBM0,
    SAMPLE_RATE_HZ,
    Samples,
    active_level_dbm0,
    frame_levels_dbm0,
)
from host_tools.prompts.texts import TEXTS
from host_tools.rig.micropython import ROOT, interpreter_command

LARGEST_PACK_BYTES = 400_000
LONGEST_ANNOUNCEMENT_S = 25.0

# What firmware says, for every announcement at every charge: names, and silences in ms.
SAY_EVERYTHING = """
import json
from star57.sound import prompts
said = []
for name in prompts.ANNOUNCEMENTS:
    for cents in range(1001):
        items = prompts.announcement(name, cents)
        said.append([item if isinstance(item, str) else item.duration_ms for item in items])
print(json.dumps(said))
"""


def _samples(name: str) -> Samples:
    samples, rate_hz = soundfile.read(PACK / f"{name}.wav", dtype="int16")
    assert rate_hz == SAMPLE_RATE_HZ
    assert samples.ndim == 1
    return np.asarray(samples, np.float64)


@pytest.fixture(scope="module")
def everything_said() -> list[list[str | int]]:
    answer = subprocess.run(
        [*interpreter_command(), "-X", "heapsize=64M", "-c", SAY_EVERYTHING],
        env={"MICROPYPATH": f"{ROOT / 'firmware'}:.frozen"},
        check=True,
        capture_output=True,
    )
    said: list[list[str | int]] = json.loads(answer.stdout)
    return said


def test_each_text_has_its_file_and_each_file_its_text() -> None:
    assert {path.stem for path in PACK.glob("*.wav")} == set(TEXTS)


def test_the_pack_was_built_from_these_texts() -> None:
    assert json.loads((PACK / SCRIPT).read_text()) == TEXTS


def test_firmware_says_all_prompts_of_the_pack_and_no_others(everything_said: list[list[str | int]]) -> None:
    used = {item for items in everything_said for item in items if isinstance(item, str)}
    # "zero dollars" is an amount like any other, but what costs nothing is said in words of its own.
    assert used | {"0"} == set(TEXTS)


def test_no_announcement_is_too_long(everything_said: list[list[str | int]]) -> None:
    length_s = {name: len(_samples(name)) / SAMPLE_RATE_HZ for name in TEXTS}
    longest_s = max(
        sum(length_s[item] if isinstance(item, str) else item / 1000 for item in items)
        for items in everything_said
    )
    assert longest_s < LONGEST_ANNOUNCEMENT_S


def test_the_pack_fits_the_flash() -> None:
    assert sum(path.stat().st_size for path in PACK.iterdir()) < LARGEST_PACK_BYTES


@pytest.mark.parametrize("name", TEXTS)
def test_a_prompt_is_ima_adpcm(name: str) -> None:
    about = soundfile.info(PACK / f"{name}.wav")
    assert (about.format, about.subtype) == ("WAV", "IMA_ADPCM")


@pytest.mark.parametrize("name", TEXTS)
def test_a_prompt_has_its_level(name: str) -> None:
    samples = _samples(name)
    assert active_level_dbm0(samples) == pytest.approx(ACTIVE_LEVEL_DBM0, abs=1.0)
    assert frame_levels_dbm0(samples).max() <= LOUDEST_FRAME_DBM0


@pytest.mark.parametrize("name", TEXTS)
def test_a_prompt_keeps_within_the_telephone_band(name: str) -> None:
    samples = _samples(name)
    power = np.abs(np.fft.rfft(samples)) ** 2
    frequency_hz = np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE_HZ)
    outside = power[(frequency_hz < 250) | (frequency_hz > 3500)].sum()
    # What is there is the codec's noise.
    assert 10 * np.log10(outside / power.sum()) < -20


@pytest.mark.parametrize("name", TEXTS)
def test_a_prompt_begins_and_ends_without_click_or_silence(name: str) -> None:
    samples = np.abs(_samples(name))
    quiet = RMS_0_DBM0 * 10 ** (-45 / 20)
    heard = np.flatnonzero(samples > quiet)
    assert samples[:8].max() < quiet
    assert samples[-8:].max() < quiet
    assert heard[0] < 0.02 * SAMPLE_RATE_HZ
    # The last block of the codec is filled up: up to 504 samples.
    assert len(samples) - heard[-1] < 0.1 * SAMPLE_RATE_HZ
