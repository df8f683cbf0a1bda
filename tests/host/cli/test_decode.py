"""`star57 decode`: every option, on real recordings, in this process and in one of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner, Result

from host_tools.cli.main import app
from host_tools.exchange import tones
from host_tools.exchange.fsk import BT
from host_tools.rig.events import STANDARDS
from host_tools.rig.micropython import ROOT
from tests.host.rig.recordings import MESSAGE, NUMBER, Tape, everything

COMMAND = [sys.executable, "-c", "from host_tools.cli.main import app; app()", "decode"]


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recordings") / "line.wav"
    soundfile.write(path, everything()[0], 8000, subtype="PCM_16")
    return path


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    wrong = bytearray(MESSAGE)
    wrong[20] ^= 4
    tape = Tape()
    tape.burst(bytes(wrong))
    tape.pause(1000)
    path = tmp_path_factory.mktemp("recordings") / "spoilt.wav"
    soundfile.write(path, tape.samples, 8000, subtype="PCM_16")
    return path


def decode(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["decode", *map(str, arguments)], env={"COLUMNS": "200"})


def events(finished: Result) -> list[dict[str, Any]]:
    assert finished.exit_code == 0, finished.output
    return [json.loads(line) for line in finished.stdout.splitlines()]


def complains(finished: Result, *words: str) -> None:
    """One sentence on standard error, nothing else, and exit code 2."""
    assert finished.exit_code == 2
    assert finished.stdout == ""
    assert "Traceback" not in finished.stderr
    for word in words:
        assert word in finished.stderr


def test_json_is_an_object_a_line(recording: Path) -> None:
    told = events(decode(recording, "--json"))
    assert [event["event"] for event in told] == [kind for kind, _ in everything()[1]]
    assert [event["at"] for event in told] == sorted(event["at"] for event in told)
    assert all("why" not in event and "data" not in event for event in told)


def test_a_person_reads_a_line_an_event_and_a_summary(recording: Path) -> None:
    finished = decode(recording)
    lines = finished.stdout.splitlines()
    assert finished.exit_code == 0
    assert len(lines) == len(everything()[1]) + 1
    assert "caller ID        5555550123  A CALLER  12-01 17:30  [Bell 202, -13.6 dBm0" in lines[0]
    assert "call waiting" in lines[-2]
    for words in (
        "DTMF             *",
        "alert tone       CAS",
        "call progress    busy (US)",
        "message waiting  on",
    ):
        assert sum(words in line for line in lines) == 1
    assert lines[-1].startswith("line.wav, ")
    assert (
        "(8000 Hz, PCM_16, 1 channel): 2 callers, 1 burst that failed, 1 message-waiting signal" in lines[-1]
    )
    assert lines[-1].endswith("(digits: *57D).")


def test_in_a_process_of_its_own(recording: Path) -> None:
    finished = subprocess.run(
        [*COMMAND, str(recording), "--json"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert json.loads(finished.stdout.splitlines()[0])["number"] == NUMBER
    assert finished.stderr == ""


def test_a_terminal_without_the_name_s_characters(tmp_path: Path) -> None:
    tape = Tape()
    name = "J\xf6RG \xa3"
    body = bytes([7, len(name)]) + name.encode("latin-1")
    data = bytes([0x80, len(body)]) + body
    tape.burst(data + bytes([-sum(data) & 0xFF]))
    tape.pause()
    soundfile.write(tmp_path / "line.wav", tape.samples, 8000)
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    for options, expected in (([], "J?RG ?"), (["--json"], r"J\u00f6RG \u00a3")):
        finished = subprocess.run(
            [*COMMAND, str(tmp_path / "line.wav"), *options],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        assert expected in finished.stdout


def test_why_explains_a_burst_that_failed(spoilt: Path) -> None:
    (plain,) = events(decode(spoilt, "--json"))
    (event,) = events(decode(spoilt, "--json", "--why"))
    assert {key: event[key] for key in plain} == plain
    assert set(event) - set(plain) == {
        *(
            "why",
            "reasons",
            "doubtful_bytes",
            "data",
            "bytes_received",
            "bytes_announced",
            "weakest_byte",
            "mark_hz",
            "space_hz",
            "message_at",
        )
    }
    assert "04h and not 00h" in event["why"]
    assert [set(reason) for reason in event["reasons"]] == [{"name", "text", "remedy", "figures"}]
    assert event["reasons"][0]["name"] == "sender"
    text = decode(spoilt, "--why").stdout
    assert f"1. {event['reasons'][0]['remedy']}" in text
    assert "no caller ID     the checksum is wrong  [Bell 202" in text
    assert event["why"] in text


def test_why_says_what_there_was_instead_of_a_burst(tmp_path: Path, recording: Path) -> None:
    tape = Tape()
    tape.tone(tones.DIAL, 1500)
    soundfile.write(tmp_path / "dial.wav", tape.samples, 8000)
    absent, dial = events(decode(tmp_path / "dial.wav", "--json", "--why"))
    assert (absent["event"], absent["at"], dial["event"]) == ("no_caller_id", 0.0, "call_progress")
    assert "350 + 440 Hz" in absent["why"]
    assert "No burst of caller ID was found." in decode(tmp_path / "dial.wav", "--why").stdout
    assert all(event["event"] != "no_caller_id" for event in events(decode(recording, "--json", "--why")))


def test_standard(tmp_path: Path) -> None:
    tape = Tape()
    tape.burst()
    tape.pause()
    tape.burst(standard=BT)
    tape.pause()
    tape.digits("1")
    tape.pause()
    soundfile.write(tmp_path / "line.wav", tape.samples, 8000)
    told = {
        standard: [
            event.get("standard")
            for event in events(decode(tmp_path / "line.wav", "--json", "--standard", standard))
        ]
        for standard in ("auto", "bell_202", "v23", "bt", "dtmf")
    }
    assert told == {
        "auto": ["bell_202", "v23", None],
        "bell_202": ["bell_202"],
        "v23": ["v23"],
        "bt": ["bt"],
        "dtmf": [None],
    }
    complains(decode(tmp_path / "line.wav", "--standard", "bell"), "bell", "auto")


def test_why_names_the_standard_that_was_not_asked_for(tmp_path: Path) -> None:
    tape = Tape()
    tape.burst(standard=BT)
    tape.pause()
    soundfile.write(tmp_path / "line.wav", tape.samples, 8000)
    (absent,) = events(decode(tmp_path / "line.wav", "--json", "--why", "--standard", "bell_202"))
    assert absent["reasons"][0]["name"] == "other_standard"
    assert absent["reasons"][0]["figures"] == {"standard": "v23"}


def test_every_standard_is_taken(spoilt: Path) -> None:
    for standard in STANDARDS:
        assert decode(spoilt, "--standard", standard).exit_code == 0


def test_country(tmp_path: Path) -> None:
    tape = Tape()
    tape.tone(tones.BUSY, 3500)
    tape.pause()
    soundfile.write(tmp_path / "busy.wav", tape.samples, 8000)
    assert events(decode(tmp_path / "busy.wav", "--json", "--country", "us"))[0]["tone"] == "busy"
    assert events(decode(tmp_path / "busy.wav", "--json", "--country", "GB")) == []
    complains(decode(tmp_path / "busy.wav", "--country", "XX"), "XX", "US", "all")


def test_channel(tmp_path: Path, spoilt: Path) -> None:
    samples = soundfile.read(spoilt, dtype="int16")[0]
    stereo = tmp_path / "stereo.wav"
    soundfile.write(stereo, np.stack([np.zeros_like(samples), samples], axis=1), 8000)
    assert events(decode(stereo, "--json")) == []
    assert len(events(decode(stereo, "--json", "--channel", "1"))) == 1
    assert "(8000 Hz, PCM_16, 2 channels): nothing was heard." in decode(stereo).stdout
    complains(decode(stereo, "--channel", "2"), "has 2 channels, so none is number 2")
    complains(decode(stereo, "--channel", "-1"))


@pytest.mark.parametrize(
    "content",
    [b"", b"no audio", b"RIFF\x24\x00\x00\x00WAVE", b"RIFF\xff\xff\xff\xffWAVEfmt \x10\x00\x00\x00"],
    ids=["empty", "text", "half a header", "no data"],
)
def test_hostile_files(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "line.wav").write_bytes(content)
    finished = decode(tmp_path / "line.wav", "--json", "--why", "--plot", tmp_path / "out.png")
    complains(finished, "star57 decode: ", str(tmp_path / "line.wav"))
    assert len(finished.stderr.splitlines()) == 1
    assert not (tmp_path / "out.png").exists()


@pytest.mark.parametrize(
    "samples", [[], [0.5], [0.0, float("nan")] * 4000], ids=["none", "one", "not a number"]
)
def test_hostile_samples(tmp_path: Path, samples: list[float]) -> None:
    soundfile.write(tmp_path / "line.wav", np.array(samples), 8000, subtype="FLOAT")
    finished = decode(tmp_path / "line.wav")
    complains(finished, "star57 decode: ")
    assert len(finished.stderr.splitlines()) == 1


def test_no_such_file(tmp_path: Path) -> None:
    complains(decode(tmp_path / "none.wav"), "there is no such file")
    complains(decode(tmp_path), "there is no such file")


def test_when_the_receivers_fail(spoilt: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAR57_MICROPYTHON", "/bin/false")
    finished = decode(spoilt)
    assert finished.exit_code == 1
    assert [
        line for line in finished.stderr.splitlines() if "star57 decode: the receivers of" not in line
    ] == []
    assert len(finished.stderr.splitlines()) == 3
    assert "nothing was heard" in finished.stdout


def test_plot(recording: Path, tmp_path: Path) -> None:
    out = tmp_path / "line.png"
    finished = decode(recording, "--json", "--plot", out)
    assert len(events(finished)) == len(everything()[1])
    assert out.read_bytes().startswith(b"\x89PNG")
    complains(decode(recording, "--plot", tmp_path / "no" / "line.png"), "cannot be written")
    complains(decode(recording, "--plot", tmp_path / "line.nothing"), "cannot be written")
