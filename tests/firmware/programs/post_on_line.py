"""Follows the line, posts to the service that settings.json names, and logs after each post what it came to.

With it the longest real time between two blocks since the post began, without what the rig's line stood still for the
network: on a board the line does not, and all tasks wait then.
"""

import asyncio
import json
import time
from asyncio import core

from board import Board
from star57 import settings
from star57.link.error import LinkError
from star57.link.network import NetworkLink

PAUSE_MS = 500

board = Board()


class TimedPoller:
    """asyncio's poller, as the emulated board uses it; `stood_us` is how long the line has stood still in poll()."""

    def __init__(self, poller):
        self._poller = poller
        self.register = poller.register
        self.modify = poller.modify
        self.unregister = poller.unregister
        self.ipoll = poller.ipoll
        self.stood_us = 0

    def poll(self, patience_ms):
        before = time.ticks_us()
        ready = self._poller.poll(patience_ms)
        self.stood_us += time.ticks_diff(time.ticks_us(), before)
        return ready


class Line:
    """Takes the blocks, and knows how long they kept it waiting."""

    def __init__(self):
        self._poller = core._io_queue.poller = TimedPoller(core._io_queue.poller)
        self._longest_us = 0
        self._begin_gap()

    async def follow(self):
        while True:
            await board.next_block()
            board.feed_watchdog()
            self._note()
            self._begin_gap()

    def take_longest_us(self):
        """Since this was asked before; the gap that has not ended yet counts, too."""
        self._note()
        longest_us = self._longest_us
        self._longest_us = 0
        return longest_us

    def _begin_gap(self):
        self._block_us = time.ticks_us()
        self._poller.stood_us = 0

    def _note(self):
        gap_us = time.ticks_diff(time.ticks_us(), self._block_us)
        self._longest_us = max(self._longest_us, gap_us - self._poller.stood_us)


async def main():
    line = Line()
    following = asyncio.create_task(line.follow())
    link = NetworkLink(board.network, settings.load(board.flash + "/settings.json"), flash=board.flash)
    while not following.done():
        await asyncio.sleep_ms(PAUSE_MS)
        line.take_longest_us()
        try:
            status, body = await link.post(b"header.payload.signature")
            outcome = "{} {}".format(status, body.decode())
        except LinkError as fault:
            outcome = fault.reason
        board.log(json.dumps({"outcome": outcome, "longest_gap_us": line.take_longest_us()}))


asyncio.run(main())
