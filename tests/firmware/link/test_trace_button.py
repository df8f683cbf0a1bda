"""The trace button: only where the household wants it, only the last call, once; and what became of it."""

from record_in_memory import Record
from star57.calls import CallHistory
from star57.household import Household
from star57.link.trace_button import NOT_LAST, SWITCHED_OFF, TraceButton
from star57.settings import Settings
from star57.storage import StorageError
from star57.trace.outbox import Outbox
from star57.trace.outcomes import (
    NO_CALL,
    NOT_OFFERED,
    NOT_TRACEABLE,
    STORE_FAILED,
    STORE_FULL,
    STORED,
    TRACED,
)

ANSWER = {"outcome": TRACED, "trace_id": "T-00000001", "charge_cents": 500, "action_open": False}


class Board:
    def __init__(self):
        self._given = 0

    def wall_time(self):
        return 1_767_268_860, "network"

    def random_bytes(self, count):
        self._given += 1
        return bytes([self._given]) * count


class FullFlash:
    def read(self):
        return None

    def write(self, payload):
        raise StorageError("full")


class House:
    """A button in a household with one call, that came from 5555550123."""

    def __init__(self, calls=1, outbox=None, **values):
        board = Board()
        values = dict({"trace_button": True, "line": "5555550100"}, **values)
        self.calls = CallHistory(Record(), board.random_bytes)
        for _ in range(calls):
            self.calls.caller(self.calls.first_ring(1_767_268_800, "network"), {"number": "5555550123"})
        self.outbox = outbox or Outbox(Record())
        self.household = Household(Record())
        self.button = TraceButton(Settings(values), self.calls, self.outbox, self.household, board)

    def press(self):
        return self.button.press(self.calls.last.call_id)

    def settle(self, **answer):
        self.outbox.settle(self.outbox.pending[0]["request_id"], dict(ANSWER, **answer))


def test_a_press_keeps_the_request_that_the_trace_code_would():
    house = House()
    assert house.press() == STORED
    (request,) = house.outbox.pending
    assert request["message"] == "trace_request"
    assert request["line"] == "5555550100"
    assert request["call"]["call_id"] == house.calls.last.call_id
    assert request["call"]["caller_id"]["number"] == "5555550123"
    assert (request["requested_at"], request["time_source"]) == (1_767_268_860, "network")


def test_a_press_counts_among_the_traces_of_the_household():
    """What is charged is told behind *52, too."""
    house = House()
    house.press()
    house.press()
    (request,) = house.outbox.pending
    assert house.household.traces == []
    house.household.settled(request["request_id"], made=True)
    assert house.household.traces == [1_767_268_860]


def test_a_second_press_asks_nothing_new():
    house = House()
    assert [house.press(), house.press()] == [STORED, STORED]
    assert len(house.outbox.pending) == 1


def test_what_the_service_has_answered_is_known():
    house = House()
    house.press()
    house.settle()
    assert house.press() == TRACED
    assert house.outbox.pending == []
    # The telephone tells of it too: who pressed need not be who pays.
    assert len(house.outbox.untold()) == 1


def test_a_trace_that_was_dialled_counts():
    house = House()
    house.calls.traced(house.calls.last.call_id, NOT_TRACEABLE)
    assert house.press() == NOT_TRACEABLE
    assert house.outbox.pending == []


def test_only_the_last_call_is_traced():
    house = House(calls=2)
    assert house.button.press("0123456789abcdef") == NOT_LAST
    assert house.outbox.pending == []


def test_nothing_is_traced_where_the_household_does_not_want_the_button():
    house = House(trace_button=False)
    assert house.press() == SWITCHED_OFF
    assert house.outbox.pending == []


def test_nothing_is_traced_on_a_line_without_trace():
    house = House(trace_offered=False)
    assert house.press() == NOT_OFFERED
    assert house.outbox.pending == []


def test_without_a_call_there_is_nothing_to_trace():
    assert House(calls=0).button.press("0123456789abcdef") == NO_CALL


def test_a_request_that_cannot_be_kept_is_not_made():
    house = House(outbox=Outbox(FullFlash()))
    assert house.press() == STORE_FAILED
    assert house.household.traces == []


def test_a_full_outbox_is_told():
    house = House(outbox=Outbox(Record(), capacity=1))
    house.press()
    house.calls.first_ring(1_767_268_900, "network")
    assert house.press() == STORE_FULL
