"""How somebody is known from one request to the next, and what a browser is told with each answer."""

from __future__ import annotations

from pathlib import Path

import pyotp
import pytest

from host_tools.service.access import Role
from host_tools.service.accounts import Accounts
from host_tools.service.settings import Settings
from tests.host.service.console.conftest import (
    ADDRESS,
    PASSWORD,
    Browser,
    Clock,
    Console,
    new_settings,
    running,
)

WRONG = "not the password"


def program(console: Console, token: str) -> Browser:
    """A program with a session's token."""
    browser = console.browser()
    browser.client.headers["authorization"] = f"Bearer {token}"
    return browser


async def begun(console: Console, **body: object) -> tuple[int, dict[str, object]]:
    """What a program gets that begins a session."""
    sent = await console.browser().client.post("/api/sessions", json=body)
    return sent.status_code, sent.json()


async def test_a_program_signs_in_asks_and_signs_out(console: Console) -> None:
    await console.add(Role.TECHNICIAN, name="robot")
    status, session = await begun(console, name="robot", password=PASSWORD)
    assert (status, session["name"], session["role"]) == (201, "robot", "technician")
    client = program(console, str(session["token"])).client
    present = (await client.get("/api/session")).json()
    assert (present["name"], present["role"], present["line"]) == ("robot", "technician", None)
    assert (await client.delete("/api/session")).status_code == 204
    ended = await client.get("/api/session")
    assert (ended.status_code, ended.headers["www-authenticate"]) == (401, "Bearer")
    assert ended.json()["detail"].startswith("Sign in, then try again.")


async def test_a_program_gives_the_second_factor_too(console: Console) -> None:
    secret = pyotp.random_base32()
    await console.add(
        Role.OPERATOR, name="sam", totp_secret=console.people.secret.encrypt("totp", secret.encode())
    )
    code = pyotp.TOTP(secret).at(int(console.clock.now))
    assert (await begun(console, name="sam", password=PASSWORD))[0] == 401
    status, problem = await begun(console, name="sam", password=PASSWORD)
    assert (status, problem["title"]) == (401, "The second factor is lacking")
    assert (await begun(console, name="sam", password=PASSWORD, code="000000"))[0] == 401
    assert (await begun(console, name="sam", password=WRONG, code=code))[0] == 401
    assert (await begun(console, name="sam", password=PASSWORD, code=code))[0] == 201
    assert (await begun(console, name="sam", password=PASSWORD, code=code))[0] == 401


async def test_a_program_cannot_be_the_first_to_sign_in(console: Console) -> None:
    await console.add(Role.OPERATOR, name="new")
    await console.add(Role.HOUSEHOLD, name="once", password_until=int(console.clock.now) + 60)
    for name in ("new", "once"):
        status, problem = await begun(console, name=name, password=PASSWORD)
        assert (status, problem["title"]) == (401, "This account has never signed in")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "header",
    ["Bearer", "Bearer ", "Bearer x", "Basic amFuZTpwYXNz", "bearer \u00e9", "Bearer x y", "x" * 5000],
)
async def test_another_header_is_nobody(console: Console, header: str) -> None:
    browser = console.browser()
    sent = await browser.client.get("/api/session", headers=[(b"authorization", header.encode())])
    assert sent.status_code == 401


async def test_who_sends_a_wrong_token_is_not_known_by_the_cookie(console: Console) -> None:
    browser = await console.sign_in(Role.TECHNICIAN)
    sent = await browser.get("/api/session", headers={"authorization": "Bearer x"})
    assert sent.status_code == 401


async def test_a_program_needs_no_token_of_a_page_and_a_browser_does(console: Console) -> None:
    browser = await console.sign_in(Role.TECHNICIAN)
    refused = await browser.client.delete("/api/session")
    assert refused.status_code == 403
    assert refused.headers["content-type"] == "application/problem+json"
    token = (await browser.get("/api/session")).json()["csrf_token"]
    assert (await browser.client.delete("/api/session", headers={"x-csrf-token": token})).status_code == 204


async def test_who_rests_or_stays_too_long_signs_in_anew(console: Console) -> None:
    browser = await console.sign_in(Role.TECHNICIAN)
    began = console.clock.now
    console.clock.now += 29 * 60
    assert (await browser.get("/account")).status_code == 200
    console.clock.now += 29 * 60
    assert (await browser.get("/account")).status_code == 200
    console.clock.now += 30 * 60
    assert (await browser.get("/account")).headers["location"] == "/sign-in?next=%2Faccount"
    other = await console.sign_in(Role.TECHNICIAN)
    began = console.clock.now
    while console.clock.now < began + 12 * 3600 - 1200:
        console.clock.now += 1200
        assert (await other.get("/account")).status_code in (200, 303)
    console.clock.now = began + 12 * 3600
    assert (await other.get("/account")).status_code == 303


async def test_a_session_holds_over_replicas(console: Console, clock: Clock) -> None:
    browser = await console.sign_in(Role.TECHNICIAN, name="jane")
    token = browser.client.cookies["star57-session"]
    async with running(console.settings, clock) as replica:
        other = replica.browser()
        other.client.cookies.set("star57-session", token, "console.test")
        assert (await other.get("/account")).status_code == 200
        assert other.token() == browser.token()
        # And so does a lock.
        account = await console.read(lambda connection: Accounts(connection).by_name("jane"))
        assert account is not None
        for _ in range(5):
            assert (await begun(console, name="jane", password=WRONG))[0] == 401
        assert (await begun(replica, name="jane", password=PASSWORD))[0] == 401


async def test_htmx_is_sent_to_sign_in_as_a_whole_page(console: Console) -> None:
    sent = await console.browser().get("/account", headers={"hx-request": "true"})
    assert sent.status_code == 401
    assert sent.headers["hx-redirect"] == "/sign-in?next=%2Faccount"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "path", ["/sign-in", "/account", "/nowhere", "/api/session", "/static/style.css", "/health"]
)
async def test_every_answer_tells_browsers_what_not_to_do(console: Console, path: str) -> None:
    headers = (await console.browser().get(path)).headers
    policy = headers["content-security-policy"].split("; ")
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert not any(word in headers["content-security-policy"] for word in ("unsafe", "data:", "*", "http"))
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == ("no-cache" if path.startswith("/static") else "no-store")
    assert "strict-transport-security" not in headers


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_adapters_messages_have_nothing_that_only_people_need(console: Console) -> None:
    sent = await console.browser().client.post("/v1/messages", content=b"x")
    assert sent.status_code == 400
    assert "content-security-policy" not in sent.headers
    assert sent.json()["reason"] == "malformed"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_by_tls_a_browser_comes_by_tls_for_a_year(console: Console) -> None:
    browser = console.browser(ADDRESS.replace("http:", "https:"))
    assert (await browser.get("/sign-in")).headers["strict-transport-security"] == "max-age=31536000"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_htmx_and_its_licence_are_served_from_here(console: Console) -> None:
    browser = console.browser()
    script = await browser.get("/static/htmx.min.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert 'version:"2.' in script.text
    assert "Zero-Clause BSD" in (await browser.get("/static/htmx.LICENSE")).text


class TestLimits:
    """With limits that are soon reached."""

    @pytest.fixture
    def settings(self, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
        """Three of everything in a minute."""
        return new_settings(
            database_url,
            tmp_path,
            monkeypatch,
            sign_ins_per_address_min=4,
            sign_ins_per_name_min=3,
            requests_per_person_min=5,
        )

    @pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
    async def test_one_name_is_not_tried_for_ever(self, console: Console) -> None:
        statuses = [(await begun(console, name="jane", password=WRONG))[0] for _ in range(4)]
        assert statuses == [401, 401, 401, 429]

    @pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
    async def test_a_name_that_is_typed_takes_nobodys_codes(self, console: Console) -> None:
        secret = pyotp.random_base32()
        encrypted = console.people.secret.encrypt("totp", secret.encode())
        account = await console.add(Role.ADMINISTRATOR, totp_secret=encrypted)
        for name in (str(account.account_id), f"code of {account.account_id}"):
            await begun(console, name=name, password=WRONG)
            await begun(console, name=name, password=WRONG)
        half = await console.sign_in_as(account, is_complete=False)
        done = await half.post("/sign-in/code", code=pyotp.TOTP(secret).at(int(console.clock.now)))
        assert (done.status_code, done.headers["location"]) == (303, "/")

    @pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
    async def test_one_address_does_not_try_every_name(self, console: Console) -> None:
        statuses = [(await begun(console, name=f"jane-{n}", password=WRONG))[0] for n in range(5)]
        assert statuses == [401, 401, 401, 401, 429]
        page = console.browser()
        await page.get("/sign-in")
        sent = await page.post("/sign-in", name="sam", password=WRONG)
        assert sent.status_code == 429
        assert 1 <= int(sent.headers["retry-after"]) <= 60
        assert "Wait a minute" in sent.text

    @pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
    async def test_one_person_does_not_read_everything_at_once(self, console: Console) -> None:
        jane, sam = await console.sign_in(Role.TECHNICIAN), await console.sign_in(Role.TECHNICIAN)
        statuses = [(await jane.get("/account")).status_code for _ in range(6)]
        assert statuses == [200] * 5 + [429]
        assert (await sam.get("/account")).status_code == 200
