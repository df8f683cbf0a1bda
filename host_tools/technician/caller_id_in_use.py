"""Which caller-ID standard is in use on a line, and which country to set, from a recording of calls to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from host_tools.exchange.levels import RATE_HZ, Samples
from host_tools.rig import events as line_events
from host_tools.rig import explanation
from host_tools.rig.events import Event
from host_tools.rig.explanation import STANDARD_NAMES
from host_tools.rig.ring_voltage import Ring, calls, rings_in
from host_tools.technician.live_line import MOST_EDGES_OF_A_REVERSAL

_SHORT_RING_S = (
    0.55  # a ring pulse alerting signal has 200 to 300 ms, CCA's ring burst up to 450 (TELEPHONY 1.2)
)
_RING_FOLLOWS_S = 12.0
_ALERTED_S = 0.8
_REVERSED_S = 8.0  # NTT: the set is lifted, and the burst comes within some 7 s (TELEPHONY 1.2)
_AGREES_S = 0.35
_EARLY_S = 0.3  # what was heard of a ring may seem to end so late
_FEWEST_HEARD = 3  # a ring, a pause, and another ring
_CALLERS = ("caller_id", "message_waiting", "other_message")


@dataclass(frozen=True)
class Network:
    """How a country's exchanges ring and send (TELEPHONY 1.2, 1.3, 5): standards, and (on, off) seconds of a ring."""

    country: str
    standards: tuple[str, ...]
    cadence_s: tuple[float, ...]


NETWORKS = (
    Network("US", ("bell_202",), (2.0, 4.0)),
    Network("CA", ("bell_202",), (2.0, 4.0)),
    Network("GB", ("v23",), (0.4, 0.2, 0.4, 2.0)),
    Network("DE", ("v23",), (1.0, 4.0)),
    Network("FR", ("v23",), (1.5, 3.5)),
    Network("JP", ("ntt",), (1.0, 2.0)),
    Network("AU", ("bell_202",), (0.4, 0.2, 0.4, 2.0)),
    Network("IN", ("dtmf_a_to_c", "dtmf_d_to_c", "v23", "bell_202"), (0.4, 0.2, 0.4, 2.0)),
    Network("BR", ("dtmf_a_to_c", "v23"), (1.0, 4.0)),
)


class HeardCallerId(BaseModel):
    """One caller ID, or one burst that failed.

    Attributes:
        at: seconds of the recording.
        standard: as `star57 decode` names it; None when it cannot be told.
        when: relative to the ring, in words.
        failed: why it said nothing, a sentence; None when it did say something.
    """

    at: float
    standard: str | None
    when: str
    level_dbm0: float | None
    snr_db: float | None
    twist_db: float | None
    baud: float | None
    baud_error_percent: float | None
    failed: str | None


class RingHeard(BaseModel):
    """The rings of one call, in seconds: when the first began, and how long rings and pauses were, in turn."""

    at: float
    rings: int
    frequency_hz: float | None
    cadence_s: list[float]


class InUse(BaseModel):
    """What a recording says about the line.

    Attributes:
        standard: the one in use; None when it cannot be told.
        countries: to be set, `country` in settings, the likeliest first; none when nothing tells.
        why: what that rests on, or why it could not be told.
    """

    standard: str | None
    countries: list[str]
    why: str
    caller_ids: list[HeardCallerId]
    calls: list[RingHeard]
    duration_s: float
    missing_s: float = 0.0


def in_use(samples: Samples, events: Sequence[dict[str, Any]] | None = None) -> InUse:
    """What is in use on the line of a recording.

    Args:
        samples: the recording, 8 kHz.
        events: what the board told while it was made (recording.events_of); None looks for rings in the audio.

    Raises:
        InterpreterMissing: there is no MicroPython for the firmware's receivers.
    """
    rings, reversals = (rings_in(samples), []) if events is None else _told(events)
    line = line_events.decode(samples)
    failures = {id(failed.event): failed for failed in line.failures}
    heard = []
    for event in line.events:
        if event["event"] in _CALLERS:
            heard.append(_heard(event, _when(event, line.events, rings, reversals), None))
        elif id(event) in failures:
            explained = explanation.of_failure(samples, failures[id(event)], rings)
            when = _when(event, line.events, rings, reversals)
            heard.append(_heard(event, when, explained["reasons"][0]["text"]))
    told_calls = [_ring_heard(call) for call in calls(rings)]
    standard = _most_often([one.standard for one in heard if one.failed is None])
    is_quiet = not heard and not told_calls
    return InUse(
        standard=standard,
        countries=_countries(standard, told_calls),
        why=_no_call(explanation.of_absence(samples, line.events, rings))
        if is_quiet
        else _why(standard, heard, told_calls),
        caller_ids=heard,
        calls=told_calls,
        duration_s=round(len(samples) / RATE_HZ, 2),
    )


def _told(events: Sequence[dict[str, Any]]) -> tuple[list[Ring], list[float]]:
    """The rings, and when polarity was reversed, in seconds, as the board's ring detector saw them."""
    rings, reversals = [], []
    for event in events:
        if event["event"] != "ring_signal":
            continue
        end = round(event["at"] * RATE_HZ) - int(event.get("ended_samples_ago", 0))
        lasted, edges = int(event.get("lasted_samples", 0)), int(event.get("edges", 0))
        if edges <= MOST_EDGES_OF_A_REVERSAL:
            reversals.append((end - lasted) / RATE_HZ)
        else:
            hz = round(edges / 2 * RATE_HZ / lasted, 1) if lasted else None
            rings.append(Ring(max(0, end - lasted), max(0, end), hz))
    return rings, reversals


def _when(event: Event, events: Sequence[Event], rings: Sequence[Ring], reversals: Sequence[float]) -> str:
    """When it came, relative to the rings of its call."""
    start, end = event["at"], event["at"] + event["duration_ms"] / 1000
    alerted = any(
        other["event"] == "alert_tone" and 0 <= start - other["at"] - other["duration_ms"] / 1000 < _ALERTED_S
        for other in events
    )
    behind = "behind a dual tone (DT-AS)" if alerted else ""
    if not behind and any(0 <= start - at < _REVERSED_S for at in reversals):
        behind = "behind a reversal of polarity"
    for call in calls(list(rings)):
        before = [ring for ring in call if ring.end / RATE_HZ <= start + _EARLY_S]
        after = [ring for ring in call if ring.start / RATE_HZ > start]
        if not before and after and after[0].start / RATE_HZ - end < _RING_FOLLOWS_S:
            return ", ".join(part for part in ("before the first ring", behind) if part)
        if before and start - before[-1].end / RATE_HZ < _RING_FOLLOWS_S:
            if len(before) == 1 and before[0].duration_s < _SHORT_RING_S and len(call) > 1:
                return "before the first ring, behind a short one that announces it"
            later_ms = round(1000 * (start - before[-1].end / RATE_HZ))
            follows = f", before ring {len(before) + 1}" if after else ""
            return f"{later_ms} ms behind ring {len(before)}{follows}"
    if event.get("call_waiting"):
        return "during a call, behind its alert tone"
    return f"apart from any ring, {behind}".rstrip(", ") if behind else "apart from any ring that was heard"


def _heard(event: Event, when: str, failed: str | None) -> HeardCallerId:
    quality = event["quality"]
    baud = quality["baud"]
    return HeardCallerId(
        at=event["at"],
        standard=event["standard"],
        when=when,
        level_dbm0=quality["level_dbm0"],
        snr_db=quality["snr_db"],
        twist_db=quality["twist_db"],
        baud=baud,
        baud_error_percent=None if baud is None else round(100 * (baud / 1200 - 1), 2),
        failed=failed,
    )


def _ring_heard(call: Sequence[Ring]) -> RingHeard:
    cadence: list[float] = []
    for ring, following in zip(call, [*call[1:], None], strict=True):
        cadence.append(round(ring.duration_s, 1))
        if following is not None:
            cadence.append(round((following.start - ring.end) / RATE_HZ, 1))
    frequencies = [ring.frequency_hz for ring in call if ring.frequency_hz is not None]
    return RingHeard(
        at=round(call[0].start / RATE_HZ, 2),
        rings=len(call),
        frequency_hz=frequencies[0] if frequencies else None,
        cadence_s=cadence,
    )


def _most_often(standards: Sequence[str | None]) -> str | None:
    known = [standard for standard in standards if standard is not None]
    return max(sorted(set(known)), key=known.count) if known else None


def _countries(standard: str | None, told_calls: Sequence[RingHeard]) -> list[str]:
    """Those of the standard; where rings were heard that fit some of them, these."""
    possible = [network for network in NETWORKS if standard in network.standards]
    heard = [call.cadence_s for call in told_calls]
    # A short ring that announces a caller ID is not of the cadence.
    heard += [cadence_s[2:] for cadence_s in heard if cadence_s[0] < _SHORT_RING_S]
    fitting = [
        network for network in possible if any(_fits(network.cadence_s, cadence_s) for cadence_s in heard)
    ]
    return [network.country for network in fitting or possible]


def _fits(cadence_s: Sequence[float], heard_s: Sequence[float]) -> bool:
    """Whether what was heard is this cadence, from any ring of it on; the last one may be short."""
    if len(heard_s) < _FEWEST_HEARD:
        return False
    for first in range(0, len(cadence_s), 2):
        expected = [cadence_s[(first + place) % len(cadence_s)] for place in range(len(heard_s) - 1)]
        if all(abs(a - b) <= _AGREES_S for a, b in zip(expected, heard_s[:-1], strict=True)):
            return True
    return False


def _why(standard: str | None, heard: Sequence[HeardCallerId], told_calls: Sequence[RingHeard]) -> str:
    good = [one for one in heard if one.failed is None]
    failed = [one for one in heard if one.failed is not None]
    if standard is not None:
        times = "once" if len(good) == 1 else f"{len(good)} times"
        return f"{name_of(standard)} came {times}, {good[0].when}."
    if failed:
        return f"A burst came {failed[0].when}, and said nothing: {failed[0].failed}."
    count = "1 call" if len(told_calls) == 1 else f"{len(told_calls)} calls"
    return f"{count} came, without caller ID: ask the carrier whether it is switched on for this line."


def _no_call(absent: Event) -> str:
    reason = absent["reasons"][0]["text"]
    return f"No call came while it was recorded: {reason}. Have the line called, and let it ring twice."


def name_of(standard: str) -> str:
    """As people call it."""
    return STANDARD_NAMES.get(standard, standard.replace("dtmf_", "DTMF, ").replace("_", " "))
