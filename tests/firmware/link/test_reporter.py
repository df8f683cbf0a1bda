"""The reporter: what it reports, when, and the clock that it sets."""

import asyncio
import json

from star57.link.reporter import Reporter


class Board:
    name = "pico"
    version = "0.1.0"
    commit = "0123abc"
    reset_reason = "watchdog"
    lost_total = 160
    underruns = 320

    def take_longest_gap_ms(self):
        return 24

    def __init__(self):
        self.times = []

    def set_wall_time(self, unix_seconds):
        self.times.append(unix_seconds)


class Outbox:
    def __init__(self, count):
        self.pending = [{}] * count


class Link:
    """A host that answers reports with `times`, one each; the last one is for ever."""

    timeout_ms = 50

    def __init__(self, *times):
        self.times = list(times)
        self.reports = []

    async def report(self, report):
        self.reports.append(report)
        await asyncio.sleep_ms(0)
        return self.times.pop(0) if len(self.times) > 1 else self.times[0]


class Reporting:
    """A reporter at work."""

    def __init__(self, *times, shortest_wait_ms=60_000, period_ms=60_000):
        self.board = Board()
        self.link = Link(*times)
        self.reporter = Reporter(self.board, self.link, "adapter-1", Outbox(3), shortest_wait_ms, period_ms)

    async def __aenter__(self):
        self._task = asyncio.create_task(self.reporter.run())
        return self

    async def __aexit__(self, *_):
        assert not self._task.done()
        self._task.cancel()
        await asyncio.sleep_ms(0)

    async def reports(self, count):
        """Waits until so many reports have been sent."""
        while len(self.link.reports) < count:
            await asyncio.sleep_ms(0)


async def waits_of(count, *times):
    """The first `count` waits of a reporter with the periods of the field, in milliseconds."""
    reporting = Reporting(*times, shortest_wait_ms=2000)
    waits_ms = []

    async def wait(wait_ms):
        waits_ms.append(wait_ms)
        await asyncio.sleep_ms(0 if len(waits_ms) < count else 60_000)

    reporting.reporter._wait = wait
    async with reporting:
        while len(waits_ms) < count:
            await asyncio.sleep_ms(0)
    return waits_ms


async def test_the_first_report_goes_at_start_and_sets_the_clock():
    async with Reporting(1767268860) as reporting:
        while not reporting.board.times:
            await asyncio.sleep_ms(0)
        assert len(reporting.link.reports) == 1
        assert reporting.board.times == [1767268860]


async def test_what_is_reported():
    async with Reporting(0) as reporting:
        await reporting.reports(1)
        report = reporting.link.reports[0]
        assert report.pop("free_heap_bytes") > 0
        assert report == {
            "message": "report",
            "version": 1,
            "adapter_id": "adapter-1",
            "board": "pico",
            "firmware": "0.1.0",
            "commit": "0123abc",
            "reset_reason": "watchdog",
            "uptime_s": 0,
            "lost_samples": 160,
            "underruns": 320,
            "longest_gap_ms": 24,
            "outbox": 3,
        }


async def test_a_report_has_the_fields_of_the_protocol():
    async with Reporting(0) as reporting:
        await reporting.reports(1)
        with open("docs/vectors/serial.json") as file:
            vector = json.load(file)["reports"]["valid"][0]
        assert set(reporting.link.reports[0]) == set(json.loads(vector["body"]))


async def test_a_report_a_period():
    assert await waits_of(3, 1767268860) == [60_000, 60_000, 60_000]


async def test_without_an_answer_the_next_reports_come_sooner():
    assert await waits_of(7, None) == [2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]


async def test_an_answer_makes_the_waits_as_at_first():
    assert await waits_of(6, None, None, 1767268860, None) == [2000, 4000, 60_000, 2000, 4000, 8000]


async def test_no_answer_sets_no_clock():
    async with Reporting(None, shortest_wait_ms=1, period_ms=2) as reporting:
        await reporting.reports(3)
        assert reporting.board.times == []


async def test_the_uptime_is_added_up_from_report_to_report():
    async with Reporting(0, period_ms=1) as reporting:
        reporting.reporter._uptime_ms = 123_456_789_000
        await reporting.reports(2)
        assert reporting.link.reports[-1]["uptime_s"] == 123_456_789
        assert reporting.reporter._uptime_ms > 123_456_789_000


async def test_the_reporter_checks_in_while_it_lives():
    async with Reporting(None, shortest_wait_ms=10, period_ms=10) as reporting:
        await reporting.reports(1)
        assert reporting.reporter.checked_in()
        reporting.reporter._promise(-60_000)
        assert not reporting.reporter.checked_in()
        await reporting.reports(3)
        assert reporting.reporter.checked_in()
