"""The heartbeat: the task that tells the service how the adapter is, and does what comes back."""

import asyncio
import gc
from asyncio import core

from micropython import const

from star57.link import message
from star57.link.correspondent import Refused
from star57.link.error import LinkError
from star57.link.watched import Watched

_VERSION = const(1)
_LINES = const(16)
_MOST_REFUSED = const(16)
# Of a setting; the longest that there is has 17 letters, and a heartbeat has 2048 bytes.
_LONGEST_NAME = const(32)
# Between heartbeats that the service wants at once: the line has its turn.
_AGAIN_MS = const(100)
_QUALITIES = ("level_dbm0", "snr_db", "twist_db")


class Heartbeat(Watched):
    """Sends a heartbeat at start and every `period_ms`; while none is answered the next goes after `shortest_wait_ms`,
    then twice that, up to `period_ms`.

    set_clock(unix_seconds) is called with what the service says; `settings` is a PushedSettings, `prompts` a
    PromptStore, `log` a LogBook, `update` an Update, or None where there can be none. `decoded` is the quality of the
    last caller ID, a dict, or None. `faults` counts what nobody foresaw.
    """

    def __init__(
        self,
        board,
        correspondent,
        adapter_id,
        outbox,
        settings,
        prompts,
        log,
        set_clock,
        shortest_wait_ms=2000,
        period_ms=60_000,
        update=None,
    ):
        super().__init__()
        self._board = board
        self._correspondent = correspondent
        self._adapter_id = adapter_id
        self._outbox = outbox
        self._settings = settings
        self._prompts = prompts
        self._log = log
        self._set_clock = set_clock
        self._shortest_wait_ms = shortest_wait_ms
        self._period_ms = period_ms
        self._update = update
        self._uptime_ms = 0
        self._counted_to = core.ticks()
        self.decoded = None
        self.faults = 0

    async def run(self):
        """Beats until cancelled."""
        wait_ms = self._shortest_wait_ms
        while True:
            answer = await self._beat()
            if answer is None:
                await self._wait(wait_ms)
                wait_ms = min(2 * wait_ms, self._period_ms)
                continue
            wait_ms = self._shortest_wait_ms
            await self._wait(_AGAIN_MS if answer["again"] else self._period_ms)

    async def _beat(self):
        """Sends one heartbeat, and does what is answered; the answer, or None when there is none."""
        try:
            answer = await self._ask(self._heartbeat(), message.decode_heartbeat_answer)
            if answer is not None:
                await self._obey(answer)
        except Exception:  # noqa: BLE001 - nothing that one answer brings about may end the adapter
            self.faults += 1
            return None
        return answer

    async def _ask(self, question, decode):
        """The answer, or None when there is none."""
        self._promise(self._correspondent.timeout_ms)
        try:
            return await self._correspondent.ask(question, decode)
        except (LinkError, Refused, message.MessageError):
            return None

    async def _obey(self, answer):
        self._set_clock(answer["unix_seconds"])
        settings = answer["settings"]
        if settings is not None and self._settings.take(settings["revision"], settings["values"]):
            self._log.log("settings: revision {}".format(settings["revision"]))
        if answer["prompt"] is not None:
            self._prompts.take(**answer["prompt"])
        if self._update is not None:
            self._update.answered()
            if answer["update"] is not None:
                await self._update.take(**answer["update"])
        if answer["log_from"] is not None:
            await self._send_log(answer["log_from"])

    async def _send_log(self, first):
        until = self._log.lines  # what is logged on the way waits for the next time
        while first < until:
            first, lines = self._log.since(first, _LINES)
            question = {
                "message": "log",
                "version": _VERSION,
                "adapter_id": self._adapter_id,
                "first": first,
                "lines": lines,
            }
            if await self._ask(question, _has_arrived) is None:
                return  # the service asks for what it has not got
            first += len(lines)

    def _heartbeat(self):
        board = self._board
        # Free is what is left when the garbage is gone; and a minute's garbage goes while nobody speaks.
        gc.collect()
        unix_seconds, time_source = board.wall_time()
        return {
            "message": "heartbeat",
            "version": _VERSION,
            "adapter_id": self._adapter_id,
            "board": board.name,
            "firmware": board.version,
            "commit": board.commit,
            "carrier": None,
            "reset_reason": board.reset_reason,
            "uptime_s": self._uptime_s(),
            "unix_seconds": unix_seconds,
            "time_source": time_source,
            "free_heap_bytes": gc.mem_free(),
            "lost_samples": board.lost_total,
            "underruns": board.underruns,
            "longest_gap_ms": board.take_longest_gap_ms(),
            "outbox": len(self._outbox.pending),
            "refusals": self._correspondent.refusals,
            "decoded": _decoded(self.decoded),
            "settings_revision": self._settings.revision,
            "settings_refused": [name[:_LONGEST_NAME] for name in self._settings.refused[:_MOST_REFUSED]],
            "prompt": self._prompts.progress(),
            "log_lines": self._log.lines,
            "slot": None if self._update is None else self._update.slot,
            "update": None if self._update is None else self._update.progress(),
        }

    def _uptime_s(self):
        # Ticks wrap after days, so they are added up from heartbeat to heartbeat.
        now = core.ticks()
        self._uptime_ms += core.ticks_diff(now, self._counted_to)
        self._counted_to = now
        return self._uptime_ms // 1000

    async def _wait(self, wait_ms):
        self._promise(wait_ms)
        try:
            await asyncio.wait_for_ms(self._outbox.clock_wanted.wait(), wait_ms)
        except asyncio.TimeoutError:
            return
        self._outbox.clock_wanted.clear()


def _has_arrived(data):
    """True for the answer to lines of the log. Raises MessageError."""
    message.decode_log_answer(data)
    return True


def _decoded(quality):
    """The qualities that are told, of the many that are known."""
    if quality is None:
        return None
    told = {"standard": quality["standard"] or "unknown"}
    for name in _QUALITIES:
        value = quality[name]
        told[name] = None if value is None else max(-128, min(127, round(value)))
    return told
