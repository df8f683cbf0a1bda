"""Cases: what opens one, what joins it, in which order it goes on, and what is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import update
from sqlalchemy.engine import Connection

from host_tools.service.cases import (
    Case,
    CaseError,
    CaseIdsExhausted,
    CaseIsClosed,
    CaseIsHeld,
    Cases,
    CaseState,
    CloseReason,
    HoldUnchanged,
    InstrumentMissing,
    NoSuccessfulTrace,
    NoSuchCase,
    NotReleased,
    OpenedFor,
    TraceOfAnotherLine,
    WasReleased,
    open_for_three,
)
from host_tools.service.instruments import Instruments
from host_tools.service.store import run_once
from host_tools.service.tables import COUNTERS
from tests.host.service.test_instruments import SUBPOENA, TODAY
from tests.host.service.traced import LINE, add_trace, audited


def three(connection: Connection, first: int = 1, at: int = 10) -> Case:
    """A case of three traces from `first` on."""
    ids = [add_trace(connection, number) for number in range(first, first + 3)]
    return Cases(connection).get(open_for_three(connection, LINE, ids, at))


def with_instrument(connection: Connection, of: Case, at: int = 20) -> Case:
    """The case, once an instrument was entered."""
    entered = Instruments(connection).enter(of.case_id, SUBPOENA, entered_by="lee", at=at, today=TODAY)
    return Cases(connection).instrument_entered(entered)


def released(connection: Connection, of: Case, at: int = 30) -> Case:
    """The case, once its records were released."""
    return Cases(connection).released(with_instrument(connection, of).case_id, at)


def test_three_traces_open_a_case(database_url: str) -> None:
    def work(connection: Connection) -> None:
        of = three(connection)
        assert of == Case(
            "C-00000001",
            LINE,
            OpenedFor.THREE_TRACES,
            10,
            "service",
            CaseState.READY,
            10,
            has_legal_hold=False,
            trace_ids=("T-00000001", "T-00000002", "T-00000003"),
        )
        assert audited(connection) == [("service", "case.opened", "C-00000001")]

    run_once(database_url, work)


def test_a_later_trace_of_the_origin_joins_the_case_once(database_url: str) -> None:
    def work(connection: Connection) -> None:
        of = three(connection)
        ids = [*of.trace_ids, add_trace(connection, 4)]
        for _ in range(2):
            assert open_for_three(connection, LINE, ids, 11) == of.case_id
        joined = Cases(connection).get(of.case_id)
        assert joined.trace_ids == tuple(ids)
        assert (joined.state, joined.opened_at, joined.changed_at) == (CaseState.READY, 10, 10)
        assert [row[1] for row in audited(connection)] == ["case.opened", "case.joined"]

    run_once(database_url, work)


@pytest.mark.parametrize("reached", [with_instrument, released])
def test_a_trace_that_joins_later_needs_an_instrument_of_its_own(
    database_url: str, reached: Callable[[Connection, Case], Case]
) -> None:
    def work(connection: Connection) -> None:
        of = reached(connection, three(connection))
        open_for_three(connection, LINE, [*of.trace_ids, add_trace(connection, 4)], 40)
        again = Cases(connection).get(of.case_id)
        assert (again.state, again.changed_at) == (CaseState.READY, 40)
        with pytest.raises(InstrumentMissing):
            Cases(connection).released(of.case_id, 41)
        assert with_instrument(connection, again, 42).state is CaseState.INSTRUMENT

    run_once(database_url, work)


def test_after_a_case_is_closed_the_next_trace_opens_another(database_url: str) -> None:
    def work(connection: Connection) -> None:
        of = three(connection)
        Cases(connection).close(of.case_id, CloseReason.WITHDRAWN, by="olga", at=20)
        ids = [*of.trace_ids, add_trace(connection, 4)]
        assert open_for_three(connection, LINE, ids, 30) == "C-00000002"
        assert Cases(connection).get("C-00000002").trace_ids == tuple(ids)
        assert [each.case_id for each in Cases(connection).of_line(LINE)] == ["C-00000002", "C-00000001"]

    run_once(database_url, work)


def test_danger_opens_a_case_of_the_last_trace_or_of_those_that_are_named(database_url: str) -> None:
    def work(connection: Connection) -> None:
        for number in (1, 2, 3):
            add_trace(connection, number)
        cases = Cases(connection)
        last = cases.open_for_danger(LINE, [], opened_by="home", at=10)
        assert (last.trace_ids, last.is_danger, last.opened_by) == (("T-00000003",), True, "home")
        named = cases.open_for_danger(LINE, ["T-00000002", "T-00000001"], opened_by="olga", at=11)
        assert named.case_id != last.case_id
        assert named.trace_ids == ("T-00000001", "T-00000002")
        assert [row[:2] for row in audited(connection)] == [("home", "case.danger"), ("olga", "case.danger")]

    run_once(database_url, work)


def test_danger_makes_an_open_case_of_the_trace_urgent(database_url: str) -> None:
    def work(connection: Connection) -> None:
        of = three(connection)
        for _ in range(2):
            urgent = Cases(connection).open_for_danger(LINE, ["T-00000002"], opened_by="home", at=20)
        assert (urgent.case_id, urgent.is_danger, urgent.trace_ids) == (of.case_id, True, of.trace_ids)
        assert [row[1] for row in audited(connection)] == ["case.opened", "case.danger"]

    run_once(database_url, work)


def test_danger_needs_a_successful_trace_of_the_line(database_url: str) -> None:
    def work(connection: Connection) -> None:
        cases = Cases(connection)
        with pytest.raises(NoSuccessfulTrace):
            cases.open_for_danger(LINE, [], opened_by="home", at=10)
        other = add_trace(connection, 1, line="5555550101")
        for wrong in ([other], ["T-00000009"], ["' OR 1=1 --"], ["T-00000001\x00"]):
            with pytest.raises(TraceOfAnotherLine):
                cases.open_for_danger(LINE, wrong, opened_by="home", at=10)
        assert cases.count_open() == 0
        assert audited(connection) == []

    run_once(database_url, work)


def test_the_queue_has_danger_first_and_then_the_oldest(database_url: str) -> None:
    def work(connection: Connection) -> None:
        cases = Cases(connection)
        at = {1: 30, 4: 20, 7: 40, 10: 50, 13: 10}
        ids = {first: three(connection, first, when).case_id for first, when in at.items()}
        for number, when in ((7, 60), (10, 61)):
            cases.open_for_danger(LINE, [f"T-{number:08}"], opened_by="home", at=when)
        cases.close(ids[13], CloseReason.MISTAKE, by="olga", at=70)
        expected = [ids[7], ids[10], ids[4], ids[1]]
        assert [each.case_id for each in cases.queue()] == expected
        assert [each.case_id for each in cases.queue(limit=2, skip=1)] == expected[1:3]
        assert cases.count_open() == 4
        assert all(len(each.trace_ids) == 3 for each in cases.queue())

    run_once(database_url, work)


def test_a_case_goes_from_ready_to_closed(database_url: str) -> None:
    def work(connection: Connection) -> None:
        cases = Cases(connection)
        of = three(connection)
        states = [of.state]
        states.append(with_instrument(connection, of).state)
        states.append(cases.released(of.case_id, 30).state)
        states.append(cases.close(of.case_id, CloseReason.RELEASED, by="lee", at=40).state)
        assert states == list(CaseState)
        assert not cases.get(of.case_id).is_open
        assert [row[1:] for row in audited(connection)] == [
            ("case.opened", of.case_id),
            ("instrument.entered", of.case_id),
            ("case.closed", of.case_id),
        ]

    run_once(database_url, work)


Step = Callable[[Cases, Case], object]
OUT_OF_ORDER: list[tuple[str, Callable[[Connection, Case], object], Step, type[CaseError]]] = [
    (
        "released without an instrument",
        lambda connection, of: of,
        lambda cases, of: cases.released(of.case_id, 50),
        InstrumentMissing,
    ),
    (
        "closed as released before it was",
        with_instrument,
        lambda cases, of: cases.close(of.case_id, CloseReason.RELEASED, by="lee", at=50),
        NotReleased,
    ),
    (
        "closed as withdrawn after it was released",
        released,
        lambda cases, of: cases.close(of.case_id, CloseReason.WITHDRAWN, by="lee", at=50),
        WasReleased,
    ),
    (
        "closed under hold",
        lambda connection, of: Cases(connection).set_hold(of.case_id, is_held=True, by="olga", at=20),
        lambda cases, of: cases.close(of.case_id, CloseReason.WITHDRAWN, by="olga", at=50),
        CaseIsHeld,
    ),
    (
        "held twice",
        lambda connection, of: Cases(connection).set_hold(of.case_id, is_held=True, by="olga", at=20),
        lambda cases, of: cases.set_hold(of.case_id, is_held=True, by="olga", at=50),
        HoldUnchanged,
    ),
    (
        "not held",
        lambda connection, of: of,
        lambda cases, of: cases.set_hold(of.case_id, is_held=False, by="olga", at=50),
        HoldUnchanged,
    ),
    *(
        (
            f"closed, and then {name}",
            lambda connection, of: Cases(connection).close(
                of.case_id, CloseReason.NO_INSTRUMENT, by="olga", at=20
            ),
            step,
            CaseIsClosed,
        )
        for name, step in (
            ("closed", lambda cases, of: cases.close(of.case_id, CloseReason.MISTAKE, by="olga", at=50)),
            ("released", lambda cases, of: cases.released(of.case_id, 50)),
            ("an instrument", lambda cases, of: with_instrument(cases._connection, of)),
        )
    ),
]


@pytest.mark.parametrize(
    ("before", "step", "error"), [each[1:] for each in OUT_OF_ORDER], ids=[each[0] for each in OUT_OF_ORDER]
)
def test_out_of_order(
    database_url: str,
    before: Callable[[Connection, Case], object],
    step: Step,
    error: type[CaseError],
) -> None:
    def work(connection: Connection) -> None:
        of = three(connection)
        before(connection, of)
        cases = Cases(connection)
        stood, log = cases.get(of.case_id), audited(connection)
        with pytest.raises(error, match=r"\w+ .*\."):
            step(cases, stood)
        assert cases.get(of.case_id) == stood
        assert audited(connection) == log

    run_once(database_url, work)


def test_a_closed_case_can_be_put_under_hold(database_url: str) -> None:
    def work(connection: Connection) -> None:
        cases = Cases(connection)
        of = three(connection)
        cases.close(of.case_id, CloseReason.MISTAKE, by="olga", at=20)
        assert cases.set_hold(of.case_id, is_held=True, by="olga", at=30).has_legal_hold
        assert not cases.set_hold(of.case_id, is_held=False, by="olga", at=31).has_legal_hold
        assert [row[1] for row in audited(connection)][-2:] == ["hold.set", "hold.lifted"]

    run_once(database_url, work)


@pytest.mark.parametrize("case_id", ["C-00000001", "", "C-1", "' OR 1=1 --", "C-00000001\x00"])
def test_a_case_that_is_not_there(database_url: str, case_id: str) -> None:
    def work(connection: Connection) -> None:
        cases = Cases(connection)
        steps: tuple[Callable[[], object], ...] = (
            lambda: cases.get(case_id),
            lambda: cases.releasable(case_id),
            lambda: cases.released(case_id, 1),
            lambda: cases.set_hold(case_id, is_held=True, by="olga", at=1),
            lambda: cases.close(case_id, CloseReason.MISTAKE, by="olga", at=1),
        )
        for step in steps:
            with pytest.raises(NoSuchCase):
                step()

    run_once(database_url, work)


def test_when_the_numbers_of_cases_are_given_no_other_is_opened(database_url: str) -> None:
    def work(connection: Connection) -> None:
        connection.execute(update(COUNTERS).where(COUNTERS.c.name == "case").values(value=99_999_998))
        assert three(connection).case_id == "C-99999999"
        with pytest.raises(CaseIdsExhausted):
            three(connection, 4)
        assert Cases(connection).count_open() == 1

    run_once(database_url, work)
