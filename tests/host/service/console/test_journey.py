"""One household's trouble, from its *57 to the police, in browsers of everybody who has a part in it.

Three signed requests of an adapter trace three calls of one caller, whose number was not presented. The household sees
that action is possible, and no number; the desk finds a case; the liaison signs in with a second factor, enters a court
order, opens the records and is given the bundle, which openssl finds right; the bill has three traces; the auditor
proves the log, in which all of it stands.
"""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyotp
import pytest
from argon2 import PasswordHasher
from playwright.async_api import Page, expect
from sqlalchemy import select
from sqlalchemy.engine import Connection

from host_tools.service.access import Role
from host_tools.service.accounts import Accounts
from host_tools.service.adapters import Adapters
from host_tools.service.key_files import Cost, KeyFolder, KeyKind
from host_tools.service.tables import AUDIT
from tests.host.browser import DESKTOP, PHONE, PHONE_DARK, NewPage
from tests.host.service.conftest import CALLED_AT, LINE, Adapter, new_heartbeat, new_request
from tests.host.service.console.conftest import new_settings
from tests.host.service.console.served import Served, fits, serving

CALLER = "5555550187"
PASSPHRASE = "a passphrase of the centre"  # noqa: S105 - of keys that live as long as a test
PASSWORD = "correct horse battery staple"  # noqa: S105 - of an account that lives as long as a test
CHEAP = Cost(passes=1, memory_bytes=8192)
CALLS_APART_S = 120


@dataclass
class Centre:
    """A trace centre whose service runs, with three traces of one caller in it."""

    served: Served
    keys: KeyFolder
    public_signing_key: str

    def add_liaison(self) -> None:
        """Somebody who has a password, and no second factor yet."""
        hashed = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)

        def work(connection: Connection) -> None:
            now = self.served.clock.now
            Accounts(connection).add("liaison-1", Role.LIAISON, now, password_hash=hashed)

        self.served.write(work)


@pytest.fixture
def centre(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Centre]:
    keys = KeyFolder(tmp_path / "keys", CHEAP)
    public_key = keys.new_key(KeyKind.OPENING, PASSPHRASE, CALLED_AT)
    signing_key = keys.new_key(KeyKind.SIGNING, PASSPHRASE, CALLED_AT)
    settings = new_settings(
        database_url,
        tmp_path,
        monkeypatch,
        centre_public_key=public_key,
        centre_key_folder=tmp_path / "keys",
        call_records=str(_records(tmp_path)),
        subscribers=str(_subscribers(tmp_path)),
        time_zone="America/New_York",
    )
    with serving(settings) as served:
        adapter = Adapter()
        served.write(lambda connection: Adapters(connection).add(adapter.adapter_id, adapter.key))
        served.clock.now = CALLED_AT + 3600.0
        adapter.ask(served.address, new_heartbeat())
        for number in range(3):
            at = CALLED_AT + number * CALLS_APART_S
            reply = adapter.ask(served.address, new_request(caller=None, at=at, requested_at=at + 60))
            assert (reply.message["outcome"], reply.message["action_open"]) == ("traced", number == 2)
        yield Centre(served, keys, signing_key)


def _records(folder: Path) -> Path:
    """Asterisk's Master.csv with the three calls."""
    path = folder / "Master.csv"
    lines = []
    for number in range(3):
        start = f"2026-01-01 12:{2 * number:02}:00"
        unique_id = f"{CALLED_AT + number * CALLS_APART_S}.{number}"
        lines.append(
            f'"","{CALLER}","{LINE}","from-trunk","""J. DOE"" <{CALLER}>","SIP/trunk-1","SIP/line-1","Dial","",'
            f'"{start}","{start}","{start}",20,10,"ANSWERED","DOCUMENTATION","{unique_id}",""\n'
        )
    path.write_text("".join(lines))
    return path


def _subscribers(folder: Path) -> Path:
    path = folder / "subscribers.csv"
    path.write_text(f"number,name,address\n{CALLER},Jan Doe,1 Main Street\n")
    return path


async def test_from_three_traces_to_the_police(
    centre: Centre, new_page: NewPage, screenshot_path: Callable[[str], Path], tmp_path: Path
) -> None:
    served = centre.served
    household = await new_page(PHONE)
    await served.sign_in(household, Role.HOUSEHOLD)
    await _household_sees(household, served, screenshot_path)
    await _operator_finds_the_case(await new_page(DESKTOP), served, screenshot_path)
    centre.add_liaison()
    liaison = await new_page(PHONE_DARK)
    await _liaison_signs_in(liaison, served, screenshot_path)
    bundle = await _liaison_releases(liaison, served, screenshot_path, tmp_path)
    _is_right(bundle, centre.public_signing_key, tmp_path)
    await household.reload()
    await expect(household.get_by_text("the police have the records")).to_be_visible()
    await _auditor_proves_the_log(await new_page(DESKTOP), served, screenshot_path)
    actions = served.write(lambda connection: list(connection.scalars(select(AUDIT.c.action))))
    for action in ("trace.decided", "case.opened", "instrument.entered", "record.opened", "release.done"):
        assert action in actions
    logged = served.write(lambda connection: repr(connection.execute(select(AUDIT)).all()))
    assert CALLER not in logged
    assert "Jan Doe" not in logged


async def _household_sees(page: Page, served: Served, screenshot_path: Callable[[str], Path]) -> None:
    await page.goto(f"{served.address}/")
    await expect(page.get_by_role("heading", name=f"Line {LINE}")).to_be_visible()
    await expect(page.get_by_text("ready to be acted on")).to_be_visible()
    await expect(page.get_by_text("T-00000003")).to_be_visible()
    assert await fits(page)
    content = await page.content()
    assert not set(re.findall(r"5555550\d{3}", content)) - {LINE}
    await page.screenshot(path=screenshot_path("household"), full_page=True)
    await page.get_by_role("link", name="Bill of 2026-01").click()
    await expect(page.get_by_text("$15.00").first).to_be_visible()
    await page.screenshot(path=screenshot_path("bill"), full_page=True)
    await page.go_back()


async def _operator_finds_the_case(
    page: Page, served: Served, screenshot_path: Callable[[str], Path]
) -> None:
    await served.sign_in(page, Role.OPERATOR)
    await page.goto(f"{served.address}/desk")
    await page.screenshot(path=screenshot_path("queue"), full_page=True)
    await page.get_by_role("link", name="C-00000001").click()
    await expect(page.get_by_text("Without one nothing is released.")).to_be_visible()
    await expect(page.get_by_role("button", name="Enter the instrument")).to_have_count(0)
    assert CALLER not in await page.content()


async def _liaison_signs_in(page: Page, served: Served, screenshot_path: Callable[[str], Path]) -> None:
    await page.goto(f"{served.address}/desk/cases/C-00000001")
    await page.get_by_label("Name").fill("liaison-1")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", name="Set up the second step")).to_be_visible()
    await page.screenshot(path=screenshot_path("second step"), full_page=True)
    secret = await page.locator(".secret").inner_text()
    code = pyotp.TOTP(secret.replace(" ", "")).at(int(served.clock.now))
    await page.get_by_label("Code").fill(code)
    await page.get_by_role("button", name="Go on").click()
    await expect(page.get_by_role("heading", name="Case C-00000001")).to_be_visible()


async def _liaison_releases(
    page: Page, served: Served, screenshot_path: Callable[[str], Path], folder: Path
) -> Path:
    await expect(page.get_by_role("button", name="Open the records")).to_have_count(0)
    await page.get_by_label("Kind", exact=True).select_option(label="Court order")
    await page.get_by_label("Agency", exact=True).fill("Springfield Police")
    await page.get_by_label("Officer").fill("Sgt. A. Roe")
    await page.get_by_label("Case number of the agency").fill("26-1042")
    await page.get_by_label("Reference of the instrument").fill("Docket 7")
    await page.get_by_label("Date of the instrument").fill("2025-12-31")
    await page.get_by_role("button", name="Enter the instrument").click()
    await expect(page.get_by_role("heading", name="Release", exact=True)).to_be_visible()
    await page.screenshot(path=screenshot_path("case"), full_page=True)
    assert await fits(page)
    await page.get_by_label("Passphrase").fill("not the passphrase")
    await page.get_by_role("button", name="Open the records").click()
    await expect(page.get_by_role("alert").first).to_be_visible()
    await page.get_by_label("Passphrase").fill(PASSPHRASE)
    async with page.expect_download() as downloading:
        await page.get_by_role("button", name="Open the records").click()
    bundle = folder / "bundle.zip"
    await (await downloading.value).save_as(bundle)
    await page.goto(f"{served.address}/desk/cases/C-00000001")
    await expect(page.get_by_role("heading", name="Releases")).to_be_visible()
    assert CALLER not in await page.content()
    return bundle


def _is_right(bundle: Path, public_key: str, folder: Path) -> None:
    """By the command, by openssl, and by what is in it."""
    with zipfile.ZipFile(bundle) as files:
        files.extractall(folder / "bundle")
        records = files.read("records.json").decode()
        note = files.read("VERIFY.txt").decode()
    assert records.count(CALLER) >= 3
    assert "Jan Doe" in records
    assert "openssl" in note
    command = Path(sys.executable).with_name("star57")
    run = subprocess.run([command, "bundle", "verify", str(bundle), "--key", public_key], check=False)
    assert run.returncode == 0


async def _auditor_proves_the_log(page: Page, served: Served, screenshot_path: Callable[[str], Path]) -> None:
    await served.sign_in(page, Role.AUDITOR)
    await page.goto(f"{served.address}/audit")
    await page.screenshot(path=screenshot_path("audit"), full_page=True)
    await page.get_by_role("button", name=re.compile("Verify", re.IGNORECASE)).first.click()
    await expect(page.get_by_text("The log is proven")).to_be_visible()
    await page.screenshot(path=screenshot_path("verification"), full_page=True)
