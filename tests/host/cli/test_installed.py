"""`star57` as it is installed, away from the repository: it starts, and has its pages and steps with it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from host_tools.rig.micropython import ROOT
from host_tools.service.sealing import new_key_pair

_STAR57 = "import sys, host_tools; print(host_tools.__file__); from host_tools.cli.main import app; app()"
_START = """
import asyncio
import httpx
from host_tools.service.api import create_app
from host_tools.service.settings import Settings

async def start():
    app = create_app(Settings())
    async with app.router.lifespan_context(app):
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://a") as client:
            for path in ("/sign-in", "/static/htmx.min.js"):
                print((await client.get(path)).status_code)

asyncio.run(start())
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the package was installed into, without what it depends on."""
    folder = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*pip, "--no-build-isolation", "--target", str(folder), str(_sources(folder))], check=True)
    return folder


def _sources(folder: Path) -> Path:
    """What is built: a copy, so that no build lies about in the repository."""
    sources = folder.with_name(f"{folder.name}-sources")
    sources.mkdir()
    tracked = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "host_tools", "pyproject.toml", "README.md"],  # noqa: S607
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in filter(lambda name: (ROOT / name).exists(), tracked.stdout.splitlines()):
        (sources / name).parent.mkdir(parents=True, exist_ok=True)
        (sources / name).write_bytes((ROOT / name).read_bytes())
    return sources


def run(installed: Path, folder: Path, program: str, *words: str, **settings: str) -> str:
    """What the program prints; it runs in `folder`, with the installed package."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("STAR57_")}
    environment = {**inherited, "PYTHONPATH": str(installed), **settings}
    command = [sys.executable, "-P", "-c", program, *words]
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.mark.parametrize("words", [["--help"], ["service", "--help"], ["centre", "--help"]])
def test_a_command_starts(installed: Path, tmp_path: Path, words: list[str]) -> None:
    told = run(installed, tmp_path, _STAR57, *words)
    assert told.startswith(str(installed))
    assert "Usage" in told


def test_the_service_starts_with_its_pages(installed: Path, tmp_path: Path) -> None:
    told = run(installed, tmp_path, _START, STAR57_CENTRE_PUBLIC_KEY=new_key_pair()[1])
    assert told.split() == ["200", "200"]
    assert (tmp_path / "star57.sqlite").exists()
    assert (installed / "host_tools" / "service" / "star57.service").exists()
