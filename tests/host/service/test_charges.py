"""The ledger, on SQLite and on PostgreSQL."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from host_tools.service.charges import Charge, Charges, Total
from host_tools.service.store import run_once
from tests.host.service.conftest import CALLED_AT, LINE

OTHER_LINE = "5555550101"
FIRST = Charge("T-00000001", LINE, "2026-01", CALLED_AT, 500, 500)
CUT = Charge("T-00000002", LINE, "2026-01", CALLED_AT + 60, 500, 200)
NEXT_MONTH = Charge("T-00000003", LINE, "2026-03", CALLED_AT + 60 * 86400, 500, 500)
OF_OTHER = Charge("T-00000004", OTHER_LINE, "2026-01", CALLED_AT - 60, 300, 300)
ALL = [CUT, FIRST, NEXT_MONTH, OF_OTHER]


def test_what_was_spent_is_summed_by_line_and_month(database_url: str) -> None:
    def work(connection: Connection) -> None:
        charges = Charges(connection)
        charges.add_all(ALL)
        statements: list[str] = []
        event.listen(connection, "before_cursor_execute", lambda *words: statements.append(words[2]))
        spent = charges.spent([(LINE, "2026-01"), (OTHER_LINE, "2026-03"), (OTHER_LINE, "2026-01")])
        assert spent == {
            (LINE, "2026-01"): 700,
            (OTHER_LINE, "2026-03"): 0,
            (OTHER_LINE, "2026-01"): 300,
        }
        assert len(statements) == 1
        assert charges.spent([]) == {}

    run_once(database_url, work)


def test_a_months_rows_come_by_line_the_earliest_first(database_url: str) -> None:
    def work(connection: Connection) -> None:
        charges = Charges(connection)
        charges.add_all(ALL)
        assert charges.of(LINE, "2026-01") == [FIRST, CUT]
        assert charges.of(LINE, "2026-02") == []
        assert charges.of_month("2026-01") == [FIRST, CUT, OF_OTHER]

    run_once(database_url, work)


def test_a_months_rows_come_in_parts(database_url: str) -> None:
    def work(connection: Connection) -> None:
        charges = Charges(connection)
        at_once = [replace(FIRST, trace_id=f"T-0000010{n}") for n in range(3)]
        charges.add_all([*ALL, *at_once])
        read: list[Charge] = []
        while some := charges.of_month("2026-01", read[-1] if read else None, 2):
            assert len(some) <= 2
            read += some
        assert read == charges.of_month("2026-01") == [FIRST, *at_once, CUT, OF_OTHER]

    run_once(database_url, work)


def test_a_months_sums_come_in_pages_of_lines(database_url: str) -> None:
    def work(connection: Connection) -> None:
        charges = Charges(connection)
        charges.add_all(ALL)
        assert charges.total("2026-01") == Total(3, 1300, 1000)
        assert charges.total("2026-02") == Total(0, 0, 0)
        both = {LINE: Total(2, 1000, 700), OTHER_LINE: Total(1, 300, 300)}
        assert charges.totals("2026-01") == both
        assert list(charges.totals("2026-01", limit=1)) == [LINE]
        assert list(charges.totals("2026-01", after=LINE)) == [OTHER_LINE]
        assert charges.totals("2026-02") == {}

    run_once(database_url, work)


def test_months_go_back_from_the_newest(database_url: str) -> None:
    def work(connection: Connection) -> None:
        charges = Charges(connection)
        assert charges.months() == []
        assert charges.months_of(LINE) == []
        charges.add_all([*ALL, replace(FIRST, trace_id="T-00000005", month="2025-12")])
        assert charges.months() == ["2026-03", "2026-02", "2026-01", "2025-12"]
        assert charges.months_of(LINE) == ["2026-03", "2026-01", "2025-12"]
        assert charges.months_of(OTHER_LINE) == ["2026-01"]

    run_once(database_url, work)


def test_a_trace_is_charged_once(database_url: str) -> None:
    run_once(database_url, lambda connection: Charges(connection).add_all([FIRST]))
    again = replace(FIRST, line=OTHER_LINE)
    with pytest.raises(IntegrityError):
        run_once(database_url, lambda connection: Charges(connection).add_all([OF_OTHER, again]))
    assert run_once(database_url, lambda connection: Charges(connection).of_month("2026-01")) == [FIRST]


def test_nothing_is_added_of_nothing(database_url: str) -> None:
    def work(connection: Connection) -> None:
        Charges(connection).add_all([])
        assert Charges(connection).months() == []

    run_once(database_url, work)
