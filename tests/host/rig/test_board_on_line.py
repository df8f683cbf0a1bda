"""A board on a line emulator: frames, order and faults with a bench that answers at once; audio on two wired Picos."""

from __future__ import annotations

import json
import struct
import zlib

import numpy as np
import pytest

from host_tools.exchange.levels import Samples, Wave, dbm0_of, peak_of, to_wave
from host_tools.exchange.pair import HOOK_EDGE, RING_EDGE, PairBlock
from host_tools.rig.board_on_line import BLOCKS_AHEAD, BoardOnLine
from host_tools.rig.firmware import FirmwareFault
from host_tools.rig.wired_picos import WiredPicos
from tests.host.rig.wired_on_ptys import needs_wired_picos

N = 160
LINE_HZ, LINE_DBM0 = 1004, -10.0
PHONE_HZ, PHONE_DBM0 = 697, -13.0
BLOCKS = 150
MOST_MOVED_SAMPLES = 0.05
LEAST_SIGNAL_TO_DISTORTION_DB = 45.0
"""A thousandth of the samples read one too late or too early would cost more."""

# The board says again what it hears of the line.
SAYS_AGAIN = b"""
from array import array

import machine
from rp2040.audio_in import AudioIn
from rp2040.audio_out import CLOCK_HZ, AudioOut

machine.freq(CLOCK_HZ)
relay = machine.Pin(8, machine.Pin.OUT, value=1)
heard = AudioIn()
said = AudioOut(2)
block = array("h", bytes(320))
while True:
    while heard.behind() < 160:
        machine.idle()
    heard.take(block, None, 160)
    said.put(block, 160)
"""
"""A boot.py."""


class FakePort:
    """A port whose other end is the test."""

    def __init__(self) -> None:
        self.sent = b""
        self.comes = b""

    def write(self, data: bytes) -> None:
        self.sent += data

    def read(self, count: int) -> bytes:
        if len(self.comes) < count:
            raise FirmwareFault("nothing comes")
        data, self.comes = self.comes[:count], self.comes[count:]
        return data

    def take(self) -> bytes:
        return self.read(len(self.comes))


class FakeBench:
    """A line emulator that streams, and files."""

    def __init__(self) -> None:
        self.line = FakePort()
        self.board = FakePort()
        self.done: list[str] = []
        self.files: dict[str, bytes] = {}
        self.line.comes = b"done\r\nstreaming\n"

    def power_on(self) -> None:
        self.done.append("power on")

    def power_cut(self) -> None:
        self.done.append("power cut")

    def file(self, name: str) -> bytes | None:
        return self.files.get(name)

    def end(self) -> None:
        self.done.append("end")


def silence(n: int = N) -> PairBlock:
    samples = np.zeros(n, np.int16)
    return PairBlock(n, samples, samples, [])


def answer(value: int, relay: int, n: int = N, late: int = 0) -> bytes:
    return struct.pack("<HBB", n, relay, late) + struct.pack("<h", value) * n


def started() -> tuple[FakeBench, BoardOnLine]:
    bench = FakeBench()
    firmware = BoardOnLine(bench, lambda _data: b"")
    firmware.start()
    bench.line.sent = b""
    return bench, firmware


def test_nothing_is_sent_before_the_line_emulator_streams() -> None:
    bench = FakeBench()
    bench.line.comes = b"done\r\n"
    firmware = BoardOnLine(bench, lambda _data: b"")
    with pytest.raises(FirmwareFault):
        firmware.start()
    assert bench.line.sent == b"stream\n"


def test_a_console_that_says_anything_else_is_a_fault() -> None:
    bench = FakeBench()
    bench.line.comes = b">>> " * 1000
    with pytest.raises(FirmwareFault, match="does not stream"):
        BoardOnLine(bench, lambda _data: b"").start()


def test_a_block_goes_as_the_frame_that_the_line_emulator_reads() -> None:
    bench, firmware = started()
    line, phone = np.array([1, -2], np.int16), np.array([300, -400], np.int16)
    firmware.exchange_block(PairBlock(2, line, phone, [(0, RING_EDGE, 1), (1, HOOK_EDGE, 0)]))
    assert bench.line.sent == (
        struct.pack("<HHHH", 2, 0, 2, 0)
        + struct.pack("<hhhh", 1, -2, 300, -400)
        + struct.pack("<HBBHBB", 0, RING_EDGE, 1, 1, HOOK_EDGE, 0)
    )


def test_answers_come_some_blocks_later_in_order() -> None:
    bench, firmware = started()
    bench.line.comes = b"".join(answer(i, i % 2) for i in range(3))
    said = [firmware.exchange_block(silence()) for _ in range(BLOCKS_AHEAD + 3)]
    assert all(not block.phone_out.any() and not block.relay_energised for block in said[:BLOCKS_AHEAD])
    assert [int(block.phone_out[0]) for block in said[BLOCKS_AHEAD:]] == [0, 1, 2]
    assert [block.relay_energised for block in said[BLOCKS_AHEAD:]] == [False, True, False]
    assert firmware.line_time_s == pytest.approx((BLOCKS_AHEAD + 3) * 0.02)


def test_an_answer_of_another_length_is_a_fault() -> None:
    bench, firmware = started()
    bench.line.comes = answer(0, 0, n=80)
    for _ in range(BLOCKS_AHEAD):
        firmware.exchange_block(silence())
    with pytest.raises(FirmwareFault, match="80 samples to a block of 160"):
        firmware.exchange_block(silence())


def test_blocks_that_came_too_late_are_counted() -> None:
    bench, firmware = started()
    bench.line.comes = answer(0, 0) + answer(0, 0, late=1) + answer(0, 0)
    for _ in range(BLOCKS_AHEAD + 3):
        firmware.exchange_block(silence())
    assert firmware.late_blocks == 1


def test_what_is_on_its_way_is_waited_for_and_the_session_is_ended() -> None:
    bench, firmware = started()
    firmware.exchange_block(silence())
    bench.line.comes = answer(5, 1)
    firmware.stop()
    assert not bench.line.comes
    assert bench.line.sent.endswith(bytes(8))
    assert bench.done == ["power on", "end"]


def test_the_bench_is_left_at_rest_when_nothing_comes_any_more() -> None:
    bench, firmware = started()
    firmware.exchange_block(silence())
    with pytest.raises(FirmwareFault):
        firmware.stop()
    firmware.stop()
    assert bench.done == ["power on", "end", "end"]


def test_power_that_comes_back_finds_the_session_going_on() -> None:
    bench, firmware = started()
    firmware.power_cut()
    firmware.start()
    assert bench.done == ["power on", "power cut", "power on"]
    assert bench.line.sent == b""


def test_frames_of_the_link_come_between_lines_of_the_log() -> None:
    heard: list[bytes] = []

    def serial(data: bytes) -> bytes:
        heard.append(data)
        return b"!"

    bench = FakeBench()
    firmware = BoardOnLine(bench, serial)
    firmware.start()
    for part in (b"line: ri", b"nging\n\n*57 report 1\n", b"trace: traced\n"):
        bench.board.comes = part
        firmware.exchange_block(silence())
    assert b"".join(heard) == b"line: ringing\n\n*57 report 1\ntrace: traced\n"
    assert bench.board.sent == b"!!!"
    assert firmware.log == "line: ringing\ntrace: traced\n"


def test_a_record_is_read_from_the_boards_files() -> None:
    bench, firmware = started()
    assert firmware.record("calls") is None
    payload = json.dumps([1]).encode()
    head = struct.pack("<II", 7, len(payload))
    bench.files["calls.b"] = b"S57R" + head + struct.pack("<I", zlib.crc32(head + payload)) + payload
    assert firmware.record("calls") == [1]


# Audio


def sine(hz: float, level_dbm0: float) -> Samples:
    turns = 2 * np.pi * hz * np.arange(BLOCKS * N) / 8000
    return np.rint(peak_of(level_dbm0) * np.sin(turns)).astype(np.int16)


@pytest.fixture(scope="module")
def audio() -> dict[str, Samples]:
    """What came of a sine on either side: to the board's ADC, and back from its PWM."""
    picos = WiredPicos({"boot.py": SAYS_AGAIN})
    firmware = BoardOnLine(picos, lambda _data: b"")
    firmware.start()
    line, phone = sine(LINE_HZ, LINE_DBM0), sine(PHONE_HZ, PHONE_DBM0)
    back = []
    for at in range(0, BLOCKS * N, N):
        back.append(firmware.exchange_block(PairBlock(N, line[at : at + N], phone[at : at + N], [])))
    firmware.stop()
    assert back[-1].relay_energised
    assert firmware.late_blocks == 0
    return {
        "line": picos.line_heard,
        "phone": picos.phone_heard,
        "back": np.concatenate([block.phone_out for block in back]),
    }


@needs_wired_picos
def test_the_relay_rests_without_power_and_the_line_goes_on() -> None:
    firmware = BoardOnLine(WiredPicos({"boot.py": SAYS_AGAIN}), lambda _data: b"")
    firmware.start()
    relay = [firmware.exchange_block(silence()).relay_energised for _ in range(10)]
    firmware.power_cut()
    relay += [firmware.exchange_block(silence()).relay_energised for _ in range(10)]
    firmware.start()
    relay += [firmware.exchange_block(silence()).relay_energised for _ in range(30)]
    firmware.stop()
    assert (relay[9], relay[19], relay[49]) == (True, False, True)
    assert firmware.late_blocks == 0


@needs_wired_picos
@pytest.mark.parametrize(
    ("where", "hz", "level_dbm0"),
    [("line", LINE_HZ, LINE_DBM0), ("phone", PHONE_HZ, PHONE_DBM0), ("back", LINE_HZ, LINE_DBM0)],
)
def test_a_sine_keeps_level_and_phase_either_way(
    audio: dict[str, Samples], where: str, hz: float, level_dbm0: float
) -> None:
    """A sample that is lost or comes twice moves the phase by one sample from there on."""
    heard = to_wave(audio[where])
    first, *_, last = np.flatnonzero(np.abs(heard) > 0.5 * peak_of(level_dbm0))
    # Behind the first half second, in which the receiver finds out where its DC lies.
    heard = heard[first + 4000 : last]
    heard = heard - heard.mean()
    assert len(heard) > 2 * 8000
    turn = 2 * np.pi * hz / 8000
    phases = np.unwrap([phase_of(heard[at : at + 400], turn, at) for at in range(0, len(heard) - 400, 400)])
    assert np.abs(phases - phases[0]).max() / turn < MOST_MOVED_SAMPLES
    assert dbm0_of(heard) == pytest.approx(level_dbm0, abs=0.1)
    rest = heard - sines(len(heard), turn) @ shares(heard, turn)
    assert dbm0_of(heard) - dbm0_of(rest) > LEAST_SIGNAL_TO_DISTORTION_DB


def sines(count: int, turn: float, at: int = 0) -> Wave:
    """A sine that turns by `turn` in a sample, and its cosine, beside one another, from sample `at` on."""
    angles = turn * (at + np.arange(count))
    return np.stack([np.sin(angles), np.cos(angles)], axis=1)


def shares(heard: Wave, turn: float, at: int = 0) -> Wave:
    """How much there is of either in what was heard."""
    return np.asarray(np.linalg.lstsq(sines(len(heard), turn, at), heard)[0], np.float64)


def phase_of(heard: Wave, turn: float, at: int) -> float:
    of_sine, of_cosine = shares(heard, turn, at)
    return float(np.arctan2(of_cosine, of_sine))
