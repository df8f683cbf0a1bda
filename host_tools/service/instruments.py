"""Legal instruments: on what ground the records of a case are opened. One is entered before anything is opened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, field_validator
from sqlalchemy import RowMapping, insert, select
from sqlalchemy.engine import Connection

from host_tools.service.tables import INSTRUMENTS

_EARLIEST = date(1900, 1, 1)


class InstrumentInFuture(Exception):
    """An instrument is dated after today."""


class InstrumentKind(StrEnum):
    """What obliges or asks the centre to release."""

    SUBPOENA = "subpoena"
    COURT_ORDER = "court_order"
    LAW_ENFORCEMENT_REQUEST = "law_enforcement_request"

    @property
    def words(self) -> str:
        """As people read it."""
        return {
            InstrumentKind.SUBPOENA: "Subpoena",
            InstrumentKind.COURT_ORDER: "Court order",
            InstrumentKind.LAW_ENFORCEMENT_REQUEST: "Law-enforcement request",
        }[self]


# Neither controls nor marks that nobody sees and that turn the direction of writing: one line, as it was typed.
_HIDDEN = r"\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff"


def _one_line(longest: int) -> StringConstraints:
    seen = rf"[^\s{_HIDDEN}]"
    return StringConstraints(pattern=rf"^ *{seen}([^{_HIDDEN}]{{0,{longest - 2}}}{seen})? *$")


_STRIPPED = AfterValidator(str.strip)
_Words128 = Annotated[str, _one_line(128), _STRIPPED, Field(description="1 to 128 characters in one line")]
_Words64 = Annotated[str, _one_line(64), _STRIPPED, Field(description="1 to 64 characters in one line")]


class Instrument(BaseModel):
    """An instrument as it is entered.

    Attributes:
        kind: what it is.
        agency: who has issued it, or asks; 1 to 128 characters.
        officer: who is in charge there; 1 to 128 characters.
        case_number: of the agency; 1 to 64 characters.
        reference: of the instrument itself, such as a docket number; 1 to 128 characters.
        issued_on: its date, not before 1900.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    kind: Annotated[InstrumentKind, Field(description="one of the kinds in the list")]
    agency: _Words128
    officer: _Words128
    case_number: _Words64
    reference: _Words128
    issued_on: Annotated[
        date,
        Field(
            description="a date such as 2026-01-31",
            json_schema_extra={"pattern": "^(19|[2-9][0-9])[0-9]{2}-[0-9]{2}-[0-9]{2}$"},
        ),
    ]

    @field_validator("issued_on", mode="before")
    @classmethod
    def _is_iso_date(cls, given: object) -> object:
        # pydantic would take a number for a time.
        if isinstance(given, str) and len(given) == len("2026-01-31"):
            return given
        if isinstance(given, date):
            return given
        raise ValueError("Write the date as in 2026-01-31.")

    @field_validator("issued_on")
    @classmethod
    def _is_of_our_time(cls, issued_on: date) -> date:
        if issued_on < _EARLIEST:
            raise ValueError("An instrument is not dated before 1900.")
        return issued_on


@dataclass(frozen=True)
class EnteredInstrument:
    """An instrument that was entered for a case; `entered_at` in Unix seconds, `entered_by` an account name."""

    instrument_id: int
    case_id: str
    instrument: Instrument
    entered_at: int
    entered_by: str

    @classmethod
    def of(cls, row: RowMapping) -> Self:
        """That of a row of the table."""
        return cls(
            row["instrument_id"],
            row["case_id"],
            Instrument.model_validate({name: row[name] for name in Instrument.model_fields}),
            row["entered_at"],
            row["entered_by"],
        )


class Instruments:
    """The instruments, within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def enter(
        self, case_id: str, instrument: Instrument, *, entered_by: str, at: int, today: date
    ) -> EnteredInstrument:
        """Keeps an instrument for a case; `cases.Cases.instrument_entered` moves the case on.

        Args:
            case_id: a case that there is.
            instrument: as it was entered.
            entered_by: account name.
            at: Unix seconds.
            today: by the operator's clocks.

        Raises:
            InstrumentInFuture: nothing is kept.
        """
        if instrument.issued_on > today:
            raise InstrumentInFuture(f"The instrument is dated {instrument.issued_on}, and today is {today}.")
        values = instrument.model_dump(mode="json")
        entered = insert(INSTRUMENTS).values(**values, case_id=case_id, entered_at=at, entered_by=entered_by)
        instrument_id = self._connection.execute(entered.returning(INSTRUMENTS.c.instrument_id)).scalar_one()
        return EnteredInstrument(instrument_id, case_id, instrument, at, entered_by)

    def of_case(self, case_id: str) -> list[EnteredInstrument]:
        """The instruments of a case, the oldest first."""
        query = (
            select(INSTRUMENTS).where(INSTRUMENTS.c.case_id == case_id).order_by(INSTRUMENTS.c.instrument_id)
        )
        return [EnteredInstrument.of(row) for row in self._connection.execute(query).mappings()]
