"""Call reports: each call is reported once it is over, and anew when it was traced; none is lost."""

import asyncio
import json

from answering import ADAPTER_ID, KEY, Carrier, Counted, answer, refusal
from record_in_memory import Record
from star57.calls import UNKNOWN, Call, CallHistory
from star57.line.state import DIALLING, IDLE, IN_CALL, RINGING
from star57.link import message
from star57.link.call_reports import CallReports
from star57.link.correspondent import Correspondent
from star57.link.error import LinkError
from star57.link.message import MessageError
from star57.link.signed import Signer
from star57.settings import Settings

LINE = "5555550100"
ANSWER = {"message": "call_report_answer", "version": 1}

with open("docs/vectors/call_report.json") as file:
    VECTORS = json.load(file)


def taken(sequence, _report):
    return 200, answer(sequence, ANSWER)


def refused(reason, status=400):
    return lambda sequence, _report: (status, answer(sequence, refusal(reason)))


def body_of(vector):
    body = vector["body"].encode()
    return body + b" " * (vector.get("pad_to", 0) - len(body))


class Outbox:
    def __init__(self):
        self.pending = []


class Line:
    """An adapter's line with a log of its calls, `link` behind it; a new one on the same flash is what a restart is."""

    def __init__(self, *script, record=None, calls_record=None, idle_ms=1, **values):
        self.link = Carrier(*(script or (taken,)))
        self.settings = Settings(dict({"adapter_id": ADAPTER_ID, "line": LINE, "call_log": True}, **values))
        self.record = record or Record()
        self.calls_record = calls_record or Record()
        self.outbox = Outbox()
        self.logged = []
        self._count = 0
        self.calls = CallHistory(self.calls_record, self._random)
        correspondent = Correspondent(Signer(ADAPTER_ID, KEY), Counted(), (self.link,), lambda line: None)
        self.reports = CallReports(
            self.settings,
            self.calls,
            self.record,
            correspondent,
            self.outbox,
            self.logged.append,
            idle_ms=idle_ms,
            longest_wait_ms=8,
        )

    def _random(self, count):
        self._count += 1
        return self._count.to_bytes(count, "big")

    def rings(self, at=1767268800, time_source="network"):
        call = self.calls.first_ring(at, time_source)
        self.reports.line(RINGING)
        self.reports.call(call, "ringing")
        return call

    def ends(self, call):
        self.calls.save()
        self.reports.call(call, "ended")
        self.reports.line(IDLE)

    def has_call(self, **when):
        call = self.rings(**when)
        self.ends(call)
        return call

    def traced(self, call, outcome="traced"):
        self.calls.traced(call.call_id, outcome)
        self.reports.call(call, "traced")

    def restarted(self, *script, **values):
        return Line(*script, record=self.record, calls_record=self.calls_record, **values)

    @property
    def told(self):
        return [(report["call"]["call_id"], report["trace_outcome"]) for report in self.link.asked]

    @property
    def kept(self):
        return json.loads(self.record.payload) if self.record.payload else []

    async def goes_on(self, for_ms=40, until=None):
        task = asyncio.create_task(self.reports.run())
        for _ in range(for_ms):
            await asyncio.sleep_ms(1)
            if until is not None and until():
                break
        assert not task.done()
        assert self.reports.checked_in()
        task.cancel()
        await asyncio.sleep_ms(0)


def call_of(fields):
    call = Call(fields["call_id"], fields["at"], fields["time_source"])
    for name in ("rings", "answered", "call_waiting", "caller_id", "trace_outcome"):
        setattr(call, name, fields[name])
    return call


def test_a_report_is_as_in_the_vectors():
    for vector in VECTORS["call_reports"]["valid"]:
        line = Line(adapter_id=vector.get("adapter_id", ADAPTER_ID), line=vector.get("line", LINE))
        question = line.reports._question(call_of(vector["call"]))
        assert question == json.loads(vector["body"]), vector["name"]
        message.encode(question)


def test_answers_are_taken_or_refused_as_in_the_vectors():
    for vector in VECTORS["call_report_answers"]["valid"]:
        message.decode_call_report_answer(body_of(vector))
    for vector in VECTORS["call_report_answers"]["invalid"]:
        try:
            message.decode_call_report_answer(body_of(vector))
        except MessageError as fault:
            assert fault.reason == vector["error"], vector["name"]
        else:
            raise AssertionError(vector["name"])


async def test_a_call_is_reported_when_it_is_over_and_then_forgotten():
    line = Line()
    call = line.rings()
    await line.goes_on()
    assert line.told == []
    assert line.kept == [call.call_id]
    line.ends(call)
    await line.goes_on()
    assert line.told == [(call.call_id, None)]
    assert line.kept == []
    await line.goes_on()
    assert len(line.told) == 1


async def test_a_call_that_is_traced_later_is_reported_anew():
    line = Line()
    call = line.has_call()
    await line.goes_on(until=lambda: not line.kept)
    line.traced(call, "not_traceable")
    await line.goes_on(until=lambda: not line.kept)
    assert line.told == [(call.call_id, None), (call.call_id, "not_traceable")]


async def test_a_call_that_is_traced_while_it_is_reported_is_reported_anew():
    line = Line()

    def traced_meanwhile(sequence, report):
        line.traced(call)
        return taken(sequence, report)

    call = line.has_call()
    line.link.script = [traced_meanwhile, taken]
    await line.goes_on()
    assert line.told == [(call.call_id, None), (call.call_id, "traced")]
    assert line.kept == []


async def test_nothing_is_kept_or_sent_without_the_setting_or_without_a_line():
    for values in ({"call_log": False}, {"line": ""}):
        line = Line(**values)
        line.has_call()
        await line.goes_on()
        assert line.told == []
        assert line.record.writes == 0


async def test_the_log_that_is_switched_off_is_forgotten_and_switched_on_begins_anew():
    line = Line(LinkError("refused"))
    line.has_call()
    await line.goes_on()
    assert len(line.kept) == 1
    line.settings.call_log = False
    asked = len(line.told)
    line.has_call()
    await line.goes_on()
    assert line.kept == []
    assert len(line.told) == asked
    line.settings.call_log = True
    line.link.script = [taken]
    later = line.has_call()
    await line.goes_on()
    assert line.told[asked:] == [(later.call_id, None)]


async def test_a_line_that_is_busy_and_a_request_that_waits_go_first():
    line = Line()
    call = line.has_call()
    line.outbox.pending = ["request"]
    await line.goes_on()
    assert line.told == []
    line.outbox.pending = []
    for state in (DIALLING, IN_CALL):
        line.reports.line(state)
        await line.goes_on()
        assert line.told == []
    line.reports.line(IDLE)
    await line.goes_on()
    assert line.told == [(call.call_id, None)]


async def test_a_household_that_lifts_at_once_is_not_in_the_way_of_its_own_trace():
    line = Line(idle_ms=30)
    call = line.has_call()
    await line.goes_on(for_ms=15)
    line.reports.line(DIALLING)
    await line.goes_on(for_ms=60)
    assert line.told == []
    line.traced(call)
    line.reports.line(IDLE)
    await line.goes_on(for_ms=150, until=lambda: line.told)
    assert line.told == [(call.call_id, "traced")]


async def test_a_link_that_fails_loses_nothing_and_waits_double():
    line = Line(*[LinkError(reason) for reason in ("refused", "timeout", "garbage", "closed")], taken)
    call = line.has_call()
    await line.goes_on(for_ms=100, until=lambda: not line.kept)
    assert line.told == [(call.call_id, None)] * 5


async def test_a_refusal_for_now_is_tried_again():
    for reason, status in (("unavailable", 503), ("unknown_adapter", 403)):
        line = Line(refused(reason, status), taken)
        line.has_call()
        await line.goes_on(until=lambda: not line.kept)
        assert len(line.told) == 2
        assert line.kept == []


async def test_a_service_of_before_is_asked_once_and_again_after_a_restart():
    line = Line(refused("malformed"))
    calls = [line.has_call(), line.has_call()]
    await line.goes_on()
    assert line.told == [(calls[0].call_id, None)]
    assert line.logged == ["call log: the service takes no reports"]
    line.has_call()
    await line.goes_on()
    assert len(line.told) == 1
    assert len(line.kept) == 3
    again = line.restarted()
    await again.goes_on()
    assert len(again.told) == 3
    assert again.kept == []


async def test_one_that_is_too_large_is_not_in_the_way_of_the_next():
    line = Line(refused("too_large", 413), taken)
    line.has_call()
    later = line.has_call()
    await line.goes_on()
    assert line.told[-1] == (later.call_id, None)
    assert line.kept == []


async def test_a_power_cut_at_any_moment_loses_no_call():
    line = Line()
    ringing = line.rings()
    line.calls.save()
    again = line.restarted(LinkError("refused"))
    await again.goes_on(until=lambda: again.told)
    assert again.kept == [ringing.call_id]
    at_last = again.restarted()
    await at_last.goes_on()
    assert at_last.told == [(ringing.call_id, None)]
    assert at_last.restarted().kept == []


async def test_the_newest_ten_are_kept_while_nobody_answers():
    line = Line(LinkError("refused"))
    calls = [line.has_call() for _ in range(40)]
    assert line.kept == [call.call_id for call in calls[-10:]]
    again = line.restarted()
    await again.goes_on(for_ms=200, until=lambda: not again.kept)
    assert [call_id for call_id, _ in again.told] == [call.call_id for call in calls[-10:]]


async def test_a_call_that_the_history_has_no_more_is_passed_by():
    line = Line()
    line.record.payload = json.dumps(["00112233445566aa"]).encode()
    again = line.restarted()
    call = again.has_call()
    await again.goes_on()
    assert again.told == [(call.call_id, None)]
    assert again.kept == []


async def test_a_call_without_a_clock_waits_for_the_one_that_is_set():
    line = Line()
    call = line.has_call(at=57, time_source="none")
    await line.goes_on()
    assert line.told == []
    line.calls.clock_set(1767268800)
    await line.goes_on()
    assert (line.told, line.link.asked[0]["call"]["at"]) == ([(call.call_id, None)], 1767268857)


async def test_without_any_clock_a_call_is_reported_all_the_same():
    line = Line()
    line.has_call(at=57, time_source="none")
    line.reports.clock_unknown()
    await line.goes_on()
    assert line.link.asked[0]["time_source"] == "none"
    before = Line()
    before.has_call(at=UNKNOWN, time_source="none")
    await before.goes_on()
    assert before.link.asked[0]["call"]["at"] == UNKNOWN


async def test_what_nobody_foresaw_ends_nothing():
    line = Line(KeyError("foreseen"), taken)
    line.has_call()
    await line.goes_on()
    assert line.reports.faults == 1
    assert line.kept == []


async def test_a_flash_that_fails_is_counted_and_the_call_is_reported():
    line = Line()
    line.record.broken = True
    line.rings()
    line.reports.line(IDLE)
    await line.goes_on()
    assert len(line.told) == 1
    assert line.reports.faults == 2


def test_a_record_that_is_none_is_empty():
    for payload in (b"", b"{}", b"57", b"null", b'["x"]', b'["00112233445566AA"]', b"[57]"):
        line = Line(record=Record(payload))
        assert line.reports.faults == 1, payload
        assert line.reports._unreported == []


def test_a_record_of_more_than_it_holds_is_the_newest_of_them():
    call_ids = ["{:016x}".format(number) for number in range(12)]
    line = Line(record=Record(json.dumps(call_ids).encode()))
    assert line.reports._unreported == call_ids[2:]
