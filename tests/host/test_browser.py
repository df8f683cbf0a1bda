"""The tests' own browser: what it shows, what it keeps, and what it does not let pass."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.async_api import Error, Page, expect

from host_tools.rig.micropython import ROOT
from tests.host import browser
from tests.host.browser import DESKTOP, DESKTOP_DARK, PHONE, NewPage, Screen, on_each_screen

PAGE = """<!doctype html><title>A page</title><meta name="viewport" content="width=device-width">
<style>:root { color-scheme: light dark } </style><link rel="icon" href="data:,"><h1>Hello</h1>"""
# What a page has in it, and how the complaint about it begins; None where there must be none.
FAULTS = {
    "console": ("<script>console.error('wrong')</script>", "console: wrong"),
    "warning": ("<script>console.warn('hm')</script>", None),
    "uncaught": ("<script>throw new Error('wrong')</script>", "uncaught: wrong"),
    "promise": ("<script>Promise.reject(new Error('wrong'))</script>", "uncaught: wrong"),
    "another host": ("<img src='http://star57.example/x.png'>", "another host: http://star57.example/x.png"),
    "another address": ("<img src='http://192.0.2.1/x.png'>", "another host: http://192.0.2.1/x.png"),
    "missing picture": ("<img src='/status/404'>", "answer 404: "),
    "missing style": ("<link rel='stylesheet' href='/status/404'>", "answer 404: "),
    "nobody listens": ("<img src='http://127.0.0.1:9/'>", "failed: http://127.0.0.1:9/"),
    "fetch refused": ("<script>fetch('/status/422')</script>", None),
    "fetch failed": ("<script>fetch('/status/500')</script>", "answer 500: "),
    "inline picture": ("<img src='data:image/gif;base64,R0lGODlhAQABAAAAACw='>", None),
}


class Pages(BaseHTTPRequestHandler):
    """`/` and `/fault/<name>` are pages, `/status/<number>` answers that, `/download` is a file; all others are 404."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        _, kind, *name = self.path.split("/")
        if kind == "status":
            self._send(int(name[0]), "<!doctype html><p>Refused</p>")
        elif kind == "fault":
            self._send(200, PAGE + FAULTS[name[0].replace("%20", " ")][0])
        elif kind == "download":
            self._send(200, "a;b", disposition="attachment; filename=bill.csv")
        else:
            self._send(200 if kind == "" else 404, PAGE)

    def _send(self, status: int, text: str, disposition: str = "inline") -> None:
        self.send_response(status)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.send_header("content-disposition", disposition)
        self.send_header("content-length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        pass


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@on_each_screen
async def test_a_page_is_shown_on_every_screen(page: Page, screen: Screen, address: str) -> None:
    await page.goto(address)
    await expect(page.get_by_role("heading")).to_have_text("Hello")
    assert await page.evaluate("[innerWidth, innerHeight]") == [screen.width, screen.height]
    assert await page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") == (
        screen.colour_scheme == "dark"
    )
    assert await page.evaluate("matchMedia('(pointer: coarse)').matches") == screen.is_phone


@pytest.mark.parametrize("fault", FAULTS)
async def test_what_a_page_must_not_do(
    page: Page, page_complaints: list[str], address: str, fault: str
) -> None:
    await page.goto(f"{address}/fault/{fault}", wait_until="networkidle")
    expected = FAULTS[fault][1]
    complaints, page_complaints[:] = page_complaints[:], []
    if expected is None:
        assert complaints == []
    else:
        assert any(complaint.startswith(expected) for complaint in complaints)


async def test_a_page_that_is_refused_is_none_of_its_faults(page: Page, address: str) -> None:
    for status in (403, 404, 422):
        response = await page.goto(f"{address}/status/{status}")
        assert response is not None
        assert response.status == status


async def test_a_page_that_fails_is(page: Page, page_complaints: list[str], address: str) -> None:
    await page.goto(f"{address}/status/500")
    assert page_complaints == [f"answer 500: {address}/status/500"]
    page_complaints.clear()


async def test_a_download_is_no_fault(page: Page, address: str) -> None:
    async with page.expect_download() as download:
        with pytest.raises(Error, match="Download is starting"):
            await page.goto(f"{address}/download")
    assert (await download.value).suggested_filename == "bill.csv"


async def test_pages_have_profiles_of_their_own(new_page: NewPage, address: str) -> None:
    first, second = await new_page(DESKTOP), await new_page(PHONE)
    await first.goto(address)
    await second.goto(address)
    await first.evaluate("document.cookie = 'session=1'")
    assert await first.evaluate("document.cookie") == "session=1"
    assert await second.evaluate("document.cookie") == ""


@pytest.mark.parametrize("screen", [DESKTOP_DARK], ids=str)
async def test_a_moment_can_be_kept(page: Page, screenshot_path: Callable[[str], Path], address: str) -> None:
    path = screenshot_path("at first")
    path.unlink(missing_ok=True)
    await page.goto(address)
    await page.screenshot(path=path)
    assert path.name == "test_a_moment_can_be_kept-desktop-dark-at-first.png"
    assert path.read_bytes().startswith(b"\x89PNG")


def pytest_of(tmp_path: Path, test: str) -> subprocess.CompletedProcess[str]:
    """Runs pytest on a file with this test, with the project's own configuration."""
    file = tmp_path / "test_in_browser.py"
    file.write_text(test)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-c", str(ROOT / "pyproject.toml")]
    return subprocess.run(
        [*command, f"--rootdir={tmp_path}", file], cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.mark.skipif(browser.chromium() is None, reason="there is no Chromium here: apt install chromium")
def test_a_fault_fails_the_test_and_its_picture_is_kept(tmp_path: Path) -> None:
    picture = browser.SCREENSHOTS / "test_in_browser" / "test_it.png"
    picture.unlink(missing_ok=True)
    ran = pytest_of(
        tmp_path,
        "async def test_it(page):\n"
        "    await page.set_content('<h1>Hello</h1>')\n"
        "    await page.evaluate('console.error(\"wrong\")')\n",
    )
    assert "the page did what it must not:\nconsole: wrong" in ran.stdout
    assert ran.returncode == pytest.ExitCode.TESTS_FAILED
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_without_chromium_it_is_skipped_with_what_to_do(tmp_path: Path) -> None:
    ran = pytest_of(
        tmp_path,
        "import pytest\n"
        "from tests.host import browser\n"
        "browser.chromium = lambda: None\n"
        "async def test_it(page):\n"
        "    raise AssertionError\n",
    )
    assert "1 skipped" in ran.stdout
    assert ran.returncode == pytest.ExitCode.OK
