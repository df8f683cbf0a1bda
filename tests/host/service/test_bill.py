"""A bill as rows and as CSV."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from host_tools.service.bill import CUT_BY_CAP, Bill, bill, bill_csv, bills_of_month
from host_tools.service.charges import Charge
from tests.host.service.conftest import LINE

NEW_YORK = ZoneInfo("America/New_York")
CLOCKS_BACK = 1793512800  # 2026-11-01 06:00:00 UTC: 2 o'clock becomes 1 o'clock in New York
OTHER_LINE = "5555550101"
CHARGES = [
    Charge("T-00000001", LINE, "2026-11", CLOCKS_BACK - 1800, 500, 500),
    Charge("T-00000002", LINE, "2026-11", CLOCKS_BACK + 1800, 500, 250),
    Charge("T-00000004", LINE, "2026-11", CLOCKS_BACK + 3600, 500, 0),
]
OF_OTHER = Charge("T-00000003", OTHER_LINE, "2026-11", CLOCKS_BACK, 5, 5)

HEADER = "line,month,service,trace,date,time,time_zone,price,charge,currency,note\r\n"
ROWS = (
    f"{LINE},2026-11,Call trace (*57),T-00000001,2026-11-01,01:30:00-04:00,America/New_York,5.00,5.00,USD,\r\n"
    f"{LINE},2026-11,Call trace (*57),T-00000002,2026-11-01,01:30:00-05:00,America/New_York,5.00,2.50,USD,"
    "monthly cap reached\r\n"
    f"{LINE},2026-11,Call trace (*57),T-00000004,2026-11-01,02:00:00-05:00,America/New_York,5.00,0.00,USD,"
    "monthly cap reached\r\n"
)


def november() -> Bill:
    return bill(LINE, "2026-11", CHARGES, NEW_YORK)


def test_a_bill_says_what_a_trace_costs_and_what_the_cap_took_off() -> None:
    assert [item.note for item in november().items] == ["", CUT_BY_CAP, CUT_BY_CAP]
    assert (november().price_cents, november().charge_cents) == (1500, 750)


def test_a_trace_at_no_price_was_not_cut() -> None:
    free = bill(LINE, "2026-11", [Charge("T-00000001", LINE, "2026-11", CLOCKS_BACK, 0, 0)], NEW_YORK)
    assert free.items[0].note == ""


def test_a_bill_as_csv_tells_the_two_hours_apart_when_clocks_go_back() -> None:
    assert bill_csv([november()]).decode() == HEADER + ROWS


def test_a_months_bill_has_every_line() -> None:
    bills = bills_of_month("2026-11", [*CHARGES, OF_OTHER], NEW_YORK)
    assert [(each.line, each.charge_cents) for each in bills] == [(LINE, 750), (OTHER_LINE, 5)]
    of_other = (
        f"{OTHER_LINE},2026-11,Call trace (*57),T-00000003,2026-11-01,01:00:00-05:00,America/New_York,0.05,0.05,"
        "USD,\r\n"
    )
    assert bill_csv(bills).decode() == HEADER + ROWS + of_other


def test_a_month_without_traces_is_a_header_alone() -> None:
    empty = bill(LINE, "2026-11", [], NEW_YORK)
    assert (empty.price_cents, empty.charge_cents) == (0, 0)
    assert bill_csv([empty]).decode() == HEADER
