"""The adapters as a technician sees them, by page and by program; never a trace."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.async_api import Page, expect
from sqlalchemy.engine import Connection

from host_tools.service.access import Role
from host_tools.service.adapters import Adapters
from host_tools.service.console.pages import adapters
from host_tools.service.lines import LinePolicy, Lines
from host_tools.service.traces import Traces
from tests.host.browser import on_each_screen
from tests.host.service.conftest import CALLED_AT, LINE, new_heartbeat
from tests.host.service.console.conftest import Console
from tests.host.service.console.served import Served, fits, served
from tests.host.service.test_household import trace

__all__ = ["served"]

HTMX = {"hx-request": "true"}
DECODED = {"standard": "bell_202", "level_dbm0": -20, "snr_db": 25, "twist_db": None}

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what is refused before the database is asked."""


async def know(
    console: Console, adapter_id: str, heartbeat: dict[str, Any] | None = None, **values: Any
) -> None:
    """Makes an adapter known, heard a minute ago when there is a heartbeat."""

    def work(connection: Connection) -> None:
        known = Adapters(connection)
        known.add(adapter_id, b"k" * 32)
        if heartbeat is not None:
            values.update(heartbeat=json.dumps(heartbeat), heard_at=int(console.clock.now) - 60)
        if values:
            known.change(adapter_id, **values)

    await console.write(work)


async def test_the_table_says_how_each_adapter_is(console: Console) -> None:
    browser = await console.sign_in(Role.TECHNICIAN)
    assert "star57 adapter add" in (await browser.get("/adapters")).text
    await know(console, "adapter-1", new_heartbeat(decoded=DECODED))
    await know(
        console,
        "adapter-2",
        new_heartbeat(adapter_id="adapter-2", carrier="serial", outbox=3, reset_reason="watchdog"),
    )
    await know(console, "adapter-3")
    page = (await browser.get("/adapters")).text
    for words in (
        "pico_w 0.1.0 0123456789",
        "bell_202, -20 dBm0, S/N 25 dB",
        "1 min ago",
        '<span class="tag good">well</span>',
        '<span class="tag wrong">not well</span> started after a watchdog reset, 3 waiting',
        '<span class="tag">never heard</span>',
        "serial",
    ):
        assert words in page
    assert page.index("adapter-1") < page.index("adapter-2") < page.index("adapter-3")


async def test_the_table_comes_anew_by_itself(console: Console) -> None:
    await know(console, "adapter-1", new_heartbeat())
    browser = await console.sign_in(Role.TECHNICIAN)
    assert 'hx-get="/adapters?after="' in (await browser.get("/adapters")).text
    part = (await browser.get("/adapters?after=", headers=HTMX)).text
    assert part.lstrip().startswith('<div id="adapters"')
    assert "<html" not in part
    assert "tag good" in part
    console.clock.now += 300
    assert "silent for 6 min" in (await browser.get("/adapters?after=", headers=HTMX)).text


async def test_one_adapter_in_full(console: Console) -> None:
    heartbeat = new_heartbeat(
        decoded=DECODED,
        settings_revision=2,
        settings_refused=["price_cents"],
        prompt={"name": "traced", "sha256": "0" * 64, "received": 960, "state": "receiving"},
    )
    await know(console, "adapter-1", heartbeat, settings_revision=3, settings_values='{"two_stage": true}')
    await console.write(
        lambda connection: Lines(connection).put(LinePolicy(line=LINE, adapter_id="adapter-1"))
    )
    browser = await console.sign_in(Role.TECHNICIAN)
    page = (await browser.get("/adapters/adapter-1")).text
    for words in (
        LINE,
        "revision 3: two_stage True",
        "revision 2; refused: price_cents",
        "traced: receiving, 960 bytes",
        ">0123456789<",
        "-20 dBm0",
        "25 dB",
        "not measured",
        "70000 bytes",
        "<time><span>2026-01-01</span> <span>12:59:00 UTC</span></time>",
        'hx-get="/adapters/adapter-1"',
    ):
        assert words in page
    part = (await browser.get("/adapters/adapter-1", headers=HTMX)).text
    assert part.lstrip().startswith('<div id="state"')
    assert "<html" not in part


async def test_the_page_says_how_far_an_update_is(console: Console) -> None:
    update = {
        "release": 12,
        "sha256": "0" * 64,
        "received": 960,
        "state": "returned",
        "reason": "not_healthy",
    }
    await know(console, "updated", new_heartbeat(slot="a", update=update))
    await know(console, "single", new_heartbeat(slot=None))
    browser = await console.sign_in(Role.TECHNICIAN)
    page = (await browser.get("/adapters/updated")).text
    for words in ("returned: release 12, 960 bytes; not healthy", "update: release 12 returned: not_healthy"):
        assert words in page
    assert "takes no updates" in (await browser.get("/adapters/single")).text


async def test_an_adapter_that_was_never_heard(console: Console) -> None:
    await know(console, "adapter-1")
    page = (await (await console.sign_in(Role.TECHNICIAN)).get("/adapters/adapter-1")).text
    for words in ("never heard", "none is bound to it", "none"):
        assert words in page


async def test_a_heartbeat_that_an_older_service_has_kept_breaks_nothing(console: Console) -> None:
    await know(console, "adapter-1", {"message": "heartbeat"})
    browser = await console.sign_in(Role.TECHNICIAN)
    for path in ("/adapters", "/adapters/adapter-1"):
        assert "kept by an older service" in (await browser.get(path)).text


async def test_a_technician_sees_neither_traces_nor_keys(console: Console) -> None:
    await know(console, "adapter-1", new_heartbeat(outbox=2), log_lines='[[1, "a line of the log"]]')
    await console.write(lambda connection: Traces(connection).add_all([trace(1)]))
    browser = await console.sign_in(Role.TECHNICIAN)
    for path in ("/adapters", "/adapters/adapter-1", "/api/adapters", "/api/adapters/adapter-1"):
        text = (await browser.get(path)).text
        for secret in ("T-00000001", "k" * 32, (b"k" * 32).hex(), "a line of the log", str(CALLED_AT + 60)):
            assert secret not in text


async def test_what_an_adapter_says_is_shown_as_it_is(console: Console) -> None:
    await know(console, "adapter-1", new_heartbeat(firmware="<script>alert(1)</script>{{ 7*7 }}"))
    browser = await console.sign_in(Role.TECHNICIAN)
    for path in ("/adapters", "/adapters/adapter-1"):
        page = (await browser.get(path)).text
        assert "&lt;script&gt;alert(1)&lt;/script&gt;{{ 7*7 }}" in page
        assert "<script>alert" not in page


async def test_adapters_come_in_pages(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapters, "ADAPTERS_A_PAGE", 2)
    for number in (1, 2, 3):
        await know(console, f"adapter-{number}")
    browser = await console.sign_in(Role.TECHNICIAN)
    first = (await browser.get("/adapters")).text
    assert "/adapters?after=adapter-2" in first
    assert "/adapters/adapter-3" not in first
    second = (await browser.get("/adapters?after=adapter-2")).text
    assert "/adapters/adapter-3" in second
    assert 'hx-get="/adapters?after=adapter-2"' in second
    assert "More adapters" not in second


async def test_the_api_tells_the_same(console: Console) -> None:
    await know(console, "adapter-1", new_heartbeat(outbox=3, decoded=DECODED))
    await know(console, "table")
    browser = await console.sign_in(Role.TECHNICIAN)
    data = (await browser.get("/api/adapters")).json()
    assert (data["at"], data["next_after"]) == (int(console.clock.now), None)
    first, second = data["adapters"]
    assert (first["is_well"], first["complaints"], first["heartbeat"]["outbox"]) == (False, ["3 waiting"], 3)
    assert (second["is_well"], second["heartbeat"], second["heard_at"]) == (None, None, None)
    assert (await browser.get("/api/adapters/adapter-1")).json() == first
    assert (await browser.get("/api/adapters/table")).json() == second


@on_sqlite
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/adapters/adapter-9", 404),
        ("/api/adapters/adapter-9", 404),
        ("/adapters/a%20b", 422),
        (f"/adapters/{'a' * 33}", 422),
        ("/adapters?after='", 422),
    ],
)
async def test_what_is_not_there(console: Console, path: str, status: int) -> None:
    browser = await console.sign_in(Role.TECHNICIAN)
    assert (await browser.get(path)).status_code == status


@on_each_screen
async def test_a_technician_in_a_browser(served: Served, page: Page) -> None:
    now = int(served.clock.now)

    def hear(connection: Connection, adapter_id: str, heard_at: int, **fields: Any) -> None:
        heartbeat = json.dumps(new_heartbeat(adapter_id=adapter_id, decoded=DECODED, **fields))
        Adapters(connection).change(adapter_id, heartbeat=heartbeat, heard_at=heard_at)

    def know_three(connection: Connection) -> None:
        for number in (1, 2, 3):
            Adapters(connection).add(f"adapter-{number}", bytes(32))
        hear(connection, "adapter-1", now - 20)
        hear(connection, "adapter-2", now - 400, carrier="serial", outbox=2)

    served.write(know_three)
    await page.clock.install()
    await served.sign_in(page, Role.TECHNICIAN)
    await page.goto(f"{served.address}/")
    await expect(page).to_have_url(f"{served.address}/adapters")
    second = page.get_by_role("row").filter(has=page.get_by_role("link", name="adapter-2"))
    await expect(second).to_contain_text("silent for 6 min, 2 waiting")
    served.write(lambda connection: hear(connection, "adapter-2", now, carrier="serial"))
    await page.clock.fast_forward(5000)
    await expect(second).to_contain_text("well")
    await expect(second).not_to_contain_text("silent")
    assert await fits(page)
    await page.get_by_role("link", name="adapter-1").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Adapter adapter-1")
    served.clock.now += 300
    await page.clock.fast_forward(5000)
    await expect(page.get_by_text("silent for 5 min")).to_be_visible()
    assert await fits(page)
