"""Both ends of the serial carrier over lines that damage, drop, double, hold back and cut off: all gets through."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from host_tools.exchange.pair import PairBlock
from host_tools.gateway.gateway import Gateway
from host_tools.gateway.questions import AdapterEnd
from host_tools.rig.lockstep import BoardSettings, MicroPythonFirmware
from host_tools.rig.micropython import ROOT
from host_tools.rig.noisy_wire import Noise, NoisyWire

PROGRAM = ROOT / "tests" / "firmware" / "programs" / "ask.py"
LETTERS = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.", np.uint8)
BLOCKS_PER_S = 50
SILENCE = PairBlock(160, np.zeros(160, np.int16), np.zeros(160, np.int16), [])


def token(seed: int, length: int) -> str:
    """Text of the letters of a signed message."""
    return np.random.default_rng(seed).choice(LETTERS, length).tobytes().decode()


class Service:
    """A trace service whose answers tell which question they are to."""

    def __init__(self, answer_bytes: int) -> None:
        self._answer_bytes = answer_bytes
        self.bodies: list[str] = []

    def __call__(self, body: bytes) -> tuple[int, bytes]:
        self.bodies.append(body.decode())
        return 200, self.answer_to(body.decode()).encode()

    def answer_to(self, body: str) -> str:
        return body[::-1][: self._answer_bytes].ljust(self._answer_bytes, ".")


@dataclass(frozen=True)
class Heard:
    """What became of a question.

    Attributes:
        took_s: in line time.
        faults: why it was asked again, each time.
        answer: status and body, or None.
    """

    took_s: float
    faults: list[str]
    answer: list[Any] | None


@contextmanager
def asking(
    folder: Path, bodies: list[str], wire: NoisyWire, most_tries: int
) -> Iterator[MicroPythonFirmware]:
    (folder / "asks.json").write_text(json.dumps({"bodies": bodies, "most_tries": most_tries}))
    firmware = MicroPythonFirmware(BoardSettings(flash=folder, program=PROGRAM, serial=wire))
    firmware.start()
    try:
        yield firmware
    finally:
        firmware.stop()


def heard(
    folder: Path, bodies: list[str], wire: NoisyWire, within_s: int, most_tries: int = 10
) -> list[Heard]:
    """Asks `bodies` one after the other, over `wire`."""
    with asking(folder, bodies, wire, most_tries) as firmware:
        for _ in range(within_s * BLOCKS_PER_S):
            firmware.exchange_block(SILENCE)
            if firmware.log.count("\n") == len(bodies):
                break
        assert firmware.boots == 1
        lines = [json.loads(line) for line in firmware.log.splitlines()]
    return [Heard(line["took_ms"] / 1000, line["faults"], line["answer"]) for line in lines]


def all_get_through(
    folder: Path, noise: Noise, within_s: int, bodies: list[str], answer_bytes: int = 350
) -> list[Heard]:
    """Whether each body reaches the service, and its answer the adapter, byte for byte."""
    service = Service(answer_bytes)
    told = heard(folder, bodies, NoisyWire(Gateway(service).receive, noise, seed=57), within_s)
    assert [question.answer for question in told] == [[200, service.answer_to(body)] for body in bodies]
    in_order = list(dict.fromkeys(service.bodies))
    assert in_order == bodies
    return told


@pytest.mark.parametrize(
    ("bit_error_rate", "longest_s"), [(0.0, 0.3), (1e-5, 0.6), (1e-4, 1.5), (1e-3, 8.0), (1e-2, 40.0)]
)
def test_wrong_bits(tmp_path: Path, bit_error_rate: float, longest_s: float) -> None:
    bodies = [token(seed, 700) for seed in range(5)]
    told = all_get_through(tmp_path, Noise(bit_error_rate), 200, bodies)
    assert [question.faults for question in told] == [[]] * len(bodies)
    assert max(question.took_s for question in told) <= longest_s


def test_the_longest_question_and_answer(tmp_path: Path) -> None:
    [question] = all_get_through(tmp_path, Noise(3e-3), 100, [token(1, 3000)], answer_bytes=3000)
    assert question.faults == []


SECONDS = BLOCKS_PER_S
OTHER_NOISE = {
    "a byte in a thousand is lost": Noise(dropped_per_byte=1e-3),
    "a byte in a hundred is lost": Noise(dropped_per_byte=1e-2),
    "a byte in a thousand comes twice": Noise(doubled_per_byte=1e-3),
    "a byte in a hundred comes twice": Noise(doubled_per_byte=1e-2),
    "it stalls for a second again and again": Noise(
        stalls=[range(n, n + SECONDS) for n in range(5, 2000, 70)]
    ),
    "it stalls for eight seconds": Noise(stalls=[range(5, 8 * SECONDS)]),
    "the cable is out again and again": Noise(
        unplugged=[range(n, n + 2 * SECONDS) for n in range(5, 2000, 110)]
    ),
    "the cable is out for twelve seconds": Noise(unplugged=[range(5, 12 * SECONDS)]),
    "all at once": Noise(
        bit_error_rate=1e-3,
        dropped_per_byte=1e-3,
        doubled_per_byte=1e-3,
        stalls=[range(n, n + 20) for n in range(5, 2000, 70)],
        unplugged=[range(n, n + SECONDS) for n in range(30, 2000, 150)],
    ),
}


@pytest.mark.parametrize("name", OTHER_NOISE)
def test_whatever_else_is_wrong_with_a_line(tmp_path: Path, name: str) -> None:
    all_get_through(tmp_path, OTHER_NOISE[name], 200, [token(seed, 700) for seed in range(5)])


def test_a_host_that_is_not_there_is_given_up_after_5_s(tmp_path: Path) -> None:
    wire = NoisyWire(lambda _: b"", Noise(), seed=57)
    [question] = heard(tmp_path, [token(1, 700)], wire, within_s=10, most_tries=1)
    assert question.faults == ["timeout"]
    assert question.took_s == pytest.approx(5.0, abs=0.1)


def test_a_host_that_only_waits_is_given_up_after_10_s(tmp_path: Path) -> None:
    wire = NoisyWire(AdapterEnd().receive, Noise(), seed=57)
    [question] = heard(tmp_path, [token(1, 100)], wire, within_s=20, most_tries=1)
    assert question.faults == ["timeout"]
    assert question.took_s == pytest.approx(10.0, abs=0.3)


def test_a_host_that_begins_anew_all_the_time_is_given_up_after_60_s(tmp_path: Path) -> None:
    blocks = 0
    end = AdapterEnd()

    def forgetful(data: bytes) -> bytes:
        nonlocal blocks, end
        blocks += 1
        if blocks % 100 == 0:
            end = AdapterEnd()
        return end.receive(data)

    wire = NoisyWire(forgetful, Noise(bit_error_rate=8e-3), seed=57)
    [question] = heard(tmp_path, [token(1, 3000)], wire, within_s=70, most_tries=1)
    assert question.faults == ["timeout"]
    assert question.took_s == pytest.approx(60.0, abs=0.1)


def test_a_service_that_takes_six_seconds_is_waited_for(tmp_path: Path) -> None:
    blocks = 0
    end = AdapterEnd()
    due: list[tuple[int, int]] = []

    def slow(data: bytes) -> bytes:
        nonlocal blocks
        blocks += 1
        reply = end.receive(data)
        if (question := end.take_question()) is not None:
            due.append((blocks + 6 * BLOCKS_PER_S, question.number))
        if due and due[0][0] == blocks:
            reply += end.answered(due.pop(0)[1], 200, b"at last")
        return reply

    [question] = heard(
        tmp_path, [token(1, 700)], NoisyWire(slow, Noise(), seed=57), within_s=10, most_tries=1
    )
    assert question.answer == [200, "at last"]
    assert 6.0 < question.took_s < 6.6
