"""The module in which an image tells what it was built from."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from host_tools.rig.image_facts import frozen_modules, image_module
from host_tools.rig.micropython import ROOT

MICROPYTHON = ROOT / ".cache" / "pico" / "sources" / "micropython"
SOURCES = (ROOT / "firmware", ROOT / "boards")


def test_it_can_be_imported_and_has_a_digest_for_each_module(tmp_path: Path) -> None:
    (tmp_path / "adapter.py").write_text("pass\n")
    text = image_module("1.2.3", "0123abc", "pico", {"star57/adapter.py": tmp_path / "adapter.py"})
    facts: dict[str, object] = {}
    exec(text, facts)  # noqa: S102 - it is a module
    digest = hashlib.sha256(b"pass\n").hexdigest()[:8]
    assert facts["HASHES"] == (("star57/adapter.py", digest),)
    assert (facts["VERSION"], facts["COMMIT"], facts["BOARD"]) == ("1.2.3", "0123abc", "pico")


@pytest.mark.skipif(not MICROPYTHON.exists(), reason="MicroPython's sources are not here: make image")
@pytest.mark.parametrize(
    ("board", "own"),
    [
        ("pico", "board.py"),
        ("pico_w", "board.py"),
        ("w5500_evb_pico", "board.py"),
        ("line_emulator", "line.py"),
    ],
)
def test_the_modules_are_what_the_board_s_manifest_freezes(
    board: str, own: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(MICROPYTHON / "tools"))
    modules = frozen_modules(ROOT / "boards" / board / "manifest.py", MICROPYTHON, SOURCES)
    assert modules[own] == ROOT / "boards" / board / own
    assert modules["star57/dsp/tones.py"] == ROOT / "firmware" / "star57" / "dsp" / "tones.py"
    assert "asyncio/core.py" not in modules
    firmware = {
        str(path.relative_to(ROOT / "firmware")) for path in (ROOT / "firmware" / "star57").rglob("*.py")
    }
    assert firmware <= set(modules)
