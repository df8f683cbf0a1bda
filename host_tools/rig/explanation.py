"""Why a burst of caller ID said nothing, or why there was none: sentences for a technician, and their figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from host_tools.exchange.caller_id import NTT_CALL, ParameterType
from host_tools.exchange.levels import RATE_HZ, Samples, dbm0_of
from host_tools.rig.absence import Heard, absence_reasons
from host_tools.rig.burst_faults import NOMINAL_HZ, FailedBurst, Fault, faults_of
from host_tools.rig.bursts import Burst, runs_of_mark
from host_tools.rig.doubtful import Character, characters, turned_to_hold
from host_tools.rig.events import Event, Failure
from host_tools.rig.ring_voltage import Ring, rings_in

STANDARD_NAMES = {"bell_202": "Bell 202", "v23": "V.23", "bt": "BT", "ntt": "NTT"}
REASONS = {
    "checksum_wrong": "the checksum is wrong",
    "truncated": "the message was cut short",
    "garbage": "the carrier held no message",
    "no_message": "no message could be made out",
}
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

_UNEXPLAINED = ("sender", "disturbed", "no_carrier")
_MOST_NAMED = 6
_FIRST_PRINTED, _BEHIND_PRINTED = 0x21, 0x7F

_STRETCH_SAMPLES = 800  # 100 ms, of which levels are taken
_NAMED_SHARE = 0.1  # of the power, from which on a frequency is named
_TONE_SHARE = 0.7  # of the power, from which on it is a tone
_MOST_TONES = 4


def of_failure(samples: Samples, failed: Failure, rings: Sequence[Ring] | None = None) -> Event:
    """The event of a burst that failed, with `why`, `reasons`, the likeliest first, and the figures that they rest on.

    Args:
        samples: the recording.
        failed: one of its bursts.
        rings: those in the recording, where it is known; None looks for them.
    """
    event, burst = failed.event, failed.burst
    data = bytes.fromhex(failed.fact["data"]) if failed.fact else b""
    weakest = failed.fact["weakest_byte"] if failed.fact and data else None
    read = characters(samples, burst, data)
    doubtful = [character for character in read if character.is_doubtful]
    heard = tuple(rings_in(samples) if rings is None else rings)
    framing_errors = event["quality"]["framing_errors"]
    faults = faults_of(
        FailedBurst(samples, burst, event["reason"], data, _announced(data), framing_errors, heard)
    )
    sentences = [
        *_of_carrier(burst, event),
        *_of_message(event, data),
        *(_of_weakest_byte(data, weakest) if weakest is not None else []),
        *_of_doubtful(event, data, doubtful),
        _cause(faults),
    ]
    return {
        **event,
        "why": " ".join(sentences),
        "reasons": [_as_event(fault) for fault in faults],
        "data": data.hex(),
        "bytes_received": len(data),
        "bytes_announced": _announced(data),
        "weakest_byte": None if weakest is None else {"index": weakest, "value": data[weakest]},
        "doubtful_bytes": [
            {"index": one.index, "value": one.value, "clearness": one.clearness} for one in doubtful
        ],
        "mark_hz": round(burst.mark_hz, 1),
        "space_hz": None if burst.space_hz is None else round(burst.space_hz, 1),
        "message_at": round(burst.message_start / RATE_HZ, 3),
    }


def _as_event(fault: Fault) -> Event:
    return {"name": fault.name, "text": fault.text, "remedy": fault.remedy, "figures": fault.figures}


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
    if standard not in NOMINAL_HZ:
        return ""
    mark_hz, space_hz = NOMINAL_HZ[standard]
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
    character = f" ({chr(value)})" if _FIRST_PRINTED <= value < _BEHIND_PRINTED else ""
    yield f"The least certain is byte {index}, counted from 0: {value:02X}h{character}{_parameter_of(data, index)}."


def _of_doubtful(event: Event, data: bytes, doubtful: Sequence[Character]) -> Iterator[str]:
    if not doubtful:
        return
    if len(doubtful) > _MOST_NAMED:
        yield f"Of its {len(data)} bytes {len(doubtful)} are doubtful."
        return
    named = ", ".join(
        f"{one.index} ({one.value:02X}h{_parameter_of(data, one.index).replace(',', '', 1)})"
        for one in doubtful
    )
    yield f"Doubtful are bytes {named}."
    if event["reason"] == "checksum_wrong" and data[0] != _DLE:
        for index, value in turned_to_hold(data, list(doubtful)):
            character = f" ({chr(value)})" if _FIRST_PRINTED <= value < _BEHIND_PRINTED else ""
            yield f"With {value:02X}h{character} as byte {index} the checksum would hold."


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


def _cause(faults: Sequence[Fault]) -> str:
    if faults[0].name in _UNEXPLAINED:
        return f"{faults[0].text[0].upper()}{faults[0].text[1:]}."
    return f"Likely cause: {'; '.join(fault.text for fault in faults)}."


def of_absence(
    samples: Samples,
    events: Sequence[Event] = (),
    rings: Sequence[Ring] | None = None,
    others: Sequence[str] = (),
) -> Event:
    """What there was in a recording without any burst of caller ID: an event `no_caller_id`, with `why` and `reasons`.

    Args:
        samples: the recording.
        events: what was heard in it.
        rings: as of_failure's.
        others: standards other than the one asked for, whose bursts are in it.
    """
    reasons = absence_reasons(Heard(samples, events, rings_in(samples) if rings is None else rings, others))
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
    sentences.append(_cause(reasons))
    return {
        "event": "no_caller_id",
        "level_dbm0": None if loudest == -np.inf else round(loudest, 1),
        "noise_dbm0": None if quietest == -np.inf else round(quietest, 1),
        "tones_hz": [round(hz, 1) for hz in tones],
        "why": " ".join(sentences),
        "reasons": [_as_event(reason) for reason in reasons],
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
