"""Updates of the firmware: pushed part by part into the idle slot, tried, and confirmed or given back.

What runs is never written to. The line goes first: nothing is written, tried or given back but while it is idle.
"""

import asyncio
import hashlib
import json
from asyncio import core

from micropython import const

from star57.storage import StorageError

RECEIVING = "receiving"
KEPT = "kept"
TRYING = "trying"
CONFIRMED = "confirmed"
RETURNED = "returned"
REFUSED = "refused"

_SECTOR_BYTES = const(4096)
_LONGEST_PART_BYTES = const(960)
# How far it has come is kept each 64 KB: after a power cut no more than that is sent again.
_KEPT_EACH_BYTES = const(65536)
# A new version is healthy when the service answers after the supervisor has had no fault for so long;
_HEALTHY_AFTER_MS = const(60_000)
# one that is not by then goes back, as soon as the line is idle.
_GIVEN_BACK_AFTER_MS = const(600_000)


class Update:
    """The update of one board. `record` is a DurableRecord, `settings` has the release key.

    line_idle() says whether nobody rings, calls or speaks; `outbox` is the Outbox, whose requests go first; `log` a
    LogBook. Where `board.slots` is None nothing is taken, and the heartbeat says so. `faults` counts what the flash
    would not do.

    The supervisor calls supervise() once a second, while every task lives; the heartbeat calls take() with each part,
    and answered() with each answer.
    """

    def __init__(self, board, record, settings, line_idle, outbox, log):
        self._board = board
        self._slots = board.slots
        self._record = record
        self._settings = settings
        self._line_idle = line_idle
        self._outbox = outbox
        self._log = log
        self._started_at = core.ticks()
        self._is_healthy = False
        self._newest_release = 0
        self._push = None
        self._written = 0
        self._held = 0
        self._buffer = None
        self.faults = 0
        if self._slots is not None:
            self._load()
            self._see_what_became_of_it()

    @property
    def slot(self):
        """The slot that runs, "a" or "b"; None on a board that takes no updates."""
        return None if self._slots is None else self._slots.running

    def progress(self):
        """How far the last push has come, as the heartbeat tells it; None before the first."""
        push = self._push
        if push is None:
            return None
        return {
            "release": push["release"],
            "sha256": push["sha256"],
            "received": self._written + self._held,
            "state": push["state"],
            "reason": push["reason"],
        }

    def answered(self):
        """The service has answered a heartbeat."""
        self._is_healthy = self._age_ms() >= _HEALTHY_AFTER_MS

    async def take(self, sha256, slot, offset, data):
        """Takes what a push brings, of the release of that hash: the release itself, where `slot` is None, or a part.

        `data`: at most 960 bytes. What is out of turn, or comes while the line is not idle, is passed by.
        """
        if self._slots is None or self._slots.trial:
            return
        if slot is None:
            await self._take_release(sha256, data)
        elif self._is_next(sha256, slot, offset, data):
            await self._take_part(data)

    def supervise(self):
        """Tries what is kept, confirms what runs on trial, or gives it back. Once a second, while every task lives."""
        if self._slots is None:
            return
        if self._slots.trial:
            self._judge()
        elif self._state() == KEPT and self._may_write():
            self._try()

    # What runs on trial

    def _judge(self):
        if not self._line_idle():
            return
        if self._is_healthy:
            self._confirm()
        elif self._age_ms() >= _GIVEN_BACK_AFTER_MS:
            self._log.log("update: not healthy: the version before comes back")
            if self._push is not None:
                self._push["reason"] = "not_healthy"
                self._keep()
            self._board.reset()

    def _age_ms(self):
        return core.ticks_diff(core.ticks(), self._started_at)

    def _confirm(self):
        try:
            self._slots.confirm()
        except OSError:
            self.faults += 1
            return  # it is asked again a second later
        if self._state() == TRYING:
            self._end_confirmed()

    def _end_confirmed(self):
        self._newest_release = self._push["release"]
        self._end(CONFIRMED, None)
        self._keep()

    # What is kept

    def _try(self):
        push = self._push
        push["state"] = TRYING
        if not self._keep():
            push["state"] = KEPT
            return
        self._log.log("update: release {} is tried".format(push["release"]))
        try:
            self._slots.try_other()
        except OSError:
            self._refuse("no_firmware")

    # What comes

    async def _take_release(self, sha256, signed):
        if (
            self._push is not None
            and sha256 == self._push["sha256"]
            and self._state() in (RECEIVING, KEPT, CONFIRMED)
        ):
            return
        # Its verdict is forgotten: what is pushed once more is judged anew.
        self._push = None
        if not self._may_write():
            return
        # Seldom needed, and large: it is in memory from the first push on.
        from star57.release import ReleaseError  # noqa: PLC0415

        push = _new_push(sha256, self._slots.idle)
        try:
            release = await self._checked_release(sha256, signed)
        except ReleaseError as fault:
            self._push = push
            self._refuse(fault.reason)
            return
        push["release"] = release.number
        push["size"], push["image_sha256"] = release.images[push["slot"]]
        if self._may_write():
            self._begin(push, release.version)

    async def _checked_release(self, sha256, signed):
        from star57 import release as release_room  # noqa: PLC0415 - as above
        from star57.release import ReleaseError  # noqa: PLC0415

        if hashlib.sha256(signed).digest().hex() != sha256:
            raise ReleaseError(release_room.MALFORMED)
        release = await release_room.read(signed, self._settings.release_key)
        if release.board != self._board.name:
            raise ReleaseError("other_board")
        if release.number <= self._newest_release:
            raise ReleaseError("old_release")
        if release.images[self._slots.idle][0] > self._slots.room_bytes:
            raise ReleaseError("too_large")
        return release

    def _begin(self, push, version):
        try:
            self._slots.begin()
        except OSError:
            self.faults += 1
            return  # it is offered again
        self._push = push
        self._written = self._held = 0
        self._keep()
        self._log.log("update: release {} is coming, version {}".format(push["release"], version))

    def _is_next(self, sha256, slot, offset, data):
        push = self._push
        if (
            self._state() != RECEIVING
            or (sha256, slot) != (push["sha256"], push["slot"])
            or not self._may_write()
        ):
            return False
        return offset == self._written + self._held and offset + len(data) <= push["size"]

    async def _take_part(self, data):
        """A part is taken whole or not at all: one whose sectors were not all written comes again."""
        if self._buffer is None:
            self._buffer = bytearray(_SECTOR_BYTES + _LONGEST_PART_BYTES)
        held = self._held + len(data)
        self._buffer[self._held : held] = data
        is_last = self._written + held == self._push["size"]
        taken = 0
        while held - taken >= _SECTOR_BYTES or (is_last and taken < held):
            if not self._may_write():
                return
            if not self._write_sector(taken, min(taken + _SECTOR_BYTES, held)):
                return
            taken = min(taken + _SECTOR_BYTES, held)
            await asyncio.sleep_ms(0)
        self._buffer[: held - taken] = self._buffer[taken:held]
        self._held = held - taken
        self._written += taken
        if is_last:
            await self._end_receiving()
        elif taken and self._written % _KEPT_EACH_BYTES == 0:
            self._keep()

    def _write_sector(self, first, end):
        """Whether the bytes of the buffer are written where they belong."""
        try:
            self._slots.write(self._written + first, memoryview(self._buffer)[first:end])
        except OSError:
            self._refuse("flash")
            return False
        return True

    async def _end_receiving(self):
        push, digest = self._push, None
        self._buffer = None
        try:
            for digest in self._slots.sha256(push["size"]):  # noqa: B007 - the last one is the hash
                await asyncio.sleep_ms(0)
        except OSError:
            self._refuse("flash")
            return
        if digest.hex() != push["image_sha256"]:
            self._refuse("damaged")
            return
        push["state"] = KEPT
        self._log.log("update: release {} is kept".format(push["release"]))

    # Its end, and what the flash keeps of it

    def _end(self, state, reason):
        self._push["state"] = state
        self._push["reason"] = reason
        told = "update: release {} {}".format(self._push["release"], state)
        self._log.log(told if reason is None else "{}: {}".format(told, reason))

    def _refuse(self, reason):
        self._buffer = None
        self._written = self._held = 0
        self._end(REFUSED, reason)

    def _see_what_became_of_it(self):
        """What this start says of the push that was kept."""
        push, state = self._push, self._state()
        if state is None:
            return
        runs = push["slot"] == self._slots.running
        if state == TRYING and runs:
            if not self._slots.trial:  # power was cut as it was confirmed
                self._end_confirmed()
        elif state == TRYING and self._slots.returned:
            self._end(RETURNED, push["reason"] or self._board.reset_reason)
            self._keep()
        elif state == TRYING:  # power was cut before the try began
            push["state"] = KEPT
        elif runs != (state == CONFIRMED):  # the bench has put another firmware on
            self._push = None

    def _load(self):
        payload = self._record.read()
        if payload is None:
            return
        try:
            kept = json.loads(payload)
            self._newest_release, push = int(kept["release"]), kept["push"]
            if push is not None:
                self._written = int(push.pop("written"))
                self._push = _new_push(push["sha256"], push["slot"])
                self._push.update(push)
        except (ValueError, TypeError, KeyError, AttributeError):
            self.faults += 1

    def _keep(self):
        """Whether the flash keeps how it stands."""
        push = None if self._push is None else dict(self._push, written=self._written)
        try:
            self._record.write(json.dumps({"release": self._newest_release, "push": push}).encode())
        except StorageError:
            self.faults += 1
            return False
        return True

    def _state(self):
        return None if self._push is None else self._push["state"]

    def _may_write(self):
        return self._line_idle() and not self._outbox.pending


def _new_push(sha256, slot):
    return {
        "sha256": sha256,
        "slot": slot,
        "release": 0,
        "size": 0,
        "image_sha256": "",
        "state": RECEIVING,
        "reason": None,
    }
