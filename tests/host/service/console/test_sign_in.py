"""Signing in at a browser: every step, everything that is refused, and what the audit log says of it."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import httpx
import pyotp
import pytest
from argon2 import PasswordHasher

from host_tools.service.access import Role
from host_tools.service.accounts import Account, Accounts
from host_tools.service.console.pages.sign_in import REFUSED
from host_tools.service.passwords import Passwords
from host_tools.service.sign_in import SignIn, SignInRefused
from tests.host.service.console.conftest import ADDRESS, CHEAP, PASSWORD, Browser, Console, hidden

OWN = "a password of my own"
WRONG = "not the password"


async def begin(
    console: Console, name: str, password: str, following: str = "/"
) -> tuple[Browser, httpx.Response]:
    """A browser that has sent name and password, and what it was answered."""
    browser = console.browser()
    page = await browser.get("/sign-in", params={"next": following})
    assert page.status_code == 200
    sent = await browser.client.post(
        "/sign-in",
        data={
            "csrf_token": hidden(page, "csrf_token"),
            "next": hidden(page, "next"),
            "name": name,
            "password": password,
        },
    )
    return browser, sent


async def enrol(console: Console, browser: Browser) -> str:
    """Sets up a second factor; answers its secret."""
    page = await browser.get("/sign-in/totp")
    found = re.search(r'class="secret">([A-Z2-7]+)<', page.text)
    assert found
    done = await browser.post(
        "/sign-in/totp", enrolment=hidden(page, "enrolment"), code=code(found[1], console), next="/"
    )
    assert done.status_code == 303, done.text
    return found[1]


def code(secret: str, console: Console) -> str:
    """The code of now."""
    return pyotp.TOTP(secret).at(int(console.clock.now))


async def account_of(console: Console, name: str) -> Account:
    account = await console.read(lambda connection: Accounts(connection).by_name(name))
    assert account is not None
    return account


async def refusals(console: Console) -> list[tuple[str, str]]:
    """Whom and why, of the sign-ins that were refused."""
    return [
        (row.subject, json.loads(row.details)["reason"]) for row in await console.audit("sign_in.refused")
    ]


async def test_a_household_signs_in_and_comes_to_the_page_it_asked_for(console: Console) -> None:
    await console.add(Role.HOUSEHOLD, name="jane")
    browser, sent = await begin(console, "jane", PASSWORD, "/line/log")
    assert (sent.status_code, sent.headers["location"]) == (303, "/line/log")
    cookie = sent.headers["set-cookie"]
    assert re.fullmatch(r"star57-session=[\w-]{43}; HttpOnly; Path=/; SameSite=lax", cookie)
    home = await browser.get("/")
    assert (home.status_code, home.headers["location"]) == (303, "/line")
    (row,) = await console.audit("sign_in.done")
    assert (row.actor, row.subject) == ("jane", "jane")


@pytest.mark.parametrize(
    ("role", "first"),
    [
        (Role.HOUSEHOLD, "/line"),
        (Role.TECHNICIAN, "/adapters"),
        (Role.OPERATOR, "/desk"),
        (Role.LIAISON, "/desk"),
        (Role.AUDITOR, "/audit"),
        (Role.ADMINISTRATOR, "/accounts"),
    ],
)
async def test_everybody_begins_where_their_role_works(console: Console, role: Role, first: str) -> None:
    browser = await console.sign_in(role)
    assert (await browser.get("/")).headers["location"] == first


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/a\r\nSet-Cookie: b=c",
        "",
    ],
)
async def test_nobody_is_sent_to_another_site(console: Console, elsewhere: str) -> None:
    await console.add(Role.HOUSEHOLD, name="jane")
    browser = console.browser()
    await browser.get("/sign-in", params={"next": elsewhere})
    sent = await browser.post("/sign-in", name="jane", password=PASSWORD, next=elsewhere)
    if sent.status_code == 303:
        assert sent.headers["location"] == "/"
        assert "b" not in sent.cookies
    else:
        assert sent.status_code == 422


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.LIAISON, Role.AUDITOR, Role.ADMINISTRATOR])
async def test_the_desk_sets_up_a_second_factor_first_and_gives_it_from_then_on(
    console: Console, role: Role
) -> None:
    await console.add(role, name="sam")
    browser, sent = await begin(console, "sam", PASSWORD)
    step = await browser.get(sent.headers["location"])
    assert (step.status_code, step.headers["location"]) == (303, "/sign-in/totp")
    before = browser.client.cookies["star57-session"]
    secret = await enrol(console, browser)
    assert browser.client.cookies["star57-session"] != before
    assert (await browser.get("/account")).status_code == 200
    assert secret.encode() not in (await account_of(console, "sam")).totp_secret  # type: ignore[operator]

    console.clock.now += 30
    browser, sent = await begin(console, "sam", PASSWORD, "/account")
    step = await browser.get(sent.headers["location"])
    assert step.headers["location"] == "/sign-in/code?next=%2Faccount"
    assert (await browser.get(step.headers["location"])).status_code == 200
    half = browser.client.cookies["star57-session"]
    done = await browser.post("/sign-in/code", code=code(secret, console), next="/account")
    assert (done.status_code, done.headers["location"]) == (303, "/account")
    stolen = console.browser()
    stolen.client.cookies.set("star57-session", half, "console.test")
    assert (await stolen.get("/account")).headers["location"].startswith("/sign-in?")
    assert [row.subject for row in await console.audit("sign_in.done")] == ["sam", "sam"]


async def test_a_code_is_taken_once(console: Console) -> None:
    await console.add(Role.OPERATOR, name="sam")
    secret = await enrol(console, (await begin(console, "sam", PASSWORD))[0])
    browser, _ = await begin(console, "sam", PASSWORD)
    again = await browser.post("/sign-in/code", code=code(secret, console))
    assert again.status_code == 422
    assert "each is taken once" in again.text
    console.clock.now += 30
    assert (await browser.post("/sign-in/code", code=code(secret, console))).status_code == 303
    assert await refusals(console) == [("sam", "code")]


async def test_a_code_that_is_given_twice_at_once_is_taken_once(console: Console) -> None:
    await console.add(Role.OPERATOR, name="sam")
    secret = await enrol(console, (await begin(console, "sam", PASSWORD))[0])
    console.clock.now += 30
    browsers = [(await begin(console, "sam", PASSWORD))[0] for _ in range(3)]
    answers = await asyncio.gather(
        *(browser.post("/sign-in/code", code=code(secret, console)) for browser in browsers)
    )
    assert sorted(answer.status_code for answer in answers) == [303, 422, 422]


async def test_passwords_that_are_tried_at_once_are_all_counted(console: Console) -> None:
    await console.add(Role.HOUSEHOLD, name="jane")
    await asyncio.gather(*(begin(console, "jane", WRONG) for _ in range(6)))
    account = await account_of(console, "jane")
    assert account.is_locked(console.clock.now)
    assert account.failures == 5  # the sixth found it locked
    assert (await begin(console, "jane", PASSWORD))[1].status_code == 422


async def test_a_second_factor_that_is_set_up_already_is_not_replaced_by_a_password_alone(
    console: Console,
) -> None:
    await console.add(Role.OPERATOR, name="sam")
    first, _ = await begin(console, "sam", PASSWORD)
    second, _ = await begin(console, "sam", PASSWORD)
    shown = await second.get("/sign-in/totp")
    await enrol(console, first)
    # The other session was ended with the change; a new one is asked for the code.
    late = await second.post("/sign-in/totp", enrolment=hidden(shown, "enrolment"), code="123456")
    assert late.headers["location"] == "/sign-in"
    third, _ = await begin(console, "sam", PASSWORD)
    assert (await third.get("/sign-in/totp")).headers["location"].startswith("/sign-in/code")


async def test_of_two_who_set_up_a_second_factor_at_once_one_is_refused(console: Console) -> None:
    account = await console.add(Role.OPERATOR, name="sam")
    sign_in = SignIn(console.app.state.store, console.people, console.clock.now)
    secrets = pyotp.random_base32(), pyotp.random_base32()
    await sign_in.enrol(account.account_id, secrets[0], code(secrets[0], console))
    with pytest.raises(SignInRefused):
        await sign_in.enrol(account.account_id, secrets[1], code(secrets[1], console))


async def test_a_password_that_is_changed_while_it_is_checked_lets_nobody_in(console: Console) -> None:
    account = await console.add(Role.HOUSEHOLD, name="jane")

    class Slow(Passwords):
        async def is_right_aside(self, password_hash: str | None, password: str) -> bool:
            is_right = await super().is_right_aside(password_hash, password)
            await console.write(
                lambda connection: Accounts(connection).change(
                    account.account_id, password_hash=self.hash(OWN)
                )
            )
            return is_right

    console.app.state.people = replace(console.people, passwords=Slow(CHEAP))
    assert (await begin(console, "jane", PASSWORD))[1].status_code == 422


async def test_a_picture_that_was_shown_long_ago_or_to_somebody_else_is_not_taken(console: Console) -> None:
    await console.add(Role.OPERATOR, name="sam")
    await console.add(Role.OPERATOR, name="kim")
    sam, _ = await begin(console, "sam", PASSWORD)
    kim, _ = await begin(console, "kim", PASSWORD)
    page = await sam.get("/sign-in/totp")
    secret = re.search(r'class="secret">([A-Z2-7]+)<', page.text)
    assert secret
    foreign = await kim.post(
        "/sign-in/totp", enrolment=hidden(page, "enrolment"), code=code(secret[1], console)
    )
    assert foreign.status_code == 422
    console.clock.now += 15 * 60 + 1
    late = await sam.post("/sign-in/totp", enrolment=hidden(page, "enrolment"), code=code(secret[1], console))
    assert late.status_code == 422
    assert "scan the new picture" in late.text
    assert secret[1] not in late.text
    assert (await account_of(console, "sam")).totp_secret is None


async def test_a_wrong_first_code_shows_the_same_picture_again(console: Console) -> None:
    await console.add(Role.OPERATOR, name="sam")
    browser, _ = await begin(console, "sam", PASSWORD)
    page = await browser.get("/sign-in/totp")
    wrong = await browser.post("/sign-in/totp", enrolment=hidden(page, "enrolment"), code="000000")
    assert wrong.status_code == 422
    assert hidden(wrong, "enrolment") == hidden(page, "enrolment")


async def test_a_one_time_password_is_replaced_at_once(console: Console) -> None:
    administrator = await console.sign_in(Role.ADMINISTRATOR)
    added = await administrator.post("/accounts", name="jane", role="household", line="5555550101")
    found = re.search(r'id="one-time-password">([a-z0-9-]+)<', added.text)
    assert found
    browser, sent = await begin(console, "jane", found[1])
    assert (await browser.get(sent.headers["location"])).headers["location"] == "/sign-in/password"
    for password, again, sentence in (
        ("short", "short", "Write at least 12 characters."),
        ("x" * 129, "x" * 129, "Write at most 128 characters."),
        (OWN, OWN + "!", "The two are not the same."),
    ):
        wrong = await browser.post("/sign-in/password", password=password, again=again)
        assert wrong.status_code == 422
        assert sentence in wrong.text
        assert password not in wrong.text
    done = await browser.post("/sign-in/password", password=OWN, again=OWN)
    assert done.status_code == 303
    assert (await browser.get("/account")).status_code == 200
    assert (await begin(console, "jane", found[1]))[1].status_code == 422
    assert (await begin(console, "jane", OWN))[1].status_code == 303


async def test_a_one_time_password_is_not_kept_as_ones_own(console: Console) -> None:
    account = await console.add(Role.TECHNICIAN, password_until=int(console.clock.now) + 60)
    browser = await console.sign_in_as(account)
    kept = await browser.post("/sign-in/password", password=PASSWORD, again=PASSWORD)
    assert (kept.status_code, "which somebody else knows" in kept.text) == (422, True)
    assert (await browser.get("/adapters")).headers["location"].startswith("/sign-in/password")


async def test_a_one_time_password_ends_after_a_week(console: Console) -> None:
    until = int(console.clock.now) + 7 * 86400
    await console.add(Role.HOUSEHOLD, name="jane", password_until=until)
    console.clock.now = until
    assert (await begin(console, "jane", PASSWORD))[1].status_code == 422
    console.clock.now -= 1
    assert (await begin(console, "jane", PASSWORD))[1].status_code == 303


async def test_nobody_learns_whether_a_name_exists(console: Console) -> None:
    await console.add(Role.HOUSEHOLD, name="jane")
    await console.add(Role.HOUSEHOLD, name="gone", is_disabled=True)
    await console.add(Role.HOUSEHOLD, name="held", locked_until=int(console.clock.now) + 900)
    await console.add(Role.OPERATOR, name="oidc:sam", password_hash=None)
    pages = {}
    for name, password in (
        ("nobody", PASSWORD),
        ("jane", WRONG),
        ("gone", PASSWORD),
        ("held", PASSWORD),
        ("oidc:sam", PASSWORD),
    ):
        _, sent = await begin(console, name, password)
        assert sent.status_code == 422
        assert REFUSED in sent.text
        assert "star57-session" not in sent.cookies
        pages[name] = re.sub(r'[0-9a-f]{64}|value="[^"]*"', "", sent.text)
    assert len(set(pages.values())) == 1
    # What was typed as a name may be a password: it is nowhere in the log.
    assert await refusals(console) == [
        ("unknown", "unknown"),
        ("jane", "password"),
        ("gone", "disabled_or_locked"),
        ("held", "disabled_or_locked"),
        ("oidc:sam", "password"),
    ]


async def test_five_failures_lock_for_a_quarter_of_an_hour_then_for_twice_as_long(console: Console) -> None:
    await console.add(Role.HOUSEHOLD, name="jane")
    for _ in range(5):
        assert (await begin(console, "jane", WRONG))[1].status_code == 422
    for lock_s in (900, 1800, 3600):
        assert (await begin(console, "jane", PASSWORD))[1].status_code == 422
        console.clock.now += lock_s - 1
        assert (await begin(console, "jane", PASSWORD))[1].status_code == 422
        console.clock.now += 1
        assert (await begin(console, "jane", WRONG))[1].status_code == 422
    console.clock.now += 2 * 3600
    assert (await begin(console, "jane", PASSWORD))[1].status_code == 303
    account = await account_of(console, "jane")
    assert (account.failures, account.locked_until) == (0, None)


async def test_wrong_codes_lock_too_and_the_right_password_does_not_forgive_them(console: Console) -> None:
    await console.add(Role.OPERATOR, name="sam")
    secret = await enrol(console, (await begin(console, "sam", PASSWORD))[0])
    console.clock.now += 30
    for _ in range(5):
        browser, sent = await begin(console, "sam", PASSWORD)
        assert sent.status_code == 303
        assert (await browser.post("/sign-in/code", code="000000")).status_code == 422
    # This session has begun; the account is locked all the same.
    assert (await browser.post("/sign-in/code", code=code(secret, console))).status_code == 422
    assert (await begin(console, "sam", PASSWORD))[1].status_code == 422
    console.clock.now += 900
    browser, _ = await begin(console, "sam", PASSWORD)
    assert (await browser.post("/sign-in/code", code=code(secret, console))).status_code == 303


async def test_an_outdated_hash_is_replaced_when_its_password_is_known(console: Console) -> None:
    weak = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1).hash(PASSWORD)
    await console.add(Role.HOUSEHOLD, name="jane", password_hash=weak)
    assert (await begin(console, "jane", PASSWORD))[1].status_code == 303
    assert "$m=8,t=1,p=1$" in ((await account_of(console, "jane")).password_hash or "")
    assert (await begin(console, "jane", PASSWORD))[1].status_code == 303


async def test_who_signs_out_is_signed_out(console: Console) -> None:
    browser = await console.sign_in(Role.TECHNICIAN)
    token = browser.client.cookies["star57-session"]
    out = await browser.post("/sign-out")
    assert (out.status_code, out.headers["location"]) == (303, "/sign-in")
    assert "star57-session" not in browser.client.cookies
    browser.client.cookies.set("star57-session", token, "console.test")
    assert (await browser.get("/account")).status_code == 303


async def test_a_form_without_the_cookie_of_its_page_is_refused(console: Console) -> None:
    await console.add(Role.HOUSEHOLD, name="jane")
    page = await console.browser().get("/sign-in")
    other = console.browser()
    sent = await other.client.post(
        "/sign-in", data={"csrf_token": hidden(page, "csrf_token"), "name": "jane", "password": PASSWORD}
    )
    assert sent.status_code == 403
    assert "Your browser must keep cookies" in sent.text


async def test_by_tls_the_cookie_is_the_hosts_own(console: Console) -> None:
    await console.add(Role.HOUSEHOLD, name="jane")
    browser = console.browser(ADDRESS.replace("http:", "https:"))
    page = await browser.get("/sign-in")
    sent = await browser.client.post(
        "/sign-in",
        data={"csrf_token": hidden(page, "csrf_token"), "name": "jane", "password": PASSWORD},
        headers={"origin": "https://console.test"},
    )
    assert sent.status_code == 303
    cookie = sent.headers["set-cookie"]
    assert re.fullmatch(r"__Host-star57-session=[\w-]{43}; HttpOnly; Path=/; SameSite=lax; Secure", cookie)
    assert sent.headers["strict-transport-security"] == "max-age=31536000"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"name": "jane"},
        {"password": PASSWORD},
        {"name": ["jane", "sam"], "password": PASSWORD},
        {"name": "jane", "password": PASSWORD, "role": "administrator"},
        {"name": "x" * 65, "password": PASSWORD},
        {"name": "jane", "password": "x" * 129},
        {"name": "jane\0", "password": PASSWORD},
        {"name": "jane", "password": PASSWORD + "\x07"},
        {"name": "jane", "password": PASSWORD, "next": "/" * 513},
    ],
)
async def test_a_form_that_is_filled_in_wrongly_comes_back(
    console: Console, fields: dict[str, str | list[str]]
) -> None:
    await console.add(Role.HOUSEHOLD, name="jane")
    browser = console.browser()
    await browser.get("/sign-in")
    sent = await browser.post("/sign-in", **fields)
    assert sent.status_code == 422
    assert 'class="wrong"' in sent.text
    assert PASSWORD not in sent.text
    assert await console.audit() == []


async def test_what_is_typed_is_shown_as_text(console: Console) -> None:
    browser = console.browser()
    await browser.get("/sign-in")
    name = "\"><script>alert(1)</script>{{ 7 * 7 }}' OR 1=1 --"
    sent = await browser.post("/sign-in", name=name, password=PASSWORD)
    assert sent.status_code == 422
    assert "<script>alert" not in sent.text
    assert "&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt;{{ 7 * 7 }}&#39; OR 1=1 --" in sent.text


async def test_the_address_asked_for_is_kept_through_sign_in(console: Console) -> None:
    browser = console.browser()
    asked = await browser.get("/accounts", params={"page": "2"})
    address = urlsplit(asked.headers["location"])
    assert address.path == "/sign-in"
    assert parse_qs(address.query) == {"next": ["/accounts?page=2"]}
