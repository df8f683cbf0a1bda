"""Accounts, as administrators keep them: by pages and by the API."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from host_tools.service.access import Role
from host_tools.service.accounts import Account, Accounts
from tests.host.service.console.conftest import Browser, Console


async def found(console: Console, name: str) -> Account | None:
    """The account of a name."""
    return await console.read(lambda connection: Accounts(connection).by_name(name))


async def changed(console: Console) -> list[tuple[str, str, str]]:
    """Who changed whom, and what."""
    return [
        (row.actor, row.subject, json.loads(row.details)["changed"])
        for row in await console.audit("account.changed")
    ]


async def test_somebody_is_added_with_a_one_time_password(console: Console) -> None:
    browser = await console.sign_in(Role.ADMINISTRATOR, name="root")
    added = await browser.post("/accounts", name="jane", role="household", line="5555550101")
    assert added.status_code == 200
    assert added.headers["cache-control"] == "no-store"
    assert re.search(r'id="one-time-password">([a-z2-9]{5}-){3}[a-z2-9]{5}<', added.text)
    account = await found(console, "jane")
    assert account is not None
    assert (account.role, account.line) == (Role.HOUSEHOLD, "5555550101")
    assert account.password_until == int(console.clock.now) + 7 * 86400
    (row,) = await console.audit("account.added")
    assert (row.actor, row.subject, json.loads(row.details)) == ("root", "jane", {"role": "household"})
    assert "jane" in (await browser.get("/accounts")).text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("fields", "field", "sentence"),
    [
        ({"name": "root", "role": "auditor"}, "name", "There is an account of this name already"),
        ({"name": "service", "role": "auditor"}, "name", "There is an account of this name already"),
        ({"name": "Jane", "role": "auditor"}, "name", "This must be small letters"),
        ({"name": "oidc:jane", "role": "auditor"}, "name", "This must be small letters"),
        ({"name": "jane\n", "role": "auditor"}, "name", "This must be small letters"),
        ({"name": "x" * 64, "role": "auditor"}, "name", "This must be small letters"),
        ({"role": "auditor"}, "name", "Fill this in."),
        ({"name": "jane", "role": "emperor"}, "role", "This must be one of the roles in the list."),
        ({"name": "jane", "role": "household"}, "line", "A household needs its line"),
        ({"name": "jane", "role": "auditor", "line": "5555550101"}, "line", "nobody else has one"),
        ({"name": "jane", "role": "household", "line": "+15555550101"}, "line", "1 to 15 digits"),
        ({"name": "jane", "role": "household", "line": "5" * 16}, "line", "1 to 15 digits"),
        ({"name": "jane", "role": "household", "line": "\u0665\u0665\u0665"}, "line", "1 to 15 digits"),
        ({"name": "jane", "role": ["auditor", "administrator"]}, "role", "given twice"),
        ({"name": "jane", "role": "auditor", "is_disabled": "1"}, None, "There is no such field here"),
        ({"name": "jane'; DROP TABLE accounts; --", "role": "auditor"}, "name", "This must be small letters"),
    ],
)
async def test_what_is_filled_in_wrongly_comes_back_with_a_sentence_and_adds_nobody(
    console: Console, fields: dict[str, Any], field: str | None, sentence: str
) -> None:
    browser = await console.sign_in(Role.ADMINISTRATOR, name="root")
    sent = await browser.post("/accounts", **fields)
    assert sent.status_code == 422
    assert sentence in sent.text
    if field:
        assert f'id="{field}-error"' in sent.text
        assert re.search(
            rf'id="{field}"[^>]*aria-invalid="true"[^>]*aria-describedby="{field}-error', sent.text
        )
    assert len(await console.read(lambda connection: Accounts(connection).all())) == 1
    assert await console.audit() == []


async def test_values_come_back_with_what_is_wrong(console: Console) -> None:
    browser = await console.sign_in(Role.ADMINISTRATOR)
    sent = await browser.post("/accounts", name="jane", role="household", line='5" onfocus="alert(1)')
    assert '<option value="household" selected>' in sent.text
    assert 'value="jane"' in sent.text
    assert 'value="5&#34; onfocus=&#34;alert(1)"' in sent.text


async def test_who_is_disabled_is_signed_out_at_once_and_stays_out(console: Console) -> None:
    root = await console.sign_in(Role.ADMINISTRATOR, name="root")
    jane = await console.add(Role.TECHNICIAN, name="jane")
    browser = await console.sign_in_as(jane)
    done = await root.post(f"/accounts/{jane.account_id}/disable")
    assert (done.status_code, done.headers["location"]) == (303, f"/accounts/{jane.account_id}")
    assert (await browser.get("/account")).headers["location"].startswith("/sign-in")
    assert ">disabled<" in (await root.get(f"/accounts/{jane.account_id}")).text
    await root.post(f"/accounts/{jane.account_id}/enable")
    assert (await browser.get("/account")).headers["location"].startswith("/sign-in")
    assert await changed(console) == [("root", "jane", "disabled"), ("root", "jane", "enabled")]


async def test_the_last_administrator_stays_one(console: Console) -> None:
    root = await console.sign_in(Role.ADMINISTRATOR, name="root")
    account = await found(console, "root")
    assert account is not None
    path = f"/accounts/{account.account_id}"
    for sent in (await root.post(f"{path}/disable"), await root.post(f"{path}/role", role="auditor")):
        assert sent.status_code == 422
        assert "This is the last administrator" in sent.text
    await console.add(Role.ADMINISTRATOR, name="gone", is_disabled=True)
    assert (await root.post(f"{path}/disable")).status_code == 422
    other = await console.sign_in(Role.ADMINISTRATOR, name="other")
    assert (await other.post(f"{path}/disable")).status_code == 303
    assert (await root.get("/accounts")).status_code == 303


async def test_a_role_and_a_line_are_changed_together(console: Console) -> None:
    root = await console.sign_in(Role.ADMINISTRATOR, name="root")
    jane = await console.add(Role.HOUSEHOLD, name="jane", line="5555550101")
    browser = await console.sign_in_as(jane)
    path = f"/accounts/{jane.account_id}/role"
    wrong = await root.post(path, role="operator", line="5555550101")
    assert wrong.status_code == 422
    assert (await browser.get("/account")).status_code == 200
    assert (await root.post(path, role="operator")).status_code == 303
    account = await found(console, "jane")
    assert account is not None
    assert (account.role, account.line) == (Role.OPERATOR, None)
    assert (await browser.get("/account")).status_code == 303


async def test_who_is_locked_is_unlocked(console: Console) -> None:
    root = await console.sign_in(Role.ADMINISTRATOR, name="root")
    until = int(console.clock.now) + 900
    jane = await console.add(Role.TECHNICIAN, name="jane", failures=5, locked_until=until)
    path = f"/accounts/{jane.account_id}"
    page = (await root.get(path)).text
    assert "locked until 2026-01-01 13:15:00 UTC" in re.sub(r"<[^>]+>", "", page)
    await root.post(f"{path}/unlock")
    account = await found(console, "jane")
    assert account is not None
    assert (account.failures, account.locked_until) == (0, None)


async def test_a_lost_authenticator_is_reset_and_a_lost_password_replaced(console: Console) -> None:
    root = await console.sign_in(Role.ADMINISTRATOR, name="root")
    sam = await console.add(Role.OPERATOR, name="sam", totp_secret=b"a secret", totp_last_step=5)
    browser = await console.sign_in_as(sam)
    path = f"/accounts/{sam.account_id}"
    assert (await root.post(f"{path}/totp")).status_code == 303
    assert (await browser.get("/account")).status_code == 303
    given = await root.post(f"{path}/password")
    assert 'id="one-time-password"' in given.text
    account = await found(console, "sam")
    assert account is not None
    assert (account.totp_secret, account.totp_last_step) == (None, None)
    assert account.password_hash != sam.password_hash
    assert await changed(console) == [
        ("root", "sam", "second_factor_reset"),
        ("root", "sam", "one_time_password"),
    ]


@pytest.mark.parametrize("verb", ["role", "disable", "enable", "unlock", "totp", "password"])
async def test_nobody_is_not_changed(console: Console, verb: str) -> None:
    root = await console.sign_in(Role.ADMINISTRATOR)
    fields = {"role": "auditor"} if verb == "role" else {}
    for account_id, status in (("999", 404), ("0", 422), ("-1", 422), ("x", 422), (str(2**64), 422)):
        sent = await root.post(f"/accounts/{account_id}/{verb}", **fields)
        assert sent.status_code == status
        assert "<h1>" in sent.text
    assert await console.audit() == []


async def api(console: Console) -> Browser:
    """A program that an administrator runs."""
    browser = await console.sign_in(Role.ADMINISTRATOR, name="root")
    token = browser.client.cookies["star57-session"]
    program = console.browser()
    program.client.headers["authorization"] = f"Bearer {token}"
    return program


async def test_a_program_lists_and_adds_accounts(console: Console) -> None:
    program = await api(console)
    added = await program.client.post(
        "/api/accounts", json={"name": "jane", "role": "household", "line": "5555550101"}
    )
    assert added.status_code == 201
    assert re.fullmatch(r"([a-z2-9]{5}-){3}[a-z2-9]{5}", added.json()["one_time_password"])
    listed = (await program.get("/api/accounts")).json()
    assert [(row["name"], row["role"], row["line"], row["has_one_time_password"]) for row in listed] == [
        ("jane", "household", "5555550101", True),
        ("root", "administrator", None, False),
    ]
    assert not any("hash" in key or key == "totp_secret" for row in listed for key in row)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "root", "role": "auditor"}, "name"),
        ({"name": "Jane", "role": "auditor"}, "name"),
        ({"name": 7, "role": "auditor"}, "name"),
        ({"name": "jane", "role": "household"}, "line"),
        ({"name": "jane", "role": "household", "line": 5555550101}, "line"),
        ({"name": "jane", "role": None}, "role"),
        ({"name": "jane", "role": "auditor", "more": 1}, "more"),
        ({"name": "jane\ud800", "role": "auditor"}, ""),
        ([], ""),
        ("jane", ""),
        (None, ""),
    ],
)
async def test_a_program_is_told_which_field_is_wrong(console: Console, body: Any, field: str) -> None:
    program = await api(console)
    sent = await program.client.post(
        "/api/accounts", content=json.dumps(body), headers={"content-type": "application/json"}
    )
    assert sent.status_code == 422
    assert sent.headers["content-type"] == "application/problem+json"
    assert [wrong["field"] for wrong in sent.json()["fields"]] == [field]
    assert len(await console.read(lambda connection: Accounts(connection).all())) == 1
