"""Legal instruments: what may be entered, and that it comes back as it was."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import func, select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from host_tools.service.cases import Cases
from host_tools.service.instruments import Instrument, InstrumentInFuture, InstrumentKind, Instruments
from host_tools.service.store import run_once
from host_tools.service.tables import INSTRUMENTS
from tests.host.service.traced import LINE, add_trace

ENTERED: dict[str, Any] = {
    "kind": "subpoena",
    "agency": "Springfield Police",
    "officer": "Sgt. Zoë O'Hara",
    "case_number": "26-1234",
    "reference": "Docket 9; DROP TABLE instruments",
    "issued_on": "2026-01-02",
}
SUBPOENA = Instrument.model_validate(ENTERED)
TODAY = date(2026, 1, 2)


def enter(connection: Connection, case_id: str, instrument: Instrument = SUBPOENA, at: int = 9) -> int:
    """Enters an instrument; its number."""
    entered = Instruments(connection).enter(case_id, instrument, entered_by="lee", at=at, today=TODAY)
    return entered.instrument_id


def new_case(connection: Connection, number: int = 1) -> str:
    """A case of one trace; its number."""
    trace_id = add_trace(connection, number)
    return Cases(connection).open_for_danger(LINE, [trace_id], opened_by="olga", at=5).case_id


@pytest.mark.parametrize("kind", list(InstrumentKind))
def test_each_kind_can_be_entered(kind: InstrumentKind) -> None:
    entered = Instrument.model_validate({**ENTERED, "kind": kind.value})
    assert entered.kind is kind
    assert kind.words


@pytest.mark.parametrize("field", list(ENTERED))
@pytest.mark.parametrize(
    "wrong", ["", " ", None, "x" * 129, "\x00", "a\nb", "a\u202eb", 5, ["a"], {"a": "b"}]
)
def test_a_wrong_field_is_named_and_its_value_is_not(field: str, wrong: object) -> None:
    with pytest.raises(ValidationError) as error:
        Instrument.model_validate({**ENTERED, field: wrong})
    assert [each["loc"] for each in error.value.errors()] == [(field,)]
    assert "xxx" not in str(error.value)


@pytest.mark.parametrize(
    "wrong", ["2026-02-30", "02/01/2026", "2026-1-2", "1899-12-31", "0001-01-01", "tomorrow", 0]
)
def test_what_is_no_date_of_an_instrument(wrong: object) -> None:
    with pytest.raises(ValidationError):
        Instrument.model_validate({**ENTERED, "issued_on": wrong})


@pytest.mark.parametrize("field", list(ENTERED))
def test_a_missing_or_an_unknown_field_is_refused(field: str) -> None:
    with pytest.raises(ValidationError):
        Instrument.model_validate({name: value for name, value in ENTERED.items() if name != field})
    with pytest.raises(ValidationError):
        Instrument.model_validate({**ENTERED, f"{field}_": "more"})


def test_spaces_around_it_are_not_kept() -> None:
    assert Instrument.model_validate({**ENTERED, "agency": " Springfield Police "}) == SUBPOENA


def test_an_instrument_comes_back_as_it_was_entered(database_url: str) -> None:
    def work(connection: Connection) -> None:
        case_id, other = new_case(connection, 1), new_case(connection, 2)
        first, second = enter(connection, case_id), enter(connection, case_id, at=10)
        enter(connection, other)
        assert second > first
        kept = Instruments(connection).of_case(case_id)
        assert [each.instrument_id for each in kept] == [first, second]
        assert kept[0].instrument == SUBPOENA
        assert (kept[0].case_id, kept[0].entered_by, kept[0].entered_at) == (case_id, "lee", 9)

    run_once(database_url, work)


def test_an_instrument_of_tomorrow_is_not_kept(database_url: str) -> None:
    def work(connection: Connection) -> None:
        case_id = new_case(connection)
        with pytest.raises(InstrumentInFuture, match="dated 2026-01-03, and today is 2026-01-02"):
            enter(connection, case_id, SUBPOENA.model_copy(update={"issued_on": date(2026, 1, 3)}))
        assert connection.scalar(select(func.count()).select_from(INSTRUMENTS)) == 0

    run_once(database_url, work)


def test_an_instrument_of_no_case_is_not_kept(database_url: str) -> None:
    with pytest.raises(IntegrityError):
        run_once(database_url, lambda connection: enter(connection, "C-00000001"))
    count = select(func.count()).select_from(INSTRUMENTS)
    assert run_once(database_url, lambda connection: connection.scalar(count)) == 0
