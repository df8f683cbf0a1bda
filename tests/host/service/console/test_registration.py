"""An adapter that a technician's bench makes known, by the API."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from host_tools.service.access import Role
from host_tools.service.adapters import Adapters
from host_tools.service.lines import Lines
from tests.host.service.conftest import LINE
from tests.host.service.console.conftest import Browser, Console

KEY = "5a" * 32


async def posted(browser: Browser, **given: Any) -> httpx.Response:
    body = {"adapter_id": "adapter-1", "key": KEY, **given}
    return await browser.client.post("/api/adapters", json=body, headers={"x-csrf-token": browser.token()})


async def test_a_technician_makes_an_adapter_known(console: Console) -> None:
    response = await posted(await console.sign_in(Role.TECHNICIAN, name="tess"), line=LINE)
    assert response.status_code == 201
    assert response.json() == {"adapter_id": "adapter-1", "line": LINE, "was_known": False}
    assert await console.read(lambda connection: Adapters(connection).key("adapter-1")) == bytes.fromhex(KEY)
    (row,) = await console.audit("adapter.added")
    assert (row.actor, row.subject) == ("tess", "adapter-1")
    assert KEY not in row.details


async def test_it_is_made_anew_only_when_that_is_asked_for(console: Console) -> None:
    browser = await console.sign_in(Role.TECHNICIAN)
    await posted(browser, line=LINE)
    again = await posted(browser)
    assert (again.status_code, again.json()["title"]) == (409, "There is an adapter of this ID")
    taken = await posted(browser, adapter_id="adapter-2", line=LINE)
    assert (taken.status_code, taken.json()["title"]) == (409, "The line is another adapter's")
    replaced = await posted(browser, adapter_id="adapter-2", line=LINE, replaces=True)
    assert replaced.status_code == 201
    assert await console.read(lambda connection: Lines(connection).of_adapter("adapter-2")) == [LINE]


@pytest.mark.parametrize(
    "given",
    [
        {"key": "5A" * 32},
        {"key": "5a" * 31},
        {"key": 5},
        {"adapter_id": "a b"},
        {"line": "555-0100"},
        {"more": 1},
    ],
)
async def test_what_is_wrong_is_named_and_the_key_is_not_said(
    console: Console, given: dict[str, Any]
) -> None:
    response = await posted(await console.sign_in(Role.TECHNICIAN), **given)
    assert response.status_code == 422
    (field,) = response.json()["fields"]
    assert field["field"] == next(iter(given))
    assert "5a5a" not in response.text.lower()
