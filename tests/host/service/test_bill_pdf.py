"""A bill on paper."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from pypdf import PdfReader

from host_tools.service.bill import Bill, bill
from host_tools.service.bill_pdf import bill_pdf
from host_tools.service.charges import Charge
from tests.host.service.conftest import LINE
from tests.host.service.test_bill import CHARGES, NEW_YORK, november


def pages(of: Bill) -> list[str]:
    """The text of each page."""
    return [page.extract_text() for page in PdfReader(io.BytesIO(bill_pdf(of))).pages]


def test_the_paper_says_what_the_rows_say() -> None:
    (page,) = pages(november())
    for words in (
        "Call trace (*57)",
        f"Line {LINE}",
        "November 2026, by the clocks of America/New_York",
        "01:30:00 EDT",
        "01:30:00 EST",
        "T-00000002",
        "monthly cap reached",
        "$15.00",
        "$7.50 is not charged: the line had reached its cap of this month.",
        "Page 1",
    ):
        assert words in page


def test_the_same_bill_makes_the_same_bytes() -> None:
    assert bill_pdf(november()) == bill_pdf(november())
    assert b"CreationDate (D:2000" in bill_pdf(november())


@pytest.mark.parametrize(("traces", "sheets"), [(0, 1), (1, 1), (200, 6)])
def test_every_page_has_the_heads_of_the_columns_and_its_number(traces: int, sheets: int) -> None:
    charges = [
        replace(CHARGES[0], trace_id=f"T-{number:08}", traced_at=CHARGES[0].traced_at + number)
        for number in range(traces)
    ]
    paper = pages(bill(LINE, "2026-11", charges, NEW_YORK))
    assert len(paper) == sheets
    for number, page in enumerate(paper, 1):
        assert "Date" in page
        assert f"Page {number}" in page
    assert sum(page.count("T-0") for page in paper) == traces
    assert "not charged" not in "".join(paper)


def test_charges_without_a_cap_are_the_total() -> None:
    (page,) = pages(
        bill(LINE, "2026-11", [Charge("T-00000009", LINE, "2026-11", 1793512800, 1000, 1000)], NEW_YORK)
    )
    assert page.count("$10.00") == 4
