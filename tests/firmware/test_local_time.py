"""What the clock on the wall shows: from caller ID where it came, else from UTC and what a technician has set."""

from record_in_memory import Record
from star57.calls import CallHistory
from star57.local_time import LocalTime, presented_with
from star57.settings import Settings

NOON_UTC = 1_796_126_400  # 2026-12-01 12:00


class Board:
    def __init__(self, now=NOON_UTC, source="network"):
        self.now = now
        self.source = source

    def wall_time(self):
        return self.now, self.source


def place(*presented, at=NOON_UTC, source="network", offset_minutes=0, board=None):
    """A LocalTime, and its calls, the oldest first; `presented` the date and time of each."""
    calls = CallHistory(Record(), bytes)
    for text in presented:
        calls.caller(calls.first_ring(at, source), {"date_time": text})
    settings = Settings({"utc_offset_minutes": offset_minutes})
    return LocalTime(board or Board(), calls, settings), calls


def test_caller_id_is_taken_as_it_came():
    local_time, calls = place("12010659", offset_minutes=120)
    assert local_time.of_call(calls.last) == (12, 1, 6, 59)


def test_without_it_the_clock_and_the_setting_say_it():
    local_time, calls = place(None, offset_minutes=-330)
    assert local_time.of_call(calls.last) == (12, 1, 6, 30)
    assert local_time.now() == (12, 1, 6, 30)


def test_without_either_nobody_knows():
    local_time, calls = place(None, source="none", board=Board(5, "none"))
    assert local_time.of_call(calls.last) is None
    assert local_time.now() is None


def test_a_call_tells_how_far_the_place_is_from_utc():
    for presented, offset_minutes in (
        ("12010702", -300),  # the exchange's clock is two minutes ahead
        ("12010455", -420),
        ("12011730", 330),
        ("12020159", 840),
        ("11301201", 0),  # more than a zone can be: the exchange's clock is wrong
    ):
        local_time, _ = place(presented)
        assert local_time.offset_minutes == offset_minutes, presented


def test_a_year_ends_between_the_clocks():
    new_year_utc = 1_798_761_600  # 2027-01-01 00:00
    local_time, _ = place("12311900", at=new_year_utc)
    assert local_time.offset_minutes == -300
    assert local_time.at(new_year_utc) == (12, 31, 19, 0)


def test_the_newest_call_counts_that_both_clocks_know():
    local_time, calls = place("12010700", "12010800", None)
    assert local_time.offset_minutes == -240
    calls.caller(calls.first_ring(77, "none"), {"date_time": "12010100"})
    assert local_time.offset_minutes == -240


def test_what_cannot_be_a_date_is_none():
    for text in (
        "",
        "1201",
        "13010000",
        "00010000",
        "02300000",
        "12012400",
        "12010060",
        "1201x000",
        "120100000",
        None,
    ):
        _, calls = place(text)
        assert presented_with(calls.last) is None, text
    _, calls = place("02292359")
    assert presented_with(calls.last) == (2, 29, 23, 59)
