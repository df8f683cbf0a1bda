"""`star57 listen` and `star57 monitor --json`: of a recording, and of a board on a pty."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import soundfile
from typer.testing import CliRunner, Result

from host_tools.cli.exit_codes import ExitCode
from host_tools.cli.main import app
from host_tools.technician.ports import USB_FOLDER
from host_tools.technician.recording import events_of, events_path
from tests.host.technician.calls_on_line import Line, united_states
from tests.host.technician.live_board import LiveBoard, event_frame, frames_of


def star57(*arguments: str | Path, usb: Path | None = None) -> Result:
    environment = {"COLUMNS": "200"} | ({} if usb is None else {USB_FOLDER: str(usb)})
    return CliRunner().invoke(app, [*map(str, arguments)], env=environment)


def document(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    told: dict[str, Any] = json.loads(result.stdout)
    return told


def kept(folder: Path, line: Line) -> Path:
    path = folder / "line.wav"
    soundfile.write(path, line.samples, 8000, subtype="PCM_16")
    events_path(path).write_text(json.dumps({"events": line.events}))
    return path


def script_of(line: Line, missing: range = range(0)) -> list[bytes]:
    """What a board sends of a line; the blocks that are missing never come."""
    script = []
    frames = frames_of(line.samples)
    events = sorted(line.events, key=lambda event: float(event["at"]))
    for number, frame in enumerate(frames):
        while events and events[0]["at"] <= number * 0.02:
            event = {key: value for key, value in events.pop(0).items() if key != "at"}
            script.append(event_frame(event, number))
        if number not in missing:
            script.append(frame)
    # Some blocks to a piece: a pty carries them faster than a line does.
    return [b"".join(script[first : first + 5]) for first in range(0, len(script), 5)]


def test_a_recording_says_what_is_in_use(tmp_path: Path) -> None:
    path = kept(tmp_path, united_states())
    told = document(star57("listen", "--file", path, "--json"))
    assert (told["standard"], told["countries"]) == ("bell_202", ["US", "CA"])
    text = star57("listen", "--file", path).stdout
    assert "Caller ID in use: Bell 202" in text
    assert "Provision with: country US or CA" in text
    assert "600 ms behind ring 1, before ring 2" in text
    assert "A call at 1.0 s: 2 rings at 20 Hz; rings and pauses in turn, in seconds: 2 4 2" in text


def test_a_recording_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "line.wav").write_bytes(b"no audio")
    result = star57("listen", "--file", tmp_path / "line.wav", "--json")
    assert result.exit_code == ExitCode.USAGE
    assert json.loads(result.stdout)["exit_code"] == 2


def test_a_board_is_recorded_and_its_gap_is_told(tmp_path: Path) -> None:
    line = united_states()
    usb, out = tmp_path / "usb", tmp_path / "out.wav"
    usb.mkdir()
    # The end of the line is far behind its gap, and the gap lies in silence.
    with LiveBoard(usb, script_of(line, missing=range(500, 505))):
        told = document(star57("listen", "--seconds", "12.5", "--out", out, "--json", usb=usb))
    assert (told["standard"], told["countries"]) == ("bell_202", ["US", "CA"])
    assert told["missing_s"] == 0.1
    assert told["caller_ids"][0]["when"] == "600 ms behind ring 1, before ring 2"
    samples = soundfile.read(out, dtype="int16")[0]
    assert len(samples) == pytest.approx(100_000, abs=800)
    assert (samples[: 500 * 160] == line.samples[: 500 * 160]).all()
    assert (samples[500 * 160 : 505 * 160] == 0).all()
    assert (samples[505 * 160 :] == line.samples[505 * 160 : len(samples)]).all()
    assert len(events_of(out) or []) == 2


def test_nothing_is_plugged_in(tmp_path: Path) -> None:
    for verb in ("listen", "monitor"):
        result = star57(verb, "--json", usb=tmp_path)
        assert result.exit_code == ExitCode.NOTHING_THERE
        assert "no board is plugged in" in json.loads(result.stdout)["error"]


def test_a_port_that_is_not_there(tmp_path: Path) -> None:
    result = star57("listen", "--port", tmp_path / "no-such-port", usb=tmp_path)
    assert result.exit_code == ExitCode.NOTHING_THERE
    assert "no-such-port" in result.stderr


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    with LiveBoard(tmp_path, []):
        result = star57("listen", "--out", tmp_path / "no" / "line.wav", usb=tmp_path)
    assert result.exit_code == ExitCode.USAGE
    assert "cannot be written" in result.stderr


def test_the_monitor_as_lines_of_json(tmp_path: Path) -> None:
    with LiveBoard(tmp_path, script_of(united_states())):
        result = star57("monitor", "--json", "--seconds", "4", usb=tmp_path)
    assert result.exit_code == 0, result.output
    told = [json.loads(line) for line in result.stdout.splitlines()]
    assert told[0]["what"] == "connected"
    assert [one["line_s"] for one in told if one["what"] == "level"] == [1, 2, 3, 4]
    assert [one["event"] for one in told if one["what"] == "event"] == ["ring_signal"]
    loudest = next(one["level_dbm0"] for one in told if one.get("line_s") == 4)
    assert loudest == pytest.approx(-13.5, abs=0.5)
