"""Signing in with a real browser and without a mouse, on each screen; and accounts, as an administrator adds them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pyotp
import pytest
from playwright.async_api import Page, expect

from host_tools.service.access import Role
from host_tools.service.account_changes import AccountChanges
from host_tools.service.passwords import Passwords
from tests.host.browser import Screen, on_each_screen
from tests.host.service.console.conftest import CHEAP
from tests.host.service.console.served import Served, fits, served

__all__ = ["served"]

ONE_TIME = "abcde-abcde-abcde-abcde"
OWN = "a password of my own"
SMALL = Screen("small", 360, 640, "light", is_phone=True)


def add(served: Served, name: str, role: Role) -> None:
    """Adds somebody with a one-time password."""
    one_time_hash = Passwords(CHEAP).hash(ONE_TIME)
    served.write(
        lambda connection: AccountChanges(connection, "command", served.clock.now).add(
            name, role, None, one_time_hash
        )
    )


async def typed(page: Page, *texts: str) -> None:
    """Types into the fields one after another, and sends the form; the first has the focus."""
    for number, text in enumerate(texts):
        if number:
            await page.keyboard.press("Tab")
        await page.keyboard.type(text)
    await page.keyboard.press("Enter")


@on_each_screen
async def test_the_first_sign_in_and_the_second(
    served: Served, page: Page, screenshot_path: Callable[[str], Path]
) -> None:
    add(served, "sam", Role.ADMINISTRATOR)
    await page.goto(f"{served.address}/accounts")
    await expect(page).to_have_title("Sign in · Star57")
    await expect(page.get_by_label("Name")).to_be_focused()
    await typed(page, "sam", ONE_TIME)

    await expect(page.get_by_role("heading")).to_have_text("Set up the second step")
    await expect(page.locator("svg.qr")).to_be_visible()
    await page.screenshot(path=screenshot_path("second step"), full_page=True)
    assert await fits(page)
    secret = await page.locator(".secret").text_content()
    assert secret is not None
    await page.get_by_label("Code").focus()
    await typed(page, pyotp.TOTP(secret).at(int(served.clock.now)))

    await expect(page.get_by_role("heading")).to_have_text("Choose a password")
    await page.get_by_label("New password", exact=True).focus()
    await typed(page, OWN, OWN)
    await expect(page.get_by_role("heading", name="Accounts")).to_be_visible()
    assert await fits(page)
    await page.get_by_role("button", name="Sign out").press("Enter")

    served.clock.now += 30
    await expect(page.get_by_label("Name")).to_be_focused()
    await typed(page, "sam", OWN)
    await expect(page.get_by_label("Code")).to_be_focused()
    await typed(page, pyotp.TOTP(secret).at(int(served.clock.now)))
    await expect(page.get_by_role("heading", name="Accounts")).to_be_visible()


@pytest.mark.parametrize("screen", [SMALL], ids=str)
async def test_what_is_wrong_is_said_where_it_is(served: Served, page: Page) -> None:
    await page.goto(f"{served.address}/sign-in")
    assert await fits(page)
    await typed(page, "sam", "not the password")
    await expect(page.get_by_role("alert")).to_contain_text("ask an administrator")
    await expect(page.get_by_label("Name")).to_have_value("sam")
    await expect(page.get_by_label("Password")).to_have_value("")
    assert await fits(page)


@on_each_screen
async def test_somebody_is_added_and_disabled(served: Served, page: Page) -> None:
    await served.sign_in(page, Role.ADMINISTRATOR)
    await page.goto(f"{served.address}/accounts")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="To the content")).to_be_focused()
    await page.get_by_label("Name").fill("jane")
    await page.get_by_role("button", name="Add the account").press("Enter")
    error = page.locator("#line-error")
    await expect(error).to_have_text("A household needs its line; nobody else has one.")
    await expect(page.get_by_label("Line")).to_have_attribute("aria-describedby", "line-error line-hint")
    assert await fits(page)
    await page.get_by_label("Line").fill("5555550101")
    await page.get_by_role("button", name="Add the account").press("Enter")
    await expect(page.locator("#one-time-password")).to_have_text(
        re.compile(r"^([a-z2-9]{5}-){3}[a-z2-9]{5}$")
    )
    await page.get_by_role("link", name="Back to the accounts").press("Enter")
    await page.get_by_role("link", name="jane").press("Enter")
    await page.get_by_role("button", name="Disable").press("Enter")
    await expect(page.get_by_role("button", name="Enable")).to_be_visible()
    assert await fits(page)


async def test_a_page_that_is_not_there_leads_back(served: Served, page: Page) -> None:
    await page.goto(f"{served.address}/nowhere")
    await expect(page.get_by_role("heading")).to_have_text("There is no such page")
    await page.get_by_role("link", name="To the first page").press("Enter")
    await expect(page).to_have_title("Sign in · Star57")
