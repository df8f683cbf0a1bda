"""What the technician's pages say in tables is what the code has: settings, options, limits."""

from __future__ import annotations

import json
import re
import subprocess
from typing import Any, get_args

import pytest

from host_tools.cli.main import loaded
from host_tools.rig.micropython import ROOT, interpreter_command
from host_tools.technician.board_settings import BoardSettings, Country, Language
from host_tools.technician.self_test import LIMITS, LOOP_DB, SENT_DBM0

_ASK = """
import json, sys
sys.path.insert(0, "firmware")
from star57 import settings
print(json.dumps({name: row[0] for name, row in settings.TABLE.items()}))
"""


def text_of(document: str) -> str:
    return (ROOT / "docs" / document).read_text(encoding="utf-8")


def rows_under(document: str, heading: str) -> list[list[str]]:
    """The cells of the first table under a heading, without its head."""
    table = re.search(r"(?:^\|.*\|\n)+", text_of(document).partition(heading)[2], re.MULTILINE)
    assert table
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in table[0].splitlines()[2:]]


def written(value: Any) -> str:
    """A default as the table has it."""
    return "none" if value == "" else f"`{json.dumps(value) if isinstance(value, bool) else value}`"


def test_every_setting_of_a_board_is_there_with_its_default() -> None:
    ran = subprocess.run(
        [*interpreter_command(), "-c", _ASK], cwd=ROOT, capture_output=True, text=True, check=True
    )
    defaults: dict[str, Any] = json.loads(ran.stdout)
    told = {row[0].strip("`"): row[1] for row in rows_under("provisioning.md", "## Settings\n")}
    assert told == {name: written(default) for name, default in defaults.items()}
    assert set(told) == set(BoardSettings.model_fields)


def test_countries_and_languages_are_named() -> None:
    (row,) = (row for row in rows_under("provisioning.md", "## Options\n") if "`--country`" in row[0])
    assert re.findall(r"`([^`]+)`", row[1]) == [*get_args(Country), *get_args(Language)]


@pytest.mark.parametrize(
    ("verb", "document", "heading"),
    [
        ("provision", "provisioning.md", "## Options\n"),
        ("flash", "flashing.md", "## Options of star57 flash\n"),
    ],
)
def test_every_option_of_a_table_is_there(verb: str, document: str, heading: str) -> None:
    options = {option for parameter in loaded(verb).params for option in parameter.opts}
    told = {option for row in rows_under(document, heading) for option in re.findall(r"`(--[\w-]+)", row[0])}
    assert told <= options


def test_every_option_of_provision_is_told() -> None:
    told = set(re.findall(r"--[a-z-]+", text_of("provisioning.md")))
    options = {parameter.opts[0] for parameter in loaded("provision").params}
    assert options - {"--json"} <= told


def told_limits() -> dict[str, str]:
    """The table of limits: what each row measures, and its words."""
    return {row[0]: row[1] for row in rows_under("selftest.md", "## Limits\n")}


def limit(name: str) -> tuple[float | None, float | None]:
    (found,) = (each for each in LIMITS if each.name == name)
    return found.low, found.high


def numbers(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", text.replace("dBm0", ""))]


def test_levels_of_the_loop() -> None:
    (name,) = (name for name in told_limits() if name.startswith("level at"))
    assert numbers(name) == [*LOOP_DB, SENT_DBM0]
    tolerance_db = {}
    for hz, gain_db in LOOP_DB.items():
        low, high = limit(f"line, {hz} Hz")
        assert low is not None
        assert high == pytest.approx(2 * gain_db - low)
        tolerance_db[hz] = round(gain_db - low, 6)
    narrow, *narrow_hz, wide = numbers(told_limits()[name].replace("plug's", ""))
    assert {hz for hz, db in tolerance_db.items() if db == narrow} == set(narrow_hz)
    assert {db for hz, db in tolerance_db.items() if hz not in narrow_hz} == {wide}


def test_limits_of_all_else() -> None:
    told = told_limits()
    assert limit("line, noise") == (None, *numbers(told["noise in 200 to 3400 Hz, in silence"]))
    middle, within = numbers(told["silence"])
    assert limit("line, silence") == (middle - within, middle + within)
    assert limit("phone, signal to all else") == (*numbers(told["signal to all else, at 1004 Hz"]), None)
    level_low, level_high, snr, twist = numbers(told["caller ID, sent and read: number, level, SNR, twist"])
    assert limit("caller ID, level") == (level_low, level_high)
    assert limit("caller ID, SNR") == (snr, None)
    assert limit("caller ID, twist") == (-twist, twist)
    assert limit("samples lost") == limit("samples late") == (None, 0)
    assert told["samples lost, samples late"] == "none"
    hook, edges = told["hook follows relay; edges of 20 rings"].split("; ")
    assert hook in [each.expected for each in LIMITS if each.name == "hook follows relay"]
    assert limit("edges of 20 rings") == tuple(numbers(edges))
    heap, piece = numbers(told["heap free, its largest piece"])
    assert (limit("heap free"), limit("largest piece of heap")) == ((heap, None), (piece, None))
    (flash,) = (words for name, words in told.items() if name.startswith("flash"))
    slowest, free = numbers(flash)
    assert (limit("flash, slowest 4 KB"), limit("flash free")) == ((None, slowest), (free, None))


def test_every_limit_has_a_row() -> None:
    rows = " ".join(told_limits()).lower()
    for each in LIMITS:
        word = each.name.removeprefix("line, ").removeprefix("phone, ").partition(",")[0].split()[0].lower()
        assert word in rows, each.name
