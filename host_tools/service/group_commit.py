"""Group commit: everything that waits to be written goes to the disk in one transaction, and is answered after it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import repeat
from typing import Any, TypeVar

from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError

from host_tools.service.messages import RefusalReason, Refused
from host_tools.service.records import Ledger, Records

MOST_AT_ONCE = 128
MOST_WAITING = 1024

Answered = TypeVar("Answered")
Work = Callable[[Ledger], Any]


@dataclass(frozen=True)
class _Item:
    work: Work
    done: asyncio.Future[Any]


class GroupCommit:
    """The one writer of this process; others may write the same database beside it.

    A work that raises is undone alone, and raises where it was asked for; when the database itself fails, everything
    that was written with it is undone, and raises.
    """

    def __init__(self, records: Records) -> None:
        self._records = records
        self._waiting: deque[_Item] = deque()
        self._thread = ThreadPoolExecutor(1, "group-commit")
        self._writer: asyncio.Task[None] | None = None

    async def write(self, work: Callable[[Ledger], Answered]) -> Answered:
        """What `work` answers, when it is on the disk. It is called in a thread, within a transaction.

        Raises:
            Refused: `unavailable`, when too much waits; and whatever `work` raises.
            SQLAlchemyError: the database cannot do it now.
        """
        if len(self._waiting) >= MOST_WAITING:
            raise Refused(RefusalReason.UNAVAILABLE)
        item = _Item(work, asyncio.get_running_loop().create_future())
        self._waiting.append(item)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_all())
        answered: Answered = await item.done
        return answered

    async def close(self) -> None:
        """Returns when nothing waits any more."""
        if self._writer:
            await self._writer
        self._thread.shutdown()

    async def _write_all(self) -> None:
        while self._waiting:
            items = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_AT_ONCE))]
            commit = asyncio.get_running_loop().run_in_executor(self._thread, self._commit, items)
            await asyncio.wait([commit])
            failed = commit.exception()
            outcomes = repeat(failed, len(items)) if failed else commit.result()
            for item, outcome in zip(items, outcomes, strict=True):
                _settle(item.done, outcome)

    def _commit(self, items: list[_Item]) -> list[Any]:
        with self._records.transaction() as connection:
            return [_outcome(connection, item.work) for item in items]


def _outcome(connection: Connection, work: Work) -> Any:
    """What `work` answers, or the exception that it raised."""
    try:
        with connection.begin_nested():
            return work(Ledger(connection))
    except OperationalError:
        raise  # SQLite may have ended the transaction: nothing in it is certain
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one, its neighbours are written
        return error


def _settle(done: asyncio.Future[Any], outcome: Any) -> None:
    if done.done():
        return  # who asked has gone
    if isinstance(outcome, BaseException):
        done.set_exception(outcome)
    else:
        done.set_result(outcome)
