"""Batching: what waits is done at once, and each is answered for itself."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from host_tools.service import batching as batching_module
from host_tools.service.batching import Batching
from host_tools.service.messages import Refused


class Disk:
    """Writes numbers, and says how many it wrote at once; what is below 0 fails alone, and `breaks` all of it."""

    def __init__(self) -> None:
        self.written: list[list[int]] = []
        self.breaks: Exception | None = None
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()

    async def commit(self, numbers: list[int]) -> Sequence[str | Exception]:
        await self.may_go_on.wait()
        if self.breaks is not None:
            raise self.breaks
        self.written.append(numbers)
        return [KeyError(number) if number < 0 else f"{number} is written" for number in numbers]


@pytest.fixture
async def disk() -> Disk:
    return Disk()


@pytest.fixture
def batching(disk: Disk) -> Batching[int, str]:
    return Batching(disk.commit)


async def test_what_waits_is_written_at_once(disk: Disk, batching: Batching[int, str]) -> None:
    answers = await asyncio.gather(*(batching.do(number) for number in range(100)))
    assert answers == [f"{number} is written" for number in range(100)]
    assert disk.written == [list(range(100))]


async def test_what_comes_meanwhile_is_the_next(disk: Disk, batching: Batching[int, str]) -> None:
    disk.may_go_on.clear()
    first = asyncio.create_task(batching.do(1))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    others = [asyncio.create_task(batching.do(number)) for number in (2, 3, 4)]
    await asyncio.sleep(0)
    disk.may_go_on.set()
    await asyncio.gather(first, *others)
    assert disk.written == [[1], [2, 3, 4]]


async def test_at_most_so_many_at_once(
    disk: Disk, batching: Batching[int, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batching_module, "MOST_AT_ONCE", 10)
    await asyncio.gather(*(batching.do(number) for number in range(25)))
    assert [len(numbers) for numbers in disk.written] == [10, 10, 5]


async def test_one_that_fails_fails_alone(batching: Batching[int, str]) -> None:
    outcomes = await asyncio.gather(*map(batching.do, (1, -1, 2)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [str, KeyError, str]


async def test_when_the_commit_fails_all_fail_and_the_next_is_written(
    disk: Disk, batching: Batching[int, str]
) -> None:
    disk.breaks = OSError("no space left")
    outcomes = await asyncio.gather(*map(batching.do, (1, 2)), return_exceptions=True)
    assert outcomes == [disk.breaks] * 2
    disk.breaks = None
    assert await batching.do(3) == "3 is written"


async def test_too_much_that_waits_is_refused(
    batching: Batching[int, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batching_module, "MOST_WAITING", 2)
    outcomes = await asyncio.gather(*map(batching.do, (1, 2, 3)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [str, str, Refused]


async def test_who_has_gone_leaves_its_work(disk: Disk, batching: Batching[int, str]) -> None:
    gone = asyncio.create_task(batching.do(1))
    await asyncio.sleep(0)
    gone.cancel()
    await batching.do(2)
    assert sorted(number for numbers in disk.written for number in numbers) == [1, 2]


async def test_closing_writes_what_waits(disk: Disk, batching: Batching[int, str]) -> None:
    waiting = asyncio.create_task(batching.do(1))
    await asyncio.sleep(0)
    await batching.close()
    assert await waiting == "1 is written"
    assert disk.written == [[1]]
