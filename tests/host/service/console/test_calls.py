"""A household's log of its calls: page, notes, record on paper, switch and deletion; and nobody else's."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Page, expect
from pypdf import PdfReader
from sqlalchemy import update
from sqlalchemy.engine import Connection

from host_tools.service.access import Role
from host_tools.service.adapters import Adapters
from host_tools.service.call_log import CallLog
from host_tools.service.call_log_switch import set_switch
from host_tools.service.cases import Cases
from host_tools.service.console.pages.calls import CALLS_A_PAGE
from host_tools.service.lines import LinePolicy, Lines
from host_tools.service.printed_log import PrintedLog, printed_log_csv, seconds_of
from host_tools.service.printed_log_pdf import printed_log_pdf
from host_tools.service.secret import Secret
from host_tools.service.settings import Settings
from host_tools.service.tables import CASES
from host_tools.service.traces import Traces
from tests.host.browser import Screen, on_each_screen
from tests.host.service.conftest import CALLED_AT, LINE
from tests.host.service.console.conftest import Browser, Console, new_settings
from tests.host.service.console.served import Served, fits, served
from tests.host.service.logged_calls import add_call
from tests.host.service.test_household import trace

__all__ = ["served"]

OTHER_LINE = "5555550101"
NEW_YORK = ZoneInfo("America/New_York")
NARROW = Screen("narrow", 360, 740, "light", is_phone=True)
DAYS = {"since": "2025-12-30", "until": "2026-01-01"}
NOTE = 'He breathed, then:\n"I know where you live" & hung up'
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def settings(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    return new_settings(database_url, tmp_path, monkeypatch, time_zone="America/New_York")


def some_calls(connection: Connection, secret: Secret) -> None:
    """A named caller who was traced and noted, one who withheld the number, one of no time, and one who waited."""
    Adapters(connection).add("adapter-1", bytes(32))
    Lines(connection).put(LinePolicy(line=LINE, adapter_id="adapter-1"))
    set_switch(connection, LINE, is_on=True, by="household", at=CALLED_AT)
    add_call(connection, secret, call_id=f"{1:016}", trace_outcome="traced", rings=3)
    Traces(connection).add_all([replace(trace(1), called_at=CALLED_AT)])
    log = CallLog(connection, secret, LINE)
    log.add_note("adapter-1", f"{1:016}", NOTE, by="household", at=CALLED_AT + 120)
    add_call(
        connection,
        secret,
        call_id=f"{2:016}",
        at=CALLED_AT - 40_000,
        number=None,
        name=None,
        reason="P",
        answered=False,
        rings=7,
        trace_outcome="not_traceable",
    )
    add_call(
        connection,
        secret,
        call_id=f"{3:016}",
        time_source="caller_id",
        at=CALLED_AT - 90_000,
        call_waiting=True,
        rings=0,
        number="5555550199",
        name="ZOË  ACME PLUMBING AND HEATING CO",
    )
    add_call(connection, secret, call_id=f"{4:016}", time_source="none", at=9, caller_id=None)


async def with_calls(console: Console) -> Browser:
    await console.write(lambda connection: some_calls(connection, console.people.secret))
    return await console.sign_in(Role.HOUSEHOLD)


def text_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


async def test_the_page_has_the_calls_by_day(console: Console) -> None:
    browser = await with_calls(console)
    text = (await browser.get("/calls")).text
    for words in (
        "Thursday, 2026-01-01",
        "Wednesday, 2025-12-31",
        "07:00:00 EST",
        "5555550123",
        "Withheld by the caller",
        "None presented",
        "T-00000001",
        "Could not be traced",
        "3 rings",
        "Call waiting",
        "about 06:00:00 EST",
        "Time not known",
        "&#34;I know where you live&#34; &amp; hung up",
    ):
        assert words in text, words
    assert [row.subject for row in await console.audit("call_log.read")] == [LINE]
    await browser.get("/calls")
    assert len(await console.audit("call_log.read")) == 1


async def test_nothing_of_it_is_in_the_audit_log_or_on_another_page(console: Console) -> None:
    browser = await with_calls(console)
    await browser.get("/calls/record.pdf", params=DAYS)
    pages = [await browser.get(path) for path in ("/line", "/line/log", "/api/line")]
    said = "".join(f"{tuple(row)}" for row in await console.audit()) + "".join(page.text for page in pages)
    for secret in ("555555012", "5555550199", "JANE", "ACME", "where you live"):
        assert secret not in said, secret


async def test_the_log_of_another_line_is_not_there(console: Console) -> None:
    await with_calls(console)
    other = await console.sign_in(Role.HOUSEHOLD, line=OTHER_LINE)
    assert "There is no call yet" in (await other.get("/calls")).text
    assert (await other.get("/api/calls")).json()["calls"] == []
    note = await other.post(f"/calls/adapter-1/{1:016}/notes", note="mine")
    assert note.status_code == 404
    assert (await other.post("/calls/notes/1/withdraw")).status_code == 404
    assert (await other.get("/api/calls/record", params=DAYS)).json()["calls"] == []


async def test_older_calls_are_on_the_next_page(console: Console) -> None:
    def work(connection: Connection) -> None:
        for number in range(CALLS_A_PAGE + 1):
            add_call(connection, console.people.secret, call_id=f"{number:016x}", at=CALLED_AT - number)

    await console.write(work)
    browser = await console.sign_in(Role.HOUSEHOLD)
    first = (await browser.get("/calls")).text
    assert first.count("<article") == CALLS_A_PAGE
    assert f"/calls?skip={CALLS_A_PAGE}" in first
    second = (await browser.get("/calls", params={"skip": CALLS_A_PAGE})).text
    assert second.count("<article") == 1
    assert "There are no older calls" in (await browser.get("/calls", params={"skip": 999})).text


async def test_a_note_is_kept_as_written_and_withdrawn(console: Console) -> None:
    browser = await with_calls(console)
    written = await browser.post(f"/calls/adapter-1/{2:016}/notes", note="one\r\n two ")
    assert (written.status_code, written.headers["location"]) == (303, "/calls")
    call = next(each for each in (await browser.get("/api/calls")).json()["calls"] if each["rings"] == 7)
    assert [note["note"] for note in call["notes"]] == ["one\n two "]
    number = call["notes"][0]["note_id"]
    assert (await browser.post(f"/calls/notes/{number}/withdraw")).status_code == 303
    assert (await browser.post(f"/calls/notes/{number}/withdraw")).status_code == 404
    text = (await browser.get("/calls")).text
    assert "<s>one\n two </s>" in text


@on_sqlite
@pytest.mark.parametrize(
    ("note", "words"),
    [("", "Fill this in."), (" \r\n ", "with words in it"), ("x" * 1001, "at most 1000 characters")],
)
async def test_a_note_that_is_none_is_refused_at_its_call(console: Console, note: str, words: str) -> None:
    browser = await with_calls(console)
    for headers, marks in (({}, "<h1>A note</h1>"), ({"hx-request": "true"}, "<article")):
        browser.client.headers.update(headers)
        answer = await browser.post(f"/calls/adapter-1/{2:016}/notes", note=note)
        assert answer.status_code == 422
        assert words in answer.text
        assert marks in answer.text
    most = await browser.post(f"/calls/adapter-1/{2:016}/notes", note="\r\n" + "x" * 999)
    assert most.status_code == 200, "a line's end counts one, as in the browser"


async def test_more_than_twenty_notes_are_refused(console: Console) -> None:
    browser = await with_calls(console)
    path = f"/api/calls/adapter-1/{2:016}/notes"
    token = {"x-csrf-token": browser.token()}
    statuses = [
        (await browser.client.post(path, headers=token, json={"note": f"{number}"})).status_code
        for number in range(21)
    ]
    assert statuses == [201] * 20 + [409]
    answer = await browser.post(f"/calls/adapter-1/{2:016}/notes", note="one more")
    assert (answer.status_code, "This call has 20 notes" in answer.text) == (409, True)


async def test_the_switch_and_what_it_says(console: Console) -> None:
    def bound(connection: Connection) -> None:
        Adapters(connection).add("adapter-1", bytes(32))
        Lines(connection).put(LinePolicy(line=LINE, adapter_id="adapter-1"))

    browser = await console.sign_in(Role.HOUSEHOLD)
    assert "Nothing about your calls is kept here" in (await browser.get("/calls")).text
    assert (await browser.post("/calls/switch", is_on="yes")).status_code == 303
    assert "No adapter belongs to your line yet" in (await browser.get("/calls")).text
    await console.write(bound)
    token = {"x-csrf-token": browser.token()}
    told = await browser.client.put("/api/calls/switch", headers=token, json={"is_on": True})
    assert told.json() == {"is_on": True, "reaches": "on_its_way"}
    await console.write(lambda connection: add_call(connection, console.people.secret))
    await browser.post("/calls/switch", is_on="no")
    text = (await browser.get("/calls")).text
    assert "1 call is kept from before" in text
    assert 'href="/calls/delete"' in text
    assert [row.actor.partition("-")[0] for row in await console.audit("call_log.switched")] == [
        "household"
    ] * 3


async def test_everything_is_deleted_but_under_legal_hold(console: Console) -> None:
    browser = await with_calls(console)
    assert "4 calls" in (await browser.get("/calls/delete")).text

    def held(connection: Connection) -> None:
        Cases(connection).open_for_danger(LINE, (), opened_by="household", at=1)
        connection.execute(update(CASES).values(has_legal_hold=True))

    await console.write(held)
    refused = await browser.post("/calls/delete")
    assert (refused.status_code, "under legal hold" in refused.text) == (409, True)
    token = {"x-csrf-token": browser.token()}
    assert (await browser.client.delete("/api/calls", headers=token)).status_code == 409
    await console.write(lambda connection: connection.execute(update(CASES).values(has_legal_hold=False)))
    assert (await browser.client.delete("/api/calls", headers=token)).json() == {"calls": 4}
    assert "There is nothing to delete" in (await browser.get("/calls/delete")).text
    assert (await browser.post("/calls/delete")).status_code == 303


async def test_a_record_is_the_same_as_page_csv_pdf_and_json(console: Console) -> None:
    browser = await with_calls(console)
    page = (await browser.get("/calls/record", params=DAYS)).text
    table = (await browser.get("/calls/record.csv", params=DAYS)).content
    paper = (await browser.get("/calls/record.pdf", params=DAYS)).content
    data = (await browser.get("/api/calls/record", params=DAYS)).json()
    sha256 = hashlib.sha256(table).hexdigest()
    text = text_of(paper)
    for shown in (page, text):
        assert sha256 in shown
        assert "5555550123" in shown
        assert "T-00000001" in shown
        assert "Withheld by the caller" in shown
        assert "It is not proof of who called" in re.sub(r"\s+", " ", shown)
        assert "America/New_York" in shown
    assert data["sha256"] == sha256
    assert [call["call_id"] for call in data["calls"]] == [f"{number:016}" for number in (3, 2, 1, 4)]
    rows = list(csv.DictReader(io.StringIO(table.decode(), newline="")))
    assert [(row["date"], row["time"][:8], row["time_known_by"]) for row in rows] == [
        ("2025-12-31", "06:00:00", "caller_id"),
        ("2025-12-31", "19:53:20", "network"),
        ("2026-01-01", "07:00:00", "network"),
        ("2026-01-01", "07:00:30", "none"),
    ]
    assert rows[2]["notes"] == f"[2026-01-01 07:02:00 EST] {NOTE}"
    assert "Page 1 of 1" in text
    assert paper == (await browser.get("/calls/record.pdf", params=DAYS)).content
    assert len(await console.audit("call_log.printed")) == 5


@on_sqlite
@pytest.mark.parametrize(
    ("days", "words"),
    [
        ({}, "Fill this in."),
        ({"since": "2026-01-02", "until": "2026-01-01"}, "The last day comes before the first."),
        ({"since": "yesterday", "until": "2026-01-01"}, "This must be a date such as 2026-01-31."),
        ({"since": "0001-01-01", "until": "9999-12-31"}, "This must be 1971-01-01 or more."),
    ],
)
async def test_a_period_that_is_none_is_told(console: Console, days: dict[str, str], words: str) -> None:
    browser = await with_calls(console)
    for path in ("/calls/record", "/calls/record.pdf", "/calls/record.csv"):
        answer = await browser.get(path, params=days)
        assert answer.status_code == 422
        assert words in answer.text
    assert (await browser.get("/api/calls/record", params=days)).status_code == 422


@on_sqlite
async def test_a_period_of_too_many_calls_is_told(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("host_tools.service.console.pages.calls.MOST_CALLS", 3)
    browser = await with_calls(console)
    for path in ("/calls/record", "/calls/record.pdf"):
        answer = await browser.get(path, params=DAYS)
        assert (answer.status_code, "choose fewer" in answer.text) == (422, True)
    assert (await browser.get("/api/calls/record", params=DAYS)).status_code == 422


def test_a_day_is_the_operators_also_when_the_clocks_change() -> None:
    since, until = seconds_of(date(2026, 11, 1), date(2026, 11, 1), NEW_YORK)
    assert until - since == 25 * 3600
    since, until = seconds_of(date(2026, 3, 8), date(2026, 3, 8), NEW_YORK)
    assert until - since == 23 * 3600


@on_sqlite
async def test_long_records_have_their_heads_and_numbers_on_every_page(console: Console) -> None:
    def work(connection: Connection) -> PrintedLog:
        secret = console.people.secret
        log = CallLog(connection, secret, LINE)
        for number in range(120):
            add_call(connection, secret, call_id=f"{number:016x}", at=CALLED_AT + 60 * number)
        log.add_note("adapter-1", f"{60:016x}", "中文 " + "\n" * 990 + "end", by="household", at=1)
        log.add_note("adapter-1", f"{61:016x}", "<b>W</b>" + "W" * 990, by="household", at=1)
        calls = log.between(CALLED_AT, CALLED_AT + 86400, 1000)
        return PrintedLog(LINE, date(2026, 1, 1), date(2026, 1, 1), NEW_YORK, tuple(calls))

    log = await console.write(work)
    paper = printed_log_pdf(log)
    assert paper == printed_log_pdf(log)
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(paper)).pages]
    for number, page in enumerate(pages, 1):
        assert f"Page {number} of {len(pages)}" in page
        assert log.sha256 in page
    assert sum(page.count("5555550123") for page in pages) == 120
    assert all("Number as presented" in page for page in pages[:-1])
    text = "".join(pages)
    assert "[U+4E2D][U+6587]" in text
    assert "end" in text
    assert "<b>" in text
    assert hashlib.sha256(printed_log_csv(log)).hexdigest() == log.sha256


def test_a_record_of_no_call_says_so() -> None:
    log = PrintedLog(LINE, date(2026, 1, 1), date(2026, 1, 2), NEW_YORK, ())
    assert "There was no call in this period." in text_of(printed_log_pdf(log))
    assert len(printed_log_csv(log).splitlines()) == 1


# In Chromium.


def seed(served: Served) -> None:
    secret = Secret(Path(served.database_url.removeprefix("sqlite:///")).with_name("secret"))
    served.write(lambda connection: some_calls(connection, secret))


@on_each_screen
async def test_the_page_on_each_screen(served: Served, page: Page) -> None:
    seed(served)
    await served.sign_in(page, Role.HOUSEHOLD)
    await page.goto(f"{served.address}/calls")
    await expect(page.get_by_role("heading", level=1)).to_have_text(f"Calls of line {LINE}")
    await expect(page.get_by_role("article")).to_have_count(4)
    assert await fits(page)
    await page.get_by_role("button", name="Show and print").click()
    await expect(page.get_by_role("heading", name="Record of calls")).to_be_visible()
    assert await fits(page)


@pytest.mark.parametrize("screen", [NARROW], ids=str)
async def test_a_note_is_written_and_withdrawn_on_a_small_phone(
    served: Served, page: Page, screenshot_path: Any
) -> None:
    seed(served)
    await served.sign_in(page, Role.HOUSEHOLD)
    await page.goto(f"{served.address}/calls")
    assert await fits(page)
    call = page.get_by_role("article").filter(has_text="7 rings")
    await call.get_by_text("Add a note").click()
    await call.get_by_label("What was said").fill("   ")
    await call.get_by_role("button", name="Keep this note").click()
    await expect(call.get_by_text("This must be a note with words in it.")).to_be_visible()
    await expect(call.get_by_label("What was said")).to_have_attribute("aria-invalid", "true")
    assert await fits(page)
    await call.get_by_label("What was said").fill("A man's voice, " + "x" * 200)
    await page.screenshot(path=screenshot_path("writing"), full_page=True, caret="initial")
    await call.get_by_role("button", name="Keep this note").click()
    await expect(call.get_by_text("A man's voice")).to_be_visible()
    assert await fits(page)
    await call.get_by_role("button", name="Withdraw").click()
    await expect(call.get_by_text("withdrawn 2026")).to_be_visible()
    await expect(call.get_by_role("button", name="Withdraw")).to_have_count(0)
    assert await fits(page)


async def test_the_record_on_paper_and_as_files(served: Served, page: Page, screenshot_path: Any) -> None:
    seed(served)
    await served.sign_in(page, Role.HOUSEHOLD)
    await page.goto(f"{served.address}/calls/record?since=2025-12-30&until=2026-01-01")
    for kind, start in (("PDF", b"%PDF-"), ("CSV", b"line,date,")):
        async with page.expect_download() as download:
            await page.get_by_role("link", name=kind).click()
        path = await (await download.value).path()
        assert path.read_bytes().startswith(start)
        if kind == "PDF":
            screenshot_path("paper").with_suffix(".pdf").write_bytes(path.read_bytes())
    await page.emulate_media(media="print")
    await expect(page.get_by_role("table")).to_be_visible()
    await expect(page.get_by_role("navigation")).to_be_hidden()
    await expect(page.get_by_role("link", name="PDF")).to_be_hidden()


async def test_the_log_is_switched_off_and_deleted_by_keyboard(served: Served, page: Page) -> None:
    seed(served)
    await served.sign_in(page, Role.HOUSEHOLD)
    await page.goto(f"{served.address}/calls")
    await page.get_by_role("button", name="Switch the log off").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status")).to_contain_text("4 calls are kept from before")
    await page.get_by_role("link", name="delete them").focus()
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Delete all 4 calls").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status")).to_contain_text("Nothing about your calls is kept here")
    await expect(page.get_by_text("There is no call yet")).to_be_visible()
