"""The stories on a board whose line is played by a line emulator: two emulated Picos with --hil, two real boards with
--board and --line.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest

from bench import peers
from bench.callers import Caller
from host_tools.exchange.fsk import BELL_202
from host_tools.exchange.levels import Samples
from host_tools.rig.listening import hear
from host_tools.rig.real_boards import CannotBeDone
from host_tools.rig.wired_picos import WiredPicos
from host_tools.stories.adapters import ADAPTERS, real_boards
from host_tools.stories.catalogue import STORIES, Story
from host_tools.stories.performance import perform
from tests.host.rig.wired_on_ptys import WiredOnPtys, needs_wired_picos

NUMBER = "5555550123"
NAME = "A CALLER"
DIGITS = "159D"

# It only listens, so that the line emulator has the time of this machine.
LISTENS = b"""
import machine
from rp2040.audio_in import AudioIn
from rp2040.audio_out import CLOCK_HZ

machine.freq(CLOCK_HZ)
heard = AudioIn()
while True:
    machine.idle()
"""
"""A boot.py."""


def named(*names: str) -> list[Story]:
    return [story for story in STORIES if story.name in names]


def plays_as_in_a_process(story: Story, board: str, folder: Path) -> None:
    on_board = perform(story, folder / board, lambda _event: None, board).result
    in_process = perform(story, folder / "emulated", lambda _event: None, "emulated").result
    assert on_board == in_process


@needs_wired_picos
@pytest.mark.hil
@pytest.mark.parametrize(
    "story", named("traced", "private", "not_offered", "call_waiting"), ids=lambda story: story.name
)
def test_a_story_ends_on_two_wired_picos_as_in_a_process(story: Story, tmp_path: Path) -> None:
    plays_as_in_a_process(story, "wired-picos", tmp_path)


@needs_wired_picos
@pytest.mark.hil
def test_a_story_ends_at_two_serial_ports_as_in_a_process(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As on real boards, in all but the wires: the ports, mpremote, and the link over the board's USB."""
    with WiredOnPtys({}) as wired:
        monkeypatch.setitem(ADAPTERS, "ports", real_boards(wired.board.name, wired.line.name))
        (story,) = named("no_call")
        plays_as_in_a_process(story, "ports", tmp_path)


@pytest.fixture
def boards(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name under which the real boards are among the adapters."""
    board_port, line_port = request.config.getoption("--board"), request.config.getoption("--line")
    if not (board_port and line_port):
        pytest.skip("no real boards: --board and --line name their ports")
    monkeypatch.setitem(ADAPTERS, "boards", real_boards(board_port, line_port))
    return "boards"


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_a_story_ends_on_real_boards_as_in_a_process(story: Story, boards: str, tmp_path: Path) -> None:
    try:
        plays_as_in_a_process(story, boards, tmp_path)
    except CannotBeDone as reason:
        pytest.skip(str(reason))


AnyPeer = TypeVar("AnyPeer", peers.CallerIdPeer, peers.DtmfPeer)


def installed(found: list[AnyPeer], name: str) -> AnyPeer:
    """The peer of that name; the test is skipped when it is not here."""
    for peer in found:
        if peer.name == name:
            return peer
    pytest.skip(f"{name} is not installed")


class Console:
    """A technician at the line emulator's console, and what comes to the board's end of the line's wire."""

    def __init__(self) -> None:
        self._picos = WiredPicos({"boot.py": LISTENS})
        self._picos.power_on()

    def command(self, line: str, takes_ms: int) -> Samples:
        """What the line carried while the command was done, which takes as long as that at most."""
        before = len(self._picos.line_heard)
        self._picos.line.write(line.encode() + b"\n")
        said = b""
        for _ in range(takes_ms):
            self._picos.step()
            said += self._picos.line.take()
            if said.endswith(b"\n"):
                break
        assert said == b"done\r\n"
        return self._picos.line_heard[before:]

    def end(self) -> None:
        self._picos.end()


@pytest.fixture(scope="module")
def console() -> Iterator[Console]:
    console = Console()
    yield console
    console.end()


@pytest.fixture(scope="module")
def a_call(console: Console) -> Samples:
    return console.command(f"call {NUMBER} {NAME}", takes_ms=12_000)


@pytest.fixture(scope="module")
def keys(console: Console) -> Samples:
    return console.command(f"dial {DIGITS}", takes_ms=2_000)


@needs_wired_picos
class TestWhatTheLineEmulatorSends:
    """By its own senders, out of its PWM into the board's ADC."""

    def test_a_call_is_read(self, a_call: Samples) -> None:
        (caller,) = hear(a_call).callers
        assert (caller["message"]["number"], caller["message"]["name"]) == (NUMBER, NAME)

    def test_keys_are_heard(self, keys: Samples) -> None:
        assert "".join(fact["digit"] for fact in hear(keys).digits) == DIGITS

    @pytest.mark.parametrize("name", ["spandsp", "multimon-ng", "minimodem"])
    def test_a_peer_reads_a_call(self, name: str, a_call: Samples) -> None:
        peer = installed(peers.caller_id_peers(), name)
        assert peer.callers(a_call, BELL_202) == [Caller(NUMBER, NAME, "01010000")]

    @pytest.mark.parametrize("name", ["spandsp", "multimon-ng"])
    def test_a_peer_hears_keys(self, name: str, keys: Samples) -> None:
        assert installed(peers.dtmf_peers(), name).digits(keys) == DIGITS

    def test_the_line_is_silent_when_it_is_done(self, keys: Samples) -> None:
        assert not np.any(keys[-80:])
