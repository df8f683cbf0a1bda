"""`star57 decode`: any recording, heard by the firmware's own receivers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from typer.testing import CliRunner

from host_tools.cli.main import app
from host_tools.exchange import dtmf, fsk
from host_tools.exchange.caller_id import CallerId, mdmf
from host_tools.rig.listening import RecordingUnreadable, listen, read_audio

CALLER = CallerId(number="5555550123", name="A CALLER", date_time="12011730")


def recording() -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    pause = np.zeros(2000, np.int16)
    digits = [dtmf.digit(key, 80, 80) for key in "*57"]
    return np.concatenate([pause, fsk.modulate(mdmf(CALLER)), pause, *digits, pause])


def test_callers_and_digits_are_told_in_order() -> None:
    facts = list(listen(recording(), "bell_202"))
    assert [fact["event"] for fact in facts] == ["caller_id", "dtmf", "dtmf", "dtmf"]
    assert (facts[0]["number"], facts[0]["name"], facts[0]["date_time"]) == (
        "5555550123",
        "A CALLER",
        "12011730",
    )
    assert "".join(fact["digit"] for fact in facts[1:]) == "*57"
    assert all(60 <= fact["duration_ms"] <= 90 for fact in facts[1:])


@pytest.mark.parametrize("rate_hz", [8000, 11025, 44100, 48000])
@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT"])
def test_any_rate_and_width_is_read(tmp_path: Path, rate_hz: int, subtype: str) -> None:
    samples = soxr.resample(recording() / 32768, 8000, rate_hz)
    soundfile.write(tmp_path / "line.wav", samples, rate_hz, subtype=subtype)
    facts = list(listen(read_audio(tmp_path / "line.wav"), "bell_202"))
    assert [fact["event"] for fact in facts] == ["caller_id", "dtmf", "dtmf", "dtmf"]


def test_the_chosen_channel_is_read(tmp_path: Path) -> None:
    samples = recording()
    soundfile.write(tmp_path / "line.wav", np.stack([np.zeros_like(samples), samples], axis=1), 8000)
    assert not list(listen(read_audio(tmp_path / "line.wav", channel=0), "bell_202"))
    assert len(list(listen(read_audio(tmp_path / "line.wav", channel=1), "bell_202"))) == 4
    with pytest.raises(RecordingUnreadable, match="no channel 2"):
        read_audio(tmp_path / "line.wav", channel=2)


def test_decode_prints_json_lines(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "line.wav", recording(), 8000)
    finished = CliRunner().invoke(app, ["decode", str(tmp_path / "line.wav"), "--json"])
    assert finished.exit_code == 0
    facts = [json.loads(line) for line in finished.stdout.splitlines()]
    assert facts[0]["number"] == "5555550123"


def test_a_file_that_is_no_audio_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "line.wav").write_bytes(b"no audio")
    finished = CliRunner().invoke(app, ["decode", str(tmp_path / "line.wav")])
    assert finished.exit_code == 2
    assert "Traceback" not in finished.output
