"""Says what a phone heard, from its audio alone: which prompts of a pack, and which tones, and when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from host_tools.prompts.level import RMS_0_DBM0, SAMPLE_RATE_HZ, Samples

_HEAD_S = 1.0
"""A prompt is recognised by its first second, so that it may be cut short after that."""
_LEAST_SCORE = 0.75
_LEAST_GOING_ON = 0.5
_HOP_S = 0.25
_QUIET_DBM0 = -50.0
_HEAD_SAMPLES = int(_HEAD_S * SAMPLE_RATE_HZ)
_FFT_SAMPLES = 1 << 15
_STEP_SAMPLES = _FFT_SAMPLES - _HEAD_SAMPLES + 1  # how many places a block tells of, for the longest head
_DIGIT_TONES_HZ = (697.0, 770.0, 852.0, 941.0, 1209.0, 1336.0, 1477.0, 1633.0)
_NOTCH_HZ = 30.0
_LEVEL_KEPT_AT_HZ = 1000.0

_TONE_WINDOW_S = 0.04  # 25 Hz: enough to tell 440 from 480
_TONE_HOP_S = 0.005
_TONE_SHARE = 0.8
_TONE_QUIET_DBM0 = -45.0
_TONE_TWIST_DB = 8.0
_SHORTEST_TONE_S = 0.15
_LONGEST_INTERRUPTION_S = 0.8
_REORDER_FROM_PER_MINUTE = 90.0  # between busy, 60, and reorder, 120
_STUTTER_WINDOW_S = 0.0333  # three beats of 350 and 440 Hz
_STUTTER_DB = 0.8  # what makes a burst over dial tone: a step of level that is heard
_STUTTER_PERIOD_S = (0.16, 0.24)  # 0.1 s on, 0.1 s off
_STUTTER_GAP_S = 0.05
_STUTTER_LEAST_PERIODS = 4
_TONE_PAIRS_HZ = {"dial": (350.0, 440.0), "busy": (480.0, 620.0)}  # US precise tone plan


@dataclass(frozen=True)
class PromptHeard:
    """A prompt that was heard.

    Attributes:
        name: of the prompt in its pack.
        start_s: when it began, in seconds of the audio.
        score: normalised cross-correlation with the prompt's first second, 0 to 1.
        duration_s: how much of it was heard, to a quarter of a second.
    """

    name: str
    start_s: float
    score: float
    duration_s: float


@dataclass(frozen=True)
class ToneHeard:
    """A tone that was heard.

    Attributes:
        name: "dial", "stutter dial", "busy" or "reorder".
        start_s: when it began, in seconds of the audio.
        duration_s: from its beginning to its last end.
        interruptions_per_minute: measured; 0 for a steady tone.
    """

    name: str
    start_s: float
    duration_s: float
    interruptions_per_minute: float


def prompts_heard(audio: npt.ArrayLike, pack: Path) -> list[PromptHeard]:
    """Finds prompts in what a phone heard.

    Args:
        audio: 8 kHz samples in 16-bit units, integers or floats.
        pack: folder of prompt WAVs.

    Returns:
        The prompts in the order of time; no two overlap. A digit dialled over a prompt hides nothing, as its
        frequencies are left out on both sides.
    """
    heard = _Heard(_distinct(np.asarray(audio, np.float64)))
    candidates = [
        candidate
        for name, prompt in _prompts(pack).items()
        for candidate in _occurrences(name, prompt, heard)
    ]
    # The best match goes first: a number sounds much alike within a sentence, and fifty like fifteen.
    candidates.sort(key=lambda candidate: candidate.score, reverse=True)
    chosen: list[PromptHeard] = []
    for candidate in candidates:
        if not any(_overlap(candidate, other) for other in chosen):
            chosen.append(candidate)
    return sorted(chosen, key=lambda candidate: candidate.start_s)


def tones_heard(audio: npt.ArrayLike) -> list[ToneHeard]:
    """Finds dial tone, steady or with bursts over it, busy and reorder in what a phone heard.

    Args:
        audio: 8 kHz samples in 16-bit units, integers or floats.

    Returns:
        The tones in the order of time.
    """
    heard = np.asarray(audio, np.float64)
    tones = [
        _tone(name, group, heard)
        for name, pair_hz in _TONE_PAIRS_HZ.items()
        for group in _groups(_runs(_pair_sounds(heard, pair_hz)))
    ]
    return sorted(tones, key=lambda tone: tone.start_s)


@dataclass(frozen=True)
class _Prompt:
    """A prompt of a pack, made distinct.

    Attributes:
        samples: as far as it sounds.
        head: what it is recognised by.
        head_energy: the sum of its squares.
        spectrum: of the head, conjugate; single precision, which is enough to tell a score to a thousandth.
    """

    samples: Samples
    head: Samples
    head_energy: float
    spectrum: npt.NDArray[np.complex64]


@cache
def _prompts(pack: Path) -> dict[str, _Prompt]:
    prompts = {}
    for path in sorted(pack.glob("*.wav")):
        recorded, _ = soundfile.read(path, dtype="int16")
        sounding = np.flatnonzero(np.abs(recorded.astype(np.int32)) > RMS_0_DBM0 * 10 ** (_QUIET_DBM0 / 20))
        samples = _distinct(recorded[: sounding[-1] + 1].astype(np.float64))
        head = samples[:_HEAD_SAMPLES]
        prompts[path.stem] = _Prompt(samples, head, float(np.sum(head**2)), np.conj(_spectrum(head)))
    return prompts


def _spectrum(samples: Samples) -> npt.NDArray[np.complex64]:
    return np.asarray(np.fft.rfft(samples.astype(np.float32), _FFT_SAMPLES), np.complex64)


def _distinct(samples: Samples) -> Samples:
    """What tells prompts apart: no digit's tones, and consonants raised to the vowels (6 dB an octave)."""
    if not len(samples):
        return samples
    length = 1 << (len(samples) + SAMPLE_RATE_HZ - 1).bit_length()
    spectrum = np.fft.rfft(samples, length)
    frequency_hz = np.fft.rfftfreq(length, 1 / SAMPLE_RATE_HZ)
    spectrum *= frequency_hz / _LEVEL_KEPT_AT_HZ
    for tone_hz in _DIGIT_TONES_HZ:
        spectrum[np.abs(frequency_hz - tone_hz) < _NOTCH_HZ] = 0
    return np.asarray(np.fft.irfft(spectrum, length)[: len(samples)])


class _Heard:
    """The audio in which prompts are looked for, with what the search for each of them needs."""

    def __init__(self, samples: Samples) -> None:
        self.samples = samples
        self.energy = np.concatenate(([0.0], np.cumsum(samples**2)))
        self.blocks = [self._block(start) for start in range(0, len(samples), _STEP_SAMPLES)]

    def _block(self, start: int) -> _Block:
        samples = self.samples[start : start + _FFT_SAMPLES]
        return _Block(
            start, float(self.energy[start + len(samples)] - self.energy[start]), _spectrum(samples)
        )


@dataclass(frozen=True)
class _Block:
    """A part of the audio: it tells of `_STEP_SAMPLES` places from `start`, and reaches beyond the last of them.

    Attributes:
        start: its first sample.
        energy: the sum of its squares.
        spectrum: single precision.
    """

    start: int
    energy: float
    spectrum: npt.NDArray[np.complex64]


def _occurrences(name: str, prompt: _Prompt, heard: _Heard) -> Iterator[PromptHeard]:
    length = len(prompt.head)
    scores = _correlation(prompt, heard)
    while len(scores):
        place = int(np.argmax(scores))
        score = float(scores[place])
        if score < _LEAST_SCORE:
            return
        samples = length + _going_on(prompt.samples[length:], heard.samples[place + length :])
        yield PromptHeard(name, place / SAMPLE_RATE_HZ, score, samples / SAMPLE_RATE_HZ)
        scores[max(0, place - length) : place + length] = 0


def _correlation(prompt: _Prompt, heard: _Heard) -> Samples:
    """Normalised cross-correlation at every place where the whole head fits; 0 where it is too quiet to be one."""
    length = len(prompt.head)
    scores = np.zeros(max(0, len(heard.samples) - length + 1))
    floor = length * (RMS_0_DBM0 * 10 ** (_QUIET_DBM0 / 20)) ** 2
    for block in heard.blocks:
        # No score is more than the root of the energy over the floor (Cauchy and Schwarz).
        if block.energy < _LEAST_SCORE**2 * floor:
            continue
        here = scores[block.start : block.start + _STEP_SAMPLES]
        first, end = block.start, block.start + len(here)
        product = np.fft.irfft(block.spectrum * prompt.spectrum, _FFT_SAMPLES)[: len(here)]
        local = heard.energy[first + length : end + length] - heard.energy[first:end]
        here[:] = product / np.sqrt(np.maximum(local, floor) * prompt.head_energy)
    return scores


def _going_on(rest: Samples, heard: Samples) -> int:
    """How many samples of the rest of a prompt are heard; a pause counts when the speech after it does."""
    hop = int(_HOP_S * SAMPLE_RATE_HZ)
    floor = hop * (RMS_0_DBM0 * 10 ** (_QUIET_DBM0 / 20)) ** 2
    last = 0
    for start in range(0, len(rest), hop):
        expected = rest[start : start + hop]
        found = heard[start : start + len(expected)]
        if len(found) < len(expected):
            break
        energy = float(np.sum(expected**2))
        if energy < floor:
            continue
        score = float(np.sum(expected * found)) / np.sqrt(energy * max(float(np.sum(found**2)), floor))
        if score < _LEAST_GOING_ON:
            break
        last = start + len(expected)
    return last


def _overlap(one: PromptHeard, other: PromptHeard) -> bool:
    latest_start_s = max(one.start_s, other.start_s)
    earliest_end_s = min(one.start_s + one.duration_s, other.start_s + other.duration_s)
    return latest_start_s < earliest_end_s


def _pair_sounds(heard: Samples, pair_hz: tuple[float, float]) -> npt.NDArray[np.bool_]:
    """Whether the pair of frequencies is what sounds, for each window."""
    window = int(_TONE_WINDOW_S * SAMPLE_RATE_HZ)
    if len(heard) < window:
        return np.empty(0, np.bool_)
    frames = np.lib.stride_tricks.sliding_window_view(heard, window)[:: int(_TONE_HOP_S * SAMPLE_RATE_HZ)]
    total = np.einsum("ij,ij->i", frames, frames) / window
    sounds: npt.NDArray[np.bool_] = total > (RMS_0_DBM0 * 10 ** (_TONE_QUIET_DBM0 / 20)) ** 2
    loud = frames[sounds]
    first, second = (_power(loud, tone_hz) for tone_hz in pair_hz)
    twist = 10 ** (_TONE_TWIST_DB / 10)
    balanced = (first < twist * second) & (second < twist * first)
    sounds[sounds] = balanced & (first + second > _TONE_SHARE * total[sounds])
    return sounds


def _power(frames: Samples, tone_hz: float) -> Samples:
    """Of one frequency, in each frame: what its mean square would be, were it alone."""
    window = frames.shape[1]
    angles = 2 * np.pi * tone_hz * np.arange(window) / SAMPLE_RATE_HZ
    parts = frames @ np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return np.asarray(2 * np.sum(parts**2, axis=1) / window**2)


def _runs(sounds: npt.NDArray[np.bool_]) -> list[tuple[float, float]]:
    """Beginning and end, in seconds, of each time that the tone sounds for long enough."""
    edges = np.flatnonzero(np.diff(sounds.astype(np.int8), prepend=0, append=0))
    runs = []
    for first, end in zip(edges[::2], edges[1::2], strict=True):
        start_s = float(first) * _TONE_HOP_S
        end_s = float(end - 1) * _TONE_HOP_S + _TONE_WINDOW_S
        if end_s - start_s >= _SHORTEST_TONE_S:
            runs.append((start_s, end_s))
    return runs


def _groups(runs: list[tuple[float, float]]) -> list[list[tuple[float, float]]]:
    groups: list[list[tuple[float, float]]] = []
    for run in runs:
        if groups and run[0] - groups[-1][-1][1] < _LONGEST_INTERRUPTION_S:
            groups[-1].append(run)
        else:
            groups.append([run])
    return groups


def _tone(name: str, runs: list[tuple[float, float]], heard: Samples) -> ToneHeard:
    starts = [start_s for start_s, _ in runs]
    per_minute = 60.0 * (len(starts) - 1) / (starts[-1] - starts[0]) if len(starts) > 1 else 0.0
    if name == "busy" and per_minute >= _REORDER_FROM_PER_MINUTE:
        name = "reorder"
    if name == "dial" and (bursts_per_minute := _bursts_per_minute(heard, starts[0], runs[-1][1])):
        name, per_minute = "stutter dial", bursts_per_minute
    return ToneHeard(name, starts[0], runs[-1][1] - starts[0], per_minute)


def _bursts_per_minute(heard: Samples, start_s: float, end_s: float) -> float:
    """How often the level departs from what it mostly is, where that is the rhythm of a stutter; 0 where not.

    The bursts have dial tone's own frequencies, so each adds to it, or takes away from it, as their phases fall.
    """
    window = int(_STUTTER_WINDOW_S * SAMPLE_RATE_HZ)
    hop = int(_TONE_HOP_S * SAMPLE_RATE_HZ)
    edge_s = _TONE_WINDOW_S  # at either end a window may lie half in the tone
    part = heard[int((start_s + edge_s) * SAMPLE_RATE_HZ) : int((end_s - edge_s) * SAMPLE_RATE_HZ)]
    if len(part) < window:
        return 0.0
    power = np.mean(np.lib.stride_tricks.sliding_window_view(part, window)[::hop] ** 2, axis=1)
    level_db = 10 * np.log10(power + 1.0)
    places = np.flatnonzero(np.abs(level_db - np.median(level_db)) > _STUTTER_DB) * _TONE_HOP_S
    # A burst that turns from louder to softer is one.
    starts = places[np.diff(places, prepend=-1.0) > _STUTTER_GAP_S]
    periods = np.diff(starts)
    regular = (periods > _STUTTER_PERIOD_S[0]) & (periods < _STUTTER_PERIOD_S[1])
    if np.count_nonzero(regular) < _STUTTER_LEAST_PERIODS:
        return 0.0
    # Where a burst begins to be heard depends on its phase, and one may be missing: counted over all of them.
    bursts = np.sum(np.rint(periods / np.median(periods[regular])))
    return 60.0 * float(bursts) / float(starts[-1] - starts[0])
