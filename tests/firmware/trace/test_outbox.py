"""The outbox: nothing lost, nothing sent twice, whatever is on flash."""

import asyncio
import json

from record_in_memory import Record
from star57.storage import StorageError
from star57.trace.outbox import Outbox, OutboxFull

ANSWER = {"outcome": "traced", "trace_id": "T-00000001", "charge_cents": 500, "action_open": False}


def request(number):
    return {
        "request_id": "{:032x}".format(number),
        "call": {"call_id": "{:016x}".format(number), "caller_id": {"number": "5555550123"}},
    }


def identity(number):
    return "{:032x}".format(number)


def ids(outbox):
    return [pending["request_id"] for pending in outbox.pending]


def refuses(error, function, *arguments):
    try:
        function(*arguments)
    except error:
        return True
    return False


def test_a_new_outbox_is_empty():
    outbox = Outbox(Record())
    assert outbox.pending == []
    assert outbox.faults == 0
    assert outbox.answer_for(identity(1)) is None
    assert outbox.request_for_call("{:016x}".format(1)) is None


def test_the_newest_request_is_known_with_its_answer():
    outbox = Outbox(Record())
    assert outbox.newest is None
    outbox.add(request(2))
    outbox.add(request(1))
    assert outbox.newest == (identity(1), None)
    outbox.settle(identity(2), ANSWER)
    assert outbox.newest == (identity(1), None)
    outbox.settle(identity(1), ANSWER)
    assert outbox.newest == (identity(1), ANSWER)


def test_an_answer_that_has_come_is_told_once_with_its_call():
    settled = []
    outbox = Outbox(Record(), settled=lambda call_id, answer: settled.append((call_id, answer)))
    outbox.add(request(5))
    outbox.settle(identity(4), ANSWER)
    for _ in range(2):
        outbox.settle(identity(5), ANSWER)
    assert settled == [("{:016x}".format(5), ANSWER)]


def test_what_was_added_is_on_flash_when_add_returns():
    record = Record()
    outbox = Outbox(record)
    for number in (3, 1, 2):
        outbox.add(request(number))
        assert outbox.added.is_set()
        assert Outbox(record).pending == outbox.pending
    assert ids(outbox) == [identity(3), identity(1), identity(2)]
    assert outbox.pending[0] == request(3)


def test_adding_twice_changes_nothing():
    record = Record()
    outbox = Outbox(record)
    outbox.add(request(1))
    outbox.add(request(1))
    outbox.settle(identity(1), ANSWER)
    outbox.add(request(1))
    assert outbox.pending == []
    assert record.writes == 2


def test_settling_keeps_the_first_answer_and_forgets_who_called():
    record = Record()
    outbox = Outbox(record)
    outbox.add(request(1))
    outbox.settle(identity(1), ANSWER)
    outbox.settle(identity(1), dict(ANSWER, outcome="not_traceable", trace_id=None, charge_cents=0))
    outbox.settle(identity(9), ANSWER)
    assert record.writes == 2
    assert b"5555550123" not in record.payload
    again = Outbox(record)
    assert again.pending == []
    assert again.answer_for(identity(1)) == ANSWER
    assert again.request_for_call("{:016x}".format(1)) == identity(1)


def test_a_pending_request_never_makes_room():
    record = Record()
    outbox = Outbox(record)
    for number in range(16):
        outbox.add(request(number))
    assert refuses(OutboxFull, outbox.add, request(16))
    assert ids(Outbox(record)) == [identity(number) for number in range(16)]


def test_the_oldest_settled_one_makes_room():
    record = Record()
    outbox = Outbox(record)
    for number in range(16):
        outbox.add(request(number))
    outbox.settle(identity(9), ANSWER)
    outbox.settle(identity(4), ANSWER)
    outbox.add(request(16))
    assert outbox.answer_for(identity(4)) is None
    assert outbox.answer_for(identity(9)) == ANSWER
    outbox.add(request(17))
    assert outbox.answer_for(identity(9)) is None
    assert refuses(OutboxFull, outbox.add, request(18))
    assert ids(Outbox(record)) == [identity(number) for number in range(18) if number not in (4, 9)]


def untold(outbox):
    return [request_id for request_id, _, _ in outbox.untold()]


def test_an_answer_is_untold_until_it_is_told_also_after_a_restart():
    record = Record()
    outbox = Outbox(record)
    for number in (2, 1, 3):
        outbox.add(request(number))
    assert outbox.untold() == []
    outbox.settle(identity(1), ANSWER)
    outbox.settle(identity(2), ANSWER)
    assert outbox.untold() == [(identity(number), "{:016x}".format(number), ANSWER) for number in (2, 1)]
    assert Outbox(record).untold() == outbox.untold()
    outbox.tell(identity(2))
    assert untold(outbox) == untold(Outbox(record)) == [identity(1)]
    outbox.tell(identity(1))
    assert Outbox(record).untold() == []
    assert Outbox(record).answer_for(identity(1)) == ANSWER


def test_what_is_pending_unknown_or_told_before_costs_no_write():
    record = Record()
    outbox = Outbox(record)
    outbox.add(request(1))
    outbox.tell(identity(1))
    outbox.tell(identity(9))
    assert record.writes == 1
    outbox.settle(identity(1), ANSWER)
    assert untold(outbox) == [identity(1)]
    outbox.tell(identity(1))
    outbox.tell(identity(1))
    assert record.writes == 3


def test_a_mark_that_cannot_be_written_holds_until_the_power_goes():
    record = Record()
    outbox = Outbox(record)
    outbox.add(request(1))
    outbox.settle(identity(1), ANSWER)
    record.broken = True
    outbox.tell(identity(1))
    assert outbox.untold() == []
    assert outbox.faults == 1
    assert untold(Outbox(record)) == [identity(1)]


def test_a_record_of_before_counts_its_answers_as_told():
    entries = [{"request": request(1), "answer": ANSWER}, {"request": request(2), "answer": None}]
    outbox = Outbox(Record(json.dumps(entries).encode()))
    assert outbox.faults == 0
    assert outbox.untold() == []
    outbox.settle(identity(2), ANSWER)
    assert untold(outbox) == [identity(2)]


def test_an_answer_of_before_opens_no_way_to_action():
    before = {"outcome": "traced", "trace_id": "T-00000001", "charge_cents": 500}
    entry = {"request": request(1), "answer": before, "told": False}
    outbox = Outbox(Record(json.dumps([entry]).encode()))
    assert outbox.faults == 0
    assert outbox.answer_for(identity(1)) == ANSWER
    assert untold(outbox) == [identity(1)]


def test_an_answer_that_opens_the_way_to_action_does_so_after_a_restart():
    record = Record()
    outbox = Outbox(record)
    outbox.add(request(1))
    outbox.settle(identity(1), dict(ANSWER, action_open=True))
    assert Outbox(record).answer_for(identity(1))["action_open"] is True


def test_what_was_told_makes_room_before_what_was_not():
    record = Record()
    outbox = Outbox(record)
    for number in range(16):
        outbox.add(request(number))
    for number in (3, 4, 5, 6):
        outbox.settle(identity(number), ANSWER)
    outbox.tell(identity(6))
    outbox.tell(identity(5))
    gone = (5, 6, 3, 4)
    for number in range(4):
        outbox.add(request(16 + number))
        assert [kept for kept in (3, 4, 5, 6) if outbox.answer_for(identity(kept))] == sorted(
            gone[number + 1 :]
        )
    assert refuses(OutboxFull, outbox.add, request(20))
    assert len(Outbox(record).pending) == 16


def test_a_request_that_cannot_be_written_is_not_kept():
    record = Record()
    outbox = Outbox(record)
    outbox.add(request(1))
    outbox.added.clear()
    record.broken = True
    assert refuses(StorageError, outbox.add, request(2))
    assert ids(outbox) == [identity(1)]
    assert not outbox.added.is_set()
    record.broken = False
    outbox.add(request(2))
    assert ids(Outbox(record)) == [identity(1), identity(2)]


def test_an_answer_that_cannot_be_written_holds_until_the_power_goes():
    record = Record()
    outbox = Outbox(record)
    outbox.add(request(1))
    record.broken = True
    outbox.settle(identity(1), ANSWER)
    assert outbox.answer_for(identity(1)) == ANSWER
    assert outbox.faults == 1
    assert ids(Outbox(record)) == [identity(1)]


def test_hostile_flash_gives_an_empty_outbox():
    good = {"request": request(1), "answer": None}
    hostile = [
        b"",
        b"\x00\xff\xfe",
        b"null",
        b"{}",
        b"7",
        b"[" * 5000,
        json.dumps([good]).encode()[:-20],
        json.dumps([good, None]).encode(),
        json.dumps([good, {}]).encode(),
        json.dumps([{"request": None, "answer": None}]).encode(),
        json.dumps([{"request": {"request_id": 1, "call": {"call_id": ""}}, "answer": None}]).encode(),
        json.dumps([{"request": {"request_id": "1", "call": None}, "answer": None}]).encode(),
        json.dumps([{"request": {"request_id": "1", "call": {}}, "answer": None}]).encode(),
        json.dumps([{"request": request(1), "answer": 1}]).encode(),
        json.dumps([{"request": request(1), "answer": {"outcome": None, "charge_cents": 0}}]).encode(),
        json.dumps([{"request": request(1), "answer": {"outcome": "traced"}}]).encode(),
        json.dumps([{"request": request(1), "answer": dict(ANSWER, action_open=1)}]).encode(),
        json.dumps([{"request": request(1), "answer": None, "more": 1}]).encode(),
        json.dumps([{"request": request(1), "answer": None, "told": 1}]).encode(),
    ]
    for payload in hostile:
        outbox = Outbox(Record(payload))
        assert outbox.pending == [], payload
        assert outbox.faults == 1, payload
        outbox.add(request(2))
        assert ids(outbox) == [identity(2)]


def test_flash_with_one_byte_changed_never_raises():
    record = Record()
    outbox = Outbox(record)
    outbox.add(request(1))
    outbox.add(request(2))
    outbox.settle(identity(1), ANSWER)
    for place in range(len(record.payload)):
        for value in (0, 0x22, 0x5D, 0x7B, 0xFF):
            payload = bytearray(record.payload)
            payload[place] = value
            damaged = Outbox(Record(bytes(payload)))
            assert len(damaged.pending) + damaged.faults <= 2


async def test_an_answer_wakes_everyone_who_waits_for_it():
    outbox = Outbox(Record())
    outbox.add(request(1))
    outbox.add(request(2))
    first = asyncio.create_task(outbox.answered(identity(1), 2000))
    second = asyncio.create_task(outbox.answered(identity(1), 2000))
    other = asyncio.create_task(outbox.answered(identity(2), 30))
    await asyncio.sleep_ms(1)
    outbox.settle(identity(1), ANSWER)
    assert await first == ANSWER
    assert await second == ANSWER
    assert await other is None
    assert await outbox.answered(identity(1), 0) == ANSWER
    assert await outbox.answered(identity(9), 2000) is None


def timed(number, at, requested_at, time_source="none"):
    message = request(number)
    message["call"]["at"] = at
    message["requested_at"] = requested_at
    message["time_source"] = time_source
    return message


def times(outbox):
    return [(kept["call"]["at"], kept["requested_at"], kept["time_source"]) for kept in outbox.pending]


def test_requests_since_this_start_get_their_time_when_the_clock_is_set():
    record = Record()
    outbox = Outbox(record)
    outbox.add(timed(1, 100, 130))
    assert outbox.clock_wanted.is_set()
    assert outbox.awaits_clock(identity(1))
    outbox.added.clear()
    outbox.clock_set(1_795_000_000)
    assert not outbox.awaits_clock(identity(1))
    assert outbox.added.is_set()
    assert times(outbox) == [(1_795_000_100, 1_795_000_130, "network")]
    assert Outbox(record).pending == outbox.pending
    outbox.clock_set(7)
    assert times(outbox) == [(1_795_000_100, 1_795_000_130, "network")]


def test_requests_from_before_a_restart_keep_what_they_have():
    record = Record()
    Outbox(record).add(timed(1, 100, 130))
    again = Outbox(record)
    assert not again.awaits_clock(identity(1))
    again.clock_set(1_795_000_000)
    assert times(again) == [(100, 130, "none")]


def test_a_call_of_which_no_time_is_known_stays_one():
    outbox = Outbox(Record())
    outbox.add(timed(1, 0xFFFFFFFF, 130))
    assert not outbox.awaits_clock(identity(1))
    outbox.clock_set(1_795_000_000)
    assert times(outbox) == [(0xFFFFFFFF, 130, "none")]


def test_a_call_by_a_clock_that_was_right_keeps_its_time():
    """The adapter has started again since the call; the request was made without a clock."""
    outbox = Outbox(Record())
    outbox.add(timed(1, 1_794_999_000, 130))
    outbox.clock_set(1_795_000_000)
    assert times(outbox) == [(1_794_999_000, 1_795_000_130, "network")]


def test_a_service_without_a_clock_keeps_no_request_waiting():
    outbox = Outbox(Record())
    outbox.add(timed(1, 100, 130))
    outbox.clock_unknown()
    assert not outbox.awaits_clock(identity(1))
    assert times(outbox) == [(100, 130, "none")]
