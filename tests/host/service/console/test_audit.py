"""The audit log as an auditor reads it, verifies it and takes it away."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect
from sqlalchemy.engine import Connection

from host_tools.service.access import Role
from host_tools.service.audit import triggers, verify
from host_tools.service.audit.checkpoint import Checkpoints
from host_tools.service.audit.export import Overtaken
from host_tools.service.audit.log import AuditLog
from host_tools.service.audit.time_stamp import TimeStampAuthority
from host_tools.service.console.pages import audit
from tests.host.browser import on_each_screen
from tests.host.service.audit.authority import Authority
from tests.host.service.conftest import CALLED_AT
from tests.host.service.console.conftest import Browser, Clock, Console, new_settings, running
from tests.host.service.console.served import Served, fits, served

__all__ = ["served"]

DAY_S = 86400
HOSTILE = "<script>alert(1)</script>{{7*7}}=cmd|' /C calc'!A0"


def write(connection: Connection) -> None:
    """Rows on three days, and a checkpoint."""
    log = AuditLog(connection)
    log.append(CALLED_AT, "ann", "case.opened", "C-00000001", line="5555550100", is_danger=False)
    log.append(CALLED_AT + DAY_S, "adapter:a-1", "trace.decided", "T-00000001", charge_cents=500, reason=None)
    Checkpoints(connection).make(CALLED_AT + DAY_S, "command")
    log.append(CALLED_AT + 2 * DAY_S, "bob", "sign_in.refused", HOSTILE, name=HOSTILE)


@pytest.fixture
async def auditor(console: Console) -> Browser:
    """The browser of an auditor, long after what is written."""
    await console.write(triggers.install)
    await console.write(write)
    console.clock.now = CALLED_AT + 10 * DAY_S
    return await console.sign_in(Role.AUDITOR, name="olga")


def numbers(text: str) -> list[int]:
    """The numbers of the rows on a page."""
    return [int(found) for found in re.findall(r'<tr>\s*<td class="amount">(\d+)</td>', text)]


async def test_the_newest_come_first_in_words(auditor: Browser) -> None:
    text = (await auditor.get("/audit")).text
    assert numbers(text) == [5, 4, 3, 2, 1]
    assert "2026-01-01 12:00:00 UTC" in text
    assert "is_danger false, line 5555550100" in text
    assert "charge_cents 500, reason null" in text
    assert re.search(r"hash [0-9a-f]{12}…<", text)


async def test_what_somebody_typed_is_text(auditor: Browser) -> None:
    text = (await auditor.get("/audit")).text
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;{{7*7}}=cmd" in text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("actor=ann", [1]),
        ("actor=ann&action=&subject=", [1]),
        ("action=case.opened", [1]),
        ("action=trace.", [2]),
        ("subject=T-00000001", [2]),
        ("since=2026-01-02", [5, 4, 3, 2]),
        ("until=2026-01-02", [3, 2, 1]),
        ("since=2026-01-02&until=2026-01-02", [3, 2]),
        ("before=3", [2, 1]),
        ("actor=nobody", []),
        ("actor=%27%20OR%201%3D1%20--", []),
        ("subject=%25", []),
    ],
)
async def test_rows_are_looked_for(auditor: Browser, query: str, found: list[int]) -> None:
    text = (await auditor.get(f"/audit?{query}")).text
    assert numbers(text) == found
    assert ("There are no such rows." in text) == (not found)
    rows = (await auditor.get(f"/api/audit?{query.replace('&action=&subject=', '')}")).json()
    assert [row["sequence"] for row in rows["rows"]] == found


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("action=Case", "This must be an action such as case.opened"),
        ("action=case.opened%0A", "This must be an action such as case.opened"),
        ("actor=" + "a" * 65, "Write at most 64 characters."),
        ("subject=%00", "There are characters in it that nobody can type"),
        ("since=yesterday", "This must be a date such as 2026-01-31."),
        ("since=0001-01-01", "This must be 1970-01-02 or more."),
        ("until=9999-12-31", "This must be 9998-12-31 or less."),
        ("since=2026-01-02&until=2026-01-01", "The last day comes before the first."),
        ("before=0", "This must be the number of a row."),
        ("before=99999999999999999999", "This must be the number of a row."),
        ("other=1", "There is no such field here"),
    ],
)
async def test_what_is_wrong_comes_back_with_a_sentence(auditor: Browser, query: str, sentence: str) -> None:
    answer = await auditor.get(f"/audit?{query}")
    assert answer.status_code == 422
    assert sentence in answer.text
    name, _, value = query.partition("=")
    if name in {"action", "actor", "since"} and "%" not in value and "&" not in value:
        assert f'value="{value}"' in answer.text
    assert numbers(answer.text) == []
    assert (await auditor.get(f"/api/audit?{query}")).status_code == 422


async def test_pages_lead_to_older_rows(
    auditor: Browser, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "ROWS_A_PAGE", 2)
    monkeypatch.setattr(audit, "MOST_ROWS", 2)
    seen: list[int] = []
    path: str | None = "/audit?since=2026-01-01"
    while path:
        text = (await auditor.get(path)).text
        seen += numbers(text)
        found = re.search(r'href="(/audit\?[^"]*)" rel="next"', text)
        path = found[1].replace("&amp;", "&") if found else None
    assert seen == [5, 4, 3, 2, 1]
    first = (await auditor.get("/api/audit")).json()
    assert [row["sequence"] for row in first["rows"]] == [5, 4]
    assert first["next_before"] == 4


async def test_who_looks_is_told_once_an_hour(auditor: Browser, console: Console) -> None:
    for path in ("/audit", "/audit/checkpoints", "/api/audit", "/api/audit/checkpoints"):
        assert (await auditor.get(path)).status_code == 200
    (row,) = await console.audit("audit.read")
    assert row.actor == "olga"
    console.clock.now += 3600
    # Longer than a session may idle.
    again = await console.sign_in(Role.AUDITOR, name="otto")
    await again.get("/audit")
    await again.get("/audit")
    assert [row.actor for row in await console.audit("audit.read")] == ["olga", "otto"]


async def test_the_log_is_proven(auditor: Browser, console: Console) -> None:
    answer = await auditor.post("/audit/verify")
    assert answer.status_code == 200
    head = (await console.audit())[3]
    for words in (
        "The log is proven",
        "4, from 1 to 4",
        head.hash,
        "1, the last at row 2",
        "none: whoever rules",
    ):
        assert words in answer.text
    (row,) = await console.audit("audit.verified")
    assert json.loads(row.details) == {
        "first": 1,
        "hash": head.hash,
        "is_proven": True,
        "last": 4,
        "wrong": 0,
    }
    found = (
        await auditor.client.post("/api/audit/verification", headers={"X-CSRF-Token": auditor.token()})
    ).json()
    assert (found["is_proven"], found["last"], found["findings"]) == (True, 5, [])


async def test_a_log_that_was_tampered_with_is_not(auditor: Browser, console: Console) -> None:
    await console.write(tamper)
    answer = await auditor.post("/audit/verify")
    assert answer.status_code == 200
    assert "The log is not proven" in answer.text
    assert "row 1: its details is of the wrong kind" in answer.text
    text = (await auditor.get("/audit")).text
    assert "99999999999999" in text, "a time that is none is shown as it is"
    assert "unreadable true" in text


async def test_retention_that_overtakes_it_again_and_again_is_told(
    auditor: Browser, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def overtaken(*_: object) -> None:
        raise Overtaken

    monkeypatch.setattr(audit, "verified", overtaken)
    answer = await auditor.post("/audit/verify")
    assert answer.status_code == 503
    assert "Wait a few seconds, then try again." in answer.text
    assert await console.audit("audit.verified") == []


def tamper(connection: Connection) -> None:
    """What whoever rules the database can do."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("ALTER TABLE audit DISABLE TRIGGER USER")
    else:
        connection.exec_driver_sql("DROP TRIGGER audit_is_never_changed")
    connection.exec_driver_sql("UPDATE audit SET at = 99999999999999, details = 'none' WHERE sequence = 1")


async def test_an_export_is_what_the_verifier_reads(
    auditor: Browser, console: Console, tmp_path: Path
) -> None:
    for path in ("/audit/export", "/api/audit/export"):
        answer = await auditor.get(path)
        assert answer.headers["content-type"].startswith("application/jsonl")
        assert answer.headers["content-disposition"] == 'attachment; filename="audit-2026-01-11.jsonl"'
        file = tmp_path / "audit.jsonl"
        file.write_bytes(answer.content)
        assert verify.main([str(file)]) == 0
    assert [row.actor for row in await console.audit("audit.exported")] == ["olga", "olga"]


async def test_checkpoints_are_shown(
    auditor: Browser, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    (row,) = (await auditor.get("/api/audit/checkpoints")).json()
    assert (row["sequence"], row["made_at"], row["is_time_stamped"], row["is_pruned"]) == (
        2,
        CALLED_AT + DAY_S,
        False,
        False,
    )
    await console.write(lambda connection: Checkpoints(connection).make(CALLED_AT + 9 * DAY_S, "command"))
    monkeypatch.setattr(audit, "ROWS_A_PAGE", 1)
    text = (await auditor.get("/audit/checkpoints")).text
    assert numbers(text) == [5]
    assert 'href="/audit/checkpoints?before=5" rel="next"' in text
    assert numbers((await auditor.get("/audit/checkpoints?before=5")).text) == [2]
    assert (await auditor.get("/audit/checkpoints?before=x")).status_code == 422


async def test_nothing_is_written_where_there_is_nothing_to_show(console: Console) -> None:
    browser = await console.sign_in(Role.AUDITOR)
    assert "There are none yet." in (await browser.get("/audit/checkpoints")).text
    assert numbers((await browser.get("/audit?actor=nobody")).text) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("is_right", [True, False])
async def test_time_stamps_are_checked_by_the_certificate_of_the_settings(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_right: bool
) -> None:
    authority = Authority(tmp_path / "authority")
    certificates = authority.root
    if not is_right:
        certificates = tmp_path / "empty.pem"
        certificates.write_text("nothing")
    settings = new_settings(database_url, tmp_path, monkeypatch, time_stamp_certificates=certificates)
    client = TimeStampAuthority(authority.url, authority.root.read_bytes())
    async with running(settings, Clock()) as console:
        await console.write(write)
        (checkpoint,) = await console.read(lambda connection: Checkpoints(connection).newest(1))
        stamp = await client.stamp(checkpoint.data)
        await console.write(
            lambda connection: Checkpoints(connection).keep_time_stamp(2, stamp, CALLED_AT, "command")
        )
        text = (await (await console.sign_in(Role.AUDITOR)).post("/audit/verify")).text
    authority.stop()
    if is_right:
        assert "1, the last that is right at row 2" in text
    else:
        assert "checkpoint 2: its time stamp cannot be checked: empty.pem has no certificate" in text


@on_each_screen
async def test_an_auditor_verifies_the_log(
    served: Served, page: Page, screenshot_path: Callable[[str], Path]
) -> None:
    served.write(write)
    served.clock.now = CALLED_AT + 10 * DAY_S
    await served.sign_in(page, Role.AUDITOR)
    await page.goto(f"{served.address}/audit")
    await expect(page.get_by_role("heading", name="Audit log")).to_be_visible()
    assert await fits(page)
    await page.screenshot(path=screenshot_path("log"), full_page=True)
    await page.get_by_text("Look for rows").click()
    await page.get_by_label("Action").fill("case.")
    await page.get_by_role("button", name="Look").click()
    await expect(page.get_by_role("cell", name="case.opened")).to_be_visible()
    await expect(page.get_by_role("cell", name="trace.decided")).to_have_count(0)
    await page.get_by_role("button", name="Verify the log").click()
    await expect(page.get_by_text("The log is proven")).to_be_visible()
    assert await fits(page)


async def test_an_export_is_downloaded_and_checkpoints_fit(
    served: Served, page: Page, tmp_path: Path
) -> None:
    served.write(write)
    served.clock.now = CALLED_AT + 10 * DAY_S
    await served.sign_in(page, Role.AUDITOR)
    await page.goto(f"{served.address}/audit")
    async with page.expect_download() as download:
        await page.get_by_role("link", name="Export the log").click()
    file: Any = await (await download.value).path()
    assert verify.main([str(file)]) == 0
    await page.get_by_role("link", name="Checkpoints").click()
    await expect(page.get_by_role("cell", name="none yet")).to_be_visible()
    assert await fits(page)
