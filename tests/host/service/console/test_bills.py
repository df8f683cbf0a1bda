"""The bills of every line and month, and who looked at them."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from playwright.async_api import Page, expect
from pypdf import PdfReader
from sqlalchemy.engine import Connection

from host_tools.service.access import Role
from host_tools.service.charges import Charge, Charges
from host_tools.service.console.pages import bills
from host_tools.service.settings import Settings
from tests.host.browser import on_each_screen
from tests.host.service.conftest import CALLED_AT, LINE
from tests.host.service.console.conftest import Console, new_settings
from tests.host.service.console.served import Served, fits, served

__all__ = ["served"]

OTHER_LINE = "5555550101"
READERS = [Role.OPERATOR, Role.ADMINISTRATOR]

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what is refused before the database is asked."""


@pytest.fixture
def settings(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    return new_settings(database_url, tmp_path, monkeypatch, time_zone="America/New_York")


def add_charges(connection: Connection) -> None:
    """Three traces of two lines in January, one in March."""
    Charges(connection).add_all(
        [
            Charge("T-00000001", LINE, "2026-01", CALLED_AT, 500, 500),
            Charge("T-00000002", LINE, "2026-01", CALLED_AT + 60, 500, 100),
            Charge("T-00000003", OTHER_LINE, "2026-01", CALLED_AT + 120, 300, 300),
            Charge("T-00000004", LINE, "2026-03", CALLED_AT + 60 * 86400, 500, 500),
        ]
    )


@pytest.mark.parametrize("role", READERS)
async def test_months_then_lines_then_a_bill(console: Console, role: Role) -> None:
    browser = await console.sign_in(role)
    assert "No trace was charged yet" in (await browser.get("/bills")).text
    await console.write(add_charges)
    months = (await browser.get("/bills")).text
    assert months.index("/bills/2026-03") < months.index("/bills/2026-02") < months.index("/bills/2026-01")
    month = (await browser.get("/bills/2026-01")).text
    for words in (
        "3 successful traces",
        "$9.00 charged of $13.00",
        f"/bills/2026-01/{LINE}",
        OTHER_LINE,
        "New_York",
    ):
        assert words in month
    bill = (await browser.get(f"/bills/2026-01/{LINE}")).text
    for words in ("T-00000002", "07:01:00 EST", "monthly cap reached", "$6.00"):
        assert words in bill
    assert "T-00000003" not in bill


async def test_files_for_a_person_and_for_a_billing_system(console: Console) -> None:
    await console.write(add_charges)
    browser = await console.sign_in(Role.OPERATOR)
    everybody = await browser.get("/bills/2026-01.csv")
    assert everybody.headers["content-disposition"] == 'attachment; filename="call-trace-2026-01.csv"'
    rows = [row.split(",") for row in everybody.text.splitlines()[1:]]
    assert [(row[0], row[3], row[7], row[8]) for row in rows] == [
        (LINE, "T-00000001", "5.00", "5.00"),
        (LINE, "T-00000002", "5.00", "1.00"),
        (OTHER_LINE, "T-00000003", "3.00", "3.00"),
    ]
    own = await browser.get(f"/bills/2026-01/{LINE}.csv")
    assert own.text.splitlines() == everybody.text.splitlines()[:3]
    paper = await browser.get(f"/bills/2026-01/{LINE}.pdf")
    assert paper.headers["content-disposition"] == f'attachment; filename="call-trace-{LINE}-2026-01.pdf"'
    assert "$6.00" in PdfReader(io.BytesIO(paper.content)).pages[0].extract_text()


async def test_who_looks_at_a_bill_is_in_the_audit_log(console: Console) -> None:
    await console.write(add_charges)
    browser = await console.sign_in(Role.OPERATOR, name="alex")
    paths = [
        "/bills/2026-01",
        "/bills/2026-01.csv",
        f"/bills/2026-01/{LINE}",
        f"/bills/2026-01/{LINE}.csv",
        f"/bills/2026-01/{LINE}.pdf",
        "/api/bills/2026-01",
        f"/api/bills/2026-01/{LINE}",
    ]
    for path in ("/bills", "/api/bills", *paths):
        assert (await browser.get(path)).status_code == 200
    rows = await console.audit("bill.read")
    of_line = {"line": LINE}
    assert [(row.actor, row.subject, json.loads(row.details)) for row in rows] == [
        ("alex", "2026-01", of_line if LINE in path else {}) for path in paths
    ]


async def test_lines_come_in_pages(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bills, "LINES_A_PAGE", 1)
    await console.write(add_charges)
    browser = await console.sign_in(Role.ADMINISTRATOR)
    first = (await browser.get("/bills/2026-01")).text
    assert OTHER_LINE not in first
    assert f"/bills/2026-01?after={LINE}" in first
    second = (await browser.get(f"/bills/2026-01?after={LINE}")).text
    assert f"/bills/2026-01/{OTHER_LINE}" in second
    assert f"/bills/2026-01/{LINE}" not in second
    assert "There is no line here" in (await browser.get(f"/bills/2026-01?after={OTHER_LINE}")).text


async def test_the_api_has_cents(console: Console) -> None:
    await console.write(add_charges)
    browser = await console.sign_in(Role.OPERATOR)
    assert (await browser.get("/api/bills")).json() == ["2026-03", "2026-02", "2026-01"]
    assert (await browser.get("/api/bills/2026-01")).json() == {
        "month": "2026-01",
        "zone": "America/New_York",
        "total": {"traces": 3, "price_cents": 1300, "charge_cents": 900},
        "lines": {
            LINE: {"traces": 2, "price_cents": 1000, "charge_cents": 600},
            OTHER_LINE: {"traces": 1, "price_cents": 300, "charge_cents": 300},
        },
        "next_after": None,
    }
    assert (await browser.get(f"/api/bills/2026-01/{OTHER_LINE}")).json()["charge_cents"] == 300


@on_sqlite
@pytest.mark.parametrize(
    "path",
    [
        "/bills/2026-00",
        "/bills/2026-1.csv",
        f"/bills/x/{LINE}",
        "/bills/2026-01/5'--",
        "/bills/2026-01/5555550100555555",
        "/bills/2026-01/+15555550100.pdf",
        "/bills/2026-01?after=5'",
        "/api/bills/0000-01",
        "/api/bills/2026-01/x",
    ],
)
async def test_a_wrong_address_is_refused_and_nothing_is_noted(console: Console, path: str) -> None:
    browser = await console.sign_in(Role.OPERATOR)
    assert (await browser.get(path)).status_code == 422
    assert await console.audit("bill.read") == []


@on_each_screen
async def test_an_administrator_in_a_browser(served: Served, page: Page) -> None:
    served.write(add_charges)
    await served.sign_in(page, Role.ADMINISTRATOR)
    await page.goto(f"{served.address}/bills")
    assert await fits(page)
    await page.get_by_role("link", name="2026-01", exact=True).click()
    await page.get_by_role("link", name=LINE).click()
    await expect(page.get_by_role("row").filter(has_text="T-00000002")).to_contain_text("monthly cap reached")
    assert await fits(page)
    async with page.expect_download() as download:
        await page.get_by_role("link", name="PDF").click()
    assert (await download.value).suggested_filename == f"call-trace-{LINE}-2026-01.pdf"
