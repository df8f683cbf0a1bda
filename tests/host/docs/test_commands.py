"""Every command of `star57` in the documents is run, or, where it runs for ever, read by its own parser.

A document's commands run one after another in a folder of their own, in which is what the document says is there. No
board is plugged in: what works on boards says so, and is run on boards in tests/host/technician.
"""

from __future__ import annotations

import hashlib
import json
import re
import shlex
import shutil
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.core import TyperCommand, TyperGroup
from typer.testing import CliRunner, Result

from host_tools.cli.exit_codes import ExitCode
from host_tools.cli.main import VERBS, app, loaded
from host_tools.exchange.caller_id import CallerId, mdmf
from host_tools.exchange.fsk import BELL_202, on_hook
from host_tools.exchange.levels import RATE_HZ
from host_tools.rig.micropython import ROOT
from host_tools.service.bundle_verify import public_key_pem
from host_tools.service.origins import OriginKeys
from tests.host.docs.documents import Command, star57_commands
from tests.host.service.test_bundle import BUNDLE, PUBLIC_KEY

PASSPHRASE = "correct horse battery"  # noqa: S105 - of a test
LINE = "5555550100"

RUN_FOR_EVER = {"service", "gateway", "house", "monitor"}
ON_BOARDS = {"boards", "flash", "selftest", "provision", "listen"}
WITHOUT_BOARDS = re.compile("no board is plugged in|is not plugged in|there is no (board )?/dev/ttyACM0")
READ_A_RECORDING = {"decode", "listen"}
INSTALLS = {"docs/service.md"}
"""Documents that begin where there is no store yet."""
ELSEWHERE = {
    "doctor": ("what it says hangs on this computer", "tests/host/technician/test_doctor.py"),
    "prompts build": ("it speaks for a minute", "tests/host/cli/test_prompts.py"),
    "prompts review": ("it writes two hundred recordings", "tests/host/cli/test_prompts.py"),
}
"""What is not run here: why not, and the test that runs it."""

STANDS_FOR = (
    (r"postgresql\+asyncpg://\S*", "sqlite:///star57.sqlite"),
    (r"/etc/star57/|/var/lib/star57/|/backup/", "./"),
    (r"\.cache/pico/", "./"),
    (r"\bstore backup \.\.\.", "store backup ./another.sqlite"),
    (r" \.\.\.$", ""),
    (r"\bRECORDINGS\b", "recordings"),
    (r"\bFOLDER\b", "folder"),
    (r"\bPORT\b", "/dev/ttyACM0"),
    (r"\bNAME\b", "ann"),
    (r"\bROLE\b", "auditor"),
    (r"\bLINE\b|\bDIGITS\b", LINE),
    (r"\bADAPTER\b|\bID\b", "adapter-1"),
    (r"\bN\b", "5"),
)
"""What a document leaves open, and what is put there."""

# One that has no line is no household.
WITHOUT_CHOICES = re.compile(r"\[--line [^]]*\]|[\[\]]")


def words_of(text: str) -> list[str]:
    """The words behind `star57`, with something in the place of each thing that a document leaves open."""
    text = WITHOUT_CHOICES.sub("", text)
    for pattern, value in STANDS_FOR:
        text = re.sub(pattern, value, text)
    return shlex.split(text)[1:]


def verb_of(words: list[str]) -> tuple[str, TyperCommand | TyperGroup, list[str]]:
    """The name of the verb, the verb, and the words behind it."""
    command = loaded(words[0])
    if isinstance(command, TyperGroup) and len(words) > 1:
        below = command.commands[words[1]]
        assert isinstance(below, TyperCommand)
        return " ".join(words[:2]), below, words[2:]
    return words[0], command, words[1:]


ALL = list(dict.fromkeys(star57_commands()))
BY_DOCUMENT = {
    document: [command for command in of_it if command.is_in_block]
    for document, of_it in groupby(sorted(ALL, key=lambda each: each.document), lambda each: each.document)
}


def test_every_verb_stands_in_a_document() -> None:
    assert {words_of(command.text)[0] for command in ALL} == set(VERBS)


def test_each_names_a_verb_and_options_that_are_there() -> None:
    wrong = [f"{command.document}: {command.text}" for command in ALL if not _is_there(command)]
    assert wrong == []


def _is_there(command: Command) -> bool:
    words = words_of(command.text.replace("[", "").replace("]", ""))
    if words == ["--help"]:
        return True
    if words[0] not in VERBS:
        return False
    try:
        _, verb, rest = verb_of(words)
    except KeyError:
        return False
    known = {option for parameter in verb.params for option in (*parameter.opts, *parameter.secondary_opts)}
    return {word.partition("=")[0] for word in rest if word.startswith("--")} <= known | {"--help"}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_what_is_not_run_here_is_run_where_it_says(name: str) -> None:
    _, path = ELSEWHERE[name]
    text = (ROOT / path).read_text(encoding="utf-8")
    assert "import app" in text
    for word in name.split():
        assert f'"{word}"' in text, f"{path} does not run {name}"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the documents take for granted: a service's store, files of other programs, an image, recordings."""
    folder = tmp_path_factory.mktemp("prepared")
    for name in ("usb", "recordings", "folder"):
        (folder / name).mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("STAR57_DATABASE", "sqlite:///star57.sqlite")
        for words in (
            "account add alex --role administrator",
            f"adapter add adapter-1 --line {LINE}",
            "area set 5559 --name Hills",
        ):
            ran = invoked(words.split())
            assert ran.exit_code == ExitCode.DONE, f"{words}: {ran.output}"
    (folder / "boards.csv").write_text("serial,line\nE6614103E7452D2F,5555550102\n")
    (folder / "house.keys").write_text(f"adapter-1 {'0f' * 32}\n")
    (folder / "house.keys").chmod(0o600)
    (folder / "ca.pem").write_text("")
    OriginKeys.load_or_make(folder / "star57.origins")
    (folder / "C-00000001.zip").write_bytes(BUNDLE)
    (folder / "centre.pem").write_text(public_key_pem(PUBLIC_KEY))
    _write_recordings(folder)
    _write_image(folder)
    return folder


def _write_recordings(folder: Path) -> None:
    burst = on_hook(BELL_202).samples(mdmf(CallerId(number="5555550123", date_time="11281200")))
    audio = np.concatenate((np.zeros(RATE_HZ), burst, np.zeros(RATE_HZ))).astype(np.int16)
    for name in ("FILE.wav", "recording.wav"):
        soundfile.write(folder / name, audio, RATE_HZ)


def _write_image(folder: Path) -> None:
    """What `make image` leaves of an image, with a firmware that never runs."""
    slots = {}
    for slot in ("a", "b"):
        data = f"firmware for {slot}".encode() * 100
        (folder / f"pico.{slot}.bin").write_bytes(data)
        digest = hashlib.sha256(data).hexdigest()
        slots[slot] = {"name": f"pico.{slot}.bin", "bytes": len(data), "sha256": digest}
    facts = {"board": "pico", "version": "0.1.0", "commit": "0123456789", "slots": slots}
    (folder / "pico.json").write_text(json.dumps(facts))


def invoked(words: list[str]) -> Result:
    return CliRunner().invoke(app, words, input=f"{PASSPHRASE}\n" * 4, env={"COLUMNS": "200"})


@pytest.mark.parametrize("document", [document for document, in_it in BY_DOCUMENT.items() if in_it])
def test_every_command_in_a_block_runs(
    document: str, prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = tmp_path / "world"
    shutil.copytree(prepared, world)
    if document in INSTALLS:
        _take_off_the_store(world)
    monkeypatch.chdir(world)
    monkeypatch.setenv("STAR57_USB", str(world / "usb"))
    monkeypatch.setenv("STAR57_DATABASE", "sqlite:///star57.sqlite")
    for command in BY_DOCUMENT[document]:
        words = words_of(command.text)
        name, verb, rest = verb_of(words)
        if name in RUN_FOR_EVER:
            verb.make_context(name, rest)
        elif name not in ELSEWHERE:
            if name == "store restore":  # "put aside what is left of the store" stands before it
                _take_off_the_store(world)
            if name in READ_A_RECORDING:  # that a board would have recorded
                _write_recordings(world)
            ran = invoked(words)
            said = f"{command.text}: {ran.output}{ran.exception!r}"
            if name in ON_BOARDS and "--file" not in words:
                assert ran.exit_code != ExitCode.DONE, said
                assert WITHOUT_BOARDS.search(ran.output), said
            else:
                assert ran.exit_code == ExitCode.DONE, said


def _take_off_the_store(world: Path) -> None:
    for file in world.glob("star57.sqlite*"):
        file.unlink()
