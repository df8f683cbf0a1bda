"""What is wrong with a burst of caller ID that said nothing: every fault that can be measured, the likeliest first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from host_tools.exchange.levels import FULL_SCALE, RATE_HZ, Samples, Wave, dbm0_of_peak, peak_of
from host_tools.rig.bursts import Burst
from host_tools.rig.ring_voltage import Ring

# What TIA-777-A and EN 300 659-1 ask of a receiver, and what this project's does beyond.
LEAST_SNR_DB = 7.5
LEAST_DBM0 = -48.0
MOST_TWIST_DB = 10.0
LOWEST_BAUD, HIGHEST_BAUD = 1152.0, 1260.0
MOST_OFF_HZ = 200.0
NOMINAL_HZ = {"bell_202": (1200, 2200), "v23": (1300, 2100), "bt": (1300, 2100)}

_NOMINAL_BAUD = 1200.0
_BITS = 10
_FEWEST_MISSING = 3
_CLEAN_DB = 20.0
_MOST_CLIPPED = 0.02
_MOST_AT_THE_TOP = 0.35  # of the samples: of a mu-law sine a fifth is
_QUIET_PEAK = 100
_AT_THE_END_SAMPLES = 160
_RING_NEAR_SAMPLES = 8 * 250
_GAP_SAMPLES = 20
_MOST_DC = 0.5  # of mark's peak
_AROUND_SAMPLES = 4000
_MAINS_HZ = (50.0, 60.0)
_HARMONICS = 15
_HUM_OVER_MARK_DB = 0.0
_TONE_SHARE = 0.6
_SHARPNESS_HZ = 12.0
_ALERT_HZ = (2130.0, 2750.0)
_ALERTED_SAMPLES = 8 * 700
_ALERT_FRAME = 400
_ALERT_SHARE = 0.6
_NTT_BEGINS = b"\x90"  # it is heard off-hook, and has no seizure
_RATE_OFF = 0.015
_RATES_AGREE = 0.008


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong.

    Attributes:
        name: for programs.
        text: what was measured, and what it should be; without a full stop.
        remedy: what to do about it, a sentence.
        figures: what `text` rests on.
    """

    name: str
    text: str
    remedy: str
    figures: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class FailedBurst:
    """A burst and all that is around it.

    Attributes:
        reason: why the receiver gave it up, as its event has it.
        data: the bytes that came.
        announced: how many the message says that it has; None when it does not say.
        framing_errors: None when they were not counted.
        rings: in the recording.
    """

    samples: Samples
    burst: Burst
    reason: str
    data: bytes = b""
    announced: int | None = None
    framing_errors: int | None = None
    rings: tuple[Ring, ...] = ()

    @cached_property
    def part(self) -> Samples:
        """The burst alone."""
        return self.samples[self.burst.start : self.burst.end]

    @cached_property
    def around(self) -> Samples:
        """The burst, and half a second before and behind it."""
        first = max(0, self.burst.start - _AROUND_SAMPLES)
        return self.samples[first : self.burst.end + _AROUND_SAMPLES]

    @property
    def is_short(self) -> bool:
        """Whether the carrier ended long before the message could."""
        if self.announced is None:
            return False
        needed_samples = (
            _BITS * (self.announced - _FEWEST_MISSING) * RATE_HZ / (self.burst.baud or _NOMINAL_BAUD)
        )
        return self.burst.end - self.burst.message_start < needed_samples


def faults_of(failed: FailedBurst) -> list[Fault]:
    """What is wrong, the likeliest first: what spoils a message by itself comes before what only weakens it."""
    found = [fault for look in _LOOKS for fault in look(failed)]
    return found or list(_dropped(failed)) or [_unexplained(failed)]


def _recording_ends(failed: FailedBurst) -> Iterator[Fault]:
    if failed.burst.end > len(failed.samples) - _AT_THE_END_SAMPLES:
        yield Fault(
            "recording_ends",
            "the recording ends within it",
            "Record until a second after the next ring.",
            {"recording_s": round(len(failed.samples) / RATE_HZ, 3)},
        )


def _cut_by_ring(failed: FailedBurst) -> Iterator[Fault]:
    burst = failed.burst
    for ring in failed.rings:
        if burst.message_start < ring.start < burst.end + _RING_NEAR_SAMPLES and ring.end > burst.end:
            late_ms = round(1000 * (ring.start - burst.end) / RATE_HZ)
            yield Fault(
                "cut_by_ring",
                f"the ring cuts it off: ring voltage begins {late_ms:+d} ms from its end, and 200 ms is the least",
                "The exchange sends too late or rings too early: ask the carrier for this line's caller-ID timing.",
                {"ring_behind_end_ms": late_ms, "least_ms": 200},
            )
            return


def _gap(failed: FailedBurst) -> Iterator[Fault]:
    sounding = np.flatnonzero(failed.part)
    steps = np.diff(sounding) - 1
    gaps = steps[steps >= _GAP_SAMPLES]
    if len(gaps):
        missing_ms = round(1000 * int(gaps.sum()) / RATE_HZ, 1)
        yield Fault(
            "samples_missing",
            f"{missing_ms:g} ms of it are missing, in {len(gaps)} piece{'s' if len(gaps) != 1 else ''}",
            "Samples were lost on the way into the recording: record again, with a computer that has less to do.",
            {"missing_ms": missing_ms, "pieces": len(gaps)},
        )


def _clipped(failed: FailedBurst) -> Iterator[Fault]:
    size = np.abs(failed.part.astype(np.int32))
    top = int(size.max(initial=0))
    at_full_scale = float(np.mean(size >= FULL_SCALE))
    at_the_top = float(np.mean(size >= top - max(1, top // 200)))
    if at_full_scale > _MOST_CLIPPED or (top > _QUIET_PEAK and at_the_top > _MOST_AT_THE_TOP):
        share = round(100 * max(at_full_scale, at_the_top), 1)
        yield Fault(
            "clipped",
            f"the recording is clipped: {share:g} % of its samples stand at {top}",
            "Lower the gain of what records the line; the wiring of WIRING.md has full scale at +3 dBm0.",
            {"clipped_percent": share, "peak": top},
        )


def _too_weak(failed: FailedBurst) -> Iterator[Fault]:
    level_dbm0 = failed.burst.level_dbm0
    if level_dbm0 < LEAST_DBM0:
        yield Fault(
            "too_weak",
            f"it is weaker than {LEAST_DBM0:.0f} dBm0: {level_dbm0:.1f} dBm0",
            "Look for a bad contact, a filter, or too many sets on the pair; a recorder's gain may be too low.",
            {"level_dbm0": round(level_dbm0, 1), "least_dbm0": LEAST_DBM0},
        )


def _hum(failed: FailedBurst) -> Iterator[Fault]:
    mains_hz, level_dbm0 = hum_in(failed.around)
    over_db = level_dbm0 - failed.burst.level_dbm0
    if over_db > _HUM_OVER_MARK_DB:
        yield Fault(
            "hum",
            f"hum of {mains_hz:.0f} Hz is {over_db:.0f} dB stronger than it: {level_dbm0:.1f} dBm0",
            "Break the ground loop: no mains-powered device at both ends, a transformer between; check for an earth"
            " fault on one wire.",
            {"mains_hz": mains_hz, "hum_dbm0": round(level_dbm0, 1), "over_mark_db": round(over_db, 1)},
        )


def _dc(failed: FailedBurst) -> Iterator[Fault]:
    offset = float(np.mean(failed.around.astype(np.float64)))
    peak = peak_of(failed.burst.level_dbm0)
    if abs(offset) > _MOST_DC * peak:
        yield Fault(
            "dc",
            f"DC of {offset:.0f} is on every sample, and its own peak is {peak:.0f}",
            "Couple the recorder to the line through a capacitor or a transformer.",
            {"dc_samples": round(offset), "mark_peak_samples": round(peak)},
        )


def _tone(failed: FailedBurst) -> Iterator[Fault]:
    burst = failed.burst
    hz, level_dbm0, share = _strongest_tone(_beside(failed))
    is_taken_for_mark = abs(hz - burst.mark_hz) < _SHARPNESS_HZ
    if share > _TONE_SHARE and (burst.snr_db < _CLEAN_DB or is_taken_for_mark):
        yield Fault(
            "tone",
            f"a tone of {hz:.0f} Hz and {level_dbm0:.1f} dBm0 stands under it, {burst.level_dbm0 - level_dbm0:.0f} dB"
            " below mark",
            "Find what sends it: dial tone that was not cut off, a line card, an alarm dialler.",
            {"tone_hz": round(hz, 1), "tone_dbm0": round(level_dbm0, 1)},
        )


def _noise(failed: FailedBurst) -> Iterator[Fault]:
    snr_db = failed.burst.snr_db
    if snr_db < LEAST_SNR_DB:
        noise_dbm0 = failed.burst.level_dbm0 - snr_db
        yield Fault(
            "noise",
            f"the noise is too strong: {LEAST_SNR_DB} dB SNR is what it takes, and {snr_db:.1f} dB are there",
            "Look for what makes it: a wet joint, speech on the line, DSL without its filter.",
            {
                "snr_db": round(snr_db, 1),
                "needed_snr_db": LEAST_SNR_DB,
                "noise_dbm0": round(noise_dbm0, 1),
            },
        )


def _twist(failed: FailedBurst) -> Iterator[Fault]:
    twist_db = failed.burst.twist_db
    if twist_db is not None and abs(twist_db) > MOST_TWIST_DB:
        weaker = "space" if twist_db > 0 else "mark"
        yield Fault(
            "twist",
            f"one tone is more than {MOST_TWIST_DB:.0f} dB below the other: {weaker}, by {abs(twist_db):.1f} dB",
            "A long or loaded loop, or a wrong equaliser: measure the loss of the loop at 1200 and 2200 Hz.",
            {"twist_db": round(twist_db, 1), "most_db": MOST_TWIST_DB},
        )


def _rate(failed: FailedBurst) -> Iterator[Fault]:
    burst = failed.burst
    if burst.standard is None or burst.space_hz is None or burst.baud is None:
        return
    mark_hz, space_hz = NOMINAL_HZ[burst.standard]
    ratios = (burst.mark_hz / mark_hz, burst.space_hz / space_hz, burst.baud / _NOMINAL_BAUD)
    if abs(np.mean(ratios) - 1) > _RATE_OFF and max(ratios) - min(ratios) < _RATES_AGREE:
        percent = round(100 * (float(np.mean(ratios)) - 1), 1)
        yield Fault(
            "wrong_rate",
            f"its tones and its baud are all {percent:+g} % off: the recording runs at another rate than it says",
            "Correct the sampling rate in the file, or record again.",
            {"off_percent": percent},
        )


def _baud(failed: FailedBurst) -> Iterator[Fault]:
    baud = failed.burst.baud
    if baud is not None and not LOWEST_BAUD <= baud <= HIGHEST_BAUD:
        yield Fault(
            "baud",
            f"the sender's baud is too far off: {baud:.0f}, and {LOWEST_BAUD:.0f} to {HIGHEST_BAUD:.0f} can be read",
            "The sender's clock is wrong: it is the exchange's or the analog adapter's to mend.",
            {"baud": round(baud), "lowest": LOWEST_BAUD, "highest": HIGHEST_BAUD},
        )


def _tones_off(failed: FailedBurst) -> Iterator[Fault]:
    off_hz = off_hz_of(failed.burst)
    if off_hz > MOST_OFF_HZ:
        yield Fault(
            "tones_off",
            f"its tones are more than {MOST_OFF_HZ:.0f} Hz off: {off_hz:.0f} Hz",
            "This is a sender of no known standard: tell its make with the recording.",
            {"off_hz": round(off_hz), "most_hz": MOST_OFF_HZ},
        )


def _no_seizure(failed: FailedBurst) -> Iterator[Fault]:
    # Noise hides a seizure; NTT has none.
    if failed.burst.snr_db < _CLEAN_DB or failed.data[:1] == _NTT_BEGINS:
        return
    if not failed.burst.has_seizure and not _is_alerted(failed.samples, failed.burst.start):
        yield Fault(
            "no_seizure",
            "no channel seizure comes before its mark, and no alert tone",
            "The exchange must send 300 bits of seizure on-hook (GR-30), 96 at the least (SIN 227); or what opened the"
            " recording came too late.",
            {"seizure": False},
        )


def _dropped(failed: FailedBurst) -> Iterator[Fault]:
    if failed.is_short:
        yield Fault(
            "carrier_dropped",
            "its carrier drops before the message is whole",
            "Somebody answered, or the line was cut: call again and let it ring.",
            {"bytes_received": len(failed.data), "bytes_announced": failed.announced},
        )


_LOOKS: tuple[Callable[[FailedBurst], Iterator[Fault]], ...] = (
    _tone,
    _recording_ends,
    _cut_by_ring,
    _gap,
    _clipped,
    _too_weak,
    _hum,
    _dc,
    _noise,
    _twist,
    _rate,
    _baud,
    _tones_off,
    _no_seizure,
)


def _unexplained(failed: FailedBurst) -> Fault:
    if failed.burst.snr_db < _CLEAN_DB or failed.framing_errors:
        return Fault(
            "disturbed",
            "no single figure is out of its limits: a click, speech, or samples that were lost may have hit it",
            "Call again: what comes once in a while is not the line's; what comes each time can be found.",
            {"snr_db": round(failed.burst.snr_db, 1), "framing_errors": failed.framing_errors},
        )
    return Fault(
        "sender",
        "the signal is clean, so that the sender's own bytes may be wrong",
        "It is the exchange's to mend: give the carrier this recording.",
        {"snr_db": round(failed.burst.snr_db, 1)},
    )


def off_hz_of(burst: Burst) -> float:
    """How far the tone that is farther off is from its standard's."""
    if burst.standard is None or burst.space_hz is None:
        return 0.0
    mark_hz, space_hz = NOMINAL_HZ[burst.standard]
    return max(abs(burst.mark_hz - mark_hz), abs(burst.space_hz - space_hz))


def hum_in(samples: Samples) -> tuple[float, float]:
    """(50 or 60 Hz, level in dBm0) of the mains' hum with its harmonics up to 900 Hz; minus infinity for none."""
    spectrum, bin_hz = _power_spectrum(samples)
    powers = {
        mains_hz: sum(
            _power_near(spectrum, bin_hz, order * mains_hz, 2.5)
            for order in range(1, _HARMONICS + 1)
            if order * mains_hz < 900
        )
        for mains_hz in _MAINS_HZ
    }
    mains_hz = max(powers, key=lambda hz: powers[hz])
    return mains_hz, dbm0_of_peak(float(np.sqrt(2 * powers[mains_hz])))


def _beside(failed: FailedBurst) -> Samples:
    """What the line carries beside the burst: the longer of half a second before it and behind it."""
    burst, samples = failed.burst, failed.samples
    before = samples[max(0, burst.start - _AROUND_SAMPLES) : max(0, burst.start - 80)]
    behind = samples[burst.end + 80 : burst.end + _AROUND_SAMPLES]
    return max(before, behind, key=len)


def _strongest_tone(samples: Samples) -> tuple[float, float, float]:
    """(frequency, level in dBm0, share of the power in 300 to 3400 Hz) of the strongest tone; a share of 0 for none."""
    if len(samples) < _ALERT_FRAME:
        return 0.0, -np.inf, 0.0
    spectrum, bin_hz = _power_spectrum(samples)
    first, last = round(300 / bin_hz), round(3400 / bin_hz)
    best = first + int(spectrum[first:last].argmax())
    power = _power_near(spectrum, bin_hz, best * bin_hz, _SHARPNESS_HZ)
    whole = float(spectrum[first:last].sum())
    share = power / whole if whole else 0.0
    return best * bin_hz, dbm0_of_peak(float(np.sqrt(2 * power))), share


def _is_alerted(samples: Samples, start: int) -> bool:
    """Whether an alert tone (CAS, DT-AS) lies in the 0.7 s before a burst."""
    for first in range(max(0, start - _ALERTED_SAMPLES), start - _ALERT_FRAME, _ALERT_FRAME // 2):
        spectrum, bin_hz = _power_spectrum(samples[first : first + _ALERT_FRAME])
        tones = sum(_power_near(spectrum, bin_hz, hz, 50) for hz in _ALERT_HZ)
        if tones > 1 and tones > _ALERT_SHARE * float(spectrum[round(300 / bin_hz) :].sum()):
            return True
    return False


def _power_spectrum(samples: Samples) -> tuple[Wave, float]:
    """Mean power in each bin, DC taken away; the bins together have the power of the whole; and a bin's width."""
    wave = samples.astype(np.float64)
    wave -= wave.mean() if len(wave) else 0.0
    window = np.hanning(len(wave))
    spectrum: Wave = (
        2 * np.abs(np.fft.rfft(wave * window)) ** 2 / (len(wave) * float((window**2).sum()) or 1.0)
    )
    return spectrum, RATE_HZ / max(1, len(wave))


def _power_near(spectrum: Wave, bin_hz: float, hz: float, around_hz: float) -> float:
    around = max(2, round(around_hz / bin_hz))
    middle = round(hz / bin_hz)
    return float(spectrum[max(0, middle - around) : middle + around + 1].sum())
