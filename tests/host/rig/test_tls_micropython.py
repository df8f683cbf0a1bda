"""MicroPython with TLS: what it is built with, and what the script says where it cannot build it.

That it trusts whom it should, tests/host/link/test_network_tls.py shows.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from host_tools.rig.micropython import ROOT

MICROPYTHON = ROOT / ".cache" / "tls" / "micropython"
SCRIPT = ROOT / "host_tools" / "rig" / "build_tls_micropython.sh"
TOOLS = ("bash", "cat", "cut", "dirname", "flock", "mkdir", "nproc", "sha256sum")
"""What the script uses before it asks for a compiler."""

needs_tls = pytest.mark.skipif(
    not MICROPYTHON.exists(), reason="no MicroPython with TLS has been built: make tls"
)


def run(code: str) -> str:
    done = subprocess.run([MICROPYTHON, "-c", code], capture_output=True, text=True, check=True, timeout=20)
    return done.stdout.strip()


@needs_tls
def test_it_is_debian_13s_micropython_with_debian_13s_mbedtls() -> None:
    version = run("import sys, tls; print(sys.implementation.version[:2], tls.MBEDTLS_VERSION)")
    assert version.startswith("(1, 25) Mbed TLS 3.6.")


@needs_tls
def test_it_has_viper_and_asyncio() -> None:
    code = "@micropython.viper\ndef one_more(n: int) -> int:\n    return n + 1\nimport asyncio\nprint(one_more(56))"
    assert run(code) == "57"


@needs_tls
@pytest.mark.parametrize("module", ["ssl", "tls"])
def test_a_client_requires_a_certificate_unless_told_otherwise(module: str) -> None:
    code = f"import {module} as m; print(m.SSLContext(m.PROTOCOL_TLS_CLIENT).verify_mode == m.CERT_REQUIRED)"
    assert run(code) == "True"


def told_with_only(tools: tuple[str, ...], folder: Path) -> str:
    """What the script says when it fails, where nothing but `tools` is on the path."""
    path = folder / "bin"
    path.mkdir()
    for tool in tools:
        found = shutil.which(tool)
        if found is None:
            pytest.skip(f"{tool} is not installed")
        (path / tool).symlink_to(found)
    done = subprocess.run(
        [SCRIPT, folder / "cache"],
        env={"PATH": str(path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    assert done.returncode == 1
    return done.stderr


def test_without_a_compiler_it_says_what_to_install(tmp_path: Path) -> None:
    assert "apt install make gcc" in told_with_only(TOOLS, tmp_path)


def test_without_debians_packages_it_says_so(tmp_path: Path) -> None:
    tools = (*TOOLS, "make", "gcc", "python3", "xz", "bzip2")
    assert "knows no Debian mirror" in told_with_only(tools, tmp_path)
