"""The monitor: what it knows of a live line, and what it shows on terminals of every size."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from textual.pilot import Pilot

from host_tools.exchange.levels import Samples, peak_of, to_samples
from host_tools.technician.live_line import (
    Happened,
    Heard,
    LiveLine,
    Plugged,
    Said,
    Sound,
    Status,
    Unheard,
    Unplugged,
    chosen_port,
)
from host_tools.technician.monitor_app import MonitorApp
from host_tools.technician.monitor_state import MonitorState
from host_tools.technician.monitor_stream import MonitorStream
from host_tools.technician.ports import FolderUsb
from tests.host.technician.live_board import STATUS, LiveBoard, event_frame, frames_of

AT = datetime(2026, 11, 28, 17, 30, 12, tzinfo=UTC)
QUALITY = {
    "standard": "bell_202",
    "level_dbm0": -13.5,
    "snr_db": 29.6,
    "twist_db": -0.4,
    "baud": 1199.0,
    "framing_errors": 0,
    "repaired": False,
}
CALL = (
    {"event": "ring_started"},
    {"event": "call", "what": "ringing"},
    {"event": "line", "state": "ringing"},
    {"event": "ring_signal", "edges": 80, "lasted_samples": 16_000, "ended_samples_ago": 960},
    {"event": "ring_ended", "value": 1},
    {"event": "caller", "result": "message", "quality": QUALITY, "number": "5555550123"},
    {"event": "call", "what": "caller"},
    {"event": "off_hook"},
    {"event": "line", "state": "in_call"},
)


def sine(hz: float, level_dbm0: float, n: int = 1600) -> Samples:
    return to_samples(peak_of(level_dbm0) * np.sin(2 * np.pi * hz / 8000 * np.arange(n)))


def sounds(samples: Samples, first: int = 0) -> list[Heard]:
    return [
        Sound((first + place) % 1000, samples[at : at + 160])
        for place, at in enumerate(range(0, len(samples), 160))
    ]


def state_of(*heard: Heard) -> MonitorState:
    state = MonitorState()
    for one in heard:
        state.take(one, AT)
    return state


# What it knows


def test_a_call_from_its_ring_to_its_answer() -> None:
    state = state_of(Plugged("/dev/ttyACM0"), *(Happened(event) for event in CALL))
    assert (state.line, state.loop_closed, state.caller) == ("in_call", True, "5555550123")
    assert state.decoded == QUALITY
    assert [entry.text for entry in state.events] == [
        "the board is there",
        "a ring begins",
        "a call comes",
        "line: ringing",
        "ring voltage: 2.0 s at 20 Hz",
        "ring 1 is over",
        "caller ID: 5555550123 (Bell 202)",
        "its caller is known",
        "the receiver is lifted",
        "line: in a call",
    ]
    assert [entry.is_good for entry in state.events][:1] == [True]


@pytest.mark.parametrize(
    ("event", "text", "is_good"),
    [
        ({"event": "caller", "result": "checksum_wrong"}, "caller ID: the checksum is wrong", False),
        ({"event": "caller", "result": "no_carrier"}, "caller ID: none came", False),
        ({"event": "lost", "samples": 80}, "10 ms of the line were lost on the board", False),
        ({"event": "relay", "energised": True}, "relay: the phone is on the adapter", None),
        (
            {"event": "ring_signal", "edges": 2, "lasted_samples": 160},
            "polarity reversed, or a click",
            None,
        ),
        ({"event": "ringing_stopped", "value": 3}, "no more rings, 3 came", None),
        ({"event": "digit"}, "a digit is dialled", None),
    ],
)
def test_events_in_words(event: dict[str, Any], text: str, is_good: bool | None) -> None:
    (entry,) = state_of(Happened(event)).events
    assert (entry.text, entry.is_good) == (text, is_good)


def test_a_tap_and_an_event_that_nobody_knows_are_no_lines() -> None:
    state = state_of(
        Happened({"event": "tap", "state": "dialogue", "relay": True, "loop_closed": True}),
        Happened({"event": "news"}),
    )
    assert list(state.events) == []
    assert (state.line, state.relay, state.loop_closed) == ("dialogue", True, True)


def test_levels_gaps_and_what_the_board_lost() -> None:
    state = state_of(
        *sounds(sine(1000, -20)), Happened({"event": "lost", "samples": 80}), *sounds(sine(1000, -20), 12)
    )
    assert state.missing_samples == 80 + 2 * 160
    assert state.meter.level_dbm0 == pytest.approx(-20, abs=0.1)
    assert len(state.levels_dbm0) == 4
    assert max(state.levels_dbm0) == pytest.approx(-20, abs=0.1)


def test_a_board_that_is_not_there_has_no_relay() -> None:
    state = state_of(Plugged("x"), Status(STATUS), Unplugged("unplugged"))
    assert (state.is_connected, state.relay, state.connection) == (False, None, "unplugged")
    assert state_of(Unheard("no bench")).connection == "no bench"


def test_the_last_decode_of_an_adapter_that_was_just_plugged_in() -> None:
    assert state_of(Status({**STATUS, "decoded": QUALITY})).decoded == QUALITY


# For programs


def test_a_stream_of_documents() -> None:
    stream = MonitorStream()
    heard: list[Heard] = [
        Plugged("/dev/ttyACM0"),
        Status(STATUS),
        Said("link: serial works"),
        Said(""),
        Happened({"event": "digit"}),
        *sounds(sine(1000, -20, 8000)),
        *sounds(sine(1000, -20, 8000), 52),
        Unplugged("unplugged"),
        Unheard("no bench"),
    ]
    documents = [document for one in heard for document in stream.documents(one, AT)]
    assert [document["what"] for document in documents] == [
        "connected",
        "status",
        "log",
        "event",
        "level",
        "level",
        "disconnected",
        "unheard",
    ]
    assert {document["at"] for document in documents} == {"2026-11-28T17:30:12.000+00:00"}
    assert documents[3]["event"] == "digit"
    first, second = documents[4:6]
    assert (first["line_s"], first["missing_samples"]) == (1, 0)
    assert (second["line_s"], second["missing_samples"]) == (2, 320)
    assert first["level_dbm0"] == pytest.approx(-20, abs=0.1)
    assert stream.duration_s == pytest.approx(2.04)


# What it shows


def shown(
    size: tuple[int, int],
    do: Callable[[MonitorApp, Pilot[None]], Awaitable[None]],
    folder: Path = Path(),
) -> list[str]:
    """The lines on a terminal of so many columns and lines, once it was done."""

    async def run() -> list[str]:
        app = MonitorApp(folder=folder, clock=lambda: AT)
        async with app.run_test(size=size) as pilot:
            await do(app, pilot)
            app.redraw()
            await pilot.pause()
            return [
                "".join(segment.text for segment in strip) for strip in app.screen._compositor.render_strips()
            ]

    return asyncio.run(run())


async def a_call(app: MonitorApp, _pilot: Pilot[None]) -> None:
    app.heard(Plugged("/dev/ttyACM0"))
    app.heard(Status(STATUS))
    app.heard(Said("line: ringing, call 0f3c5b2a9e1d7788"))
    for event in CALL[:7]:
        app.heard(Happened(event))
    for sound in sounds(sine(1200, -13.5)):
        app.heard(sound)


def test_everything_on_a_large_terminal() -> None:
    lines = shown((110, 36), a_call)
    text = "\n".join(lines)
    for words in (
        "star57 monitor  ttyACM0",
        " RINGING   hook on  relay rest",
        "A-7  line 5555550100  US",
        "healthy",
        "pico 0.7.0 slot a  up 1:18:31",
        "-13.5 dBm0   peak  -13.5",
        "Spectrum, 0 to 4000 Hz",
        "number  5555550123",
        "SNR     29.6 dB",
        "baud    1199 (-0.1 %)",
        "17:30:12 caller ID: 5555550123 (Bell 202)",
        "line: ringing, call 0f3c5b2a9e1d7788",
        "q quit  p pause  r record  s spectrum/levels",
    ):
        assert words in text
    assert len(lines) == 36


def test_the_spectrum_has_its_peak_above_its_mark() -> None:
    async def only_a_sine(app: MonitorApp, _pilot: Pilot[None]) -> None:
        for sound in sounds(sine(2200, -6)):
            app.heard(sound)

    lines = shown((110, 36), only_a_sine)
    first = next(place for place, line in enumerate(lines) if "Spectrum" in line)
    labels = next(line for line in lines if "1200" in line and "2200" in line)
    peak = next(line for line in lines[first + 1 :] if any(letter in "▁▂▃▄▅▆▇█" for letter in line))
    columns = [place for place, letter in enumerate(peak) if letter in "▁▂▃▄▅▆▇█"]
    assert abs(np.mean(columns) - (labels.index("2200") + 1.5)) <= 2


@pytest.mark.parametrize("size", [(80, 24), (60, 20), (40, 12), (30, 10)])
def test_small_terminals_keep_the_state_and_the_level(size: tuple[int, int]) -> None:
    lines = shown(size, a_call)
    text = "\n".join(lines)
    assert "RINGING" in text
    assert all(len(line) <= size[0] for line in lines)
    assert ("line: ringing, call" in text) is False
    if size[0] >= 60:
        assert "-13.5 dBm0" in text
        assert "caller ID: 5555550123" in text


def test_no_board() -> None:
    async def gone(app: MonitorApp, _pilot: Pilot[None]) -> None:
        app.heard(Plugged("x"))
        app.heard(Unplugged("unplugged"))

    text = "\n".join(shown((100, 30), gone))
    assert "NO BOARD" in text
    assert "the board is not there: unplugged" in text


def test_an_unhealthy_adapter_says_why() -> None:
    async def ill(app: MonitorApp, _pilot: Pilot[None]) -> None:
        app.heard(Plugged("x"))
        app.heard(Status({**STATUS, "healthy": False, "reasons": ["samples_lost", "news"], "slot": None}))

    text = "\n".join(shown((120, 30), ill))
    assert "samples were lost in the last minute; news" in text


def test_pause_holds_the_view() -> None:
    async def paused(app: MonitorApp, pilot: Pilot[None]) -> None:
        await a_call(app, pilot)
        await pilot.press("p")
        app.heard(Happened({"event": "line", "state": "idle"}))

    text = "\n".join(shown((110, 36), paused))
    assert "paused" in text
    assert "RINGING" in text

    async def goes_on(app: MonitorApp, pilot: Pilot[None]) -> None:
        await paused(app, pilot)
        await pilot.press("p")
        app.heard(Happened({"event": "line", "state": "idle"}))

    text = "\n".join(shown((110, 36), goes_on))
    assert "paused" not in text
    assert "IDLE" in text


def test_levels_instead_of_the_spectrum() -> None:
    async def levels(app: MonitorApp, pilot: Pilot[None]) -> None:
        await a_call(app, pilot)
        await pilot.press("s")

    text = "\n".join(shown((110, 36), levels))
    assert "a tenth of a second a column" in text
    assert "2750" not in text


def test_record_keeps_a_wav_even_while_paused(tmp_path: Path) -> None:
    async def recorded(app: MonitorApp, pilot: Pilot[None]) -> None:
        await pilot.press("r", "p")
        await a_call(app, pilot)
        assert app.recording is not None
        await pilot.press("r")
        assert app.recording is None

    shown((110, 36), recorded, tmp_path)
    samples, rate_hz = soundfile.read(tmp_path / "star57-20261128-173012.wav", dtype="int16")
    assert rate_hz == 8000
    assert (samples == sine(1200, -13.5)).all()


def test_a_folder_that_takes_no_recording(tmp_path: Path) -> None:
    async def refused(app: MonitorApp, pilot: Pilot[None]) -> None:
        await pilot.press("r")
        assert app.recording is None
        assert ["cannot be written" in told.message for told in app._notifications] == [True]

    shown((110, 36), refused, tmp_path / "nowhere")


def test_quit_ends_a_recording(tmp_path: Path) -> None:
    async def quitting(app: MonitorApp, pilot: Pilot[None]) -> None:
        await pilot.press("r")
        await a_call(app, pilot)

    shown((110, 36), quitting, tmp_path)
    assert len(soundfile.read(tmp_path / "star57-20261128-173012.wav")[0]) == 1600


def test_a_live_board_behind_it(tmp_path: Path) -> None:
    script = [event_frame(event) for event in CALL] + frames_of(sine(1200, -13.5))

    async def run(board: LiveBoard) -> str:
        usb = FolderUsb(tmp_path)
        app = MonitorApp(lambda take: LiveLine(usb, chosen_port(usb, board.name), take), clock=lambda: AT)
        async with app.run_test(size=(110, 36)) as pilot:
            async with asyncio.timeout(20):
                while app.state.samples < 1600 or not app.state.status:
                    await pilot.pause(0.02)
            app.redraw()
            await pilot.pause()
            return app.export_screenshot()

    with LiveBoard(tmp_path, script) as board:
        picture = asyncio.run(run(board))
    assert "IN&#160;A&#160;CALL" in picture
    assert b"bench.tap(" in board.typed
