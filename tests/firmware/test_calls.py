"""The last calls: identity, bounds, and what is on flash."""

from record_in_memory import Record
from star57.calls import CallHistory


class Random:
    """Bytes that never repeat."""

    def __init__(self):
        self.count = 0

    def __call__(self, count):
        self.count += 1
        return bytes([self.count] * count)


def test_a_call_keeps_its_identity_and_all_that_is_known_of_it():
    record = Record()
    calls = CallHistory(record, Random())
    call = calls.first_ring(1000, "network")
    calls.ring(call)
    calls.caller(call, {"number": "5555550123", "name": "A CALLER", "unknown": [[1, "00"]]})
    calls.answered(call)
    calls.save()
    again = CallHistory(record, Random()).last
    assert again.__dict__ == call.__dict__
    assert again.call_id == "01" * 8
    assert (again.rings, again.answered, again.caller_id["number"]) == (1, True, "5555550123")


def test_a_waiting_call_is_the_last():
    calls = CallHistory(Record(), Random())
    calls.first_ring(1, "none")
    waiting = calls.call_waiting(2, "none")
    assert calls.last is waiting
    assert waiting.call_waiting


def test_only_the_newest_are_kept():
    record = Record()
    calls = CallHistory(record, Random(), capacity=3)
    for at in range(5):
        calls.first_ring(at, "network")
    calls.save()
    again = CallHistory(record, Random(), capacity=3)
    assert again.last.at == 4
    assert len(again._calls) == 3


def test_what_the_line_presents_is_bounded():
    calls = CallHistory(Record(), Random())
    call = calls.first_ring(1, "network")
    for _ in range(300):
        calls.ring(call)
    calls.caller(call, {"number": "5" * 253, "name": 7})
    assert call.rings == 255
    assert len(call.caller_id["number"]) == 64
    assert call.caller_id["name"] is None


def test_an_outcome_is_marked_on_its_call_only():
    calls = CallHistory(Record(), Random())
    first = calls.first_ring(1, "network")
    calls.first_ring(2, "network")
    assert calls.traced(first.call_id, "traced")
    assert not calls.traced(first.call_id, "traced")
    assert not calls.traced("ff" * 8, "traced")
    assert first.trace_outcome == "traced"
    assert calls.call(first.call_id) is first
    assert calls.call("ff" * 8) is None
    assert calls.newest_first[-1] is first
    assert calls.newest_first[0] is calls.last
    assert calls.last.trace_outcome is None


def test_content_that_is_no_history_is_an_empty_one():
    good = b'{"call_id": "00", "at": 1, "time_source": "none", "rings": 0, "answered": false, "call_waiting": false'
    rows = (b'"at": "1"', b'"rings": null', b'"answered": 1', b'"caller_id": 5', b'"trace_outcome": []')
    hostile = [
        b"",
        b"\xff\xfe",
        b"null",
        b"5",
        b'"text"',
        b"{}",
        b"[5]",
        b"[[]]",
        b"[{}]",
        b"[" * 50,
        b"[" + good + b"}]",
    ]
    hostile += [b"[" + good + b', "caller_id": null, "trace_outcome": null, ' + row + b"}]" for row in rows]
    for payload in hostile:
        calls = CallHistory(Record(payload), Random())
        assert calls.last is None, payload
        calls.first_ring(1, "none")
        calls.save()


def test_calls_get_their_time_when_the_clock_is_set():
    record = Record()
    calls = CallHistory(record, Random())
    calls.first_ring(100, "none")
    calls.call_waiting(160, "none")
    assert calls.clock_set(1_795_000_000)
    third = calls.first_ring(1_795_000_200, "network")
    assert not calls.clock_set(7)
    assert [(call.at, call.time_source) for call in calls._calls] == [
        (1_795_000_100, "network"),
        (1_795_000_160, "network"),
        (third.at, "network"),
    ]


def test_of_a_call_before_a_restart_without_a_clock_no_time_is_known():
    record = Record()
    calls = CallHistory(record, Random())
    calls.first_ring(100, "none")
    calls.save()
    again = CallHistory(record, Random())
    assert (again.last.at, again.last.time_source) == (0xFFFFFFFF, "none")
    again.clock_set(1_795_000_000)
    assert (again.last.at, again.last.time_source) == (0xFFFFFFFF, "none")
