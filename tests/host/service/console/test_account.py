"""Somebody's own account: password and second factor."""

from __future__ import annotations

import json
import re

import pyotp
import pytest

from host_tools.service.access import Role
from host_tools.service.accounts import Account, Accounts
from tests.host.service.console.conftest import PASSWORD, Browser, Console, hidden

OWN = "a password of my own"


async def present(console: Console, account: Account) -> Account:
    """The account as it is now."""
    found = await console.read(lambda connection: Accounts(connection).by_id(account.account_id))
    assert found is not None
    return found


async def shown(browser: Browser) -> tuple[str, str]:
    """The secret of the picture that is shown, and what the form sends back of it."""
    page = await browser.get("/account/totp")
    found = re.search(r'class="secret">([A-Z2-7]+)<', page.text)
    assert found
    return found[1], hidden(page, "enrolment")


def code(console: Console, secret: str) -> str:
    """The code of now."""
    return pyotp.TOTP(secret).at(int(console.clock.now))


async def test_a_new_password_signs_out_everywhere_else(console: Console) -> None:
    jane = await console.add(Role.TECHNICIAN, name="jane")
    here, elsewhere = await console.sign_in_as(jane), await console.sign_in_as(jane)
    before = here.client.cookies["star57-session"]
    done = await here.post("/account/password", present=PASSWORD, password=OWN, again=OWN)
    assert (done.status_code, done.headers["location"]) == (303, "/account")
    assert here.client.cookies["star57-session"] != before
    assert (await here.get("/account")).status_code == 200
    assert (await elsewhere.get("/account")).status_code == 303
    changed = (await present(console, jane)).password_hash
    assert console.people.passwords.is_right(changed, OWN)
    (row,) = await console.audit("account.changed")
    assert (row.actor, row.subject, json.loads(row.details)) == ("jane", "jane", {"changed": "password"})


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"present": "wrong"}, "This is not your password"),
        ({"present": ""}, "Fill this in."),
        ({"password": "short", "again": "short"}, "Write at least 12 characters."),
        ({"password": "x" * 129, "again": "x" * 129}, "Write at most 128 characters."),
        ({"again": "another one altogether"}, "The two are not the same."),
        ({"more": "x"}, "There is no such field here"),
    ],
)
async def test_a_password_is_not_changed_by_halves(
    console: Console, fields: dict[str, str], sentence: str
) -> None:
    jane = await console.add(Role.TECHNICIAN, name="jane")
    browser = await console.sign_in_as(jane)
    sent = await browser.post(
        "/account/password", **{"present": PASSWORD, "password": OWN, "again": OWN, **fields}
    )
    assert sent.status_code == 422
    assert sentence in sent.text
    assert not any(value in sent.text for value in (PASSWORD, OWN))
    assert (await present(console, jane)).password_hash == jane.password_hash
    assert (await browser.get("/account")).status_code == 200


async def test_guessing_the_password_of_who_is_signed_in_locks(console: Console) -> None:
    jane = await console.add(Role.TECHNICIAN, name="jane")
    browser = await console.sign_in_as(jane)
    for present_password in ["wrong"] * 5 + [PASSWORD]:
        sent = await browser.post("/account/password", present=present_password, password=OWN, again=OWN)
        assert sent.status_code == 422
    assert (await present(console, jane)).is_locked(console.clock.now)
    assert len(await console.audit("sign_in.refused")) == 5


async def test_a_household_sets_up_a_second_factor_if_it_likes(console: Console) -> None:
    jane = await console.add(Role.HOUSEHOLD, name="jane")
    browser, elsewhere = await console.sign_in_as(jane), await console.sign_in_as(jane)
    secret, enrolment = await shown(browser)
    wrong = await browser.post(
        "/account/totp", enrolment=enrolment, code=code(console, secret), present="wrong"
    )
    assert (wrong.status_code, (await present(console, jane)).totp_secret) == (422, None)
    wrong = await browser.post("/account/totp", enrolment=enrolment, code="000000", present=PASSWORD)
    assert (wrong.status_code, (await present(console, jane)).totp_secret) == (422, None)
    done = await browser.post(
        "/account/totp", enrolment=enrolment, code=code(console, secret), present=PASSWORD
    )
    assert done.status_code == 303
    assert (await browser.get("/account")).status_code == 200
    assert (await elsewhere.get("/account")).status_code == 303
    assert (await present(console, jane)).totp_secret is not None


async def test_another_authenticator_needs_a_code_of_the_present_one(console: Console) -> None:
    present_secret = pyotp.random_base32()
    sam = await console.add(
        Role.OPERATOR, name="sam", totp_secret=console.people.secret.encrypt("totp", present_secret.encode())
    )
    browser = await console.sign_in_as(sam)
    secret, enrolment = await shown(browser)
    new = code(console, secret)
    for present_code, status in (("000000", 422), (new, 422), (code(console, present_secret), 303)):
        done = await browser.post("/account/totp", enrolment=enrolment, code=new, present_code=present_code)
        assert done.status_code == status
    changed = (await present(console, sam)).totp_secret
    assert changed is not None
    assert console.people.secret.decrypt("totp", changed).decode() == secret


async def test_one_account_does_not_take_the_picture_of_another(console: Console) -> None:
    jane, sam = await console.sign_in(Role.HOUSEHOLD), await console.sign_in(Role.HOUSEHOLD)
    secret, enrolment = await shown(jane)
    sent = await sam.post("/account/totp", enrolment=enrolment, code=code(console, secret), present=PASSWORD)
    assert sent.status_code == 422
    assert "scan the new picture" in sent.text
    for broken in ("", "x", "=", "\u00e9", enrolment[:-4], enrolment + "AAAA"):
        sent = await jane.post(
            "/account/totp", enrolment=broken, code=code(console, secret), present=PASSWORD
        )
        assert sent.status_code == 422
