"""The committed packs, measured; and that texts and packs agree."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import soundfile

from host_tools.prompts.build import PACKS, read_texts
from host_tools.prompts.level import (
    RMS_0_DBM0,
    SAMPLE_RATE_HZ,
    Samples,
    active_level_dbm0,
    frame_levels_dbm0,
)
from host_tools.prompts.shaping import ACTIVE_LEVEL_DBM0, LOUDEST_FRAME_DBM0
from host_tools.prompts.texts import LANGUAGES, prompts_of

LARGEST_PACK_BYTES = 640_000
"""What one language may take of a board with 2 MB of flash."""


@cache
def _prompts(language: str) -> dict[str, Samples]:
    prompts = {}
    for path in sorted((PACKS / language).glob("*.wav")):
        samples, rate_hz = soundfile.read(path, dtype="int16")
        assert rate_hz == SAMPLE_RATE_HZ
        assert samples.ndim == 1
        prompts[path.stem] = np.asarray(samples, np.float64)
    return prompts


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_text_has_its_file_and_each_file_its_text(language: str) -> None:
    names = {prompt.name for prompt in prompts_of(LANGUAGES[language])}
    assert {path.stem for path in (PACKS / language).glob("*.wav")} == names


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pack_was_built_from_these_texts(language: str) -> None:
    texts = {prompt.name: prompt.text for prompt in prompts_of(LANGUAGES[language])}
    assert read_texts(PACKS / language) == texts


def test_there_are_packs_of_all_languages_and_no_others() -> None:
    assert {path.name for path in PACKS.iterdir() if path.is_dir()} == set(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pack_fits_the_flash(language: str) -> None:
    assert sum(path.stat().st_size for path in (PACKS / language).iterdir()) < LARGEST_PACK_BYTES


@pytest.mark.parametrize("language", LANGUAGES)
def test_prompts_are_ima_adpcm(language: str) -> None:
    for name in _prompts(language):
        about = soundfile.info(PACKS / language / f"{name}.wav")
        assert (about.format, about.subtype) == ("WAV", "IMA_ADPCM"), name


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_prompt_has_its_level(language: str) -> None:
    for name, samples in _prompts(language).items():
        assert active_level_dbm0(samples) == pytest.approx(ACTIVE_LEVEL_DBM0, abs=0.5), name
        assert frame_levels_dbm0(samples).max() <= LOUDEST_FRAME_DBM0, name
        assert np.abs(samples).max() < 32767, name


@pytest.mark.parametrize("language", LANGUAGES)
def test_prompts_keep_within_the_telephone_band(language: str) -> None:
    for name, samples in _prompts(language).items():
        power = np.abs(np.fft.rfft(samples)) ** 2
        frequency_hz = np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE_HZ)
        outside = power[(frequency_hz < 250) | (frequency_hz > 3500)].sum()
        # What is there is the codec's noise: most beside a short /i/, which has little within the band.
        assert 10 * np.log10(outside / power.sum()) < -18, name


@pytest.mark.parametrize("language", LANGUAGES)
def test_prompts_begin_and_end_without_click_or_silence(language: str) -> None:
    quiet = RMS_0_DBM0 * 10 ** (-45 / 20)
    for name, samples in _prompts(language).items():
        magnitude = np.abs(samples)
        heard = np.flatnonzero(magnitude > quiet)
        assert magnitude[:8].max() < quiet, name
        assert magnitude[-8:].max() < quiet, name
        assert heard[0] < 0.02 * SAMPLE_RATE_HZ, name
        # The last block of the codec is filled up: up to 504 samples.
        assert len(magnitude) - heard[-1] < 0.1 * SAMPLE_RATE_HZ, name
