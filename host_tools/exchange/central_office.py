"""The central office, as one line sees it: dial tone, register, ringing, caller ID, call waiting, clearing.

What the office does over time is written as scripts: generators that yield how many samples to wait. Each has
a role; a new script takes the place of the one in its role. The hook and the digits begin and end scripts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum, auto

import numpy as np

from host_tools.exchange import fsk, tones
from host_tools.exchange.call_records import CallRecord, Disposition, Recorder
from host_tools.exchange.caller_id import CallerId, mdmf
from host_tools.exchange.dtmf import DigitReceiver
from host_tools.exchange.levels import RATE_HZ, Samples, samples_of
from host_tools.exchange.tones import Playback, Source, ToneGenerator

DIAL_TONE_DELAY_MS = (100, 300)
POST_DIALLING_DELAY_MS = 1000
CALLER_ID_DELAY_MS = 600  # after the first ring; GR-30 wants 500 ms or more
LONGEST_PULSE_MS = 120  # longer than any break of a dial, 47 to 80 ms
PULSED_DIGIT_END_MS = 200  # longer than any make within a digit, 30 to 55 ms; digits are 250 ms or more apart
FLASH_MS = (300, 1000)
RELEASE_MS = 300  # an open loop that ends dialling
RELEASE_IN_CALL_MS = 1100  # an open loop that ends a call: longer than a flash
SAS_TO_CAS_MS = 20
ACK_WAIT_MS = 200  # an acknowledgement that begins 160 ms after the CAS at the latest, and 40 ms to know it
ACK_TO_CALLER_ID_MS = 100  # from the digit accepted; a set allows 500 ms from its end
UNMUTE_MS = 50  # after the data
CALL_WAITS_MS = 10_000
FAR_END_DBM0 = -60.0
HOWLER = tones.Tone(
    (1400, 2060, 2450, 2600), -13, (100, 100)
)  # receiver off-hook; softer than a switch's +3 dBm
REORDER_BEFORE_HOWLER_S = 10.0
AMA_DOCUMENTATION = 3

COMPLETE_NUMBERS = re.compile(r"[2-9]11|[2-9]\d{9}|1[2-9]\d{9}")
"""N11 (emergency is 911), ten digits, and ten digits after 1. Anything else waits for more."""


@dataclass(frozen=True)
class Ringing:
    """Ring voltage: its frequency, and (on, off) times, again and again."""

    frequency_hz: float
    cadence_ms: tuple[tuple[int, int], ...]


US_RINGING = Ringing(20, ((2000, 4000),))


@dataclass(frozen=True)
class IncomingCall:
    """A call to the subscriber.

    Attributes:
        caller_id: what is presented; None when nothing is sent. The office adds its own time to one without.
        origin: the true calling number, for the call records; empty when the office does not know it.
        rings: cadences after which the caller gives up; None when only `caller_clears` ends it.
        ringing: how the line is rung.
        forwarded_from: the number that was called, and forwards to this line; None when this line was called.
    """

    caller_id: CallerId | None
    origin: str
    rings: int | None = None
    ringing: Ringing = US_RINGING
    forwarded_from: str | None = None


@dataclass
class Call:
    """A call that the office handles; times are in samples of the line, None until they come.

    `forwarded_from` is the number that was called first; the leg from there to `dst` is the one of `number`.
    """

    number: int
    src: str
    dst: str
    name: str
    began: int
    caller_id: CallerId | None = None
    answered: int | None = None
    ended: int | None = None
    busy: bool = False
    forwarded_from: str | None = None


@dataclass(frozen=True)
class OfficeBlock:
    """What the office did.

    Attributes:
        samples: int16, what it sent.
        ring_edges: (offset, level) of the ring voltage, as a ring detector squares it.
        ring_voltage: whether there was any.
    """

    samples: Samples
    ring_edges: list[tuple[int, int]]
    ring_voltage: bool


class Phase(Enum):
    """What the line is doing, as the office knows it."""

    IDLE = auto()
    RINGING = auto()
    DIALLING = auto()
    CALLING = auto()
    TALKING = auto()
    HOLDING = auto()


class _Role(Enum):
    TREATMENT = auto()
    RING_VOLTAGE = auto()
    BREAK = auto()
    PULSES = auto()
    WAITING = auto()


_Script = Iterator[int]


class CentralOffice:
    """The subscriber's exchange.

    Attributes:
        phase: what the line is doing.
        dialled: the digits since the line was last seized, by tone and by pulse; kept until the next time.
        talking: the call that rings, is being made, or is talked on; None when there is none.
        waiting: the call that waits to be answered.
        held: the call that a flash has put aside.
        now_samples: line time.
    """

    def __init__(
        self,
        line: str = "5555550100",
        starts_at: datetime = datetime(2026, 1, 1, tzinfo=UTC),
        records: Recorder | None = None,
        seed: int = 57,
        country: str = "US",
        *,
        called_party_hold_s: float = 0.0,
        permanent_signal_s: float | None = None,
        far_end_dbm0: float = FAR_END_DBM0,
    ) -> None:
        """An idle line.

        Args:
            line: the subscriber's number.
            starts_at: time of day at the first sample, with its zone.
            records: where calls are recorded.
            seed: what the dial tone's delay and the far end's noise follow from.
            country: whose tones it sends, one of tones.PLANS.
            called_party_hold_s: how long a call is kept whose called party has hung up while the caller has not.
            permanent_signal_s: how long dial tone waits for a digit before reorder and a howler take its place; None
                for ever.
            far_end_dbm0: the level of what the far end of a call sends, which is noise.
        """
        self.line = line
        self.starts_at = starts_at
        self.records = records
        self.phase = Phase.IDLE
        self.dialled = ""
        self.talking: Call | None = None
        self.waiting: Call | None = None
        self.held: Call | None = None
        self.now_samples = 0
        self._rng = np.random.default_rng(seed)
        self._tones = tones.PLANS[country]
        self._hold_s = called_party_hold_s
        self._permanent_signal_s = permanent_signal_s
        self._far_end = Playback(tones.noise(far_end_dbm0, 10_000, self._rng), repeat=True)
        self._sending: Source = tones.silence()
        self._receiver = DigitReceiver()
        self._acknowledging = False
        self._off_hook = False
        self._opened = 0
        self._pulses = 0
        self._ring_edges: list[tuple[int, int]] = []
        self._ring_level = 0
        self._due: dict[_Role, tuple[int, _Script]] = {}
        self._calls = 0

    def incoming_call(self, incoming: IncomingCall, call_waiting: bool = False) -> Call:
        """Brings a call to the line: rings it when idle, else offers it by call waiting, or finds it busy.

        Args:
            incoming: the call.
            call_waiting: whether the subscriber has call waiting, type II.
        """
        name = (incoming.caller_id.name if incoming.caller_id else None) or ""
        call = self._new_call(incoming.origin, self.line, name, incoming.forwarded_from)
        call.caller_id = incoming.caller_id
        if self.phase is Phase.IDLE:
            self.phase = Phase.RINGING
            self.talking = call
            self._begin(_Role.TREATMENT, self._ring(call, incoming))
        elif call_waiting and self.phase is Phase.TALKING and not (self.waiting or self.held):
            self.waiting = call
            self._begin(_Role.WAITING, self._offer(call))
        else:
            call.busy = True
            self._end(call)
        return call

    def caller_clears(self, call: Call | None = None) -> None:
        """The far end of `call`, or of the call that rings or talks, hangs up."""
        call = call or self.talking
        if call is None or call.ended is not None:
            return
        self._end(call)
        if call is self.waiting:
            self._stop_waiting()
        elif call is self.held:
            self.held = None
        elif self.phase in (Phase.RINGING, Phase.HOLDING):
            self._to_idle()
        else:
            self.talking = None
            if self._sending is self._far_end:
                self._sending = tones.silence()

    def advance(self, off_hook: bool, heard: Samples) -> OfficeBlock:
        """Lets time pass while the loop stays as it is.

        Args:
            off_hook: whether loop current flows.
            heard: what the subscriber sends, as many samples as pass; the office's hybrid takes its own out.
        """
        n = len(heard)
        began = self.now_samples
        voltage = False
        if off_hook != self._off_hook:
            self._off_hook = off_hook
            (self._loop_closed if off_hook else self._loop_opened)()
        parts = []
        while (at := self.now_samples - began) < n:
            self._run_due()
            voltage = voltage or _Role.RING_VOLTAGE in self._due
            run = min(n - at, *(due - self.now_samples for due, _ in self._due.values()), n)
            parts.append(self._sending.samples(run))
            self._listen(heard[at : at + run])
            self.now_samples += run
        edges = [(at - began, level) for at, level in self._ring_edges]
        self._ring_edges.clear()
        samples = parts[0] if len(parts) == 1 else np.concatenate([np.zeros(0, np.int16), *parts])
        return OfficeBlock(samples, edges, voltage)

    def _begin(self, role: _Role, script: _Script) -> None:
        self._due[role] = (self.now_samples, script)

    def _cancel(self, role: _Role) -> None:
        self._due.pop(role, None)

    def _run_due(self) -> None:
        while ready := [role for role, (due, _) in self._due.items() if due <= self.now_samples]:
            entry = self._due[ready[0]]
            wait = next(entry[1], None)
            if self._due.get(ready[0]) is not entry:
                continue  # the script has put another in its place, or cancelled itself
            if wait is None:
                del self._due[ready[0]]
            else:
                self._due[ready[0]] = (self.now_samples + wait, entry[1])

    def _loop_opened(self) -> None:
        self._opened = self.now_samples
        in_call = self.phase is Phase.TALKING and (self.talking or self.waiting or self.held)
        self._begin(_Role.BREAK, self._after(RELEASE_IN_CALL_MS if in_call else RELEASE_MS, self._released))

    def _loop_closed(self) -> None:
        self._cancel(_Role.BREAK)
        opened_ms = (self.now_samples - self._opened) * 1000 / RATE_HZ
        if self.phase is Phase.IDLE:
            self._seized()
        elif self.phase is Phase.RINGING:
            self._answered()
        elif self.phase is Phase.DIALLING and opened_ms <= LONGEST_PULSE_MS:
            self._pulses += 1
            self._silence_dial_tone()
            self._begin(_Role.PULSES, self._after(PULSED_DIGIT_END_MS, self._pulsed))
        elif self.phase is Phase.HOLDING:
            self._taken_up_again()
        elif self.phase is Phase.TALKING and FLASH_MS[0] <= opened_ms <= FLASH_MS[1]:
            self._flashed()

    def _after(self, delay_ms: float, then: Callable[[], None]) -> _Script:
        yield samples_of(delay_ms)
        then()

    def _released(self) -> None:
        call = self.talking
        if self._hold_s and call is not None and call.dst == self.line and call.ended is None:
            self.phase = Phase.HOLDING
            self._sending = tones.silence()
            self._begin(_Role.TREATMENT, self._after(1000 * self._hold_s, self._released_for_good))
        else:
            self._released_for_good()

    def _taken_up_again(self) -> None:
        """The called party is back, and the caller has not cleared: it is the same call."""
        self._cancel(_Role.TREATMENT)
        self.phase = Phase.TALKING
        self._sending = self._far_end

    def _released_for_good(self) -> None:
        for call in (self.talking, self.waiting, self.held):
            if call is not None:
                self._end(call)
        self._to_idle()

    def _to_idle(self) -> None:
        self._stop_ring_voltage()
        self._due.clear()
        self.phase = Phase.IDLE
        self.talking = self.waiting = self.held = None
        self._acknowledging = False
        self._sending = tones.silence()

    def _seized(self) -> None:
        self.phase = Phase.DIALLING
        self.dialled = ""
        self._pulses = 0
        self._receiver.reset()
        self._begin(_Role.TREATMENT, self._dial_tone())

    def _dial_tone(self) -> _Script:
        yield samples_of(float(self._rng.uniform(*DIAL_TONE_DELAY_MS)))
        self._sending = ToneGenerator(self._tones.dial)
        if self._permanent_signal_s is not None:
            yield samples_of(1000 * self._permanent_signal_s)
            self._sending = ToneGenerator(self._tones.reorder)
            yield samples_of(1000 * REORDER_BEFORE_HOWLER_S)
            self._sending = ToneGenerator(HOWLER)

    def _silence_dial_tone(self) -> None:
        self._cancel(_Role.TREATMENT)
        self._sending = tones.silence()

    def _listen(self, heard: Samples) -> None:
        if not (self.phase is Phase.DIALLING or self._acknowledging):
            return
        for code in self._receiver.feed(heard):
            if self.phase is Phase.DIALLING:
                self._digit(code)
            elif code == "D" and self.waiting is not None:
                self._acknowledging = False
                self._begin(_Role.WAITING, self._identify(self.waiting))

    def _pulsed(self) -> None:
        code, self._pulses = "1234567890"[min(self._pulses, 10) - 1], 0
        self._digit(code)

    def _digit(self, code: str) -> None:
        self._silence_dial_tone()
        self.dialled += code
        if COMPLETE_NUMBERS.fullmatch(self.dialled):
            self.phase = Phase.CALLING
            self.talking = self._new_call(self.line, self.dialled, "")
            self._begin(_Role.TREATMENT, self._ring_back())

    def _ring_back(self) -> _Script:
        yield samples_of(POST_DIALLING_DELAY_MS)
        self._sending = ToneGenerator(self._tones.ringback)

    def _ring(self, call: Call, incoming: IncomingCall) -> _Script:
        burst = self._caller_id_burst(call)
        rings = 0
        while rings != incoming.rings:
            rings += 1
            off = 0
            for on_ms, off_ms in incoming.ringing.cadence_ms:
                yield off
                self._begin(_Role.RING_VOLTAGE, self._ring_voltage(incoming.ringing.frequency_hz))
                yield samples_of(on_ms)
                self._stop_ring_voltage()
                off = samples_of(off_ms)
            if rings == 1 and burst is not None:
                yield samples_of(CALLER_ID_DELAY_MS)
                self._sending = Playback(burst)
                off = max(0, off - samples_of(CALLER_ID_DELAY_MS))
            yield off
        self._end(call)
        self._to_idle()

    def _ring_voltage(self, frequency_hz: float) -> _Script:
        half_cycles = 0
        while True:
            self._ring_level ^= 1
            self._ring_edges.append((self.now_samples, self._ring_level))
            begun = round(half_cycles * RATE_HZ / 2 / frequency_hz)
            half_cycles += 1
            yield round(half_cycles * RATE_HZ / 2 / frequency_hz) - begun

    def _stop_ring_voltage(self) -> None:
        self._cancel(_Role.RING_VOLTAGE)
        if self._ring_level:
            self._ring_level = 0
            self._ring_edges.append((self.now_samples, 0))

    def _caller_id_burst(self, call: Call) -> Samples | None:
        return None if call.caller_id is None else fsk.modulate(mdmf(self._stamped(call.caller_id)))

    def _stamped(self, caller_id: CallerId) -> CallerId:
        if caller_id.date_time is not None:
            return caller_id
        return replace(caller_id, date_time=self._time_at(self.now_samples).strftime("%m%d%H%M"))

    def _answered(self) -> None:
        self._stop_ring_voltage()
        self._cancel(_Role.TREATMENT)
        self.phase = Phase.TALKING
        if self.talking is not None:
            self._connect(self.talking)

    def _connect(self, call: Call) -> None:
        self.talking = call
        if call.answered is None:
            call.answered = self.now_samples
            self._record(call)
        self._sending = self._far_end

    def _offer(self, call: Call) -> _Script:
        """SAS, then CAS, the far end muted; the caller waits whether the set acknowledges or not."""
        for alert, pause_ms in ((self._tones.call_waiting, SAS_TO_CAS_MS), (tones.CPE_ALERT, 0)):
            burst = tones.burst(alert)
            self._sending = Playback(burst)
            yield len(burst) + samples_of(pause_ms)
        self._receiver.reset()
        self._acknowledging = True
        yield samples_of(ACK_WAIT_MS)
        self._acknowledging = False
        yield from self._wait(call)

    def _identify(self, call: Call) -> _Script:
        """Sends who waits, to a set that has acknowledged: no seizure, and a short mark (GR-30, off-hook)."""
        yield samples_of(ACK_TO_CALLER_ID_MS)
        if call.caller_id is not None:
            message = mdmf(self._stamped(call.caller_id))
            burst = fsk.modulate(message, seizure_bits=0, mark_bits=fsk.OFF_HOOK_MARK_BITS)
            self._sending = Playback(burst)
            yield len(burst) + samples_of(UNMUTE_MS)
        yield from self._wait(call)

    def _wait(self, call: Call) -> _Script:
        self._unmute()
        yield samples_of(CALL_WAITS_MS)
        self.caller_clears(call)

    def _unmute(self) -> None:
        self._sending = tones.silence() if self.talking is None else self._far_end

    def _stop_waiting(self) -> None:
        self.waiting = None
        self._acknowledging = False
        self._cancel(_Role.WAITING)
        self._unmute()

    def _flashed(self) -> None:
        """Answers the call that waits, or goes back to the one that is held; the other is held."""
        other = self.waiting or self.held
        if other is None:
            return
        self._stop_waiting()
        self.held = self.talking
        self._connect(other)

    def _new_call(self, src: str, dst: str, name: str, forwarded_from: str | None = None) -> Call:
        self._calls += 2 if forwarded_from else 1
        call = Call(self._calls, src, dst, name, self.now_samples, forwarded_from=forwarded_from)
        self._record(call)
        return call

    def _end(self, call: Call) -> None:
        call.ended = self.now_samples
        self._record(call)

    def _time_at(self, samples: int) -> datetime:
        return self.starts_at + timedelta(seconds=samples / RATE_HZ)

    def _record(self, call: Call) -> None:
        """Records a leg for each number that was called; a forwarded call has two, which begin and end together."""
        if self.records is None:
            return
        first = call.number - 1 if call.forwarded_from else call.number
        if call.forwarded_from:
            self.records.write(self._leg(call, first, first, call.forwarded_from))
        self.records.write(self._leg(call, call.number, first, call.dst))

    def _leg(self, call: Call, number: int, first: int, dst: str) -> CallRecord:
        disposition: Disposition = "ANSWERED" if call.answered is not None else "NO ANSWER"
        trunk, subscriber = f"DAHDI/i1/{call.src}-{number:x}", f"DAHDI/1-{number:x}"
        incoming = call.dst == self.line
        began = int(self._time_at(call.began).timestamp())
        return CallRecord(
            calldate=self._written(call.began),
            clid=f'"{call.name}" <{call.src}>',
            src=call.src,
            dst=dst,
            dcontext="from-pstn" if incoming else "from-subscriber",
            channel=trunk if incoming else subscriber,
            dstchannel=subscriber if incoming else trunk,
            lastapp="Dial",
            lastdata="DAHDI/1" if incoming else f"DAHDI/g1/{call.dst}",
            duration=_seconds(call.began, call.ended),
            billsec=_seconds(call.answered, call.ended),
            disposition="BUSY" if call.busy else disposition,
            amaflags=AMA_DOCUMENTATION,
            accountcode="",
            uniqueid=f"{began}.{number}",
            userfield="",
            linkedid=f"{began}.{first}",
            sequence=number,
            answer=self._written(call.answered),
            end=self._written(call.ended),
        )

    def _written(self, samples: int | None) -> str:
        return "" if samples is None else f"{self._time_at(samples).astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def _seconds(since: int | None, until: int | None) -> int:
    return 0 if since is None or until is None else (until - since) // RATE_HZ
