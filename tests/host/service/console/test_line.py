"""A household's own line: what to do next, traces, log, bill, danger; and never who called."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from playwright.async_api import Page, expect
from pypdf import PdfReader
from sqlalchemy import select
from sqlalchemy.engine import Connection

from host_tools.service.access import Role
from host_tools.service.adapters import Adapters
from host_tools.service.cases import Cases, CloseReason
from host_tools.service.charges import Charge, Charges
from host_tools.service.lines import LinePolicy, Lines
from host_tools.service.messages import Outcome
from host_tools.service.sealing import new_key_pair, open_sealed
from host_tools.service.settings import Settings
from host_tools.service.tables import TRACES
from host_tools.service.traces import Traces
from tests.host.browser import on_each_screen
from tests.host.service.conftest import CALLED_AT, LINE, Adapter, new_request
from tests.host.service.console.conftest import Browser, Console, new_settings
from tests.host.service.console.served import Served, fits, served
from tests.host.service.test_household import trace

__all__ = ["served"]

OTHER_LINE = "5555550101"
SUBSCRIBERS = """number,name,address
5555550123,JANE DOE,7 Elm Street
5555550124,RICHARD ROE,9 Oak Avenue
"""
PAGES = ("/line", "/line/log", "/line/bill/2026-01", "/line/bill/2026-01.csv", "/line/bill/2026-01.pdf")
CALLS = ("/api/line", "/api/line/bill/2026-01")

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what is refused before the database is asked."""


@dataclass(frozen=True)
class Keys:
    """The centre's pair."""

    private: str
    public: str


@pytest.fixture
def keys() -> Keys:
    return Keys(*new_key_pair())


@pytest.fixture
def settings(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keys: Keys) -> Settings:
    subscribers = tmp_path / "subscribers.csv"
    subscribers.write_text(SUBSCRIBERS)
    return new_settings(
        database_url,
        tmp_path,
        monkeypatch,
        centre_public_key=keys.public,
        subscribers=str(subscribers),
        time_zone="America/New_York",
        monthly_cap_cents=1200,
    )


async def ask(console: Console, adapter: Adapter, **fields: object) -> dict[str, object]:
    """The service's answer to a new trace request."""
    token = adapter.token(new_request(**fields))  # type: ignore[arg-type]
    response = await console.browser().client.post(
        "/v1/messages", content=token, headers={"content-type": "application/jose"}
    )
    assert response.status_code == 200
    return adapter.read(response.content)


async def known_adapter(console: Console) -> Adapter:
    adapter = Adapter()
    await console.write(lambda connection: Adapters(connection).add(adapter.adapter_id, adapter.key))
    return adapter


async def add_traces(console: Console, *numbers: int, tag: str = "a", line: str = LINE) -> None:
    """Successful traces, and their charges."""

    def work(connection: Connection) -> None:
        for number in numbers:
            of = trace(number, tag, line=line)
            Traces(connection).add_all([of])
            assert of.trace_id
            Charges(connection).add_all([Charge(of.trace_id, line, "2026-01", of.received_at, 500, 500)])

    await console.write(work)


async def shown(browser: Browser) -> Iterator[str]:
    """The text of everything that a household can open."""
    texts = []
    for path in (*PAGES, *CALLS):
        response = await browser.get(path)
        assert response.status_code == 200, path
        texts.append(text_of(response.content))
    return iter(texts)


def text_of(content: bytes) -> str:
    if content.startswith(b"%PDF"):
        return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
    return content.decode()


def strings(value: object) -> Iterator[str]:
    """Every text and number in a structure."""
    if isinstance(value, dict):
        for each in value.values():
            yield from strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from strings(each)
    elif value is not None:
        yield str(value)


async def test_a_household_never_sees_who_called(console: Console, keys: Keys) -> None:
    adapter = await known_adapter(console)
    for minute, caller in enumerate(["5555550123"] * 3 + ["5555550124", "5555550199", None]):
        console.clock.now += 60
        await ask(
            console, adapter, caller=caller, at=CALLED_AT + 600 * minute, requested_at=int(console.clock.now)
        )
    await ask(console, adapter, caller="5555550177", line=OTHER_LINE, at=CALLED_AT)
    rows = await console.read(lambda connection: connection.execute(select(TRACES)).all())
    sealed = [open_sealed(row.sealed, keys.private) for row in rows if row.sealed]
    assert {record.origin for record in sealed} >= {"5555550123", "5555550124", "5555550199", "5555550177"}
    assert {record.name for record in sealed} >= {"JANE DOE", "RICHARD ROE"}
    secrets = {OTHER_LINE}
    for record in sealed:
        fields = record.model_dump(
            mode="json", include={"origin", "name", "address", "presented", "forwarded_from"}
        )
        secrets |= set(strings(fields))
    secrets |= {
        str(cell) for row in rows for cell in (row.origin_tag, row.origin_key, row.call_id, row.request_id)
    }
    secrets -= {LINE, "None"}
    browser = await console.sign_in(Role.HOUSEHOLD)
    texts = list(await shown(browser))
    for text in texts:
        assert LINE in text
        for secret in secrets:
            assert secret not in text
        # No other number of a telephone at all: what has seven digits is the line, a trace, a case or a moment.
        for number in re.findall(r"(?<![-TC0-9a-f])[0-9]{7,15}(?![0-9a-f])", text):
            assert number == LINE or abs(int(number) - CALLED_AT) < 86400
    assert "action_possible" in texts[len(PAGES)]


async def test_a_household_sees_its_own_line_alone(console: Console) -> None:
    await add_traces(console, 1)
    await add_traces(console, 2, line=OTHER_LINE)
    await console.write(
        lambda connection: Cases(connection).open_for_danger(
            OTHER_LINE, (), opened_by="operator", at=CALLED_AT
        )
    )
    for text in await shown(await console.sign_in(Role.HOUSEHOLD)):
        assert OTHER_LINE not in text
        assert "T-00000002" not in text
        assert "C-00000001" not in text


async def test_what_a_household_looks_at_is_in_the_audit_log(console: Console) -> None:
    account = await console.add(Role.HOUSEHOLD, name="jo")
    household = await console.sign_in_as(account)
    for path in ("/line", "/line/log", "/api/line", "/line/bill/2026-01", "/line/bill/2026-01.csv"):
        assert (await household.get(path)).status_code == 200
    console.clock.now += 3600
    household = await console.sign_in_as(account)
    assert (await household.get("/line")).status_code == 200
    assert [(row.actor, row.action, row.subject) for row in await console.audit()] == [
        ("jo", "line.read", LINE),
        ("jo", "bill.read", "2026-01"),
        ("jo", "bill.read", "2026-01"),
        ("jo", "line.read", LINE),
    ]


async def test_times_outcomes_and_charges(console: Console) -> None:
    await add_traces(console, 1)
    browser = await console.sign_in(Role.HOUSEHOLD)
    page = re.sub("</?span>", "", (await browser.get("/line")).text)
    for words in (
        "2026-01-01 07:01:00 EST",
        "2026-01-01 07:01:30 EST",
        "by the clocks of America/New_York",
        "T-00000001",
        "$5.00",
        "$12.00 at most",
        "This month: $5.00",
        "Bill of 2026-01",
    ):
        assert words in page


async def test_an_unknown_time_is_said(console: Console) -> None:
    unknown = replace(trace(1, outcome=Outcome.NOT_TRACEABLE), called_at=None)
    await console.write(lambda connection: Traces(connection).add_all([unknown]))
    page = (await (await console.sign_in(Role.HOUSEHOLD)).get("/line")).text
    assert "time not known" in page
    assert "Could not be traced" in page


async def test_what_to_do_next_changes_with_traces_and_cases(console: Console) -> None:
    browser = await console.sign_in(Role.HOUSEHOLD)

    async def next_step() -> tuple[str, str]:
        data = (await browser.get("/api/line")).json()
        return data["household"]["next_step"], (await browser.get("/line")).text

    step, page = await next_step()
    assert step == "nothing_yet"
    assert "No call was traced yet." in page
    await add_traces(console, 1)
    assert "2 more successful traces" in (await next_step())[1]
    await add_traces(console, 2)
    assert "One more successful trace" in (await next_step())[1]
    await add_traces(console, 3)
    ids = [f"T-{number:08}" for number in (1, 2, 3)]
    await console.write(lambda connection: Cases(connection).open_for_three(LINE, ids, CALLED_AT))
    step, page = await next_step()
    assert step == "action_possible"
    assert "Action is possible now." in page
    assert "Contact the police" in page
    assert page.count("C-00000001") >= 5
    await browser.post("/line/danger")
    step, page = await next_step()
    assert step == "immediate_danger"
    await console.write(
        lambda connection: Cases(connection).close("C-00000001", CloseReason.MISTAKE, by="x", at=CALLED_AT)
    )
    step, page = await next_step()
    assert step == "more_traces"
    assert "closed" in page


async def test_danger_opens_a_case_at_once(console: Console) -> None:
    await add_traces(console, 1)
    browser = await console.sign_in(Role.HOUSEHOLD, name="doe")
    page = (await browser.get("/line")).text
    assert page.index("Call emergency services first") < page.index('action="/line/danger"')
    done = await browser.post("/line/danger")
    assert (done.status_code, done.headers["location"]) == (303, "/line")
    page = (await browser.get("/line")).text
    assert page.index("Call emergency services first") < page.index("C-00000001")
    await browser.post("/line/danger")
    (row,) = await console.audit("case.danger")
    assert (row.actor, row.subject) == ("doe", "C-00000001")
    again = await browser.client.post("/api/line/danger", headers={"x-csrf-token": browser.token()})
    assert (again.status_code, again.json()) == (201, {"case_id": "C-00000001"})


async def test_danger_before_a_trace_says_what_to_do(console: Console) -> None:
    browser = await console.sign_in(Role.HOUSEHOLD)
    page = await browser.post("/line/danger")
    assert page.status_code == 409
    assert "Call emergency services first" in page.text
    assert "dial *57" in page.text
    data = await browser.client.post("/api/line/danger", headers={"x-csrf-token": browser.token()})
    assert (data.status_code, data.headers["content-type"]) == (409, "application/problem+json")
    assert await console.audit("case.danger") == []


async def test_the_log_has_the_oldest_first_and_room_to_write(console: Console) -> None:
    await add_traces(console, 1, 2)
    await console.write(
        lambda connection: Cases(connection).open_for_danger(LINE, (), opened_by="operator", at=CALLED_AT)
    )
    page = (await (await console.sign_in(Role.HOUSEHOLD)).get("/line/log")).text
    assert page.index("T-00000001") < page.index("T-00000002")
    assert "What happened" in page
    assert "Made at <time><span>2026-01-01</span> <span>08:00:00 EST</span></time>" in page
    assert "C-00000001" in page


async def test_the_bill_as_page_file_and_data(console: Console) -> None:
    await add_traces(console, 1)

    def cut(connection: Connection) -> None:
        Charges(connection).add_all([Charge("T-00000002", LINE, "2026-01", CALLED_AT + 200, 500, 200)])

    await console.write(cut)
    browser = await console.sign_in(Role.HOUSEHOLD)
    page = (await browser.get("/line/bill/2026-01")).text
    for words in ("T-00000001", "07:01:30 EST", "monthly cap reached", "$10.00", "$7.00"):
        assert words in page
    table = await browser.get("/line/bill/2026-01.csv")
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    assert table.headers["content-disposition"] == f'attachment; filename="call-trace-{LINE}-2026-01.csv"'
    assert table.text.count("\r\n") == 3
    paper = await browser.get("/line/bill/2026-01.pdf")
    assert paper.headers["content-type"] == "application/pdf"
    assert "$7.00" in text_of(paper.content)
    data = (await browser.get("/api/line/bill/2026-01")).json()
    assert (data["price_cents"], data["charge_cents"], data["zone"]) == (1000, 700, "America/New_York")
    assert data["items"][1] == {
        "trace_id": "T-00000002",
        "traced_at": "2026-01-01T07:03:20-05:00",
        "price_cents": 500,
        "charge_cents": 200,
        "note": "monthly cap reached",
    }
    assert "No trace was charged" in (await browser.get("/line/bill/2025-12")).text
    assert {row.subject for row in await console.audit("bill.read")} == {"2026-01", "2025-12"}


@on_sqlite
@pytest.mark.parametrize(
    "month", ["2026-13", "2026-1", "0000-01", "2026-01.exe", "x", "2026-01%0d%0aset-cookie:x"]
)
async def test_a_wrong_month_is_refused(console: Console, month: str) -> None:
    browser = await console.sign_in(Role.HOUSEHOLD)
    for path in (
        f"/line/bill/{month}",
        f"/line/bill/{month}.csv",
        f"/line/bill/{month}.pdf",
        f"/api/line/bill/{month}",
    ):
        response = await browser.get(path)
        assert response.status_code in (404, 422), path
        assert "set-cookie" not in response.headers


async def test_a_line_where_trace_is_not_offered(console: Console) -> None:
    await console.write(lambda connection: Lines(connection).put(LinePolicy(line=LINE, is_offered=False)))
    page = (await (await console.sign_in(Role.HOUSEHOLD)).get("/line")).text
    assert "not offered on this line" in page


async def test_the_api_describes_what_it_gives(console: Console) -> None:
    data = (await (await console.sign_in(Role.HOUSEHOLD)).get("/api/line")).json()
    assert data == {
        "household": {
            "line": LINE,
            "next_step": "nothing_yet",
            "traces_needed": 3,
            "traces": [],
            "cases": [],
        },
        "policy": {"is_offered": True, "price_cents": 500, "monthly_cap_cents": 1200},
        "zone": "America/New_York",
        "month": "2026-01",
        "spent_cents": 0,
        "bills": [],
    }
    schema = json.dumps(console.app.openapi()["paths"]["/api/line"])
    assert "OwnLine" in schema


def three_traces(connection: Connection) -> None:
    """Three successful traces of one caller, and their case."""
    Traces(connection).add_all([trace(number) for number in (1, 2, 3)])
    Traces(connection).add_all([trace(4, outcome=Outcome.NOT_TRACEABLE)])
    Charges(connection).add_all(
        [
            Charge(f"T-{number:08}", LINE, "2026-01", CALLED_AT + 60 * number + 30, 500, 500)
            for number in (1, 2, 3)
        ]
    )
    Cases(connection).open_for_three(LINE, [f"T-{number:08}" for number in (1, 2, 3)], CALLED_AT + 300)


@on_each_screen
async def test_a_household_in_a_browser(served: Served, page: Page) -> None:
    served.write(three_traces)
    await served.sign_in(page, Role.HOUSEHOLD)
    await page.goto(f"{served.address}/")
    await expect(page).to_have_url(f"{served.address}/line")
    await expect(page.get_by_role("status")).to_contain_text("Action is possible now.")
    await expect(page.get_by_role("row").filter(has_text="T-00000003")).to_contain_text(
        "2026-01-01 07:03:00 EST"
    )
    assert await fits(page)


@on_each_screen
async def test_a_bill_in_a_browser(served: Served, page: Page) -> None:
    served.write(three_traces)
    await served.sign_in(page, Role.HOUSEHOLD)
    await page.goto(f"{served.address}/line")
    await page.get_by_role("link", name="Bill of 2026-01").click()
    await expect(page.get_by_role("row", name="Total")).to_contain_text("$15.00")
    assert await fits(page)
    for kind, start in (("PDF", b"%PDF-"), ("CSV", b"line,month,")):
        async with page.expect_download() as download:
            await page.get_by_role("link", name=kind).click()
        path = await (await download.value).path()
        assert path.read_bytes().startswith(start)


async def test_the_log_on_paper(served: Served, page: Page) -> None:
    served.write(three_traces)
    await served.sign_in(page, Role.HOUSEHOLD)
    await page.goto(f"{served.address}/line/log")
    await page.emulate_media(media="print")
    await expect(page.get_by_role("table")).to_be_visible()
    await expect(page.get_by_role("navigation")).to_be_hidden()
    await expect(page.get_by_role("link", name="Back")).to_be_hidden()


async def test_danger_by_keyboard(served: Served, page: Page) -> None:
    served.write(three_traces)
    await served.sign_in(page, Role.HOUSEHOLD)
    await page.goto(f"{served.address}/line")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="To the content")).to_be_focused()
    await page.get_by_role("button", name="I am in immediate danger").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status")).to_contain_text("Call emergency services first")
    await expect(page.get_by_role("status")).to_contain_text("C-00000001")
