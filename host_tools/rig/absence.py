"""Why there is no burst of caller ID in a recording: what there is instead, the likeliest reason first."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from host_tools.exchange.levels import RATE_HZ, Samples, dbm0_of
from host_tools.rig.burst_faults import LEAST_DBM0, NOMINAL_HZ, Fault
from host_tools.rig.doubtful import magnitude_of
from host_tools.rig.events import Event
from host_tools.rig.ring_voltage import Ring, calls

_FRAME, _HOP, _TRANSFORM = 160, 80, 256
_BIN_HZ = RATE_HZ / _TRANSFORM
_FSK_SHARE = 0.8
_LEAST_CARRIER_DBM0 = -62.0
_SHORTEST_CARRIER_FRAMES = 14  # 150 ms: a seizure of 96 bits has 80, and a message follows
_NEEDED_MARK_BITS = 55  # SIN 227; the others have more
_BIT_SAMPLES = RATE_HZ / 1200
_QUIET_DBM0 = -60.0
_FEWEST_DIGITS = 3
# Schemes that a household could dial: they are heard only when they are named.
_BY_DIGITS = (
    (re.compile(r"\*\d+#$"), "dtmf_star_to_hash"),
    (re.compile(r"#\d+C$"), "dtmf_hash_to_c"),
    (re.compile(r"\d{3,}#$"), "dtmf_number_to_hash"),
)


@dataclass(frozen=True)
class Heard:
    """A recording without caller ID, and what is in it.

    Attributes:
        events: as events.decode tells them.
        rings: in the recording.
        others: standards other than the one asked for, whose bursts are in it.
    """

    samples: Samples
    events: Sequence[Event] = ()
    rings: Sequence[Ring] = ()
    others: Sequence[str] = ()


@dataclass(frozen=True)
class Carrier:
    """What looks like FSK, by its spectrum alone.

    Attributes:
        start, end: samples.
        mark_bits: the longest mark in it.
    """

    start: int
    end: int
    level_dbm0: float
    mark_bits: float


def absence_reasons(heard: Heard) -> list[Fault]:
    """Why there is no caller, the likeliest first; one at least."""
    found = [fault for look in _LOOKS for fault in look(heard)]
    return found or [
        Fault(
            "no_carrier",
            "nothing like a carrier of caller ID is in it",
            "Record a whole call, from before its first ring to its second.",
        )
    ]


def carriers_in(samples: Samples) -> list[Carrier]:
    """Stretches of 150 ms and more in which mark and space of a standard have most of the power."""
    if len(samples) < _FRAME:
        return []
    frames = np.lib.stride_tricks.sliding_window_view(samples, _FRAME)[::_HOP]
    spectra = np.abs(np.fft.rfft(frames * np.hanning(_FRAME), _TRANSFORM)) ** 2
    near = np.zeros(spectra.shape[1], bool)
    for low_hz, high_hz in ((1050, 1450), (1950, 2350)):
        near[round(low_hz / _BIN_HZ) : round(high_hz / _BIN_HZ) + 1] = True
    band = spectra[:, round(300 / _BIN_HZ) : round(3400 / _BIN_HZ) + 1].sum(axis=1)
    shares = spectra[:, near].sum(axis=1) / (band + 1)
    # A seizure has a line in the middle between its tones, which is heard in neither.
    middle = spectra[:, round(1600 / _BIN_HZ) : round(1800 / _BIN_HZ) + 1].sum(axis=1) / (band + 1)
    return list(_stretches(samples, (shares + middle > _FSK_SHARE) & (band > 0)))


def _stretches(samples: Samples, holds: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Iterator[Carrier]:
    changes = np.flatnonzero(np.diff(np.concatenate([[False], holds, [False]])))
    for first, end in changes.reshape(-1, 2):
        if end - first < _SHORTEST_CARRIER_FRAMES:
            continue
        start, stop = int(first) * _HOP, (int(end) - 1) * _HOP + _FRAME
        level_dbm0 = dbm0_of(samples[start:stop])
        if level_dbm0 > _LEAST_CARRIER_DBM0:
            yield Carrier(start, stop, level_dbm0, _longest_mark_bits(samples[start:stop]))


def _longest_mark_bits(samples: Samples) -> float:
    """The longest mark of the standard in whose tones there is more."""
    wave = samples.astype(np.float64)
    longest = {}
    for mark_hz, space_hz in {NOMINAL_HZ["bell_202"], NOMINAL_HZ["v23"]}:
        mark, space = magnitude_of(wave, mark_hz), magnitude_of(wave, space_hz)
        still = np.flatnonzero(np.concatenate([[True], mark <= space, [True]]))
        longest[float(np.maximum(mark, space).mean())] = int(np.diff(still).max()) - 1
    return round(longest[max(longest)] / _BIT_SAMPLES, 1)


def _other_standard(heard: Heard) -> Iterator[Fault]:
    for name in heard.others:
        yield Fault(
            "other_standard",
            f"its bursts are of another standard than was asked for: {name}",
            f"Run it with --standard {name}, or without --standard.",
            {"standard": name},
        )


def _silent(heard: Heard) -> Iterator[Fault]:
    level_dbm0 = dbm0_of(heard.samples)
    if level_dbm0 == -np.inf:
        yield Fault(
            "silent",
            "every sample is 0",
            "The recorder is not connected, or another channel has the line: try --channel 1.",
        )
    elif level_dbm0 < _QUIET_DBM0:
        yield Fault(
            "quiet",
            f"the whole recording has no more than {level_dbm0:.1f} dBm0",
            "Check that the recorder is on the line, and its gain.",
            {"level_dbm0": round(level_dbm0, 1)},
        )


def _carrier(heard: Heard) -> Iterator[Fault]:
    for carrier in carriers_in(heard.samples):
        at_s, lasted_ms = carrier.start / RATE_HZ, round(1000 * (carrier.end - carrier.start) / RATE_HZ)
        figures = {"at": round(at_s, 3), "duration_ms": lasted_ms, "level_dbm0": round(carrier.level_dbm0, 1)}
        if carrier.level_dbm0 < LEAST_DBM0:
            yield Fault(
                "too_weak",
                f"a carrier of {lasted_ms} ms at {at_s:.2f} s is weaker than {LEAST_DBM0:.0f} dBm0:"
                f" {carrier.level_dbm0:.1f} dBm0",
                "Look for a bad contact, a filter, or too many sets on the pair; a recorder's gain may be too low.",
                {**figures, "least_dbm0": LEAST_DBM0},
            )
        elif carrier.mark_bits < _NEEDED_MARK_BITS:
            yield Fault(
                "short_mark",
                f"a carrier of {lasted_ms} ms at {at_s:.2f} s has no more than {carrier.mark_bits:.0f} bits of mark"
                f" before its characters, and {_NEEDED_MARK_BITS} are the least",
                "The sender is wrong, or what was recorded began too late: the exchange must send mark before the"
                " message.",
                {**figures, "mark_bits": carrier.mark_bits, "needed_bits": _NEEDED_MARK_BITS},
            )


def _digits(heard: Heard) -> Iterator[Fault]:
    digits = "".join(event["digit"] for event in heard.events if event["event"] == "dtmf")
    if len(digits) < _FEWEST_DIGITS:
        return
    named = next((name for form, name in _BY_DIGITS if form.search(digits)), None)
    yield Fault(
        "dtmf",
        f"{len(digits)} DTMF digits came instead of a carrier",
        f"This may be caller ID by DTMF: run it with --standard {named}."
        if named
        else "Somebody dialled; or the exchange sends caller ID by DTMF in a form that is not known.",
        {"digits": len(digits), "standard": named},
    )


def _rings(heard: Heard) -> Iterator[Fault]:
    for call in calls(list(heard.rings)):
        count = f"{len(call)} time{'s' if len(call) != 1 else ''}"
        yield Fault(
            "no_service",
            f"it rang {count} ({cadence_of(call)}), and no carrier came between the rings",
            "Most likely caller ID is not switched on for this line: ask the carrier. Where it comes before the first"
            " ring, the recording must begin earlier.",
            {
                "rings": len(call),
                "at": round(call[0].start / RATE_HZ, 3),
                "frequency_hz": call[0].frequency_hz,
            },
        )


def cadence_of(call: Sequence[Ring]) -> str:
    """How it rings, in words."""
    on_s = f"{call[0].duration_s:.1f} s on"
    return f"{on_s}, {(call[1].start - call[0].end) / RATE_HZ:.1f} s off" if len(call) > 1 else on_s


def _progress(heard: Heard) -> Iterator[Fault]:
    tones = sorted({event["tone"] for event in heard.events if event["event"] == "call_progress"})
    if tones:
        yield Fault(
            "tones_only",
            f"only call-progress tones are in it: {', '.join(tones).replace('_', ' ')}",
            "Somebody was off-hook: caller ID comes on-hook. Hang up, and have the line called.",
            {"tones": tones},
        )


_LOOKS: tuple[Callable[[Heard], Iterator[Fault]], ...] = (
    _silent,
    _other_standard,
    _carrier,
    _digits,
    _rings,
    _progress,
)
