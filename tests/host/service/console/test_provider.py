"""Signing in by an identity provider: the whole way, over HTTP, and everything that must not let anybody in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc.jwk import KeySet, RSAKey

from host_tools.service.access import Role
from host_tools.service.accounts import Accounts
from host_tools.service.settings import Settings
from tests.host.service.console.conftest import ADDRESS, PASSWORD, Browser, Clock, Console, new_settings
from tests.host.service.identity_provider import CLIENT_ID, CLIENT_SECRET, IdentityProvider

BACK = f"{ADDRESS}/sign-in/provider/back"


@pytest.fixture
def provider(clock: Clock) -> Iterator[IdentityProvider]:
    """A provider that lets a liaison in who has given a second factor."""
    provider = IdentityProvider(clock.now, BACK)
    provider.claims = {"preferred_username": "Sam", "roles": ["star57-liaison"], "amr": ["pwd", "mfa"]}
    yield provider
    provider.close()


@pytest.fixture
def settings(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: IdentityProvider
) -> Settings:
    """Settings with the provider."""
    return new_settings(
        database_url,
        tmp_path,
        monkeypatch,
        oidc_issuer=provider.issuer,
        oidc_client_id=CLIENT_ID,
        oidc_client_secret=CLIENT_SECRET,
        oidc_roles={"star57-liaison": "liaison", "star57-audit": "auditor"},
    )


async def to_provider(browser: Browser, following: str = "/account") -> str:
    """Where the browser comes back to, from the provider."""
    sent = await browser.get("/sign-in/provider", params={"next": following})
    assert sent.status_code == 303, sent.text
    async with httpx.AsyncClient() as client:
        let_in = await client.get(sent.headers["location"])
    assert let_in.status_code == 302, let_in.text
    return let_in.headers["location"]


async def signed_in(console: Console, following: str = "/account") -> tuple[Browser, httpx.Response]:
    """A browser that has gone the whole way, and the last answer."""
    browser = console.browser()
    return browser, await browser.get(await to_provider(browser, following))


async def names(console: Console) -> list[tuple[str, Role]]:
    """Who has an account, as what."""
    return [(account.name, account.role) for account in await console.read(lambda c: Accounts(c).all())]


async def test_who_the_provider_lets_in_is_signed_in_under_their_role(console: Console) -> None:
    page = await console.browser().get("/sign-in")
    assert 'href="/sign-in/provider?next=/"' in page.text
    browser, back = await signed_in(console, "/account")
    assert (back.status_code, back.headers["location"]) == (303, "/account")
    account = await browser.get("/account")
    assert account.status_code == 200
    assert "oidc:sam" in account.text
    assert await names(console) == [("oidc:sam", Role.LIAISON)]
    assert "star57-provider" not in browser.client.cookies
    assert [(row.action, row.subject) for row in await console.audit()] == [
        ("account.added", "oidc:sam"),
        ("sign_in.done", "oidc:sam"),
    ]
    await signed_in(console)
    assert len(await names(console)) == 1


async def test_without_a_second_factor_there_the_service_asks_for_its_own(
    console: Console, provider: IdentityProvider
) -> None:
    provider.claims["amr"] = ["pwd"]
    browser, back = await signed_in(console)
    assert back.headers["location"] == "/account"
    assert (await browser.get("/account")).headers["location"].startswith("/sign-in/totp")


async def test_the_role_follows_the_provider(console: Console, provider: IdentityProvider) -> None:
    browser, _ = await signed_in(console)
    provider.claims["roles"] = "star57-audit"
    auditor, _ = await signed_in(console)
    assert await names(console) == [("oidc:sam", Role.AUDITOR)]
    assert (await browser.get("/account")).status_code == 303  # what was signed in under the old role
    provider.claims["roles"] = ["something", 7, None]
    assert (await auditor.get("/audit")).status_code == 200
    _, back = await signed_in(console)
    assert (await auditor.get("/audit")).status_code == 303
    assert back.status_code == 403
    assert "ask an administrator whether you have a role here" in back.text
    (row,) = await console.audit("sign_in.refused")
    assert json.loads(row.details)["reason"] == "no_role"


async def test_the_last_administrator_stays_one_and_is_signed_out(
    console: Console, provider: IdentityProvider
) -> None:
    await signed_in(console)
    (account,) = await console.read(lambda connection: Accounts(connection).all())
    await console.write(
        lambda connection: Accounts(connection).change(account.account_id, role=Role.ADMINISTRATOR.value)
    )
    browser = await console.sign_in_as(account)
    _, back = await signed_in(console)
    assert back.status_code == 403
    assert await names(console) == [("oidc:sam", Role.ADMINISTRATOR)]
    assert (await browser.get("/accounts")).status_code == 303
    (row,) = await console.audit("sign_in.refused")
    assert json.loads(row.details)["reason"] == "last_administrator"


async def test_guesses_at_a_password_do_not_lock_out_whom_the_provider_lets_in(console: Console) -> None:
    await signed_in(console)
    guesser = console.browser()
    await guesser.get("/sign-in")
    for _ in range(6):
        assert (await guesser.post("/sign-in", name="oidc:sam", password=PASSWORD)).status_code == 422
    _, back = await signed_in(console)
    assert back.status_code == 303


async def test_two_people_of_one_name_have_two_accounts(console: Console, provider: IdentityProvider) -> None:
    await signed_in(console)
    provider.claims["sub"] = "subject-2"
    await signed_in(console)
    found = dict(await names(console))
    assert len(found) == 2
    assert "oidc:sam" in found


@pytest.mark.parametrize("name", [None, "", 7, "a b", "x" * 100, "<script>", "sam\n"])
async def test_a_name_that_is_none_here_is_replaced(
    console: Console, provider: IdentityProvider, name: Any
) -> None:
    provider.claims["preferred_username"] = name
    browser, _ = await signed_in(console)
    assert (await browser.get("/account")).status_code == 200
    (found,) = await names(console)
    assert found[0].startswith("oidc:")
    assert len(found[0]) <= 64


async def test_an_account_that_was_added_here_is_not_taken_over(
    console: Console, provider: IdentityProvider
) -> None:
    await console.add(Role.ADMINISTRATOR, name="sam")
    await signed_in(console)
    assert sorted(await names(console)) == [("oidc:sam", Role.LIAISON), ("sam", Role.ADMINISTRATOR)]


async def test_who_is_disabled_here_stays_out(console: Console) -> None:
    await signed_in(console)
    await console.write(
        lambda connection: Accounts(connection).change(
            Accounts(connection).all()[0].account_id, is_disabled=True
        )
    )
    browser, back = await signed_in(console)
    assert back.status_code == 403
    assert "star57-session" not in browser.client.cookies


OTHER_KEY = RSAKey.generate_key(2048, {"kid": "key-1"})


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": "another"},
        {"aud": ["another"]},
        {"aud": None},
        {"aud": [CLIENT_ID, "another"], "azp": "another"},
        {"nonce": "another"},
        {"nonce": None},
        {"exp": 1},
        {"exp": None},
        {"iat": None},
        {"iat": 4102444800},
        {"nbf": 4102444800},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
    ],
)
async def test_a_token_that_is_not_for_this_sign_in_lets_nobody_in(
    console: Console, provider: IdentityProvider, claims: dict[str, Any]
) -> None:
    provider.claims |= claims
    browser, back = await signed_in(console)
    assert back.status_code == 403
    assert "star57-session" not in browser.client.cookies
    assert await names(console) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_token_of_another_key_lets_nobody_in(console: Console, provider: IdentityProvider) -> None:
    provider.signs_with = OTHER_KEY
    assert (await signed_in(console))[1].status_code == 403
    provider.published = KeySet([RSAKey.generate_key(2048, {"kid": "key-2"}), OTHER_KEY])
    assert (await signed_in(console))[1].status_code == 303


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_token_without_a_signature_lets_nobody_in(
    console: Console, provider: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsigned(nonce: str) -> str:
        header, payload, _ = IdentityProvider.id_token(provider, nonce).split(".")
        assert header
        return f"eyJhbGciOiJub25lIn0.{payload}."

    monkeypatch.setattr(provider, "id_token", unsigned)
    assert (await signed_in(console))[1].status_code == 403
    assert await names(console) == []


async def test_what_comes_back_belongs_to_the_browser_that_went(console: Console) -> None:
    victim, attacker = console.browser(), console.browser()
    stolen = await to_provider(attacker)
    assert (await victim.get(stolen)).status_code == 403  # it never began
    own = await to_provider(victim)
    assert (await victim.get(stolen)).status_code == 403  # it began another
    assert (await victim.get(own)).status_code == 303
    again = await victim.get(own)
    assert again.status_code == 403  # once


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "changed",
    [{"state": "x"}, {"state": None}, {"code": None}, {"code": "x"}, {"iss": "https://evil.example"}],
)
async def test_a_changed_answer_lets_nobody_in(console: Console, changed: dict[str, str | None]) -> None:
    browser = console.browser()
    query = parse_qs(urlsplit(await to_provider(browser)).query)
    sent = {name: value for name, value in ({k: v[0] for k, v in query.items()} | changed).items() if value}
    assert (await browser.get(BACK, params=sent)).status_code == 403
    assert "star57-session" not in browser.client.cookies


async def test_who_declines_is_told_what_to_do(console: Console) -> None:
    browser = console.browser()
    query = parse_qs(urlsplit(await to_provider(browser)).query)
    declined = await browser.get(BACK, params={"error": "access_denied", "state": query["state"][0]})
    assert declined.status_code == 403
    assert "Begin again at the sign-in page" in declined.text
    (row,) = await console.audit("sign_in.refused")
    assert json.loads(row.details)["reason"] == "provider"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/.well-known/openid-configuration", 500, b""),
        ("/.well-known/openid-configuration", 200, b"<html>"),
        ("/.well-known/openid-configuration", 200, b"[]"),
        ("/.well-known/openid-configuration", 200, b"{}"),
        ("/.well-known/openid-configuration", 200, b'{"issuer": "https://evil.example"}'),
        ("/token", 500, b""),
        ("/token", 200, b"{}"),
        ("/token", 200, b"[]"),
        ("/token", 200, b'{"access_token": "x", "token_type": "Bearer", "id_token": "x.y.z"}'),
        ("/keys", 500, b""),
        ("/keys", 200, b"{}"),
        ("/keys", 200, b'{"keys": []}'),
        ("/keys", 200, b'{"keys": [{"kty": "RSA"}]}'),
    ],
)
async def test_a_provider_that_is_broken_is_no_failure_of_the_service(
    console: Console, provider: IdentityProvider, path: str, status: int, body: bytes
) -> None:
    browser = console.browser()
    if path.startswith("/.well-known"):
        provider.broken[path] = (status, body)
        answered = await browser.get("/sign-in/provider")
    else:
        back = await to_provider(browser)
        provider.broken[path] = (status, body)
        answered = await browser.get(back)
    assert answered.status_code in (403, 503)
    assert "identity provider" in answered.text
    assert "star57-session" not in browser.client.cookies


async def test_a_provider_that_is_away_is_said(console: Console, provider: IdentityProvider) -> None:
    provider.close()
    answered = await console.browser().get("/sign-in/provider")
    assert answered.status_code == 503
    assert "sign in with name and password" in answered.text
    provider.__post_init__()  # so that it can be closed again
