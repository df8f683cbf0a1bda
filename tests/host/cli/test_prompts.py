"""`star57 prompts`: the script to read out, packs from recordings, and the announcements to review."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner, Result

from host_tools.cli.exit_codes import ExitCode
from host_tools.cli.main import app
from host_tools.prompts.build import read_texts
from host_tools.prompts.texts import LANGUAGES, prompts_of


def prompts(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["prompts", *map(str, arguments)], env={"COLUMNS": "200"})


def _record(folder: Path, name: str, peak: float = 0.3, seconds: float = 0.5) -> None:
    folder.mkdir(exist_ok=True)
    tone = np.sin(2 * np.pi * 1000 * np.arange(int(seconds * 16000)) / 16000)
    soundfile.write(folder / f"{name}.wav", peak * tone, 16000)


def test_the_script_names_every_recording_its_words_and_where_it_is_heard() -> None:
    done = prompts("script", "--language", "es-US", "--json")
    rows = json.loads(done.stdout)
    assert [row["file"] for row in rows] == [
        f"{prompt.name}.wav" for prompt in prompts_of(LANGUAGES["es-US"])
    ]
    (traced,) = (row for row in rows if row["file"] == "traced.wav")
    assert traced["text"] == "La última llamada fue rastreada."
    assert traced["where"] == "after a trace that was successful"


def test_the_script_as_csv_and_as_a_table() -> None:
    rows = list(csv.DictReader(io.StringIO(prompts("script", "--csv").stdout)))
    assert {row["language"] for row in rows} == set(LANGUAGES)
    assert len(rows) == sum(len(prompts_of(language)) for language in LANGUAGES.values())
    table = prompts("script", "--language", "fr-CA").stdout
    assert "Le dernier appel a été retracé." in table


def test_a_pack_of_recordings_says_what_is_missing_and_what_is_wrong(tmp_path: Path) -> None:
    spoken = tmp_path / "spoken"
    for prompt in prompts_of(LANGUAGES["fr-CA"]):
        _record(spoken, prompt.name)
    (spoken / "traced.wav").unlink()
    _record(spoken, "danger", peak=0.0)
    _record(spoken, "no_call", peak=0.001)
    _record(spoken, "trace")
    asked = ("build", tmp_path / "packs", "--language", "fr-CA", "--recordings", spoken)
    done = prompts(*asked, "--json")
    assert done.exit_code == ExitCode.DONE
    (built,) = json.loads(done.stdout)
    texts = read_texts(tmp_path / "packs" / "fr-CA")
    assert built["missing"] == {name: texts[name] for name in ("traced", "danger")}
    assert [(finding["name"], finding["fault"]) for finding in built["findings"]] == [
        ("danger", "silent"),
        ("no_call", "too quiet"),
    ]
    assert built["unknown"] == ["trace"]
    assert built["recorded"] == len(texts) - 2
    strict = prompts(*asked, "--strict")
    assert strict.exit_code == ExitCode.FAILED
    for word in ("traced", texts["traced"], "silent", "too quiet", "trace"):
        assert word in strict.stdout


def test_another_emergency_number(tmp_path: Path) -> None:
    spoken = tmp_path / "spoken"
    for prompt in prompts_of(LANGUAGES["en-US"]):
        _record(spoken, prompt.name)
    asked = (
        "build",
        tmp_path,
        "--language",
        "en-US",
        "--recordings",
        spoken,
        "--strict",
        "--emergency",
        "112",
    )
    assert prompts(*asked).exit_code == ExitCode.DONE
    assert read_texts(tmp_path / "en-US")["danger"].endswith("dial 1 1 2.")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ("build", "packs", "--language", "de-DE"),
            "there is no language de-DE; there are en-US, es-US, fr-CA",
        ),
        (
            ("build", "packs", "--recordings", "."),
            "recordings are of one language: say which with --language",
        ),
        (("build", "packs", "--emergency", "9-1-1"), "9-1-1 is no emergency number: digits only"),
        (("script", "--language", "en"), "there is no language en"),
    ],
)
def test_what_makes_no_sense_is_said(
    arguments: tuple[str, ...], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = prompts(*arguments)
    assert done.exit_code == ExitCode.USAGE
    assert sentence in done.stderr
    assert not (tmp_path / "packs").exists()


def test_without_a_voice_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    done = prompts("build", tmp_path, "--language", "en-US", "--json")
    assert done.exit_code == ExitCode.MISSING
    assert json.loads(done.stdout)["exit_code"] == ExitCode.MISSING


def test_the_announcements_to_listen_to(tmp_path: Path) -> None:
    done = prompts("review", tmp_path, "--language", "fr-CA", "--json")
    (names,) = json.loads(done.stdout).values()
    assert {path.name for path in (tmp_path / "fr-CA").iterdir()} == set(names)
    about = soundfile.info(tmp_path / "fr-CA" / "05 The trace code, Traced.wav")
    assert 10 < about.duration < 25
    assert "Il vous en coûte cinq dollars" in (tmp_path / "prompts.md").read_text(encoding="utf-8")
