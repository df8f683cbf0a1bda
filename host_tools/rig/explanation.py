"""Why a burst of caller ID said nothing, or why there was none: sentences for a technician, and their figures."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from host_tools.exchange.caller_id import NTT_CALL, ParameterType
from host_tools.exchange.levels import FULL_SCALE, RATE_HZ, Samples, dbm0_of
from host_tools.rig.bursts import Burst, runs_of_mark
from host_tools.rig.events import Event, Failure

STANDARD_NAMES = {"bell_202": "Bell 202", "v23": "V.23", "bt": "BT", "ntt": "NTT"}
REASONS = {
    "checksum_wrong": "the checksum is wrong",
    "truncated": "the message was cut short",
    "garbage": "the carrier held no message",
    "no_message": "no message could be made out",
}
_NOMINAL_HZ = {"bell_202": (1200, 2200), "v23": (1300, 2100), "bt": (1300, 2100)}
_MESSAGE_TYPES = {
    0x04: "SDMF call",
    0x06: "SDMF message waiting",
    0x0B: "SDMF, reserved type",
    0x80: "MDMF call set-up",
    0x81: "MDMF test",
    0x82: "MDMF message waiting",
    0x86: "advice of charge",
    0x89: "short message",
}
_DLE = 0x90  # as NTT sends it, with its parity
_NTT_LENGTH_AT = 6

# What TIA-777-A and EN 300 659-1 ask of a receiver, and what this project's does beyond.
_LEAST_SNR_DB = 7.5
_LEAST_DBM0 = -48.0
_MOST_TWIST_DB = 10.0
_LOWEST_BAUD, _HIGHEST_BAUD = 1152.0, 1260.0
_MOST_OFF_HZ = 200.0
_CLEAN_DB = 20.0
_MOST_CLIPPED = 0.02
_AT_THE_END_SAMPLES = 160

_STRETCH_SAMPLES = 800  # 100 ms, of which levels are taken
_NAMED_SHARE = 0.1  # of the power, from which on a frequency is named
_TONE_SHARE = 0.7  # of the power, from which on it is a tone
_MOST_TONES = 4


def of_failure(samples: Samples, failed: Failure) -> Event:
    """The event of a burst that failed, with `why` and the figures that it rests on."""
    event, burst = failed.event, failed.burst
    data = bytes.fromhex(failed.fact["data"]) if failed.fact else b""
    weakest = failed.fact["weakest_byte"] if failed.fact and data else None
    sentences = [
        *_of_carrier(burst, event),
        *_of_message(event, data),
        *(_of_weakest_byte(data, weakest) if weakest is not None else []),
        _cause(samples, burst, event),
    ]
    return {
        **event,
        "why": " ".join(sentences),
        "data": data.hex(),
        "bytes_received": len(data),
        "bytes_announced": _announced(data),
        "weakest_byte": None if weakest is None else {"index": weakest, "value": data[weakest]},
        "mark_hz": round(burst.mark_hz, 1),
        "space_hz": None if burst.space_hz is None else round(burst.space_hz, 1),
        "message_at": round(burst.message_start / RATE_HZ, 3),
    }


def _of_carrier(burst: Burst, event: Event) -> Iterator[str]:
    lasted_ms = 1000 * (burst.end - burst.start) / RATE_HZ
    seizure = "with" if burst.has_seizure else "without"
    yield f"A carrier of {burst.level_dbm0:.1f} dBm0 lasted for {lasted_ms:.0f} ms, {seizure} a channel seizure."
    space = (
        "no space long enough to be measured"
        if burst.space_hz is None
        else f"space at {burst.space_hz:.0f} Hz"
    )
    baud = "" if burst.baud is None else f", {burst.baud:.0f} baud"
    yield f"Mark is at {burst.mark_hz:.0f} Hz, {space}{_nominal(event['standard'])}{baud}."
    twist = "" if burst.twist_db is None else f", twist (mark over space) {burst.twist_db:+.1f} dB"
    yield f"SNR {burst.snr_db:.1f} dB in 300 to 3400 Hz{twist}."


def _nominal(standard: str | None) -> str:
    if standard not in _NOMINAL_HZ:
        return ""
    mark_hz, space_hz = _NOMINAL_HZ[standard]
    return f" ({STANDARD_NAMES[standard]}: {mark_hz} and {space_hz} Hz)"


def _of_message(event: Event, data: bytes) -> Iterator[str]:
    if not data:
        yield "Behind the mark no message began: its first byte was none that begins one."
        return
    announced = _announced(data)
    kind = _MESSAGE_TYPES.get(data[0], "NTT frame" if data[0] == _DLE else "message of an unknown type")
    whole = "it does not say of how many bytes" if announced is None else f"of {announced} bytes"
    errors = event["quality"]["framing_errors"]
    framing = "each with its stop bit" if not errors else f"{errors} of them without their stop bit"
    yield f"A message began ({data[0]:02X}h, {kind}), {whole}; {len(data)} came, {framing}."
    if event["reason"] == "checksum_wrong":
        yield _of_checksum(data)
    elif event["reason"] == "truncated":
        yield "Then the carrier ended, or mark went on for too long."
    elif event["reason"] not in REASONS:
        yield f"Its checksum holds, but it makes no sense: {event['reason']}."
    odd = _first_odd(data)
    if odd is not None:
        yield f"Its parameters stop making sense at byte {odd}."


def _of_checksum(data: bytes) -> str:
    if data[0] == _DLE:
        return "Its CRC or the parity of a byte does not hold."
    total = sum(data) & 0xFF
    if total == 0:
        return "Its sum is 00h by chance only: bytes were lost."
    return f"The sum of its bytes is {total:02X}h and not 00h; checksum byte {data[-1]:02X}h."


def _of_weakest_byte(data: bytes, index: int) -> Iterator[str]:
    value = data[index]
    character = f" ({chr(value)})" if 0x20 < value < 0x7F else ""
    yield f"The least certain is byte {index}, counted from 0: {value:02X}h{character}{_parameter_of(data, index)}."


def _parameter_of(data: bytes, index: int) -> str:
    for kind, first, end in _parameters(data):
        if first - 2 <= index < end:
            known = kind in list(ParameterType)
            name = f", {ParameterType(kind).name.lower().replace('_', ' ')}" if known else ""
            return f", in parameter {kind:02X}h{name}"
    return ""


def _parameters(data: bytes) -> Iterator[tuple[int, int, int]]:
    """(type, first, end) of each parameter of MDMF, as far as they can be followed."""
    if not data or not data[0] & 0x80 or data[0] == _DLE:
        return
    place = 2
    while place + 2 <= len(data) - 1:
        end = place + 2 + data[place + 1]
        yield data[place], place + 2, end
        place = end


def _first_odd(data: bytes) -> int | None:
    """The byte from which on parameters do not fit a message that came whole."""
    if len(data) < 3 or len(data) != _announced(data):
        return None
    for _, first, end in _parameters(data):
        if end > len(data) - 1:
            return first - 2
    return None


def _announced(data: bytes) -> int | None:
    """The length of the whole message, by its second byte; NTT's by its seventh, bytes that are doubled apart."""
    if data[:1] == bytes([_DLE]):
        is_call = len(data) > _NTT_LENGTH_AT and data[_NTT_LENGTH_AT - 1] & 0x7F == NTT_CALL
        return (data[_NTT_LENGTH_AT] & 0x7F) + _NTT_LENGTH_AT + 5 if is_call else None
    return data[1] + 3 if len(data) > 1 else None


def _cause(samples: Samples, burst: Burst, event: Event) -> str:
    part = np.abs(samples[burst.start : burst.end].astype(np.int32))
    causes = [
        (burst.end > len(samples) - _AT_THE_END_SAMPLES, "the recording ends within it"),
        (burst.snr_db < _LEAST_SNR_DB, f"the noise is too strong: {_LEAST_SNR_DB} dB SNR is what it takes"),
        (burst.level_dbm0 < _LEAST_DBM0, f"it is weaker than {_LEAST_DBM0:.0f} dBm0"),
        (
            abs(burst.twist_db or 0) > _MOST_TWIST_DB,
            f"one tone is more than {_MOST_TWIST_DB:.0f} dB below the other",
        ),
        (not _LOWEST_BAUD <= (burst.baud or 1200) <= _HIGHEST_BAUD, "the sender's baud is too far off"),
        (_off_hz(burst) > _MOST_OFF_HZ, f"its tones are more than {_MOST_OFF_HZ:.0f} Hz off"),
        (np.mean(part >= FULL_SCALE) > _MOST_CLIPPED, "the recording is clipped"),
    ]
    named = [text for holds, text in causes if holds]
    if named:
        return f"Likely cause: {'; '.join(named)}."
    if burst.snr_db < _CLEAN_DB or event["quality"]["framing_errors"]:
        return "No single figure is out of its limits: a click, speech, or samples that were lost may have hit it."
    return "The signal is clean, so that the sender's own bytes may be wrong."


def _off_hz(burst: Burst) -> float:
    if burst.standard is None or burst.space_hz is None:
        return 0.0
    mark_hz, space_hz = _NOMINAL_HZ[burst.standard]
    return max(abs(burst.mark_hz - mark_hz), abs(burst.space_hz - space_hz))


def of_absence(samples: Samples) -> Event:
    """What there was in a recording without any burst of caller ID by FSK: an event `no_caller_id`, with `why`."""
    levels = _levels_dbm0(samples)
    loudest, quietest = max(levels), sorted(levels)[len(levels) // 10]
    sentences = ["No burst of caller ID was found."]
    tones: list[float] = []
    if loudest == -np.inf:
        sentences.append("The recording is silent: every sample is 0.")
    else:
        at, tones = _loudest_tones(samples)
        sentences.append(f"Its loudest 100 ms have {loudest:.1f} dBm0, its quietest tenth {_dbm0(quietest)}.")
        heard = (
            f"mostly {' + '.join(f'{hz:.0f}' for hz in tones)} Hz"
            if tones
            else "no tone, but speech or noise"
        )
        sentences.append(f"The loudest second, from {at:.1f} s on, is {heard}.")
        sentences.append(_of_marks(len(list(runs_of_mark(samples)))))
    return {
        "event": "no_caller_id",
        "level_dbm0": None if loudest == -np.inf else round(loudest, 1),
        "noise_dbm0": None if quietest == -np.inf else round(quietest, 1),
        "tones_hz": [round(hz, 1) for hz in tones],
        "why": " ".join(sentences),
        "at": 0.0,
        "duration_ms": round(1000 * len(samples) / RATE_HZ),
    }


def _of_marks(count: int) -> str:
    if count == 0:
        return "Nothing near 1200 or 1300 Hz lasted for 40 ms, as the mark before a message does."
    times = "Once" if count == 1 else f"{count} times"
    return f"{times} something near 1200 or 1300 Hz lasted for 40 ms, but neither seizure nor characters were with it."


def _dbm0(level_dbm0: float) -> str:
    return "is silent" if level_dbm0 == -np.inf else f"has {level_dbm0:.1f} dBm0 at most"


def _levels_dbm0(samples: Samples) -> list[float]:
    return [
        dbm0_of(samples[at : at + _STRETCH_SAMPLES])
        for at in range(0, max(1, len(samples) - _STRETCH_SAMPLES // 2), _STRETCH_SAMPLES)
    ]


def _loudest_tones(samples: Samples) -> tuple[float, list[float]]:
    """When the loudest second starts, and what sounds in it, if most of it is tones; in Hz, ascending."""
    seconds = range(0, max(1, len(samples) - RATE_HZ + 1), RATE_HZ // 2)
    start = max(seconds, key=lambda at: float(np.linalg.norm(samples[at : at + RATE_HZ].astype(np.float64))))
    part = samples[start : start + RATE_HZ].astype(np.float64)
    powers = np.abs(np.fft.rfft((part - part.mean()) * np.hanning(len(part)))) ** 2
    bin_hz = RATE_HZ / len(part)
    around = max(2, round(10 / bin_hz))
    whole, tones, share = float(powers.sum()), [], 0.0
    for _ in range(_MOST_TONES):
        best = int(powers.argmax())
        near = slice(max(0, best - around), best + around + 1)
        of_whole = float(powers[near].sum()) / whole if whole else 0.0
        if of_whole < _NAMED_SHARE:
            break
        tones.append(best * bin_hz)
        share += of_whole
        powers[near] = 0
    return start / RATE_HZ, sorted(tones) if share > _TONE_SHARE else []
