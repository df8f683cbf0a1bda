"""Checkpoints of the audit log: its hash at a row, kept beside it, and time-stamped outside.

Whoever changes a row must make every later one anew. A checkpoint whose hash an authority has stamped cannot be made
anew with them.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.engine import Connection

from host_tools.service.audit.log import AuditLog
from host_tools.service.audit.time_stamp import NoTimeStamp, TimeStampAuthority
from host_tools.service.audit.verify import stamped_data
from host_tools.service.store import Store
from host_tools.service.tables import CHECKPOINTS

MOST_STAMPED_AT_ONCE = 100
"""What has waited longer is stamped by the next runs."""

_NEWEST = select(CHECKPOINTS).order_by(CHECKPOINTS.c.sequence.desc())


class EmptyLog(Exception):
    """There is no row to make a checkpoint of."""


@dataclass(frozen=True)
class Checkpoint:
    """The log's hash at the row `sequence`; `made_at` in Unix seconds, `time_stamp` the DER of an RFC 3161 response."""

    sequence: int
    hash: str
    made_at: int
    time_stamp: bytes | None = None
    is_pruned: bool = False

    @property
    def data(self) -> bytes:
        """What its time stamp is over."""
        return stamped_data(self.sequence, self.hash)


@dataclass(frozen=True)
class Made:
    """A checkpoint that was made, which of all are time-stamped now, and why others are not."""

    checkpoint: Checkpoint
    stamped: tuple[int, ...]
    trouble: str | None


class Checkpoints:
    """The checkpoints over a connection; whoever writes them is alone in writing the audit log."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def make(self, at: float, actor: str) -> Checkpoint:
        """A checkpoint at the log's last row; the row after it tells of it.

        Raises:
            EmptyLog: there is no row.
        """
        log = AuditLog(self._connection)
        head = log.head()
        if not head.sequence:
            raise EmptyLog
        made = Checkpoint(head.sequence, head.hash, int(at))
        self._connection.execute(insert(CHECKPOINTS), vars(made))
        log.append(at, actor, "checkpoint.made", str(made.sequence), hash=made.hash)
        return made

    def keep_time_stamp(self, sequence: int, time_stamp: bytes, at: float, actor: str) -> bool:
        """Keeps the time stamp of a checkpoint, and tells of it; False when somebody else has done so."""
        kept = self._connection.execute(
            update(CHECKPOINTS)
            .where(CHECKPOINTS.c.sequence == sequence, CHECKPOINTS.c.time_stamp.is_(None))
            .values(time_stamp=time_stamp)
        )
        if not kept.rowcount:
            return False
        digest = sha256(time_stamp).hexdigest()
        AuditLog(self._connection).append(at, actor, "checkpoint.time_stamped", str(sequence), sha256=digest)
        return True

    def newest(self, limit: int, before: int | None = None) -> list[Checkpoint]:
        """The newest, newest first; only those before the row `before`, if given."""
        query = _NEWEST if before is None else _NEWEST.where(CHECKPOINTS.c.sequence < before)
        return [_checkpoint(row) for row in self._connection.execute(query.limit(limit))]

    def unstamped(self, limit: int) -> list[Checkpoint]:
        """Those that have no time stamp, newest first: a new one proves what lies before the older ones too."""
        query = _NEWEST.where(CHECKPOINTS.c.time_stamp.is_(None), ~CHECKPOINTS.c.is_pruned)
        return [_checkpoint(row) for row in self._connection.execute(query.limit(limit))]

    def prunable(self, before: int, *, is_stamped: bool) -> Checkpoint | None:
        """The last that was made before a time (Unix seconds), and lies before the log's last row.

        Args:
            before: Unix seconds.
            is_stamped: only one that has a time stamp will do.
        """
        query = _NEWEST.where(
            CHECKPOINTS.c.made_at < before,
            CHECKPOINTS.c.sequence < AuditLog(self._connection).head().sequence,
        )
        if is_stamped:
            query = query.where(CHECKPOINTS.c.time_stamp.is_not(None))
        row = self._connection.execute(query.limit(1)).first()
        return _checkpoint(row) if row else None

    def mark_pruned(self, up_to: int) -> None:
        """Marks this checkpoint and every one before it: the rows up to it may be deleted from now on."""
        self._connection.execute(
            update(CHECKPOINTS)
            .where(CHECKPOINTS.c.sequence <= up_to, ~CHECKPOINTS.c.is_pruned)
            .values(is_pruned=True)
        )


async def make_checkpoint(store: Store, at: float, actor: str, authority: TimeStampAuthority | None) -> Made:
    """Makes a checkpoint, and has it and those that still wait for it time-stamped by `authority`.

    The checkpoint is kept whatever the authority does; what it does not stamp now is asked for by the next run.

    Raises:
        EmptyLog: the log has no row.
        SQLAlchemyError, OSError: the database cannot do it now.
    """
    checkpoint = await store.write_audited(lambda connection: Checkpoints(connection).make(at, actor))
    if authority is None:
        return Made(checkpoint, (), None)
    waiting = await store.read(lambda connection: Checkpoints(connection).unstamped(MOST_STAMPED_AT_ONCE))
    stamped: list[int] = []
    for each in waiting:
        try:
            await _stamp(store, each, at, actor, authority)
        except NoTimeStamp as trouble:
            return Made(checkpoint, tuple(stamped), str(trouble))
        stamped.append(each.sequence)
    return Made(checkpoint, tuple(stamped), None)


async def _stamp(
    store: Store, checkpoint: Checkpoint, at: float, actor: str, authority: TimeStampAuthority
) -> None:
    time_stamp = await authority.stamp(checkpoint.data)
    await store.write_audited(
        lambda connection: Checkpoints(connection).keep_time_stamp(checkpoint.sequence, time_stamp, at, actor)
    )


def _checkpoint(row: Row[Any]) -> Checkpoint:
    return Checkpoint(**row._mapping)
