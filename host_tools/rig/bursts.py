"""Bursts of caller ID found in a recording and measured, beside what the firmware's receivers make of them.

A receiver tells what a burst says. When it began, and what ails one that says nothing, is measured here, with as much
of the recording before it and behind it as that takes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from host_tools.exchange.fsk import framed
from host_tools.exchange.levels import RATE_HZ, Samples, Wave, dbm0_of_peak

_Powers = npt.NDArray[np.float32]

BIT_SAMPLES = RATE_HZ / 1200
SHIFTS_HZ = {"bell_202": 1000.0, "v23": 800.0}
# Mark, space, and how far apart their magnitudes are over one bit of either, in parts of their sum.
_NOMINAL_HZ = ((1200.0, 2200.0, 0.75), (1300.0, 2100.0, 0.5))

# A run of mark is looked for in frames of 20 ms, one every 10 ms. SIN 227 has the shortest: 55 bits, 46 ms.
_FRAME, _HOP, _TRANSFORM = 160, 80, 256
_FRAMES_AT_ONCE = 6000
_BIN_HZ = RATE_HZ / _TRANSFORM
_FEWEST_FRAMES = 3
_LEAST_SHARE = 0.5
_PURE = 0.75
_STEADY_BINS = 2
_LOWEST_MARK_HZ, _HIGHEST_MARK_HZ = 950.0, 1550.0  # 1200 and 1300 Hz, and 250 Hz off
_LEAST_PEAK = 80.0  # -49 dBm0, where the receivers' carrier drops

_BEFORE = 4800  # a seizure of 315 bits (SIN 227) and 205 of mark (EN 300 659-1): 433 ms
# To tell that it is no burst, 9 characters, each with 20 bits of mark before it (GR-30); a usual message; the longest.
_BEHIND = (2400, 8000, 56_000)
_EDGE = 400
_TAPS = 7
_FEWEST_STEADY = 10
_SURE_SPACE = 0.75
_NO_MARK, _HEARD_IN_MARK = 0.25, 0.35  # of a bit of mark; and of space, in the correlation with mark
_WEAKEST_SPACE = 0.25  # of mark: 12 dB of twist
_ALTERNATES = 0.5  # how far bits alternate in a seizure: 1 without noise
_SHORTEST_SEIZURE = 480
_BETWEEN = 320  # samples between seizure and what was seen of the mark, at most
_CHARACTERS = 16  # that are looked at
_FEWEST_CHARACTERS = 6
_MOST_IDLE_BITS = 25  # GR-30: up to 20 bits of mark between two bytes
_LEAST_RHYTHM = 0.34  # how well the transitions keep to one baud: 1 without noise
_BAUDS = np.arange(1120, 1281, 4)

_PLACED_BYTES = 12
_MOST_GAP_BITS = 23  # GR-30: 20 bits of mark; NTT has 3 stop bits more
_AS_GOOD = 0.93
_NEAR = 20


@dataclass(frozen=True)
class Burst:
    """A burst as measured.

    Attributes:
        start, message_start, end: samples of the recording: where its carrier starts, where the first start bit
            does, where the carrier ends.
        has_seizure: alternating bits come before the mark.
        mark_hz: of the mark before the message.
        space_hz: None when there is too little of it.
        baud: None when it cannot be told.
        level_dbm0: of mark.
        twist_db: mark over space; None when there is too little of it.
        snr_db: of mark, with noise in 300 to 3400 Hz.
    """

    start: int
    message_start: int
    end: int
    has_seizure: bool
    mark_hz: float
    space_hz: float | None
    baud: float | None
    level_dbm0: float
    twist_db: float | None
    snr_db: float

    def later(self, samples: int) -> Burst:
        """The same, so many samples later."""
        return replace(
            self,
            start=self.start + samples,
            message_start=self.message_start + samples,
            end=self.end + samples,
        )

    @property
    def standard(self) -> str | None:
        """The name in SHIFTS_HZ whose shift is nearest, None when space is not known."""
        if self.space_hz is None:
            return None
        shift_hz = self.space_hz - self.mark_hz
        return min(SHIFTS_HZ, key=lambda name: abs(SHIFTS_HZ[name] - shift_hz))


def find(samples: Samples) -> list[Burst]:
    """The bursts in a recording, in order: a run of mark, with a seizure before it or characters behind it.

    Sure from an SNR of some 4 dB on. Speech and signalling tones are none.
    """
    bursts: list[Burst] = []
    heard = 0
    for first, last in runs_of_mark(samples):
        if last > heard:
            burst = _measured(samples, first, last)
            if burst is not None:
                bursts.append(burst)
                heard = burst.end
    return bursts


def place(
    samples: Samples, data: bytes, first: int, last: int, baud: float | None = None, *, latest: bool = False
) -> tuple[int, float]:
    """Where in samples[first:last] a message lies, whole.

    Args:
        samples: the recording, 8 kHz.
        data: the message's bytes, one at least; the first dozen are looked for.
        first, last: what to look in.
        baud: as measured; 1200 if it was not.
        latest: of several places that are about as good, the last instead of the best.

    Returns:
        The sample of its first start bit, and how well what is there agrees: 1 without noise, 0 for no agreement.
    """
    part = _band(samples[first:last].astype(np.float64), 600, 2900)
    bit_samples = RATE_HZ / (baud or 1200)
    best = (first, 0.0)
    for mark_hz, space_hz, contrast in _NOMINAL_HZ:
        mark = np.abs(_correlation(part, mark_hz))
        space = np.abs(_correlation(part, space_hz))
        decision = np.clip((mark - space) / np.maximum(mark + space, 1.0) / contrast, -1, 1)
        starts = len(part) - round(9 * bit_samples * len(data))
        if starts > 0:
            start, agreement = _best_start(decision, data[:_PLACED_BYTES], bit_samples, starts, latest)
            if agreement > best[1]:
                best = (first + start, agreement)
    return best


def _best_start(
    decision: Wave, data: bytes, bit_samples: float, starts: int, latest: bool
) -> tuple[int, float]:
    """The start of the characters `data`, all of them with the same bits of mark between them, and the agreement."""
    middles = np.round((np.arange(10) + 0.5) * bit_samples).astype(int)
    most_apart = round((10 + _MOST_GAP_BITS) * bit_samples) * len(data)
    padded = np.concatenate([decision, np.zeros(most_apart + starts)])
    characters = [
        sum(
            (
                sign * padded[middle : middle + starts + most_apart]
                for sign, middle in zip(bits, middles, strict=True)
            )
        )
        for bits in 2.0 * framed(data).reshape(len(data), 10) - 1
    ]
    agreements = np.full(starts, -1.0)
    for gap_bits in range(_MOST_GAP_BITS + 1):
        apart = (10 + gap_bits) * bit_samples
        together = np.zeros(starts)
        for place, character in enumerate(characters):
            first = round(place * apart)
            together += character[first : first + starts]
        agreements = np.maximum(agreements, together / (10 * len(data)))
    if latest:
        last = int(np.flatnonzero(agreements >= _AS_GOOD * agreements.max())[-1])
        agreements[: max(0, last - _NEAR)] = -1
    start = int(agreements.argmax())
    return start, float(agreements[start])


def runs_of_mark(samples: Samples) -> Iterator[tuple[int, int]]:
    """(first, end) samples of what may be the mark before a message."""
    bins, shares = _strongest_near_mark(samples)
    is_mark = shares > _LEAST_SHARE
    goes_on = is_mark[1:] & is_mark[:-1] & (np.abs(np.diff(bins)) <= _STEADY_BINS)
    for first, end in _stretches(goes_on):
        if end - first + 1 >= _FEWEST_FRAMES:
            begin, count = _purest(shares[first : end + 1])
            yield (first + begin) * _HOP, (first + begin + count - 1) * _HOP + _FRAME


def _purest(shares: _Powers) -> tuple[int, int]:
    """(first, count) of the frames of mark itself: where space is weak there is mark enough in the data too."""
    pure = _stretches(shares >= _PURE * shares.max())
    begin, end = max(pure, key=lambda stretch: stretch[1] - stretch[0])
    return (begin, end - begin) if end - begin >= _FEWEST_FRAMES else (0, len(shares))


def _stretches(holds: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """(first, end) of each stretch for which it holds."""
    changes = np.flatnonzero(np.diff(np.concatenate([[False], holds, [False]])))
    return [(int(first), int(end)) for first, end in changes.reshape(-1, 2)]


def _strongest_near_mark(samples: Samples) -> tuple[npt.NDArray[np.intp], _Powers]:
    """Of each frame, the strongest bin near mark, and its share of the power in 300 to 3400 Hz."""
    if len(samples) < _FRAME:
        return np.zeros(0, np.intp), np.zeros(0, np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(samples, _FRAME)[::_HOP]
    window = np.hanning(_FRAME).astype(np.float32)
    low, high = round(_LOWEST_MARK_HZ / _BIN_HZ), round(_HIGHEST_MARK_HZ / _BIN_HZ)
    band = slice(round(300 / _BIN_HZ), round(3400 / _BIN_HZ) + 1)
    bins, shares = [], []
    for at in range(0, len(frames), _FRAMES_AT_ONCE):
        spectra = np.fft.rfft(frames[at : at + _FRAMES_AT_ONCE] * window, _TRANSFORM)
        power = (spectra.real**2 + spectra.imag**2).astype(np.float32)
        strongest = power[:, low:high].argmax(axis=1) + low
        near = strongest[:, np.newaxis] + np.arange(-3, 4)
        bins.append(strongest)
        shares.append(np.take_along_axis(power, near, 1).sum(axis=1) / (power[:, band].sum(axis=1) + 1))
    return np.concatenate(bins), np.concatenate(shares)


class _Tones:
    """Part of a recording as its correlations with mark and space over one bit.

    Attributes:
        mark, space: magnitude around each sample, 1 for a whole bit, whatever the twist.
        decision: above 0 for mark and below for space; 1 at most.
    """

    def __init__(self, wave: Wave, mark_hz: float, mark_peak: float, space_hz: float, around: slice) -> None:
        self._space_hz = space_hz
        self._phasors = _correlation(wave, space_hz)
        self.mark = np.abs(_correlation(wave, mark_hz)) / mark_peak
        space = np.abs(self._phasors)
        self.space_peak = float(
            np.clip(_alone(space[around], self.mark[around]), mark_peak / 5, mark_peak * 5)
        )
        self.space = space / self.space_peak
        self._space_over_mark = self.space_peak / mark_peak
        weight = self._space_over_mark**2
        decision = (self.mark**2 - self.mark / 2) - weight * (self.space**2 - self.space / 2)
        self.decision = np.clip(2 * decision / max(1.0, weight), -1, 1)

    def space_hz(self, around: slice) -> float | None:
        """As measured where space lasts for two bits or more; None if it never does."""
        no_mark = self.mark[around] < _NO_MARK + _HEARD_IN_MARK * self._space_over_mark
        sure = (self.decision[around] < 0) & (self.space[around] > _SURE_SPACE) & no_mark
        phasors = self._phasors[around]
        steady = np.flatnonzero(sure[:-_TAPS] & sure[_TAPS // 2 : _TAPS // 2 - _TAPS] & sure[_TAPS:])
        if len(steady) < _FEWEST_STEADY:
            return None
        gained = np.angle(np.vdot(phasors[steady], phasors[steady + _TAPS]))
        return self._space_hz + float(gained) * RATE_HZ / (2 * math.pi * _TAPS)

    def transitions(self, around: slice) -> Wave:
        """When, in samples of the part, mark becomes space or space mark."""
        part = self.decision[around]
        before = np.flatnonzero((part[1:] > 0) != (part[:-1] > 0))
        when: Wave = around.start + before + part[before] / (part[before] - part[before + 1])
        return when

    def characters(self, around: slice, bit_samples: float) -> list[bool]:
        """Of the first characters, whether the stop bit of each is mark."""
        whole: list[bool] = []
        place = float(around.start)
        while place + 10 * bit_samples < around.stop and len(whole) < _CHARACTERS:
            idle = self.decision[int(place) : int(place + _MOST_IDLE_BITS * bit_samples)]
            below = np.flatnonzero(idle < 0)
            if not len(below):
                break
            place = float(int(place) + int(below[0]))
            if place + 10 * bit_samples >= len(self.decision):
                break
            if self.decision[round(place + bit_samples / 2)] > 0:
                place += bit_samples
                continue
            place += 9.5 * bit_samples
            whole.append(bool(self.decision[round(place)] > 0))
        return whole

    def alternation(self) -> Wave:
        """How far the bits of the 15 ms around each sample alternate: 1 in a seizure, 0 in mark and in noise."""
        turns = np.exp(-2j * np.pi / (2 * BIT_SAMPLES) * np.arange(len(self.decision)))
        smooth = np.convolve(np.sign(self.decision) * turns, np.full(120, 1 / 120), mode="same")
        answer: Wave = np.pi / 2 * np.abs(smooth)
        return answer


def _alone(space: Wave, mark: Wave) -> float:
    """The magnitude of space where it stands out most from mark, of which some is heard in it."""
    foremost = np.argsort(-space / (mark + 1e-3))[: max(1, len(space) // 5)]
    return float(np.median(space[foremost]))


def _correlation(wave: Wave, hz: float) -> npt.NDArray[np.complex128]:
    """With a tone, over the bit around each sample: its amplitude, as a phasor at rest."""
    turned = wave * np.exp(-2j * np.pi * hz / RATE_HZ * np.arange(len(wave)))
    return np.convolve(turned, np.full(_TAPS, 2 / _TAPS), mode="same")


def _band(wave: Wave, low_hz: float, high_hz: float) -> Wave:
    spectrum = np.fft.rfft(wave)
    frequencies = np.fft.rfftfreq(len(wave), 1 / RATE_HZ)
    spectrum[(frequencies < low_hz) | (frequencies > high_hz)] = 0
    passed: Wave = np.fft.irfft(spectrum, len(wave))
    return passed


def _smooth(values: Wave, width: int) -> Wave:
    return np.convolve(values, np.full(width, 1 / width), mode="same")


def _tone_hz(wave: Wave, near_hz: float) -> float:
    """The frequency of a tone within 400 Hz of `near_hz`, from the phase that it gains."""
    for lag in (10, 40, 120):
        if len(wave) < 2 * lag:
            break
        turned = wave * np.exp(-2j * np.pi * near_hz / RATE_HZ * np.arange(len(wave)))
        smooth = np.convolve(turned, np.ones(8), mode="valid")
        near_hz += float(np.angle(np.vdot(smooth[:-lag], smooth[lag:]))) * RATE_HZ / (2 * math.pi * lag)
    return near_hz


def _measured(samples: Samples, first: int, last: int) -> Burst | None:
    """The burst around a run of mark, if it is one: measured in as much behind it as it takes to see its end."""
    offset = max(0, first - _BEFORE)
    burst: Burst | None = None
    for behind in _BEHIND:
        part = samples[offset : last + behind].astype(np.float64)
        # The frames at either end of the run are partly of something else.
        burst = _measured_in(part, slice(first - offset + _HOP, last - offset - _HOP))
        if burst is None or burst.end < len(part) - _EDGE:
            break
    return None if burst is None else burst.later(offset)


def _measured_in(part: Wave, run: slice) -> Burst | None:
    wave = _band(part, 600, 2900)
    mark_hz = _tone_hz(wave[run], (_LOWEST_MARK_HZ + _HIGHEST_MARK_HZ) / 2)
    mark_peak = _peak(wave, run, mark_hz)
    whole = float(np.mean(_band(part, 300, 3400)[run] ** 2))
    noise = max(whole - mark_peak**2 / 2, mark_peak**2 / 2e6)
    is_mark = _LOWEST_MARK_HZ <= mark_hz <= _HIGHEST_MARK_HZ and mark_peak >= _LEAST_PEAK
    if not is_mark or mark_peak**2 / 2 < noise:
        return None
    tones = _likelier_tones(wave, mark_hz, mark_peak, run)
    message_start = _first_space(tones, run)
    start, has_seizure = _carrier_start(tones, run)
    end = _carrier_end(tones, message_start)
    if not has_seizure and not _has_characters(tones, slice(message_start, end)):
        return None
    space_hz = tones.space_hz(slice(message_start, end))
    return Burst(
        start=start,
        message_start=message_start,
        end=end,
        has_seizure=has_seizure,
        mark_hz=mark_hz,
        space_hz=space_hz,
        baud=_baud(tones, slice(start, end))[0],
        level_dbm0=dbm0_of_peak(mark_peak),
        twist_db=None if space_hz is None else 20 * math.log10(mark_peak / tones.space_peak),
        snr_db=10 * math.log10(mark_peak**2 / 2 / noise),
    )


def _peak(wave: Wave, run: slice, hz: float) -> float:
    turns = np.exp(-2j * np.pi * hz / RATE_HZ * np.arange(run.start, run.stop))
    return 2 * abs(complex(np.mean(wave[run] * turns)))


def _likelier_tones(wave: Wave, mark_hz: float, mark_peak: float, run: slice) -> _Tones:
    """With the shift of which more space is heard: right behind the mark, or before it if there is none behind."""
    behind = slice(run.stop, min(len(wave), run.stop + 1600))
    before = slice(max(0, run.start - 1600), run.start)
    most: _Tones | None = None
    for around in (behind, before):
        if around.stop - around.start >= _EDGE:
            for shift_hz in SHIFTS_HZ.values():
                tones = _Tones(wave, mark_hz, mark_peak, mark_hz + shift_hz, around)
                if most is None or tones.space_peak > most.space_peak:
                    most = tones
        if most is not None and most.space_peak >= _WEAKEST_SPACE * mark_peak:
            break
    return most or _Tones(wave, mark_hz, mark_peak, mark_hz + SHIFTS_HZ["bell_202"], run)


def _first_space(tones: _Tones, run: slice) -> int:
    """Where the mark ends: the first start bit."""
    start = max(run.start, run.stop - _FRAME)
    below = np.flatnonzero(_smooth(tones.decision, 5)[start:] < 0)
    return start + int(below[0]) if len(below) else len(tones.decision)


def _carrier_start(tones: _Tones, run: slice) -> tuple[int, bool]:
    """Where the carrier starts, and whether with a seizure."""
    alternation = tones.alternation()
    near = np.flatnonzero(alternation[max(0, run.start - _BETWEEN) : run.start] > _ALTERNATES)
    if len(near):
        end = max(0, run.start - _BETWEEN) + int(near[-1])
        doubtful = np.flatnonzero(alternation[:end] < _ALTERNATES / 2)
        begin = int(doubtful[-1]) if len(doubtful) else 0
        begin += int(np.argmax(alternation[begin:] > _ALTERNATES))
        if end - begin >= _SHORTEST_SEIZURE:
            return begin, True
    is_mark = _smooth(tones.decision, _HOP) > 0.5
    no_mark = np.flatnonzero(~is_mark[: run.start])
    return (int(no_mark[-1]) + 1 if len(no_mark) else 0), False


def _carrier_end(tones: _Tones, message_start: int) -> int:
    """Where the carrier ends: either tone is clear in it, in noise neither is."""
    clear = _smooth(np.abs(tones.decision), 320)[message_start + 160 :]
    usual = float(np.median(clear[:640])) if len(clear) > 640 else 0.5
    low = np.flatnonzero(clear < usual / 2)
    return message_start + 160 + int(low[0]) if len(low) else len(tones.decision)


def _has_characters(tones: _Tones, message: slice) -> bool:
    baud, rhythm = _baud(tones, message)
    if baud is None or rhythm < _LEAST_RHYTHM:
        return False
    characters = tones.characters(message, RATE_HZ / baud)
    return len(characters) >= _FEWEST_CHARACTERS and 4 * sum(characters) >= 3 * len(characters)


def _baud(tones: _Tones, around: slice) -> tuple[float | None, float]:
    """The baud to which the transitions keep best, and how well: 1 without noise."""
    turns = np.zeros(len(_BAUDS))
    count = 0
    for start in range(around.start, around.stop - 400, 800):
        when = tones.transitions(slice(start, min(around.stop, start + 800)))
        if len(when):
            turns += np.abs(np.exp(2j * np.pi / RATE_HZ * np.outer(_BAUDS, when)).sum(axis=1))
            count += len(when)
    if not count:
        return None, 0.0
    best = int(turns.argmax())
    return float(_BAUDS[best]), float(turns[best]) / count
