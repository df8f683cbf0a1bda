from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from host_tools.prompts.build import PACK, PACKS, read_texts
from host_tools.prompts.level import SAMPLE_RATE_HZ
from host_tools.prompts.recognise import prompts_heard, tones_heard
from host_tools.prompts.texts import LANGUAGES, TEXTS

DIGIT_1_HZ = (697.0, 1209.0)
REORDER_HZ = (480.0, 620.0)
DIAL_HZ = (350.0, 440.0)


def _prompt(name: str, pack: Path = PACK) -> np.ndarray:
    return np.asarray(soundfile.read(pack / f"{name}.wav", dtype="int16")[0], np.float64)


def _silence(seconds: float) -> np.ndarray:
    return np.zeros(round(seconds * SAMPLE_RATE_HZ))


def _pair(hz: tuple[float, float], seconds: float, peak: float) -> np.ndarray:
    time_s = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    return peak * (np.sin(2 * np.pi * hz[0] * time_s) + np.sin(2 * np.pi * hz[1] * time_s))


def _cadence(
    hz: tuple[float, float], on_s: float, off_s: float, times: int, peak: float = 1435
) -> np.ndarray:
    return np.concatenate([_pair(hz, on_s, peak), _silence(off_s)] * times)


def _names(audio: np.ndarray) -> list[str]:
    return [heard.name for heard in prompts_heard(audio, PACK)]


def test_nothing_is_heard_in_silence_noise_and_tones() -> None:
    noise = np.random.default_rng(57).normal(0, 2000, 80_000)
    for audio in (np.empty(0), _silence(5), noise, _pair(DIAL_HZ, 5, 5093), _pair(DIGIT_1_HZ, 5, 5093)):
        assert prompts_heard(audio, PACK) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_prompt_of_a_pack_is_heard_as_itself(language: str) -> None:
    pack = PACKS / language
    # What sounds the same is one: French dollar and dollars.
    named: dict[bytes, str] = {}
    for name in read_texts(pack):
        named.setdefault((pack / f"{name}.wav").read_bytes(), name)
    parts = [part for name in named.values() for part in (_prompt(name, pack), _silence(0.2))]
    heard = [prompt.name for prompt in prompts_heard(np.concatenate(parts), pack)]
    assert [named[(pack / f"{name}.wav").read_bytes()] for name in heard] == list(named.values())


def test_an_announcement_with_its_times() -> None:
    names = ["call_trace", "charge_is", "5", "dollars", "each_trace", "dial_1"]
    parts = [_prompt(name) for name in names]
    heard = prompts_heard(np.concatenate([_silence(0.7), *parts]).astype(np.int16), PACK)
    starts = 0.7 + np.cumsum([0, *(len(part) / SAMPLE_RATE_HZ for part in parts[:-1])])
    assert [prompt.name for prompt in heard] == names
    assert [prompt.start_s for prompt in heard] == pytest.approx(starts, abs=0.001)
    assert min(prompt.score for prompt in heard) > 0.99


def test_prompts_cut_short_after_a_second() -> None:
    long = [name for name in TEXTS if len(_prompt(name)) > 1.3 * SAMPLE_RATE_HZ]
    parts = [part for name in long for part in (_silence(0.9), _prompt(name)[:8800])]
    heard = prompts_heard(np.concatenate([*parts, _silence(3)]), PACK)
    assert [prompt.name for prompt in heard] == long
    assert [prompt.start_s for prompt in heard] == pytest.approx(
        [0.9 + 2 * place for place in range(len(long))]
    )
    # 1.1 s, to a quarter of a second; and one that pauses there may seem to go on.
    assert all(1.0 <= prompt.duration_s <= 1.5 for prompt in heard)


@pytest.mark.parametrize("at_s", [0.0, 0.5, 2.0])
def test_a_digit_on_top_hides_nothing(at_s: float) -> None:
    audio = np.concatenate([_silence(0.5), _prompt("dial_1"), _silence(0.5)])
    digit = _pair(DIGIT_1_HZ, 0.2, 5000)
    start = int((0.5 + at_s) * SAMPLE_RATE_HZ)
    audio[start : start + len(digit)] += digit
    assert _names(audio) == ["dial_1"]


def test_a_quiet_line_with_noise() -> None:
    noise = np.random.default_rng(57).normal(0, 60, 40_000)
    noise[8000 : 8000 + len(_prompt("traced"))] += 0.25 * _prompt("traced")
    assert _names(noise) == ["traced"]


def test_reorder_tone_with_its_interruptions() -> None:
    (tone,) = tones_heard(np.concatenate([_silence(1), _cadence(REORDER_HZ, 0.25, 0.25, 10), _silence(1)]))
    assert tone.name == "reorder"
    assert tone.interruptions_per_minute == pytest.approx(120, abs=1)
    assert tone.start_s == pytest.approx(1, abs=0.03)
    assert tone.duration_s == pytest.approx(4.75, abs=0.05)


def test_busy_tone_with_its_interruptions() -> None:
    (tone,) = tones_heard(_cadence(REORDER_HZ, 0.5, 0.5, 6))
    assert tone.name == "busy"
    assert tone.interruptions_per_minute == pytest.approx(60, abs=1)


def test_dial_tone_is_steady() -> None:
    (tone,) = tones_heard(np.concatenate([_silence(0.5), _pair(DIAL_HZ, 2, 5093), _silence(0.5)]))
    assert (tone.name, tone.interruptions_per_minute) == ("dial", 0)
    assert tone.start_s == pytest.approx(0.5, abs=0.03)
    assert tone.duration_s == pytest.approx(2, abs=0.05)


def test_no_tone_is_heard_in_speech_noise_ringback_and_digits() -> None:
    speech = np.concatenate([_prompt(name) for name in TEXTS])
    noise = np.random.default_rng(57).normal(0, 2000, 40_000)
    ringback = _pair((440.0, 480.0), 2, 2552)
    for audio in (np.empty(0), speech, noise, ringback, _pair(DIGIT_1_HZ, 1, 5000)):
        assert tones_heard(audio) == []


def test_dial_tone_prompt_and_reorder_in_one_recording() -> None:
    audio = np.concatenate(
        [_pair(DIAL_HZ, 1, 5093), _prompt("not_traced"), _cadence(REORDER_HZ, 0.25, 0.25, 4)]
    )
    assert _names(audio) == ["not_traced"]
    assert [tone.name for tone in tones_heard(audio)] == ["dial", "reorder"]


@pytest.mark.parametrize("phase", [0.0, 0.3, 0.6, 0.9])
def test_bursts_over_dial_tone_are_stutter_dial_tone(phase: float) -> None:
    dial = _pair(DIAL_HZ, 4, 5093)
    bursts = np.zeros(len(dial))
    for burst in range(10):
        at = 2400 + 1592 * burst
        time_s = np.arange(800) / SAMPLE_RATE_HZ
        for hz in (353, 444):
            bursts[at : at + 800] += 2864 * np.sin(2 * np.pi * (hz * time_s + phase))
    (heard,) = tones_heard(np.concatenate([_silence(1), dial + bursts]))
    assert heard.name == "stutter dial"
    assert heard.start_s == pytest.approx(1.0, abs=0.05)
    assert heard.interruptions_per_minute == pytest.approx(302, rel=0.05)
