"""What a technician's console beside the link can ask while the firmware goes on, and what it can listen to.

docs/protocol.md, "Serial carrier", has the frames `s` and `v`.
"""

import gc
import json
from asyncio import core
from binascii import b2a_base64, crc32

from micropython import const

from star57.callerid.framing import NO_CARRIER
from star57.line.state import DIALOGUE
from star57.link.frame import NUMBERS, build, is_printable

STATE_NAMES = ("idle", "ringing", "in_call", "dialling", "dialogue")
# The results of callerid/framing.py, in their order, which begins with 1.
_RESULT_NAMES = (None, "message", "checksum_wrong", "truncated", "no_carrier", "garbage")

_HOOK_EDGE = const(1)
# Half a cycle of the slowest ring lasts for 33 ms, the pause of a double ring for 200 ms (TELEPHONY 5).
_RING_OVER_SAMPLES = const(8 * 120)
_SAMPLE_RATE_HZ = const(8000)
_MOST_SAMPLES = const(160)
_BYTES_A_SAMPLE = const(2)
# Line feed, "*57 s ", a number of 3 digits, the CRC-32, and a space behind either.
_HEAD_BYTES = const(20)
_LONGEST_TEXT_BYTES = const(4 * ((_BYTES_A_SAMPLE * _MOST_SAMPLES + 2) // 3))
_NEWLINE = const(10)

_LONGEST_TAP_S = const(600)
# A host that takes nothing for a second is gone.
_MOST_REFUSED_BLOCKS = const(50)

_LEAST_FREE_HEAP_BYTES = const(20_000)
_LATELY_S = const(60)
_CHECKED_IN_WITHIN_S = const(5)
# The service is asked each minute; an ask may wait for a slow carrier.
_ANSWERED_WITHIN_S = const(180)
_NEVER = const(-1)
_DECODED = ("standard", "level_dbm0", "snr_db", "twist_db")
# The facts whose value is nobody's secret: which ring it was. A digit that was dialled is never told.
_TELL_VALUE = ("ring_ended", "ringing_stopped")


class Bench:
    """One adapter, as a technician sees it. `line` is a LineState, `calls` a CallHistory, `outbox` an Outbox.

    `has_link`: somebody should answer. An observer of the line (docs/seams.md); and the supervisor calls noticed() for
    each fact and block() once a block, both outside the audio path.
    """

    def __init__(self, board, settings, line, calls, outbox, has_link):
        self._board = board
        self._settings = settings
        self._line = line
        self._calls = calls
        self._outbox = outbox
        self._has_link = has_link
        self._carrier = None
        self._answered_at_s = _NEVER
        self._checked_in_at_s = _NEVER
        self._lost_at_s = _NEVER
        self._decoded = None
        self._uptime_s = 0
        self._samples = 0
        self._block_at = core.ticks()
        self._longest_gap_ms = 0
        self._loop_closed = False
        self._ring_edges = 0
        self._ring_samples = 0
        self._ring_quiet_samples = 0
        self._relay_told = False
        self._tap_samples = 0
        self._number = 0
        self._refused = 0
        self._frame = None

    # What the console is asked

    def status(self):
        """How the adapter is: one line of JSON, of printable ASCII. `longest_gap_ms` is since it was asked before."""
        gc.collect()  # free is what is left when the garbage is gone
        reasons = self.reasons()
        slots = self._board.slots
        known = {
            "adapter_id": self._settings.adapter_id,
            "line": self._settings.line,
            "country": self._settings.country,
            "language": self._settings.language,
            "version": self._board.version,
            "commit": self._board.commit,
            "board": self._board.name,
            "slot": None if slots is None else slots.running,
            "uptime_s": self._uptime_s,
            "state": STATE_NAMES[self._line.current],
            "relay": self._relay,
            "loop_closed": self._loop_closed,
            "call": self._call(),
            "decoded": self._decoded,
            "outbox": len(self._outbox.pending),
            "calls": len(self._calls.newest_first),
            "link": self._link(),
            "free_heap_bytes": gc.mem_free(),
            "lost_samples": self._board.lost_total,
            "underruns": self._board.underruns,
            "longest_gap_ms": self._longest_gap_ms,
            "settings_faults": self._settings.faults,
            "healthy": not reasons,
            "reasons": reasons,
        }
        self._longest_gap_ms = 0
        return _json(known)

    def tap(self, seconds=10):
        """Streams what line_in carries, and what happens, for so long (1 to 600 s); 0 ends it."""
        seconds = max(0, min(seconds, _LONGEST_TAP_S))
        # Only who listens needs it in memory.
        self._frame = self._frame or bytearray(_HEAD_BYTES + _LONGEST_TEXT_BYTES + 1)
        self._tap_samples = seconds * _SAMPLE_RATE_HZ
        self._refused = 0
        self._relay_told = self._relay
        self._tell(
            "tap",
            seconds=seconds,
            state=STATE_NAMES[self._line.current],
            relay=self._relay,
            loop_closed=self._loop_closed,
        )

    def reasons(self):
        """Why the adapter is not healthy, by name; none when it is."""
        late_s = self._uptime_s - max(self._checked_in_at_s, 0)
        found = (
            ("tasks_late", late_s > _CHECKED_IN_WITHIN_S),
            ("samples_lost", self._lost_at_s != _NEVER and self._uptime_s - self._lost_at_s < _LATELY_S),
            ("heap_low", gc.mem_free() < _LEAST_FREE_HEAP_BYTES),
            ("settings_wrong", bool(self._settings.faults)),
            ("link_silent", self._has_link and not self._is_answered()),
        )
        return [name for name, holds in found if holds]

    # What the supervisor tells

    def checked_in(self):
        """Every task has checked in."""
        self._checked_in_at_s = self._uptime_s

    def link_answered(self, carrier):
        """The service has answered a heartbeat over the carrier of this name."""
        self._carrier = carrier
        self._answered_at_s = self._uptime_s

    def decoded(self, result, quality, caller_id):
        """A window of the caller-ID receiver has ended: its result (framing.py) and quality.

        `caller_id`: the caller as the household may see it, a dict; or None.
        """
        if result == NO_CARRIER:
            quality = None
        if quality is not None:
            self._decoded = {name: quality[name] for name in _DECODED}
        number = None if caller_id is None else caller_id.get("number")
        self._tell("caller", result=_RESULT_NAMES[result], quality=quality, number=number)

    def noticed(self, name, value):
        """A receiver or a detector noticed something; `value` is told of a ring alone."""
        if name in _TELL_VALUE:
            self._tell(name, value=value)
        else:
            self._tell(name)

    def call(self, _call, what):
        """An observer's: something became of a call."""
        self._tell("call", what=what)

    def line(self, state):
        """An observer's: the line has another state."""
        self._tell("line", state=STATE_NAMES[state])

    def block(self, n):
        """`n` new samples are in line_in."""
        self._count(n)
        self._note_gap()
        self._follow_edges(n)
        self._number = (self._number + 1) % NUMBERS
        if self._tap_samples:
            self._tap_samples = max(0, self._tap_samples - n)
            self._follow_relay()
            self._send_samples(n)

    @property
    def _relay(self):
        return self._line.current == DIALOGUE and self._loop_closed

    def _is_answered(self):
        return self._answered_at_s != _NEVER and self._uptime_s - self._answered_at_s < _ANSWERED_WITHIN_S

    def _link(self):
        if not self._has_link:
            return None
        answered = self._answered_at_s != _NEVER
        return {
            "carrier": self._carrier,
            "answered_s": self._uptime_s - self._answered_at_s if answered else None,
        }

    def _call(self):
        call = self._calls.last
        if call is None:
            return None
        caller_id = call.caller_id or {}
        return {
            "call_id": call.call_id,
            "at": call.at,
            "time_source": call.time_source,
            "rings": call.rings,
            "answered": call.answered,
            "call_waiting": call.call_waiting,
            "number": caller_id.get("number"),
            "reason": caller_id.get("reason"),
            "outcome": call.trace_outcome,
        }

    def _count(self, n):
        lost = self._board.lost_samples
        self._samples += n + lost
        self._uptime_s += self._samples // _SAMPLE_RATE_HZ
        self._samples %= _SAMPLE_RATE_HZ
        if lost:
            self._lost_at_s = self._uptime_s
            self._tell("lost", samples=lost)

    def _note_gap(self):
        now = core.ticks()
        self._longest_gap_ms = max(self._longest_gap_ms, core.ticks_diff(now, self._block_at))
        self._block_at = now

    def _follow_edges(self, n):
        board = self._board
        ring_edges = 0
        for i in range(board.edges):
            if board.edge_kind[i] == _HOOK_EDGE:
                self._loop_closed = board.edge_level[i] == 1
            else:
                ring_edges += 1
        if ring_edges or self._ring_edges:
            self._follow_ring(n, ring_edges)

    def _follow_ring(self, n, edges):
        """What the ring detector saw, once it is over: one or two edges are no ring, but a reversal of polarity."""
        self._ring_edges += edges
        self._ring_samples += n
        self._ring_quiet_samples = 0 if edges else self._ring_quiet_samples + n
        if self._ring_quiet_samples >= _RING_OVER_SAMPLES:
            lasted_samples = self._ring_samples - self._ring_quiet_samples
            self._tell(
                "ring_signal",
                edges=self._ring_edges,
                lasted_samples=lasted_samples,
                ended_samples_ago=self._ring_quiet_samples,
            )
            self._ring_edges = self._ring_samples = self._ring_quiet_samples = 0

    def _follow_relay(self):
        relay = self._relay
        if relay != self._relay_told:
            self._relay_told = relay
            self._tell("relay", energised=relay)

    def _tell(self, event, **fields):
        if self._tap_samples:
            fields["event"] = event
            self._board.tap(build("v", self._number, _json(fields).encode()))

    def _send_samples(self, n):
        text = b2a_base64(memoryview(self._board.line_in)[:n], newline=False)
        head = b"*57 s %d " % self._number
        head = b"\n%s%08x " % (head, crc32(text, crc32(head)))
        begin = _HEAD_BYTES - len(head)
        end = _HEAD_BYTES + len(text)
        self._frame[begin:_HEAD_BYTES] = head
        self._frame[_HEAD_BYTES:end] = text
        self._frame[end] = _NEWLINE
        if self._board.tap(memoryview(self._frame)[begin : end + 1]):
            self._refused = 0
            return
        self._refused += 1
        if self._refused == _MOST_REFUSED_BLOCKS:
            self._tap_samples = 0


def _json(value):
    """Compact JSON, of printable ASCII."""
    text = json.dumps(value, separators=(",", ":"))
    if is_printable(text.encode()):
        return text
    return "".join(letter if " " <= letter <= "~" else "?" for letter in text)
