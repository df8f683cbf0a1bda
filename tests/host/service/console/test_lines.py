"""Single lines as an administrator sets them, by page and by program."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.async_api import Page, expect

from host_tools.service.access import Role
from host_tools.service.adapters import Adapters
from host_tools.service.console.pages import lines as lines_page
from host_tools.service.lines import AreaPolicy, Areas, LinePolicy, Lines
from tests.host.browser import on_each_screen
from tests.host.service.conftest import LINE
from tests.host.service.console.conftest import Browser, Console
from tests.host.service.console.served import Served, fits, served

__all__ = ["served"]

FORM = {"adapter_id": "adapter-1", "is_offered": "false", "price": "3", "monthly_cap": "20.00"}
TERMS = {"adapter_id": "adapter-1", "is_offered": False, "price_cents": 300, "monthly_cap_cents": 2000}
POLICY = LinePolicy(
    line=LINE, adapter_id="adapter-1", is_offered=False, price_cents=300, monthly_cap_cents=2000
)

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what is refused before the database is asked."""


async def administrator(console: Console) -> Browser:
    """An administrator's browser; adapter-1 is known."""
    await console.write(lambda connection: Adapters(connection).add("adapter-1", bytes(32)))
    return await console.sign_in(Role.ADMINISTRATOR, name="alex")


async def kept(console: Console) -> LinePolicy | None:
    return await console.read(lambda connection: Lines(connection).find(LINE))


async def test_a_line_is_found_set_and_taken_back(console: Console) -> None:
    browser = await administrator(console)
    assert "There is no line here" in (await browser.get("/lines")).text
    found = await browser.get("/lines", params={"line": f" {LINE} "})
    assert (found.status_code, found.headers["location"]) == (303, f"/lines/{LINE}")
    page = (await browser.get(f"/lines/{LINE}")).text
    assert "At present trace is offered, at $5.00, without a cap." in page
    done = await browser.post(f"/lines/{LINE}", **FORM)
    assert (done.status_code, done.headers["location"]) == (303, f"/lines/{LINE}")
    assert await kept(console) == POLICY
    page = (await browser.get(f"/lines/{LINE}")).text
    for words in (
        "At present trace is not offered, at $3.00, up to $20.00 a month.",
        'value="adapter-1"',
        'value="3.00"',
        '<option value="false" selected>',
    ):
        assert words in page
    page = (await browser.get("/lines")).text
    for words in (f"/lines/{LINE}", "adapter-1", "$3.00", "$20.00"):
        assert words in page
    empty = {"adapter_id": "", "is_offered": "", "price": "", "monthly_cap": ""}
    assert (await browser.post(f"/lines/{LINE}", **empty)).status_code == 303
    assert await kept(console) is None
    rows = await console.audit("line.changed")
    assert [(row.actor, row.subject) for row in rows] == [("alex", LINE)] * 2
    assert json.loads(rows[0].details) == TERMS


async def test_a_lines_area_says_what_the_line_does_not(console: Console) -> None:
    area = AreaPolicy(prefix="555", name="Town", is_offered=False, price_cents=250)
    await console.write(lambda connection: Areas(connection).put(area))
    browser = await administrator(console)
    assert "not offered, at $2.50, without a cap" in (await browser.get(f"/lines/{LINE}")).text
    await browser.post(f"/lines/{LINE}", is_offered="true")
    assert "trace is offered, at $2.50, without a cap" in (await browser.get(f"/lines/{LINE}")).text
    row = (await browser.get("/lines")).text
    assert "as its area" in row
    assert "any" in row


@on_sqlite
@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"adapter_id": "adapter-9"}, "There is no such adapter"),
        ({"adapter_id": "a b"}, "This must be an adapter&#39;s id: 1 to 32 letters, digits and hyphens."),
        ({"is_offered": "perhaps"}, "This must be yes or no."),
        ({"price": "10.01"}, "This must be $10.00 or less."),
        ({"price": "3,00"}, "Write dollars, such as 5 or 5.00."),
        ({"monthly_cap": "10000.01"}, "This must be $10000.00 or less."),
        ({"line": "5555550101"}, "There is no such field here"),
    ],
)
async def test_a_wrong_form_comes_back_and_nothing_is_changed(
    console: Console, wrong: dict[str, str], sentence: str
) -> None:
    browser = await administrator(console)
    await browser.post(f"/lines/{LINE}", **FORM)
    page = await browser.post(f"/lines/{LINE}", **{**FORM, "price": "7.77", **wrong})
    assert page.status_code == 422
    assert sentence in page.text
    assert "price" in wrong or 'value="7.77"' in page.text
    assert await kept(console) == POLICY
    assert len(await console.audit("line.changed")) == 1


@on_sqlite
@pytest.mark.parametrize("line", ["", "x", "5" * 16, "../accounts", "//evil.example", "5\r\nset-cookie: a=b"])
async def test_a_line_that_cannot_be(console: Console, line: str) -> None:
    browser = await administrator(console)
    page = await browser.get("/lines", params={"line": line})
    assert page.status_code == 422
    assert "This must be 1 to 15 digits." in page.text
    assert "set-cookie" not in page.headers


async def test_lines_come_in_pages(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines_page, "LINES_A_PAGE", 2)
    numbers = [f"55555501{last:02}" for last in range(3)]
    for number in numbers:
        policy = LinePolicy(line=number, price_cents=0)
        await console.write(lambda connection, policy=policy: Lines(connection).put(policy))  # type: ignore[misc]
    browser = await administrator(console)
    first = (await browser.get("/lines")).text
    assert f"/lines?after={numbers[1]}" in first
    assert numbers[2] not in first
    second = (await browser.get(f"/lines?after={numbers[1]}")).text
    assert f"/lines/{numbers[2]}" in second
    assert "More lines" not in second
    assert [each["line"] for each in (await browser.get("/api/lines")).json()] == numbers[:2]
    assert (await browser.get("/lines?after=x")).status_code == 422


async def test_the_api_sets_and_tells(console: Console) -> None:
    browser = await administrator(console)
    header = {"x-csrf-token": browser.token()}
    done = await browser.client.put(f"/api/lines/{LINE}", json=TERMS, headers=header)
    told = {
        "own": {"line": LINE, **TERMS},
        "in_force": {"is_offered": False, "price_cents": 300, "monthly_cap_cents": 2000},
    }
    assert (done.status_code, done.json()) == (200, told)
    assert (await browser.get(f"/api/lines/{LINE}")).json() == told
    await browser.client.put(f"/api/lines/{LINE}", json={}, headers=header)
    assert await kept(console) is None


@on_sqlite
@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"adapter_id": "a b"}, "adapter_id"),
        ({"price_cents": 1001}, "price_cents"),
        ({"price_cents": "3.5"}, "price_cents"),
        ({"monthly_cap_cents": 1_000_001}, "monthly_cap_cents"),
        ({"is_offered": "perhaps"}, "is_offered"),
        ({"line": LINE}, "line"),
    ],
)
async def test_a_wrong_call_changes_nothing(console: Console, wrong: dict[str, Any], field: str) -> None:
    browser = await administrator(console)
    header = {"x-csrf-token": browser.token()}
    done = await browser.client.put(f"/api/lines/{LINE}", json={**TERMS, **wrong}, headers=header)
    assert (done.status_code, done.headers["content-type"]) == (422, "application/problem+json")
    assert [each["field"] for each in done.json()["fields"]] == [field]
    assert await kept(console) is None
    assert await console.audit("line.changed") == []


async def test_a_call_does_not_bind_a_line_to_an_adapter_that_nobody_knows(console: Console) -> None:
    browser = await administrator(console)
    header = {"x-csrf-token": browser.token()}
    wrong = {**TERMS, "adapter_id": "adapter-9"}
    done = await browser.client.put(f"/api/lines/{LINE}", json=wrong, headers=header)
    assert (done.status_code, done.headers["content-type"]) == (409, "application/problem+json")
    assert [each["field"] for each in done.json()["fields"]] == ["adapter_id"]
    assert await kept(console) is None
    assert await console.audit("line.changed") == []


@on_each_screen
async def test_an_administrator_in_a_browser(served: Served, page: Page) -> None:
    served.write(lambda connection: Adapters(connection).add("adapter-1", bytes(32)))
    await served.sign_in(page, Role.ADMINISTRATOR)
    await page.goto(f"{served.address}/lines")
    await page.get_by_label("Go to a line").fill(LINE)
    await page.keyboard.press("Enter")
    await page.get_by_label("Adapter").fill("adapter-9")
    await page.get_by_label("Trace is offered").select_option("no")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("There is no such adapter")).to_be_visible()
    await expect(page.get_by_label("Trace is offered")).to_have_value("false")
    assert await fits(page)
    await page.get_by_label("Adapter").fill("adapter-1")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("At present trace is not offered")).to_be_visible()
    await page.get_by_role("link", name="Back").click()
    await expect(page.get_by_role("row").filter(has_text=LINE)).to_contain_text("adapter-1")
    assert await fits(page)
