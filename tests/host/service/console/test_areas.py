"""The areas as an administrator sets them, by page and by program."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.async_api import Page, expect

from host_tools.service.access import Role
from host_tools.service.lines import AreaPolicy, Areas
from tests.host.browser import on_each_screen
from tests.host.service.console.conftest import Console
from tests.host.service.console.served import Served, fits, served

__all__ = ["served"]

TOWN = AreaPolicy(prefix="555", name="Town", is_offered=True, price_cents=300, monthly_cap_cents=2000)
FORM = {"prefix": "555", "name": "Town", "is_offered": "true", "price": "3.00", "monthly_cap": "$20"}
TERMS = {"name": "Town", "is_offered": True, "price_cents": 300, "monthly_cap_cents": 2000}

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what is refused before the database is asked."""


async def kept(console: Console) -> list[AreaPolicy]:
    return await console.read(lambda connection: Areas(connection).all())


async def put(console: Console, area: AreaPolicy) -> None:
    await console.write(lambda connection: Areas(connection).put(area))


async def test_an_area_is_added_changed_and_removed(console: Console) -> None:
    browser = await console.sign_in(Role.ADMINISTRATOR, name="alex")
    assert "There is no area yet" in (await browser.get("/areas")).text
    added = await browser.post("/areas", **FORM)
    assert (added.status_code, added.headers["location"]) == (303, "/areas")
    assert await kept(console) == [TOWN]
    page = (await browser.get("/areas")).text
    for words in ("/areas/555", "Town", "$3.00", "$20.00"):
        assert words in page
    page = (await browser.get("/areas/555")).text
    for words in ('value="3.00"', 'value="20.00"', 'value="Town"', "checked"):
        assert words in page
    changed = await browser.post("/areas/555", name="City")
    assert changed.status_code == 303
    assert await kept(console) == [AreaPolicy(prefix="555", name="City", is_offered=False)]
    assert "operator&#39;s" in (await browser.get("/areas")).text
    removed = await browser.post("/areas/555/remove")
    assert (removed.status_code, removed.headers["location"]) == (303, "/areas")
    assert await kept(console) == []
    rows = [row for row in await console.audit() if row.action.startswith("area.")]
    assert [(row.actor, row.action, row.subject) for row in rows] == [
        ("alex", "area.changed", "555"),
        ("alex", "area.changed", "555"),
        ("alex", "area.removed", "555"),
    ]
    assert json.loads(rows[0].details) == TERMS


@on_sqlite
@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"prefix": ""}, "Fill this in."),
        ({"prefix": "5x"}, "This must be 1 to 15 digits."),
        ({"prefix": "5" * 16}, "This must be 1 to 15 digits."),
        ({"prefix": "5' OR '1'='1"}, "This must be 1 to 15 digits."),
        ({"name": ""}, "Fill this in."),
        ({"name": "T" * 65}, "This must be 1 to 64 characters that can be seen."),
        ({"name": " Town"}, "This must be 1 to 64 characters that can be seen."),
        ({"name": "To\x1bwn"}, "nobody can type"),
        ({"is_offered": "perhaps"}, "This must be yes or no."),
        ({"price": "10.01"}, "This must be $10.00 or less."),
        ({"price": "-1"}, "Write dollars, such as 5 or 5.00."),
        ({"price": "=1+1"}, "Write dollars, such as 5 or 5.00."),
        ({"monthly_cap": "10000.01"}, "This must be $10000.00 or less."),
        ({"monthly_cap": "1e9"}, "Write dollars, such as 5 or 5.00."),
        ({"price_cents": "300"}, "There is no such field here"),
        ({"price": ["3", "4"]}, "This was given twice"),
    ],
)
async def test_a_wrong_form_comes_back_with_its_values(
    console: Console, wrong: dict[str, Any], sentence: str
) -> None:
    browser = await console.sign_in(Role.ADMINISTRATOR)
    page = await browser.post("/areas", **{**FORM, "name": "Name of it", **wrong})
    assert page.status_code == 422
    assert sentence in page.text
    assert "name" in wrong or 'value="Name of it"' in page.text
    assert await kept(console) == []
    assert await console.audit("area.changed") == []


async def test_a_new_area_does_not_take_the_place_of_another(console: Console) -> None:
    await put(console, TOWN)
    browser = await console.sign_in(Role.ADMINISTRATOR)
    page = await browser.post("/areas", **{**FORM, "price": "9"})
    assert page.status_code == 422
    assert "There is this area already" in page.text
    assert await kept(console) == [TOWN]


async def test_a_wrong_change_leaves_the_area(console: Console) -> None:
    await put(console, TOWN)
    browser = await console.sign_in(Role.ADMINISTRATOR)
    page = await browser.post("/areas/555", name="City", price="11")
    assert page.status_code == 422
    assert 'value="11"' in page.text
    assert (await browser.post("/areas/555", name="City", prefix="5")).status_code == 422
    assert await kept(console) == [TOWN]


async def test_what_is_typed_is_shown_as_it_is(console: Console) -> None:
    name = '<script>alert(1)</script>{{ 7*7 }}"'
    browser = await console.sign_in(Role.ADMINISTRATOR)
    assert (await browser.post("/areas", **{**FORM, "name": name})).status_code == 303
    for path in ("/areas", "/areas/555"):
        page = (await browser.get(path)).text
        assert "&lt;script&gt;alert(1)&lt;/script&gt;{{ 7*7 }}" in page
        assert "<script>alert" not in page


async def test_an_area_that_is_not_there(console: Console) -> None:
    browser = await console.sign_in(Role.ADMINISTRATOR)
    assert (await browser.get("/areas/555")).status_code == 404
    assert (await browser.post("/areas/555", name="Town")).status_code == 404
    assert (await browser.post("/areas/555/remove")).status_code == 404
    assert (await browser.get("/areas/5x")).status_code == 422
    header = {"x-csrf-token": browser.token()}
    assert (await browser.client.delete("/api/areas/555", headers=header)).status_code == 404
    assert await console.audit("area.removed") == []


async def test_the_api_sets_lists_and_removes(console: Console) -> None:
    browser = await console.sign_in(Role.ADMINISTRATOR)
    header = {"x-csrf-token": browser.token()}
    done = await browser.client.put("/api/areas/555", json=TERMS, headers=header)
    assert (done.status_code, done.json()) == (200, {"prefix": "555", **TERMS})
    assert (await browser.get("/api/areas")).json() == [{"prefix": "555", **TERMS}]
    assert (await browser.client.delete("/api/areas/555", headers=header)).status_code == 204
    assert await kept(console) == []


@on_sqlite
@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"price_cents": 1001}, "price_cents"),
        ({"monthly_cap_cents": -1}, "monthly_cap_cents"),
        ({"name": "a\nb"}, "name"),
        ({"is_offered": None}, "is_offered"),
        ({"prefix": "5"}, "prefix"),
    ],
)
async def test_a_wrong_call_changes_nothing(console: Console, wrong: dict[str, Any], field: str) -> None:
    browser = await console.sign_in(Role.ADMINISTRATOR)
    header = {"x-csrf-token": browser.token()}
    done = await browser.client.put("/api/areas/555", json={**TERMS, **wrong}, headers=header)
    assert done.status_code == 422
    assert [each["field"] for each in done.json()["fields"]] == [field]
    assert await kept(console) == []


@on_each_screen
async def test_an_administrator_in_a_browser(served: Served, page: Page) -> None:
    await served.sign_in(page, Role.ADMINISTRATOR)
    await page.goto(f"{served.address}/areas")
    await page.get_by_label("Prefix").fill("555")
    await page.get_by_label("Name").fill("Town")
    await page.get_by_label("Price").fill("11")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("Nothing was changed")
    await expect(page.get_by_label("Price")).to_have_accessible_description(
        "This must be $10.00 or less. 10.00 at most; empty for the operator's setting"
    )
    await page.get_by_label("Price").fill("3.50")
    await page.get_by_role("button", name="Add").click()
    await expect(page.get_by_role("row").filter(has_text="Town")).to_contain_text("$3.50")
    assert await fits(page)
    await page.get_by_role("link", name="555").click()
    await page.get_by_role("button", name="Remove area 555").click()
    await expect(page.get_by_text("There is no area yet")).to_be_visible()
