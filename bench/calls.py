"""Many calls as one recording: messages of random content, each sent as one burst, through one line."""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from bench.callers import Caller
from bench.micropython import Pcm
from host_tools.exchange import caller_id
from host_tools.exchange.caller_id import CallerId
from host_tools.exchange.fsk import SEIZURE_BITS, Burst
from host_tools.exchange.impairments import Line
from host_tools.exchange.levels import samples_of

LEVEL_DBM0 = -13.0  # of the carrier
PAUSE_MS = 500.0  # between two bursts

Message = tuple[bytes, Caller]
"""A message's bytes, checksum included, and what it says."""

Sender = Callable[[bytes], Pcm]
"""Sends a message, checksum included, as one burst."""

MessageMaker = Callable[[np.random.Generator], Message]
"""Makes one of random content."""


def mdmf_of_30_bytes(rng: np.random.Generator) -> Message:
    """Date and time, number and name, 30 bytes from type to checksum: 10 digits and 3 letters, or 7 and 6."""
    digits = int(rng.choice((7, 10)))
    caller = Caller(_digits(digits, rng), _letters(13 - digits, rng), _date_time(rng))
    return _mdmf(caller), caller


def mdmf_absent(rng: np.random.Generator) -> Message:
    """MDMF without a number: private or out of area; the name is absent too."""
    reason: Literal["P", "O"] = "P" if rng.random() < 0.5 else "O"
    caller = Caller(date_time=_date_time(rng), reason=reason)
    return caller_id.mdmf(CallerId(None, None, reason, reason, caller.date_time)), caller


def mdmf_etsi(rng: np.random.Generator) -> Message:
    """As ETSI's call set-up: the call type first, then date and time, number and name."""
    caller = Caller(_digits(11, rng), _letters(8, rng), _date_time(rng))
    rows = ((0x11, b"\x01"), (0x01, caller.date_time), (0x02, caller.number), (0x07, caller.name))
    parameters = [
        (kind, value if isinstance(value, bytes) else (value or "").encode()) for kind, value in rows
    ]
    return caller_id.multiple(caller_id.MDMF_CALL, parameters), caller


def sdmf(rng: np.random.Generator) -> Message:
    """SDMF with a number of ten digits."""
    caller = Caller(_digits(10, rng), None, _date_time(rng))
    return caller_id.sdmf(CallerId(number=caller.number, date_time=caller.date_time)), caller


def ntt(rng: np.random.Generator) -> Message:
    """NTT's format with a number of ten digits."""
    caller = Caller(_digits(10, rng))
    return caller_id.ntt(caller.number), caller


def mdmf_message_waiting(rng: np.random.Generator) -> Message:
    """On or off, in MDMF."""
    waiting = bool(rng.random() < 0.5)
    return caller_id.mdmf_message_waiting(waiting), Caller(waiting=waiting)


def sdmf_message_waiting(rng: np.random.Generator) -> Message:
    """On or off, in SDMF."""
    waiting = bool(rng.random() < 0.5)
    return caller_id.sdmf_message_waiting(waiting), Caller(waiting=waiting)


def _mdmf(caller: Caller) -> bytes:
    return caller_id.mdmf(CallerId(caller.number, caller.name, None, None, caller.date_time))


def _digits(count: int, rng: np.random.Generator) -> str:
    return "".join(str(digit) for digit in rng.integers(0, 10, count))


def _letters(count: int, rng: np.random.Generator) -> str:
    return "".join(rng.choice(list(string.ascii_uppercase), count))


def _date_time(rng: np.random.Generator) -> str:
    return "".join(f"{rng.integers(low, high):02}" for low, high in ((1, 13), (1, 29), (0, 24), (0, 60)))


@dataclass(frozen=True)
class Condition:
    """How calls are sent, and what the line does to them.

    Attributes:
        burst: how each is sent; it begins anywhere between two samples, at any phase.
        line: from the exchange to the receiver.
        message: makes each.
        messages: so many are in a burst.
        sender: of another project, sends the message as it does by itself; `burst` then only says which standard.
        cut_seizure: how much of the burst's beginning is missing is random, up to the whole seizure.
    """

    burst: Burst
    line: Line
    message: MessageMaker = mdmf_of_30_bytes
    messages: int = 1
    sender: Sender | None = None
    cut_seizure: bool = False


@dataclass(frozen=True)
class Calls:
    """A recording and the callers in it, in the order in which they were sent; 8 kHz."""

    samples: Pcm
    sent: Sequence[Caller]


def calls_through(condition: Condition, count: int, rng: np.random.Generator) -> Calls:
    """So many bursts with silence between, before and after them, through the condition's line."""
    sent: list[Caller] = []
    parts = [np.zeros(samples_of(PAUSE_MS))]
    for _ in range(count):
        messages = [condition.message(rng) for _ in range(condition.messages)]
        sent += [caller for _, caller in messages]
        cut_bits = rng.uniform(0, SEIZURE_BITS if condition.cut_seizure else 1)
        burst = replace(condition.burst, cut_bits=cut_bits, phase=rng.random())
        if condition.sender is None:
            parts.append(burst.wave(*(data for data, _ in messages)))
        else:
            parts += [condition.sender(data).astype(np.float64) for data, _ in messages]
        parts.append(np.zeros(samples_of(PAUSE_MS)))
    return Calls(condition.line.samples(np.concatenate(parts), rng), sent)
