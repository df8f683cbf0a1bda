"""Debian's Chromium, headless, for tests of pages: what a page must never do fails the test by itself.

    async def test_it(page: Page, serve: ...) -> None:
        await page.goto(f"{address}/sign-in")
        await expect(page.get_by_role("heading")).to_have_text("Sign in")

`Page` and `expect` are those of `playwright.async_api`. Tests are async: Playwright's other interface cannot share a
process with pytest-asyncio. One browser serves all tests of a process, on the event loop of the session; each page has
a profile of its own. A test with a page runs on that loop too, and so do no other async fixtures unless they say so.

Errors in the console, uncaught exceptions, requests that fail or that go to another host, answers of 500 and above, and
parts of a page that are missing (400 and above, but for pages themselves and what a script fetches) fail the test. Each
page's last state is kept as a picture in build/screenshots/<file>/<test>.png. Where there is no Chromium, tests with a
page are skipped; none is ever downloaded.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Response,
    WebError,
    async_playwright,
    expect,
)

from host_tools.rig.micropython import ROOT
from tests.thorough_plugin import thorough

SCREENSHOTS = ROOT / "build" / "screenshots"
PATIENCE_MS = 30_000
"""How long a page is waited for: a busy machine is no error."""
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Nothing leaves this machine, whatever a page asks for.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]
_OWN_HOSTS = {None, "127.0.0.1", "localhost"}  # None: data:, blob: and about: have no host
_MAY_BE_REFUSED = {"document", "xhr", "fetch"}
_REFUSED_MESSAGE = "Failed to load resource: the server responded with a status of"


@dataclass(frozen=True)
class Screen:
    """What a page is shown on."""

    name: str
    width: int
    height: int
    colour_scheme: Literal["light", "dark"]
    is_phone: bool

    def __str__(self) -> str:
        return self.name


DESKTOP = Screen("desktop", 1280, 800, "light", is_phone=False)
DESKTOP_DARK = Screen("desktop-dark", 1280, 800, "dark", is_phone=False)
PHONE = Screen("phone", 390, 844, "light", is_phone=True)
PHONE_DARK = Screen("phone-dark", 390, 844, "dark", is_phone=True)

on_each_screen = pytest.mark.parametrize(
    "screen", [DESKTOP, thorough(DESKTOP_DARK), thorough(PHONE), PHONE_DARK], ids=str
)
"""Runs a test on a wide light and a narrow dark screen, with --thorough on all;
`pytest.mark.parametrize("screen", [PHONE], ids=str)` on one.
"""

NewPage = Callable[[Screen], Awaitable[Page]]


def chromium() -> str | None:
    """The path of Chromium; None when there is none."""
    return shutil.which("chromium")


class Watch:
    """Collects in `complaints` what the pages of browser contexts must not do."""

    def __init__(self, complaints: list[str]) -> None:
        self._complaints = complaints

    def watch(self, context: BrowserContext) -> None:
        """From now on, for every page of the context."""
        context.on("console", self._on_console)
        context.on("weberror", self._on_uncaught)
        context.on("request", self._on_request)
        context.on("requestfailed", self._on_failed)
        context.on("response", self._on_response)

    def _on_console(self, message: ConsoleMessage) -> None:
        # Chromium says so of every answer from 400; which of them are errors is for _on_response to say.
        if message.type == "error" and not message.text.startswith(_REFUSED_MESSAGE):
            self._complaints.append(f"console: {message.text}")

    def _on_uncaught(self, error: WebError) -> None:
        self._complaints.append(f"uncaught: {error.error}")

    def _on_request(self, request: Request) -> None:
        if urlsplit(request.url).hostname not in _OWN_HOSTS:
            self._complaints.append(f"another host: {request.url}")

    def _on_failed(self, request: Request) -> None:
        # Aborted is what becomes a download, and what a page no longer waits for when it is left.
        if request.failure != "net::ERR_ABORTED":
            self._complaints.append(f"failed: {request.url}: {request.failure}")

    def _on_response(self, response: Response) -> None:
        may_be_refused = response.request.resource_type in _MAY_BE_REFUSED
        if response.status >= (500 if may_be_refused else 400):
            self._complaints.append(f"answer {response.status}: {response.url}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests with a page run on the event loop that the browser is on."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """The browser, without a page."""
    executable = chromium()
    if executable is None:
        pytest.skip("there is no Chromium here: apt install chromium")
    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=_ARGUMENTS, headless=True)
        yield browser
        await browser.close()


@pytest.fixture
def screen() -> Screen:
    """What `page` is shown on, where a test does not say (see `on_each_screen`)."""
    return DESKTOP


@pytest.fixture
def page_complaints() -> list[str]:
    """What the pages did wrong; a test that expects some takes them out, and whatever is left at the end fails it."""
    return []


@pytest.fixture
def screenshot_path(request: pytest.FixtureRequest) -> Callable[[str], Path]:
    """Where a picture of this test is kept: `await page.screenshot(path=screenshot_path("wrong password"))`."""
    folder: Path = SCREENSHOTS / request.node.path.stem

    def path(moment: str) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{request.node.name} {moment}"
        return folder / f"{re.sub(r'[^A-Za-z0-9_-]+', '-', name).strip('-')}.png"

    return path


@pytest_asyncio.fixture(loop_scope="session")
async def new_page(
    browser: Browser, page_complaints: list[str], screenshot_path: Callable[[str], Path]
) -> AsyncIterator[NewPage]:
    """Makes a page with a profile of its own, as for another person: `await new_page(DESKTOP)`."""
    contexts: list[BrowserContext] = []

    async def make(screen: Screen) -> Page:
        context = await browser.new_context(
            viewport={"width": screen.width, "height": screen.height},
            color_scheme=screen.colour_scheme,
            is_mobile=screen.is_phone,
            has_touch=screen.is_phone,
            reduced_motion="reduce",
            locale="en-US",
            timezone_id="UTC",
        )
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        Watch(page_complaints).watch(context)
        return await context.new_page()

    yield make
    for count, context in enumerate(contexts, 1):
        for page in context.pages[:1]:
            await page.screenshot(path=screenshot_path("" if count == 1 else str(count)), full_page=True)
        await context.close()
    if page_complaints:
        pytest.fail("the page did what it must not:\n" + "\n".join(page_complaints), pytrace=False)


@pytest_asyncio.fixture(loop_scope="session")
async def page(new_page: NewPage, screen: Screen) -> Page:
    """A page of a new profile, on `screen`."""
    return await new_page(screen)
