"""What was on the line: one event for each thing, at the time when it began, and nothing told twice.

docs/decode.md has the events and their fields.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from statistics import mean
from typing import Any, Final

from host_tools.exchange import dtmf
from host_tools.exchange.caller_id import (
    DTMF_SCHEMES,
    MDMF_CALL,
    MDMF_MESSAGE_WAITING,
    NTT_CALL,
    SDMF_CALL,
    SDMF_MESSAGE_WAITING,
    DtmfScheme,
)
from host_tools.exchange.levels import RATE_HZ, Samples
from host_tools.exchange.tones import CALL_WAITING, CPE_ALERT
from host_tools.rig import bursts
from host_tools.rig.bursts import BIT_SAMPLES, Burst
from host_tools.rig.extent import sounds, tone_extent
from host_tools.rig.listening import Fact, hear

AUTO: Final = "auto"
_DTMF = "dtmf"
# What a standard's bursts are to the receiver: those of BT are V.23's.
_BY_FSK = {"bell_202": "bell_202", "v23": "v23", "bt": "v23", "ntt": "ntt"}
_BY_DTMF = {f"{_DTMF}_{name}": name for name in DTMF_SCHEMES}
STANDARDS = (AUTO, *_BY_FSK, _DTMF, *_BY_DTMF)

_MDMF_TEST = 0x81  # GR-30
_CALLS = (SDMF_CALL, MDMF_CALL, _MDMF_TEST, NTT_CALL)
_MESSAGES_WAITING = (SDMF_MESSAGE_WAITING, MDMF_MESSAGE_WAITING)
_MEASURED = ("level_dbm0", "snr_db", "baud", "twist_db")
_QUALITY = (*_MEASURED, "framing_errors", "repaired")

_AGREES = 0.4  # how well a burst has to agree with bytes that were read in it: noise reaches 0.3
_FEWEST_FAILED_BYTES = 6  # behind a good message: fewer may be what the end of the carrier left
_ALERTED_SAMPLES = 8 * 700  # from a CAS to its burst: 100 ms, an ACK of 65 ms, 500 ms (TELEPHONY 3)
_READ_AGAIN_SAMPLES = 6600  # from the end of the mark until a burst is read for the last time
_LATE_SAMPLES = 800
_LONGEST_CHARACTER_SAMPLES = round(30 * BIT_SAMPLES)
_EARLY_SAMPLES = 400

# From the end of a tone until its receiver tells, and how far off that may be.
_DIGIT_LATE_SAMPLES, _DIGIT_OFF_SAMPLES = 240, 160
_ALERT_LATE_SAMPLES, _ALERT_OFF_SAMPLES = 140, 400

_PROGRESS_LATE_SAMPLES = 8 * 18_000  # a tone that comes every 15 s is over when it has not come again
# Its start is looked for near there; of a tone that alternates only one of its sounds may have been measured.
_PROGRESS_EARLY_SAMPLES, _PROGRESS_OFF_SAMPLES = 800, 3200
_FIRST_FRAME_SAMPLES = 100

_LONGEST_PAUSE_SAMPLES = 8 * 3000  # between the digits of a caller ID: Asterisk waits 2 s
_LONGEST_STRING_SAMPLES = 8 * 10_000  # spandsp drops a string 10 s after its first digit

Event = dict[str, Any]
"""Values that JSON has; `event` and `at`, in seconds, are always there."""


@dataclass(frozen=True)
class Told:
    """An event, and where in the recording it lies: its first sample and the one behind its last.

    By FSK also the burst, as measured, and the fact that the receiver told of it.
    """

    start: int
    end: int
    event: Event
    burst: Burst | None = None
    fact: Fact | None = None

    def timed(self) -> Event:
        """The event with `at` and `duration_ms`."""
        length_ms = round(1000 * (self.end - self.start) / RATE_HZ)
        return {**self.event, "at": round(self.start / RATE_HZ, 3), "duration_ms": length_ms}


@dataclass(frozen=True)
class Failure:
    """A burst that said nothing: the event that tells it, the burst as measured, and what the receiver told of it."""

    event: Event
    burst: Burst
    fact: Fact | None


@dataclass(frozen=True)
class Line:
    """What was on it: `events` in the order of `at`, and the `failures` among them; `faults` is listening.Facts's."""

    events: list[Event]
    failures: list[Failure]
    faults: dict[str, str]


def decode(samples: Samples, standard: str = AUTO, country: str | None = None) -> Line:
    """Everything that the firmware's receivers hear in a recording.

    Args:
        samples: 8 kHz.
        standard: one of STANDARDS. If it is not AUTO, callers by this standard are all that is told, with the digits
            where it is one of DTMF.
        country: whose call-progress tones are expected; those of all when none is named.

    Raises:
        InterpreterMissing: as `listening.hear`.
    """
    schemes = (_BY_DTMF[standard],) if standard in _BY_DTMF else ()
    with ThreadPoolExecutor(1) as beside:
        measuring = beside.submit(bursts.find, samples)
        facts = hear(samples, schemes, country)
        measured = measuring.result()
    tones = [*_digits(samples, facts.digits), *_tones(samples, facts.tones)]
    tones = [told for told in tones if not any(_covers(burst, told) for burst in measured)]
    callers = _Callers(samples, measured, tones).told(facts.callers, heard_all="callers" not in facts.faults)
    told = [one for one in (*tones, *callers) if _is_asked_for(one.event, standard)]
    told.sort(key=lambda one: one.start)
    if standard == "bt":
        for one in told:
            one.event["standard"] = standard
    timed = [one.timed() for one in told]
    failures = [
        Failure(event, one.burst, one.fact)
        for event, one in zip(timed, told, strict=True)
        if event["event"] == "caller_id_failed" and one.burst is not None
    ]
    return Line(timed, failures, facts.faults)


def _is_asked_for(event: Event, standard: str) -> bool:
    if standard == AUTO:
        return True
    if standard not in _BY_FSK:
        return event["event"] == "dtmf" or str(event.get("standard", "")).startswith(_DTMF)
    return event.get("standard", _DTMF) in (None, _BY_FSK[standard])


def _covers(burst: Burst, told: Told) -> bool:
    """Whether most of what was told lies in the burst: FSK is no tone."""
    return 2 * (min(burst.end, told.end) - max(burst.start, told.start)) > told.end - told.start


class _Callers:
    """Puts what the caller-ID receiver told into the bursts that were measured.

    A fact says when it was known, which is up to a second behind its burst; its bytes say where it lies.
    """

    def __init__(self, samples: Samples, measured: Sequence[Burst], tones: Sequence[Told]) -> None:
        self._samples = samples
        self._bursts = measured
        self._alerts = [told for told in tones if told.event["event"] == "alert_tone"]
        self._taken_to: dict[Burst, int] = {}

    def told(self, facts: Sequence[Fact], heard_all: bool) -> list[Told]:
        """One for each message, for each burst in which there was none, and for each bad message behind a good one.

        `heard_all`: the receiver heard the whole recording, so that a burst of which it tells nothing had no message.
        """
        messages = [self._message(fact) for fact in facts if fact["fact"] == "message"]
        failures = [fact for fact in facts if fact["fact"] == "failure"]
        empty = [burst for burst in self._bursts if burst not in self._taken_to]
        failed = [self._failed(burst, self._of_burst(burst, failures)) for burst in empty]
        explained = [told.fact for told in failed]
        failed = [told for told in failed if heard_all or told.fact is not None]
        behind = [
            self._failed_behind(fact)
            for fact in failures
            if fact not in explained and len(_bytes_of(fact)) >= _FEWEST_FAILED_BYTES
        ]
        return [*messages, *failed, *(told for told in behind if told is not None)]

    def _message(self, fact: Fact) -> Told:
        message = dict(fact["message"])
        burst, start = self._placed(fact)
        end = start + round(10 * BIT_SAMPLES * len(_bytes_of(fact)))
        if burst is not None:
            is_first = burst not in self._taken_to
            self._taken_to[burst] = end
            start, end = (burst.start if is_first else start), max(end, burst.end)
        message["call_waiting"] = self._is_call_waiting(burst)
        event = {
            "event": _kind_of(message),
            **_who(message),
            "standard": fact["quality"]["standard"] or (burst.standard if burst else None),
            "quality": _quality(fact, burst),
            **_rest(message),
        }
        return Told(start, end, event, burst, fact)

    def _placed(self, fact: Fact) -> tuple[Burst | None, int]:
        """The burst that a message lies in, and its first start bit: it was told soon after its end."""
        data, heard, baud = _bytes_of(fact), int(fact["heard"]), fact["quality"]["baud"]
        longest = max(_LONGEST_CHARACTER_SAMPLES * len(data), _READ_AGAIN_SAMPLES)
        first = max(0, heard - longest - _LATE_SAMPLES)
        for burst in reversed(self._bursts):
            if first < burst.message_start < heard:
                begin = self._taken_to.get(burst, max(0, burst.message_start - _EARLY_SAMPLES))
                start, agreement = bursts.place(self._samples, data, begin, min(burst.end, heard), baud)
                if agreement > _AGREES:
                    return burst, start
        start, agreement = bursts.place(self._samples, data, first, heard, baud, latest=True)
        return None, start if agreement > _AGREES else max(0, heard - round(10 * BIT_SAMPLES * len(data)))

    def _is_call_waiting(self, burst: Burst | None) -> bool:
        if burst is None or burst.has_seizure:
            return False
        return any(0 <= burst.start - alert.end <= _ALERTED_SAMPLES for alert in self._alerts)

    def _of_burst(self, burst: Burst, failures: Sequence[Fact]) -> Fact | None:
        """The first failure whose bytes lie in the burst."""
        first = max(0, burst.message_start - _EARLY_SAMPLES)
        for fact in failures:
            if fact["data"] and fact["heard"] > burst.message_start and self._lies_in(fact, first, burst):
                return fact
        return None

    def _lies_in(self, fact: Fact, first: int, burst: Burst) -> bool:
        return bursts.place(self._samples, _bytes_of(fact), first, burst.end, burst.baud)[1] > _AGREES

    def _failed(self, burst: Burst, fact: Fact | None) -> Told:
        quality = _quality(None, burst)
        if fact is not None:
            quality["framing_errors"] = fact["quality"]["framing_errors"]
        event = {
            "event": "caller_id_failed",
            "reason": fact["reason"] if fact else "no_message",
            "standard": burst.standard,
            "quality": quality,
        }
        return Told(burst.start, burst.end, event, burst, fact)

    def _failed_behind(self, fact: Fact) -> Told | None:
        """A failed message that lies behind a good one in its burst."""
        for burst, taken_to in self._taken_to.items():
            known_by = burst.end + _READ_AGAIN_SAMPLES + _LATE_SAMPLES
            if taken_to < burst.end and taken_to < fact["heard"] <= known_by:
                start, agreement = bursts.place(
                    self._samples, _bytes_of(fact), taken_to, burst.end, burst.baud
                )
                if agreement > _AGREES:
                    return replace(self._failed(burst, fact), start=start)
        return None


def _bytes_of(fact: Fact) -> bytes:
    return bytes.fromhex(fact["data"])


def _who(message: Event) -> Event:
    """What every caller has, taken out of a message."""
    return {key: message.pop(key) for key in ("number", "name", "reason", "date_time")}


def _rest(message: Event) -> Event:
    """The rest of a message: what always comes, and what was said, by name."""
    always = ("kind", "message_type", "name_reason", "call_waiting", "forwarded_from", "unknown")
    return {key: message[key] for key in (*always, *sorted(message.keys() - set(always)))}


def _kind_of(message: Event) -> str:
    message_type = message["message_type"]
    is_caller = message_type in _CALLS and any(
        message[key] is not None for key in ("number", "name", "reason")
    )
    if message_type in _MESSAGES_WAITING or (message.get("message_waiting") is not None and not is_caller):
        message.setdefault("message_waiting", None)
        return "message_waiting"
    return "caller_id" if message_type in _CALLS else "other_message"


def _quality(fact: Fact | None, burst: Burst | None) -> Event:
    """What the receiver measured; where it measured nothing, what was measured here."""
    quality = {name: fact["quality"].get(name) if fact else None for name in _QUALITY}
    for name in _MEASURED:
        value = quality[name]
        if value is None and burst is not None:
            value = getattr(burst, name)
        # Without the sum a value that rounds to nothing may be -0.0.
        quality[name] = None if value is None else round(value, 1) + 0.0
    quality["repaired"] = bool(quality["repaired"])
    return quality


def _digits(samples: Samples, facts: Sequence[Fact]) -> list[Told]:
    digits = [_digit(samples, fact) for fact in facts if fact["fact"] == "digit"]
    return digits + [_dtmf_caller(fact, digits) for fact in facts if fact["fact"] == "caller"]


def _tones(samples: Samples, facts: Sequence[Fact]) -> list[Told]:
    alerts = [_alert(samples, fact) for fact in facts if fact["fact"] == "alert"]
    progress = [_progress(samples, fact) for fact in facts if fact["fact"] == "progress"]
    return [*alerts, *progress, *_waiting_tones(samples, facts, progress)]


def _waiting_tones(samples: Samples, facts: Sequence[Fact], progress: Sequence[Told]) -> list[Told]:
    """Call-waiting tones that only the alert receiver told: one that a CAS follows never shows its cadence."""
    heard = [_subscriber_alert(samples, fact) for fact in facts if fact["fact"] == "subscriber_alert"]
    return [
        one for one in heard if not any(other.start < one.end and one.start < other.end for other in progress)
    ]


def _digit(samples: Samples, fact: Fact) -> Told:
    row, column = divmod(dtmf.CODES.index(fact["digit"]), 4)
    end = int(fact["heard"]) - _DIGIT_LATE_SAMPLES
    start = max(0, end - int(fact["duration_samples"]))
    start, end = tone_extent(
        samples, (dtmf.LOW_HZ[row], dtmf.HIGH_HZ[column]), start, end, _DIGIT_OFF_SAMPLES
    )
    event = {"event": "dtmf", **{key: fact[key] for key in ("digit", "level_dbm0", "twist_db", "snr_db")}}
    return Told(start, end, event)


def _alert(samples: Samples, fact: Fact) -> Told:
    start, end = _alert_extent(samples, fact, CPE_ALERT.frequencies_hz)
    figures = {name: fact[name] for name in ("level_dbm0", "twist_db", "snr_db")}
    return Told(start, end, {"event": "alert_tone", "tone": "cas", **figures})


def _subscriber_alert(samples: Samples, fact: Fact) -> Told:
    start, end = _alert_extent(samples, fact, CALL_WAITING.frequencies_hz)
    event = {
        "event": "call_progress",
        "tone": "call_waiting",
        "countries": [],
        "frequencies_hz": list(CALL_WAITING.frequencies_hz),
        "level_dbm0": fact["level_dbm0"],
        "snr_db": fact["snr_db"],
        "on_ms": round(1000 * (end - start) / RATE_HZ),
        "off_ms": None,
    }
    return Told(start, end, event)


def _alert_extent(samples: Samples, fact: Fact, frequencies_hz: Sequence[float]) -> tuple[int, int]:
    end = int(fact["heard"]) - _ALERT_LATE_SAMPLES
    start = max(0, end - int(fact["duration_samples"]))
    return tone_extent(samples, frequencies_hz, start, end, _ALERT_OFF_SAMPLES)


def _progress(samples: Samples, fact: Fact) -> Told:
    """Its receiver knows how long it lasted, and tells some time after the last sound: that is looked for."""
    heard, lasted = int(fact["heard"]), int(fact["duration_samples"])
    tone = (fact["frequencies_hz"], fact["level_dbm0"])
    heard_sounds = sounds(samples, *tone, max(0, heard - _PROGRESS_LATE_SAMPLES), heard)
    end = heard_sounds[-1][1] if heard_sounds else min(heard, len(samples))
    start = max(0, end - lasted)
    first = max(0, start - _PROGRESS_EARLY_SAMPLES)
    near = sounds(samples, *tone, first, start + _PROGRESS_OFF_SAMPLES)
    if near and near[0][0] > first + _FIRST_FRAME_SAMPLES:
        start = near[0][0]
    names = ("tone", "countries", "frequencies_hz", "level_dbm0", "snr_db", "on_ms", "off_ms")
    event = {"event": "call_progress", **{name: fact[name] for name in names}}
    return Told(start, max(end, start + lasted), event)


def _dtmf_caller(fact: Fact, digits: Sequence[Told]) -> Told:
    """The caller, with what was measured of its digits."""
    message = dict(fact["message"])
    form = message["schemes"][0]
    string = _string(DTMF_SCHEMES[form], [one for one in digits if one.start < fact["heard"]])
    quality = dict.fromkeys(_QUALITY) | {
        "level_dbm0": round(mean(one.event["level_dbm0"] for one in string), 1),
        "snr_db": min(one.event["snr_db"] for one in string),
        "twist_db": round(mean(one.event["twist_db"] for one in string), 1),
        "repaired": False,
    }
    event = {
        "event": "caller_id",
        **_who(message),
        "standard": f"{_DTMF}_{form}",
        "quality": quality,
        **_rest(message),
    }
    return Told(string[0].start, string[-1].end, event)


def _string(form: DtmfScheme, digits: Sequence[Told]) -> list[Told]:
    """The digits of the string that ends with the last: back to the code that began it, each part once at most."""
    leads = {code for code in (form.number, form.forwarded_from, form.absence) if code}
    string = [digits[-1]]
    for one in reversed(digits[:-1]):
        code, later = one.event["digit"], string[0]
        is_lead = code in leads and (code == form.number or later.event["digit"].isdigit())
        is_apart = later.start - one.end > _LONGEST_PAUSE_SAMPLES
        is_long = string[-1].end - one.start > _LONGEST_STRING_SAMPLES
        if is_apart or is_long or not (code.isdigit() or is_lead):
            break
        leads.discard(code)
        string.insert(0, one)
    begun = [place for place, one in enumerate(string[:-1]) if not one.event["digit"].isdigit()]
    return string[begun[0] :] if form.number and begun else string
