"""The reporter: the task that tells the host how the adapter is, and sets the clock by what comes back."""

import asyncio
import gc
from asyncio import core

from micropython import const

from star57.link.watched import Watched

_VERSION = const(1)


class Reporter(Watched):
    """Sends a report over `link` at start and every `period_ms`, and sets the clock of `board` by the answer.

    While none comes the next report goes after `shortest_wait_ms`, then twice that, up to `period_ms`.
    """

    def __init__(self, board, link, adapter_id, outbox, shortest_wait_ms=2000, period_ms=60_000):
        super().__init__()
        self._board = board
        self._link = link
        self._adapter_id = adapter_id
        self._outbox = outbox
        self._shortest_wait_ms = shortest_wait_ms
        self._period_ms = period_ms
        self._uptime_ms = 0
        self._counted_to = core.ticks()

    async def run(self):
        """Reports until cancelled."""
        wait_ms = self._shortest_wait_ms
        while True:
            self._promise(self._link.timeout_ms)
            unix_seconds = await self._link.report(self._report())
            if unix_seconds is None:
                await self._wait(wait_ms)
                wait_ms = min(2 * wait_ms, self._period_ms)
            else:
                self._board.set_wall_time(unix_seconds)
                wait_ms = self._shortest_wait_ms
                await self._wait(self._period_ms)

    def _report(self):
        board = self._board
        # Free is what is left when the garbage is gone; and a minute's garbage goes while nobody speaks.
        gc.collect()
        return {
            "message": "report",
            "version": _VERSION,
            "adapter_id": self._adapter_id,
            "board": board.name,
            "firmware": board.version,
            "commit": board.commit,
            "reset_reason": board.reset_reason,
            "uptime_s": self._uptime_s(),
            "free_heap_bytes": gc.mem_free(),
            "lost_samples": board.lost_total,
            "underruns": board.underruns,
            "longest_gap_ms": board.take_longest_gap_ms(),
            "outbox": len(self._outbox.pending),
        }

    def _uptime_s(self):
        # Ticks wrap after days, so they are added up from report to report.
        now = core.ticks()
        self._uptime_ms += core.ticks_diff(now, self._counted_to)
        self._counted_to = now
        return self._uptime_ms // 1000

    async def _wait(self, wait_ms):
        self._promise(wait_ms)
        await asyncio.sleep_ms(wait_ms)
