"""The documents as a site: it builds, no link in it is dead, and it can be read on a telephone and printed."""

from __future__ import annotations

import io
import re
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page
from pypdf import PdfReader

from host_tools.rig.micropython import ROOT
from tests.host.browser import Screen
from tests.host.docs.documents import documents

NARROW = Screen("narrow", 360, 800, "light", is_phone=True)
PAGES = ("index", "docs/technician", "docs/protocol", "boards/pico/WIRING")
HOUSEHOLD = ("household", "household.es", "household.fr")


@pytest.fixture(scope="module")
def site() -> Path:
    """The site, built as `make site` builds it; a dead link in it fails that."""
    # READY is what make would set up first; it is there, and other tests run in it.
    command = ["make", "READY=", "site"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ROOT / "build" / "site"


def test_no_link_is_dead_and_every_document_is_there(site: Path) -> None:
    for document in documents():
        assert page_of(site, document).exists(), document


def page_of(site: Path, document: Path) -> Path:
    name = "index.html" if document.name == "README.md" else document.with_suffix(".html").name
    return site / document.parent.relative_to(ROOT) / name


def test_every_document_is_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    found = {ROOT / "README.md"}
    while found:
        document = found.pop()
        reached.add(document)
        text = document.read_text(encoding="utf-8")
        links = re.findall(r"\]\(([^):#\s]+\.md)", text)
        found |= {(document.parent / link).resolve() for link in links} - reached
    assert set(documents()) <= reached


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        fetched = re.findall(
            r"""<(?:script|link|img|iframe)[^>]+(?:src|href)=["']?(https?:[^"'\s>]+)""",
            page.read_text("utf-8"),
        )
        assert fetched == [], page


def test_addresses_elsewhere_are_addresses() -> None:
    for document in documents():
        for address in re.findall(r"\]\((https?:[^)\s]+)\)", document.read_text(encoding="utf-8")):
            parts = urlsplit(address)
            assert parts.scheme == "https", f"{document}: {address}"
            assert "." in (parts.hostname or ""), f"{document}: {address}"


@pytest.mark.parametrize("screen", [NARROW], ids=str)
async def test_a_telephone_shows_it_in_its_width(page: Page, site: Path) -> None:
    for name in PAGES:
        await page.goto((site / f"{name}.html").as_uri())
        too_wide = await page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert too_wide <= 0, name


@pytest.mark.parametrize("name", HOUSEHOLD)
async def test_the_households_page_is_one_page_of_paper(page: Page, site: Path, name: str) -> None:
    await page.goto((site / "docs" / f"{name}.html").as_uri())
    for paper in ("Letter", "A4"):
        (printed,) = PdfReader(io.BytesIO(await page.pdf(format=paper))).pages
        text = printed.extract_text()
        for code in ("*57", "1157", "911", "*54 "):
            assert code in text, f"{paper}: {code}"


def test_the_households_pages_say_the_same() -> None:
    english, *others = (
        (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8").splitlines() for name in HOUSEHOLD
    )
    shape = [line[:2] for line in english if re.match(r"[#*|]|- |\d\.", line)]
    codes = re.findall(r"\*5\d|11\d\d|911|\$?10", "\n".join(english))
    for other in others:
        assert [line[:2] for line in other if re.match(r"[#*|]|- |\d\.", line)] == shape
        said = re.findall(r"\*5\d|11\d\d|911|\$?10", "\n".join(other))
        assert sorted(code.strip("$") for code in said) == sorted(code.strip("$") for code in codes)
