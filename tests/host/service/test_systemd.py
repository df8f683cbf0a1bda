"""The unit of systemd, and the operator's page: what it says of settings, metrics and options is so."""

from __future__ import annotations

import configparser
import re
from enum import StrEnum
from pathlib import Path

import pytest
from typer.testing import CliRunner

from host_tools.cli.main import app
from host_tools.service.sealing import new_key_pair
from host_tools.service.settings import Settings
from tests.host.systemd_unit import check_unit

ROOT = Path(__file__).resolve().parents[3]
UNIT = ROOT / "host_tools" / "service" / "star57.service"
PAGE = ROOT / "docs" / "service.md"


def test_the_unit_runs_the_service_and_little_else() -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(UNIT)
    service = unit["Service"]
    assert service["ExecStart"].startswith("/opt/star57/bin/star57 service ")
    assert (service["Restart"], service["RestartPreventExitStatus"]) == ("always", "2")
    assert (service["User"], service["WorkingDirectory"]) == ("star57", "/var/lib/star57")
    assert (service["NoNewPrivileges"], service["ProtectSystem"]) == ("yes", "strict")
    assert service["CapabilityBoundingSet"] == ""
    longest = Settings.model_fields["leave_after_s"].metadata[1].le + 10
    assert int(service["TimeoutStopSec"]) > longest


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    check_unit(UNIT, tmp_path)


def shown(default: object) -> str:
    match default:
        case None:
            return "none"
        case "":
            return "empty"
        case bool():
            return f"`{str(default).lower()}`"
        case frozenset():
            return f"`{','.join(sorted(str(each) for each in default))}`"
        case StrEnum():
            return f"`{default.value}`"
    return f"`{default}`"


def test_the_page_has_every_setting_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (\S+) \| .+ \|$", PAGE.read_text(), re.M))
    fields = Settings.model_fields
    assert rows == {
        name: "needed" if field.is_required() else shown(field.default) for name, field in fields.items()
    }


def test_forever_is_a_time_to_keep(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"STAR57_{name.upper()}", raising=False)
    monkeypatch.setenv("STAR57_CENTRE_PUBLIC_KEY", new_key_pair()[1])
    kept = [name for name in Settings.model_fields if name.startswith("retention_")]
    assert len(kept) == 8
    for name in kept:
        monkeypatch.setenv(f"STAR57_{name.upper()}", "forever")
    settings = Settings()
    assert {getattr(settings, name) for name in kept} == {None}


def test_every_command_of_the_page_is_there() -> None:
    found = re.findall(r"^    (?:.*bin/)?star57 ((?:[a-z][a-z-]* ?){1,2})", PAGE.read_text(), re.M)
    commands = {tuple(words.split()) for words in found}
    assert {("service",), ("store", "restore"), ("account", "add"), ("retention",)} <= commands
    for words in commands:
        assert CliRunner().invoke(app, [*words, "--help"]).exit_code == 0, words


def test_the_page_has_every_metric() -> None:
    source = (ROOT / "host_tools" / "service" / "metrics.py").read_text()
    metrics = set(re.findall(r'"(star57_\w+)"', source))
    named = {
        re.sub("_(total|info)$", "", name)
        for name in re.findall(r"^\| `(star57_\w+)", PAGE.read_text(), re.M)
    }
    assert named == metrics
