"""What can be set on a board: the firmware's own table is asked, in MicroPython."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from host_tools.rig.micropython import ROOT, interpreter_command
from host_tools.technician.board_settings import (
    SECRETS,
    BoardSettings,
    SettingWrong,
    from_texts,
    from_values,
    hidden,
)

_ASK = """
import json, sys
sys.path.insert(0, "firmware")
from star57 import settings
asked = json.loads(sys.stdin.read())
print(json.dumps([{name: row[0] for name, row in settings.TABLE.items()},
    [settings.fits(name, value) for name, value in asked]]))
"""

TRIED: list[tuple[str, Any]] = [
    *(("line", value) for value in ("", "5555550100", "1" * 15, "1" * 16, "555-0100", 5)),
    *(("adapter_id", value) for value in ("a", "A-9", "a" * 32, "a" * 33, "", "a b", "é")),
    *((key, value) for key in ("adapter_key", "house_key") for value in ("", "aF" * 32, "a" * 63, "g" * 64)),
    *(("country", value) for value in ("US", "CA", "FR", "us", "XX", "")),
    *(("language", value) for value in ("en-US", "es-US", "fr-CA", "fr-FR", "")),
    *(("utc_offset_minutes", value) for value in (-721, -720, 0, 840, 841)),
    *(("price_cents", value) for value in (0, 1000, 1001, -1, True, "5")),
    *(("service_port", value) for value in (0, 1, 65535, 65536)),
    *(("house_port", value) for value in (0, 65535)),
    *(("answer_timeout_ms", value) for value in (99, 100, 60000, 60001)),
    *(
        (name, value)
        for name in ("tty", "call_log", "trace_button", "two_stage")
        for value in (True, False, 1, "")
    ),
    *((name, "x" * length) for name in ("service_hosts", "service_path") for length in (0, 128, 129)),
    *((name, "x" * length) for name in ("service_ca", "house_host") for length in (64, 65)),
    *(("wifi_ssid", "x" * length) for length in (32, 33)),
    *(("wifi_key", "x" * length) for length in (63, 64)),
    *(("release_key", value) for value in ("", "0f" * 384, "0f" * 512, "0f" * 513, "0F", "x")),
    *((name, value) for name in ("trace_codes", "language_codes") for value in ("*57 1157", "", "*57a")),
]


@pytest.fixture(scope="module")
def firmware() -> tuple[dict[str, Any], list[bool]]:
    """The defaults of the firmware's table, and whether each value that is tried fits."""
    ran = subprocess.run(
        [*interpreter_command(), "-c", _ASK],
        input=json.dumps(TRIED),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    defaults, fits = json.loads(ran.stdout)
    return defaults, fits


def test_the_names_are_those_of_the_firmware(firmware: tuple[dict[str, Any], list[bool]]) -> None:
    defaults, _ = firmware
    assert set(BoardSettings.model_fields) == set(defaults)
    assert from_values(defaults).chosen() == defaults


def test_the_limits_are_those_of_the_firmware(firmware: tuple[dict[str, Any], list[bool]]) -> None:
    for (name, value), fits in zip(TRIED, firmware[1], strict=True):
        if fits:
            assert from_values({name: value}).chosen() == {name: value}
        else:
            with pytest.raises(SettingWrong, match=name):
                from_values({name: value})


def test_what_is_typed_becomes_what_it_means() -> None:
    typed = {
        "tty": "yes",
        "call_log": "false",
        "price_cents": "250",
        "line": "0100",
        "country": "",
        "language": "es-US",
    }
    assert from_texts(typed).chosen() == {
        "tty": True,
        "call_log": False,
        "price_cents": 250,
        "line": "0100",
        "language": "es-US",
    }


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"tty": "perhaps"}, "tty is yes or no"),
        ({"price_cents": "five"}, "price_cents is a number"),
        ({"prize": "5"}, "there is no setting 'prize'"),
        ({"country": "XX"}, "country is US, CA, GB, "),
        ({"line": "555-0100"}, "line is 1 to 15 digits"),
        ({"trace_codes": "star 57"}, "trace_codes is digits"),
    ],
)
def test_what_is_typed_wrong_is_named(typed: dict[str, str], told: str) -> None:
    with pytest.raises(SettingWrong, match=told):
        from_texts(typed)


def test_no_secret_is_shown() -> None:
    values = dict.fromkeys(SECRETS - {"wifi_key"}, "5a" * 32) | {"wifi_key": "correct horse"}
    settings = from_values(values)
    for shown in (repr(settings), str(settings), str(hidden(settings.chosen()))):
        assert "5a5a" not in shown
        assert "horse" not in shown
    with pytest.raises(SettingWrong) as wrong:
        from_values({"wifi_key": "correct horse" * 9})
    assert "horse" not in str(wrong.value)
