"""The log of a household's calls, on SQLite and on PostgreSQL: what is kept, for whom, and what a thief reads."""

from __future__ import annotations

import itertools
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.engine import Connection

from host_tools.rig.micropython import ROOT, interpreter_command
from host_tools.service.adapters import Adapters
from host_tools.service.call_log import (
    MOST_NOTES,
    CallLog,
    CallLogIsHeld,
    LoggedCall,
    NoSuchCall,
    NoSuchNote,
    TooManyNotes,
)
from host_tools.service.call_log_switch import Reaches, Switch, set_switch, switch_of
from host_tools.service.lines import LinePolicy, Lines
from host_tools.service.messages import Outcome
from host_tools.service.policy_changes import set_line
from host_tools.service.registration import Registration, register
from host_tools.service.retention import RecordClass, Retention, due, purge
from host_tools.service.secret import NotOurs, Secret
from host_tools.service.store import run_once
from host_tools.service.tables import AUDIT, CALL_LOG, CALL_NOTES, CASES, TRACES
from host_tools.service.traces import Traces
from tests.host.service.conftest import CALLED_AT, LINE, Adapter, Centre, Service, new_heartbeat, new_request
from tests.host.service.logged_calls import CALL_ID, add_call, new_report
from tests.host.service.test_household import trace

FORTY_CALLS = ROOT / "tests" / "firmware" / "programs" / "forty_calls.py"
OTHER_LINE = "5555550101"
DAY_S = 86400


@pytest.fixture
def secret(tmp_path: Path) -> Secret:
    return Secret(tmp_path / "secret")


@pytest.fixture
def within(database_url: str) -> Callable[..., Any]:
    """Does a work within the store."""
    return lambda work: run_once(database_url, work, prepares=False)


def calls(connection: Connection, secret: Secret, line: str = LINE) -> list[LoggedCall]:
    return CallLog(connection, secret, line).page(0, 100)


def bind(connection: Connection, line: str, adapter_id: str | None) -> None:
    if adapter_id and Adapters(connection).adapter(adapter_id) is None:
        Adapters(connection).add(adapter_id, bytes(32))
    Lines(connection).put(LinePolicy(line=line, adapter_id=adapter_id))


def add_case(connection: Connection, *, is_held: bool) -> None:
    row = {
        "case_id": "C-00000001",
        "line": LINE,
        "opened_for": "three_traces",
        "opened_at": 0,
        "state": "ready",
    }
    more = {"opened_by": "service", "changed_at": 0, "has_legal_hold": is_held}
    connection.execute(insert(CASES), {**row, **more})


def audited(connection: Connection) -> list[tuple[str, str, str, dict[str, Any]]]:
    rows = connection.execute(select(AUDIT).order_by(AUDIT.c.sequence))
    return [(row.actor, row.action, row.subject, json.loads(row.details)) for row in rows]


def test_a_call_is_kept_as_it_was_reported(within: Callable[..., Any], secret: Secret) -> None:
    def work(connection: Connection) -> list[LoggedCall]:
        assert add_call(connection, secret)
        return calls(connection, secret)

    (call,) = within(work)
    assert (call.at, call.time_source, call.rings, call.answered, call.call_waiting) == (
        CALLED_AT,
        "network",
        2,
        True,
        False,
    )
    assert (call.number, call.name, call.presentation) == ("5555550123", "JANE DOE", "presented")
    assert (call.trace_outcome, call.trace_id, call.notes) == (None, None, ())


@pytest.mark.parametrize(
    ("fields", "presentation"),
    [
        ({"number": None, "name": None, "reason": "P"}, "private"),
        ({"number": None, "name": None, "reason": "O"}, "out_of_area"),
        ({"caller_id": None}, "none"),
    ],
)
def test_why_there_is_no_number(
    within: Callable[..., Any], secret: Secret, fields: dict[str, Any], presentation: str
) -> None:
    def work(connection: Connection) -> list[LoggedCall]:
        add_call(connection, secret, **fields)
        return calls(connection, secret)

    (call,) = within(work)
    assert (call.number, call.name, call.presentation) == (None, None, presentation)


def test_a_call_that_is_reported_twice_is_one_with_what_is_new(
    within: Callable[..., Any], secret: Secret
) -> None:
    def work(connection: Connection) -> list[LoggedCall]:
        add_call(connection, secret, rings=1, answered=False)
        add_call(connection, secret, received_at=CALLED_AT + 90, trace_outcome="not_traceable")
        add_call(connection, secret, received_at=CALLED_AT + 99, time_source="none", at=0xFFFF_FFFF)
        return calls(connection, secret)

    (call,) = within(work)
    assert (call.at, call.time_source, call.received_at) == (CALLED_AT, "network", CALLED_AT + 30)
    assert (call.rings, call.answered, call.trace_outcome) == (2, True, Outcome.NOT_TRACEABLE)


def test_a_call_without_a_time_is_where_its_report_came(within: Callable[..., Any], secret: Secret) -> None:
    def work(connection: Connection) -> list[LoggedCall]:
        add_call(connection, secret, time_source="none", at=57)
        return calls(connection, secret)

    (call,) = within(work)
    assert (call.at, call.time_source) == (CALLED_AT + 30, "none")


def test_its_trace_is_known_by_the_call(within: Callable[..., Any], secret: Secret) -> None:
    def work(connection: Connection) -> list[LoggedCall]:
        call_id = f"{7:016}"
        add_call(connection, secret, call_id=call_id)
        failed, traced = trace(6, outcome=Outcome.NOT_TRACEABLE), trace(7)
        Traces(connection).add_all([failed, traced])
        connection.execute(
            update(TRACES).where(TRACES.c.request_id == failed.request_id).values(call_id=call_id)
        )
        return calls(connection, secret)

    (call,) = within(work)
    assert (call.trace_id, call.trace_outcome) == ("T-00000007", Outcome.TRACED)


@pytest.mark.parametrize(
    ("owner", "own_lines", "is_kept"),
    [
        (None, [], True),
        ("adapter-1", [], True),
        ("adapter-2", [], False),
        (None, [OTHER_LINE], False),
        ("adapter-1", [OTHER_LINE], True),
    ],
)
def test_only_an_adapter_of_the_line_reports_for_it(
    within: Callable[..., Any], secret: Secret, owner: str | None, own_lines: list[str], is_kept: bool
) -> None:
    def work(connection: Connection) -> bool:
        bind(connection, LINE, owner)
        for line in own_lines:
            bind(connection, line, "adapter-1")
        return add_call(connection, secret)

    assert within(work) is is_kept


def test_a_call_of_one_line_never_becomes_anothers(within: Callable[..., Any], secret: Secret) -> None:
    def work(connection: Connection) -> None:
        assert add_call(connection, secret)
        assert not add_call(connection, secret, line=OTHER_LINE)
        assert len(calls(connection, secret)) == 1
        assert calls(connection, secret, OTHER_LINE) == []
        other = CallLog(connection, secret, OTHER_LINE)
        with pytest.raises(NoSuchCall):
            other.add_note("adapter-1", CALL_ID, "mine", by="other", at=1)
        noted = CallLog(connection, secret, LINE).add_note("adapter-1", CALL_ID, "ours", by="own", at=1)
        with pytest.raises(NoSuchNote):
            other.withdraw_note(noted.notes[0].note_id, by="other", at=2)
        assert other.delete_all(by="other", at=3) == 0
        assert CallLog(connection, secret, LINE).call("adapter-1", CALL_ID) == noted

    within(work)


def test_whoever_has_the_database_alone_reads_nothing(
    within: Callable[..., Any], secret: Secret, tmp_path: Path
) -> None:
    def write(connection: Connection) -> None:
        add_call(connection, secret)
        CallLog(connection, secret, LINE).add_note("adapter-1", CALL_ID, "I know his voice", by="own", at=1)

    def stolen(connection: Connection) -> str:
        rows = [*connection.execute(select(CALL_LOG)), *connection.execute(select(CALL_NOTES))]
        return "".join(repr(tuple(row)) for row in rows)

    within(write)
    content = within(stolen)
    assert "555555012" not in content
    assert "JANE" not in content
    assert "voice" not in content
    with pytest.raises(NotOurs):
        within(lambda connection: calls(connection, Secret(tmp_path / "another")))


def test_what_was_moved_to_another_call_is_found_out(within: Callable[..., Any], secret: Secret) -> None:
    def work(connection: Connection) -> None:
        add_call(connection, secret)
        add_call(connection, secret, call_id="f" * 16, number="5555550199")
        first = connection.scalar(select(CALL_LOG.c.presented).where(CALL_LOG.c.call_id == CALL_ID))
        connection.execute(update(CALL_LOG).where(CALL_LOG.c.call_id == "f" * 16).values(presented=first))
        with pytest.raises(NotOurs):
            calls(connection, secret)

    within(work)


def test_notes_are_added_and_withdrawn_and_never_changed(within: Callable[..., Any], secret: Secret) -> None:
    text = '  He said:\n"I know where you live" <b>&</b> ünïcödé 中  '

    def work(connection: Connection) -> None:
        log = CallLog(connection, secret, LINE)
        add_call(connection, secret)
        log.add_note("adapter-1", CALL_ID, text, by="own", at=1)
        call = log.add_note("adapter-1", CALL_ID, "and again", by="own", at=2)
        assert [(note.note, note.written_at, note.withdrawn_at) for note in call.notes] == [
            (text, 1, None),
            ("and again", 2, None),
        ]
        number = call.notes[0].note_id
        withdrawn = log.withdraw_note(number, by="own", at=3)
        assert [(note.note, note.withdrawn_at) for note in withdrawn.notes] == [
            (text, 3),
            ("and again", None),
        ]
        with pytest.raises(NoSuchNote):
            log.withdraw_note(number, by="own", at=4)
        assert audited(connection) == [
            ("own", "call.noted", CALL_ID, {"line": LINE}),
            ("own", "call.noted", CALL_ID, {"line": LINE}),
            ("own", "call.note_withdrawn", CALL_ID, {"line": LINE, "note": number}),
        ]

    within(work)


def test_a_call_has_so_many_notes_and_no_more(within: Callable[..., Any], secret: Secret) -> None:
    def work(connection: Connection) -> None:
        log = CallLog(connection, secret, LINE)
        add_call(connection, secret)
        for number in range(MOST_NOTES):
            log.add_note("adapter-1", CALL_ID, f"{number}", by="own", at=number)
        with pytest.raises(TooManyNotes):
            log.add_note("adapter-1", CALL_ID, "one more", by="own", at=99)

    within(work)


def test_pages_are_the_newest_first_and_a_period_the_oldest_first(
    within: Callable[..., Any], secret: Secret
) -> None:
    def work(connection: Connection) -> None:
        for number in range(5):
            add_call(connection, secret, call_id=f"{number:016x}", at=CALLED_AT + number)
        log = CallLog(connection, secret, LINE)
        assert [call.at - CALLED_AT for call in log.page(0, 2)] == [4, 3]
        assert [call.at - CALLED_AT for call in log.page(4, 2)] == [0]
        assert log.count() == 5
        within_period = log.between(CALLED_AT + 1, CALLED_AT + 4, 10)
        assert [call.at - CALLED_AT for call in within_period] == [1, 2, 3]
        assert len(log.between(0, 2**33, 2)) == 2

    within(work)


def test_deleted_is_deleted_but_under_legal_hold(within: Callable[..., Any], secret: Secret) -> None:
    def work(connection: Connection) -> None:
        add_call(connection, secret)
        add_call(connection, secret, call_id="f" * 16, line=OTHER_LINE)
        log = CallLog(connection, secret, LINE)
        log.add_note("adapter-1", CALL_ID, "a note", by="own", at=1)
        add_case(connection, is_held=True)
        with pytest.raises(CallLogIsHeld):
            log.delete_all(by="own", at=2)
        connection.execute(update(CASES).values(has_legal_hold=False))
        assert log.delete_all(by="own", at=3) == 1
        assert log.count() == 0
        assert connection.execute(select(CALL_NOTES)).all() == []
        assert len(calls(connection, secret, OTHER_LINE)) == 1
        assert audited(connection)[-1] == ("own", "call_log.deleted", LINE, {"rows": 1})

    within(work)


@pytest.mark.parametrize(("days", "is_held", "goes"), [(11, False, 1), (10, False, 0), (11, True, 0)])
def test_what_is_due_goes_with_its_notes_but_under_legal_hold(
    within: Callable[..., Any], secret: Secret, days: int, is_held: bool, goes: int
) -> None:
    retention = Retention(call_log_days=10)
    now = CALLED_AT + days * DAY_S

    def work(connection: Connection) -> None:
        add_call(connection, secret, received_at=CALLED_AT)
        CallLog(connection, secret, LINE).add_note("adapter-1", CALL_ID, "a note", by="own", at=CALLED_AT)
        add_case(connection, is_held=is_held)
        assert due(connection, now, retention)[RecordClass.CALL_LOG] == goes
        assert purge(connection, now, retention).counts[RecordClass.CALL_LOG] == goes
        assert len(connection.execute(select(CALL_NOTES)).all()) == 1 - goes

    within(work)


def pushed(connection: Connection, adapter_id: str = "adapter-1") -> tuple[int, Any]:
    adapter = Adapters(connection).adapter(adapter_id)
    assert adapter is not None
    return adapter.settings_revision, json.loads(adapter.settings_values).get("call_log")


def test_the_switch_tells_the_adapter_of_the_line_once(within: Callable[..., Any], secret: Secret) -> None:
    def work(connection: Connection) -> None:
        bind(connection, LINE, "adapter-1")
        assert switch_of(connection, LINE) == Switch(None, Reaches.ON_ITS_WAY)
        for _ in range(2):
            set_switch(connection, LINE, is_on=True, by="own", at=1)
            assert pushed(connection) == (1, True)
        assert add_call(connection, secret)
        set_switch(connection, LINE, is_on=False, by="own", at=2)
        assert pushed(connection) == (2, False)
        assert not add_call(connection, secret, call_id="f" * 16), "it is on its way to the adapter"
        assert switch_of(connection, LINE) == Switch(False, Reaches.ON_ITS_WAY)
        assert [(action, details.get("is_on")) for _, action, _, details in audited(connection)] == [
            ("call_log.switched", True),
            ("adapter.changed", None),
            ("call_log.switched", True),
            ("call_log.switched", False),
            ("adapter.changed", None),
        ]

    within(work)


@pytest.mark.parametrize(
    ("heard", "reaches"),
    [
        ({"settings_revision": 0}, Reaches.ON_ITS_WAY),
        ({"settings_revision": 1}, Reaches.TAKEN),
        ({"settings_revision": 1, "settings_refused": ["call_log"]}, Reaches.REFUSED),
    ],
)
def test_the_household_sees_whether_its_adapter_knows(
    within: Callable[..., Any], heard: dict[str, Any], reaches: Reaches
) -> None:
    def work(connection: Connection) -> None:
        bind(connection, LINE, "adapter-1")
        set_switch(connection, LINE, is_on=True, by="own", at=1)
        Adapters(connection).change("adapter-1", heartbeat=json.dumps(new_heartbeat(**heard)))
        assert switch_of(connection, LINE).reaches is reaches

    within(work)


def test_an_adapter_that_is_bound_later_is_told(within: Callable[..., Any]) -> None:
    def work(connection: Connection) -> None:
        set_switch(connection, LINE, is_on=True, by="own", at=1)
        assert switch_of(connection, LINE) == Switch(True, Reaches.NOBODY)
        Adapters(connection).add("adapter-1", bytes(32))
        set_line(connection, LinePolicy(line=LINE, adapter_id="adapter-1"), actor="admin", at=2)
        assert pushed(connection) == (1, True)
        register(
            connection, Registration("adapter-2", bytes(32), LINE, replaces=True), actor="technician", at=3
        )
        assert pushed(connection, "adapter-2") == (1, True)

    within(work)


def test_of_several_lines_each_household_has_its_own_will(within: Callable[..., Any], secret: Secret) -> None:
    def work(connection: Connection) -> None:
        bind(connection, LINE, "adapter-1")
        bind(connection, OTHER_LINE, "adapter-1")
        set_switch(connection, LINE, is_on=True, by="own", at=1)
        set_switch(connection, OTHER_LINE, is_on=False, by="other", at=2)
        assert pushed(connection) == (1, True)
        assert add_call(connection, secret)
        assert not add_call(connection, secret, line=OTHER_LINE, call_id="f" * 16)
        set_switch(connection, LINE, is_on=False, by="own", at=3)
        assert pushed(connection) == (2, False)

    within(work)


def test_a_report_through_the_door(centre: Centre, adapter: Adapter, serve: Callable[..., Service]) -> None:
    address = serve(centre.settings(call_records=None))
    answer = {"message": "call_report_answer", "version": 1}
    request = new_request(rings=2)
    call_id = request["call"]["call_id"]
    assert adapter.ask(address, new_report(call_id=call_id)).message == answer
    assert adapter.ask(address, request).message["outcome"] == "traced"
    assert adapter.ask(address, new_report(call_id=call_id, trace_outcome="traced")).message == answer
    for number in range(40):
        assert adapter.ask(address, new_report(call_id=f"{number:016x}", at=CALLED_AT - number)).status == 200
    old = adapter.ask(address, new_report(), sequence=0)
    assert (old.status, old.message["reason"]) == (409, "old_sequence")
    secret = Secret(centre.folder / "secret")
    found = run_once(centre.url, lambda connection: calls(connection, secret))
    assert len(found) == 41
    (traced,) = [call for call in found if call.trace_id]
    assert (traced.call_id, traced.trace_outcome, traced.number) == (call_id, "traced", "5555550123")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_forty_calls_of_the_firmware_through_three_power_cuts(
    centre: Centre, adapter: Adapter, serve: Callable[..., Service], tmp_path: Path
) -> None:
    address = serve(centre.settings())
    told: list[str] = []
    for killed_after in (7, 6, 9, None):
        told += of_firmware(tmp_path, adapter, address, 40 - len(told), killed_after)
    secret = Secret(centre.folder / "secret")
    logged = {call.call_id: call for call in run_once(centre.url, lambda work: calls(work, secret))}
    assert len(told) == 40
    assert set(told) <= logged.keys()
    assert {logged[call_id].number for call_id in told} == {"5555550123"}


def of_firmware(
    folder: Path, adapter: Adapter, address: str, count: int, killed_after: int | None
) -> list[str]:
    """Lets so many calls come to the firmware, and cuts its power after some of them; their ids."""
    plan = [str(folder), adapter.adapter_id, adapter.key.hex(), LINE, address.rpartition(":")[2], str(count)]
    with subprocess.Popen(
        [*interpreter_command(), str(FORTY_CALLS), *plan],
        env={"MICROPYPATH": f"{ROOT / 'firmware'}:.frozen"},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        told = [line.strip() for line in itertools.islice(process.stdout, killed_after)]
        if killed_after is not None:
            process.kill()
        else:
            assert process.wait(30) == 0
    return told


def test_without_the_secret_a_report_waits(
    centre: Centre, adapter: Adapter, serve: Callable[..., Service]
) -> None:
    address = serve(centre.settings())
    (centre.folder / "secret").write_text("none")
    reply = adapter.ask(address, new_report())
    assert (reply.status, reply.message["reason"], reply.is_signed) == (503, "unavailable", True)
