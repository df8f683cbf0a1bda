"""What the firmware sends to a TTY, read back by the tests' own TTY, and by minimodem where that is installed."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from host_tools.exchange.levels import RATE_HZ, Samples, dbm0_of_peak
from host_tools.prompts.build import write_texts
from host_tools.prompts.language import Language
from host_tools.prompts.texts import LANGUAGES, prompts_of
from host_tools.rig.micropython import ROOT, interpreter_command
from tests.host.exchange.teletypewriter import BIT_MS, MARK_HZ, SPACE_HZ, Heard, read

LONGEST_LINE = 60

# Plays what comes as JSON, a text, or prompt names and pauses (numbers, in ms), on a TTY whose texts are in a folder.
PLAY = """
import json, micropython, sys
from array import array
from star57.sound.player import Player, Silence, Text
from star57.sound.regions import REGIONS
from star57.sound.tty import GO_AHEAD, tty_items
folder = sys.argv[1]
items = json.load(sys.stdin)
if isinstance(items, str):
    items = (Text(items),)
else:
    items = tuple(Silence(item) if isinstance(item, int) else item for item in items)
    items = tty_items(items, (folder,), GO_AHEAD)
player = Player((folder,), REGIONS["US"])
block = array("h", bytes(16000))
player.play(items)
while not player.idle:
    micropython.heap_lock()
    player.fill(block, 8000)
    micropython.heap_unlock()
    player.prepare()
    sys.stdout.buffer.write(block)
"""


def _sent(folder: Path, items: list[str | int] | str) -> Samples:
    answer = subprocess.run(
        [*interpreter_command(), "-c", PLAY, str(folder)],
        input=json.dumps(items).encode(),
        env={"MICROPYPATH": f"{ROOT / 'firmware'}:.frozen"},
        check=True,
        capture_output=True,
    )
    return np.frombuffer(answer.stdout, "<i2")


def _as_shown(text: str) -> str:
    """What a TTY shows of a text: capitals, without what its code lacks, in one line."""
    for ours, shown in (*zip("áéíóúñàâçèêëîïôùûü", "AEIOUNAACEEEIIOUUU", strict=True), ("œ", "OE")):
        text = text.replace(ours, shown).replace(ours.upper(), shown)
    for ours, shown in (("¿", ""), ("¡", ""), ("\u00a0", " "), ("\u2019", "'")):
        text = text.replace(ours, shown)
    return " ".join(text.upper().split())


@pytest.fixture(scope="module", params=list(LANGUAGES.values()), ids=list(LANGUAGES))
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Language, Heard]:
    """Every prompt of a language, one after another, as a TTY receives it."""
    language: Language = request.param
    folder = tmp_path_factory.mktemp(language.code)
    prompts = prompts_of(language)
    write_texts(folder, prompts)
    items: list[str | int] = []
    for prompt in prompts:
        items += [prompt.name, 350]
    return language, read(_sent(folder, items))


def test_a_tty_reads_every_prompt_of_every_language(told: tuple[Language, Heard]) -> None:
    language, heard = told
    assert heard.text.startswith("\r\n")
    shown = " ".join(heard.text.split())
    at = 0
    for prompt in prompts_of(language):
        if not prompt.name.isdigit() or len(prompt.name) > 1:
            at = shown.index(_as_shown(prompt.text), at) + len(_as_shown(prompt.text))
    assert "0 1 2 3 4 5 6 7 8 9" in shown
    assert shown.endswith(" GA")
    assert "?" not in shown.replace(
        "?", "", _as_shown(" ".join(p.text for p in prompts_of(language))).count("?")
    )


def test_lines_end_with_cr_lf_and_fit_a_tty(told: tuple[Language, Heard]) -> None:
    lines = told[1].text.split("\r\n")
    assert all("\r" not in line and "\n" not in line for line in lines)
    assert 50 < max(len(line) for line in lines) <= LONGEST_LINE


def test_bits_and_marks_have_their_lengths(told: tuple[Language, Heard]) -> None:
    heard = told[1]
    assert heard.bit_ms == pytest.approx(BIT_MS, rel=1e-4)
    assert 150 <= heard.mark_before_ms <= 260
    assert heard.mark_behind_ms - 2 * BIT_MS == pytest.approx(300, abs=5)
    assert heard.shortest_stop_ms >= 1.5 * BIT_MS - 3


def test_either_tone_has_its_frequency_and_its_level(tmp_path: Path) -> None:
    samples = _sent(tmp_path, "")
    mark = np.asarray(samples[160:1500], np.float64)
    assert _frequency_hz(mark) == pytest.approx(MARK_HZ, abs=0.5)
    assert _level_dbm0(mark, MARK_HZ) == pytest.approx(-11, abs=0.1)
    # "E" in letters has four spaces in a row.
    space = np.asarray(_sent(tmp_path, "E")[1600 + 1408 + 2 * 176 + 20 :][: 4 * 176 - 40], np.float64)
    assert _frequency_hz(space) == pytest.approx(SPACE_HZ, abs=0.5)
    assert _level_dbm0(space, SPACE_HZ) == pytest.approx(-11, abs=0.1)


def _frequency_hz(wave: npt.NDArray[np.float64]) -> float:
    spectrum = np.abs(np.fft.rfft(wave * np.hanning(len(wave)), 1 << 18))
    return float(np.argmax(spectrum)) * RATE_HZ / (1 << 18)


def _level_dbm0(wave: npt.NDArray[np.float64], frequency_hz: float) -> float:
    turns = np.exp(-2j * np.pi * frequency_hz * np.arange(len(wave)) / RATE_HZ)
    weights = np.hanning(len(wave))
    return dbm0_of_peak(2 * abs(complex((wave * weights) @ turns)) / weights.sum())


MINIMODEM = shutil.which("minimodem") or ""


@pytest.mark.skipif(not MINIMODEM, reason="minimodem is not installed")
def test_minimodem_reads_it_too(tmp_path: Path) -> None:
    text = "\nTHE QUICK BROWN FOX JUMPS OVER THE LAZY DOG.\n0123456789 $5.35 - 'A' (B) ,!:;/? GA"
    soundfile.write(tmp_path / "sent.wav", _sent(tmp_path, text), RATE_HZ)
    answer = subprocess.run(
        [MINIMODEM, "--rx", "tdd", "--file", str(tmp_path / "sent.wav"), "--quiet"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert answer.stdout.replace("\r", "").split("\n") == text.split("\n")
