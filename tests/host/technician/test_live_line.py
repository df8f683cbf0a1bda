"""What a board says while it is listened to, from the bytes on its port; and a board that goes and comes back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tools.technician.faults import BoardGone
from host_tools.technician.live_line import (
    Gaps,
    Happened,
    Heard,
    LineReader,
    LiveLine,
    Plugged,
    Said,
    Sound,
    Status,
    Unheard,
    Unplugged,
    chosen_port,
)
from host_tools.technician.ports import FolderUsb, Port
from tests.host.technician.live_board import (
    SERIAL_NUMBER,
    STATUS,
    LiveBoard,
    event_frame,
    frames_of,
    sound_frame,
)

RAMP = np.arange(-800, 800, dtype=np.int16)
WITHIN_S = 20


def heard_in(data: bytes, piece: int = 7) -> list[Heard]:
    reader = LineReader()
    return [heard for at in range(0, len(data), piece) for heard in reader.feed(data[at : at + piece])]


def test_frames_become_sound_and_events() -> None:
    sound, happened = heard_in(sound_frame(7, RAMP[:160]) + event_frame({"event": "digit"}))
    assert isinstance(sound, Sound)
    assert sound.number == 7
    assert (sound.samples == RAMP[:160]).all()
    assert happened == Happened({"event": "digit"})


def test_log_and_answers_between_frames() -> None:
    status = f"\rbench.status()\r\n{json.dumps(STATUS)!r}\r\n".encode()
    told = heard_in(b"link: serial works\n" + status + b"bench.tap(6)\r\n" + sound_frame(0, RAMP[:160]))
    assert [type(one) for one in told] == [Said, Status, Sound]
    assert told[0] == Said("link: serial works")
    assert told[1] == Status(STATUS)


def test_a_status_with_quotes_in_it() -> None:
    values = {"reasons": ["it's so", 'a "quote"']}
    assert heard_in(f"{json.dumps(values)!r}\r\n".encode()) == [Status(values)]


def test_frames_of_the_link_are_passed_by() -> None:
    assert heard_in(b"\n*57 g 7 f3b1a9b0 512\n*57 w 7 01234567 \n") == []


def test_a_damaged_frame_is_counted() -> None:
    reader = LineReader()
    frame = bytearray(sound_frame(1, RAMP[:160]))
    frame[40] ^= 1
    assert reader.feed(bytes(frame)) == []
    assert reader.damaged == 1


def test_firmware_without_a_bench() -> None:
    traceback = b"Traceback (most recent call last):\r\nNameError: name 'bench' isn't defined\r\n"
    assert isinstance(heard_in(traceback)[-1], Unheard)


@given(st.binary(max_size=2000))
def test_any_bytes_at_all(data: bytes) -> None:
    whole, reader = LineReader(), LineReader()
    in_pieces = [heard for at in range(len(data)) for heard in reader.feed(data[at : at + 1])]
    assert [type(one) for one in whole.feed(data)] == [type(one) for one in in_pieces]


def test_gaps_by_numbers() -> None:
    gaps = Gaps()
    numbers = (998, 999, 0, 1, 4, 4)
    assert [gaps.before(Sound(number, RAMP[:160])) for number in numbers] == [0, 0, 0, 0, 320, 159_840]
    gaps.begin_anew()
    assert gaps.before(Sound(77, RAMP[:160])) == 0


class Ports:
    def __init__(self, *ports: Port) -> None:
        self._ports = list(ports)

    def ports(self) -> list[Port]:
        return self._ports

    def drives(self) -> list[object]:
        return []


def test_which_port() -> None:
    one = Port("/dev/ttyACM0", "E1", "1-1", is_micropython=True)
    two = Port("/dev/ttyACM1", "E2", "1-2", is_micropython=True)
    other = Port("/dev/ttyUSB0", "X", "1-3", is_micropython=False)
    assert chosen_port(Ports(one, other), None) == one  # type: ignore[arg-type]
    assert chosen_port(Ports(one, two), "E2") == two  # type: ignore[arg-type]
    assert chosen_port(Ports(one, two), "/dev/ttyACM0") == one  # type: ignore[arg-type]
    assert chosen_port(Ports(one), "/dev/null").name == "/dev/null"  # type: ignore[arg-type]
    with pytest.raises(BoardGone, match="there is no /dev/no-such-port"):
        chosen_port(Ports(one), "/dev/no-such-port")  # type: ignore[arg-type]
    assert chosen_port(Ports(one), "E2").serial_number == "E2"  # type: ignore[arg-type]
    with pytest.raises(BoardGone, match="2 boards are plugged in"):
        chosen_port(Ports(one, two, other), None)  # type: ignore[arg-type]
    with pytest.raises(BoardGone, match="no board is plugged in"):
        chosen_port(Ports(other), None)  # type: ignore[arg-type]


async def listen_until(folder: Path, until: Callable[[list[Heard]], bool]) -> list[Heard]:
    """Listens to the board in the folder until what came is enough."""
    heard: list[Heard] = []
    enough = asyncio.Event()

    def take(one: Heard) -> None:
        heard.append(one)
        if until(heard):
            enough.set()

    usb = FolderUsb(folder)
    running = asyncio.create_task(LiveLine(usb, chosen_port(usb, None), take).run())
    try:
        await asyncio.wait_for(enough.wait(), WITHIN_S)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    return heard


def sounds(heard: list[Heard]) -> list[Sound]:
    return [one for one in heard if isinstance(one, Sound)]


def test_a_board_on_a_pty(tmp_path: Path) -> None:
    script = frames_of(RAMP)
    with LiveBoard(tmp_path, script) as board:
        heard = asyncio.run(
            listen_until(
                tmp_path,
                lambda heard: (
                    len(sounds(heard)) == len(script) and any(isinstance(one, Status) for one in heard)
                ),
            )
        )
        assert heard[0] == Plugged(board.name)
    assert (np.concatenate([one.samples for one in sounds(heard)]) == RAMP).all()
    assert Status(STATUS) in heard


def test_a_board_that_is_unplugged_is_waited_for_by_its_serial_number(tmp_path: Path) -> None:
    with LiveBoard(tmp_path, frames_of(RAMP[:320])) as board:
        states: list[str] = []

        def until(heard: list[Heard]) -> bool:
            if len(sounds(heard)) == 2 and "unplugged" not in states:
                states.append("unplugged")
                board.unplug()
            elif isinstance(heard[-1], Unplugged):
                board.plug_in(frames_of(RAMP[:480], first=500))
            return len(sounds(heard)) == 5

        heard = asyncio.run(listen_until(tmp_path, until))
    kinds = [type(one) for one in heard if isinstance(one, Plugged | Unplugged)]
    assert kinds == [Plugged, Unplugged, Plugged]
    assert [one.number for one in sounds(heard)] == [0, 1, 500, 501, 502]
    assert SERIAL_NUMBER in board.name
