"""Batching: everything that waits is done at once, in one transaction or query, and is answered after it.

Of what is written this is known as group commit: a thousand that wait for the disk wait for it together.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from host_tools.service.messages import RefusalReason, Refused

MOST_AT_ONCE = 128
MOST_WAITING = 1024

Item = TypeVar("Item")
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class _Waiting(Generic[Item, Answer]):
    item: Item
    done: asyncio.Future[Answer]


class Batching(Generic[Item, Answer]):
    """One batch is under way at a time; what comes meanwhile is the next.

    Args:
        work: does items, at most 128, at once. Its answers are theirs, in order; an exception among them is raised
            where its item was given, one that it raises itself is raised for all.

    Attributes:
        sizes: how many batches there were of each size.
    """

    def __init__(self, work: Callable[[list[Item]], Awaitable[Sequence[Answer | Exception]]]) -> None:
        self.sizes: Counter[int] = Counter()
        self._work = work
        self._waiting: deque[_Waiting[Item, Answer]] = deque()
        self._worker: asyncio.Task[None] | None = None

    async def do(self, item: Item) -> Answer:
        """The answer to `item`, when its batch is done.

        Raises:
            Refused: `unavailable`, when too much waits; and whatever `work` raises, or answers, of it.
        """
        if len(self._waiting) >= MOST_WAITING:
            raise Refused(RefusalReason.UNAVAILABLE)
        waiting = _Waiting(item, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._do_all())
        answer: Answer = await waiting.done
        return answer

    async def close(self) -> None:
        """Returns when nothing waits any more."""
        if self._worker:
            await self._worker

    async def _do_all(self) -> None:
        while self._waiting:
            together = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_AT_ONCE))]
            self.sizes[len(together)] += 1
            try:
                answers = await self._work([waiting.item for waiting in together])
            except Exception as error:  # noqa: BLE001 - each of those who wait raises it
                answers = [error] * len(together)
            for waiting, answer in zip(together, answers, strict=True):
                _settle(waiting.done, answer)


def _settle(done: asyncio.Future[Answer], answer: Answer | Exception) -> None:
    if done.done():
        return  # who asked has gone
    if isinstance(answer, Exception):
        done.set_exception(answer)
    else:
        done.set_result(answer)
