"""Lines of NCID, against the published ones: "NCID API Documentation", API 1.10 to 1.12, ncid.sourceforge.io.

Its callers' numbers are other people's: here they are those that are nobody's.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tools.house import ncid
from host_tools.house.household import Call
from tests.host.house.ncid_client import fields

TWENTY_PAST_FOUR = datetime(2015, 12, 1, 16, 20, 5)
# "Modem-to-Server": DATE = 0511, TIME = 1852, NAME = JOHN DOE.
JOHN = Call(
    "00112233445566aa",
    datetime(2015, 5, 11, 18, 52, tzinfo=UTC),
    rings=1,
    number="5555550123",
    name="JOHN DOE",
)


def test_server_line() -> None:
    # "200 Server: ncidd (NCID) 1.0": "the wording stays the same".
    assert ncid.server("1.0") == "200 Server: Star57 (NCID) 1.0"


def test_api_line() -> None:
    # "210 API: 1.0 Feature Set 1 2 3 4": "all supported feature sets must be included".
    assert ncid.API == "210 API: 1.10 Feature Set 1 4"


def test_lines_of_the_startup() -> None:
    assert ncid.END_OF_LOG == "250 End of call log"
    assert ncid.LOG_NOT_SENT == "251 Call log not sent"
    assert ncid.LOG_EMPTY == "252 Call log empty"
    assert ncid.START_OF_LOG == "254 Start of call log"
    assert ncid.END_OF_STARTUP == "300 End of connection startup"


@pytest.mark.parametrize(
    ("line_id", "count", "published"),
    [
        ("1", 4, "CIDINFO: *LINE*1*RING*4*TIME*16:20:05*"),
        ("POTS", ncid.STOPPED, "CIDINFO: *LINE*POTS*RING*0*TIME*16:20:05*"),
        ("VOIP", ncid.NOT_ANSWERED, "CIDINFO: *LINE*VOIP*RING*-1*TIME*16:20:05*"),
        ("VOIP", ncid.HUNG_UP, "CIDINFO: *LINE*VOIP*RING*-2*TIME*16:20:05*"),
    ],
)
def test_ring_lines_word_by_word(line_id: str, count: int, published: str) -> None:
    assert ncid.ring(line_id, count, TWENTY_PAST_FOUR) == published


def test_call_line() -> None:
    # The {CALLTYPE} structure, of before API 1.11.
    assert ncid.call(JOHN, "POTS", UTC) == (
        "CID: *DATE*05112015*TIME*1852*LINE*POTS*NMBR*5555550123*MESG*NONE*NAME*JOHN DOE*"
    )


@pytest.mark.parametrize(
    ("reason", "name_reason", "number", "name"),
    [
        ("P", "P", "PRIVATE", "PRIVATE"),
        ("O", "O", "OUT-OF-AREA", "OUT-OF-AREA"),
        ("P", None, "PRIVATE", "NO NAME"),
        (None, None, "NO-NUMBER", "NO NAME"),
    ],
)
def test_callers_who_are_not_presented_have_the_special_names(
    reason: str | None, name_reason: str | None, number: str, name: str
) -> None:
    nobody = replace(JOHN, number=None, name=None, reason=reason, name_reason=name_reason)
    pairs = fields(ncid.call(nobody, "POTS", UTC))
    assert (pairs["NMBR"], pairs["NAME"]) == (number, name)


def test_end_line() -> None:
    # "Duration calculation with the start and end hour different": SCALL, ECALL, HTYPE.
    known = replace(JOHN, began=datetime(2022, 3, 3, 9, 39, 18, tzinfo=UTC), answered=True)
    ended = datetime(2022, 3, 3, 10, 4, 36, tzinfo=UTC)
    assert ncid.end(known, "WC09", ended, UTC) == (
        "END: *HTYPE*BYE*DATE*03032022*TIME*0939*SCALL*03/03/2022 09:39:18*ECALL*03/03/2022 10:04:36"
        "*CTYPE*IN*LINE*WC09*NMBR*5555550123*NAME*JOHN DOE*"
    )
    assert "*HTYPE*CANCEL*" in ncid.end(replace(known, answered=False), "WC09", ended, UTC)


def test_message_line() -> None:
    # {MSGTYPE}, server output: "<message> ***DATE*...".
    assert ncid.message("hello", "POTS", TWENTY_PAST_FOUR) == (
        "MSG: hello ***DATE*12012015*TIME*1620*LINE*POTS*NMBR*-*MTYPE*SYS*NAME*-*"
    )


@pytest.mark.parametrize("label", ["CID", "MSG", "END"])
def test_the_log_has_lines_by_their_label(label: str) -> None:
    assert ncid.of_log(f"{label}: *DATE*12012015*") == f"{label}LOG: *DATE*12012015*"


def test_dates_and_times_are_the_households() -> None:
    pairs = fields(ncid.call(JOHN, "POTS", ZoneInfo("Asia/Tokyo")))
    assert (pairs["DATE"], pairs["TIME"]) == ("05122015", "0352")


@given(st.text(), st.text(), st.text())
def test_whatever_a_caller_presents_no_field_and_no_line_is_added(
    number: str, name: str, line_id: str
) -> None:
    line = ncid.call(replace(JOHN, number=number, name=name), line_id, UTC)
    assert len(line.splitlines()) == 1
    assert list(fields(line)) == ["DATE", "TIME", "LINE", "NMBR", "MESG", "NAME"]
    assert all(fields(line).values())
