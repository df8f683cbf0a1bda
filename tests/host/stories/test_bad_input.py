"""Bad input from the line and from the service: one named outcome each, nothing lost, the line restored."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from host_tools.exchange import central_office, fsk
from host_tools.exchange.caller_id import framed, mdmf, parameter
from host_tools.exchange.levels import Samples
from host_tools.rig.flash import read_record
from host_tools.stories.stage import Script, Stage
from tests.host.stories.conftest import CALLER, LineFactory, a_call

GOOD = mdmf(CALLER)


def traces(stage: Stage) -> Script:
    stage.lift()
    yield from stage.wait(1.0)
    yield from stage.press("*57")
    yield from stage.wait(0.1)
    yield from stage.listen(quiet_s=10.0)
    yield from stage.wait(1.0)
    stage.hang_up()
    yield from stage.wait(2.0)


def play_trace(stage: Stage) -> list[str]:
    """A call, and its trace: the prompts that were heard."""

    def script() -> Script:
        yield from a_call(stage)
        yield from traces(stage)

    stage.play(script())
    assert not stage.relay_energised
    assert "Traceback" not in stage.firmware.log
    assert "started after fault" not in stage.firmware.log
    return [name for sentence in stage.heard for name in sentence.names]


def speech() -> Samples:
    """Bursts of a buzz with the formants of vowels: what a voice is to a receiver."""
    time_s = np.arange(16000) / 8000
    formants = (500, 1200, 2200)
    buzz = sum(np.sin(2 * np.pi * f * time_s + 3 * np.sin(2 * np.pi * 120 * time_s)) for f in formants)
    return np.asarray(3000 * buzz * (np.sin(2 * np.pi * 4 * time_s) > 0), np.int16)


def modulated(data: bytes) -> Samples:
    return fsk.modulate(data)


LONGEST = framed(
    0x80, parameter(0x01, b"12011730") + parameter(0x02, b"5555550123") + parameter(0x55, b"x" * 231)
)
UNKNOWN = framed(0x80, parameter(0x7E, b"\x00\xff") + parameter(0x02, b"5555550123") + parameter(0x99, b""))

BURSTS: dict[str, tuple[Samples, str | None]] = {
    "silence": (np.zeros(8000, np.int16), None),
    "noise": (np.random.default_rng(57).normal(0, 4000, 16000).astype(np.int16), None),
    "speech": (speech(), None),
    "truncated": (modulated(GOOD)[:4500], None),
    "corrupted": (modulated(GOOD[:10] + bytes(4) + GOOD[14:]), None),
    "wrong checksum": (modulated(GOOD[:-1] + bytes([GOOD[-1] ^ 1])), None),
    "length beyond the data": (modulated(bytes([0x80, 0xFF]) + GOOD[2:]), None),
    "unknown message type": (modulated(framed(0x33, b"12011730")), None),
    "empty": (modulated(framed(0x80, b"")), None),
    "unknown parameters": (modulated(UNKNOWN), "5555550123"),
    "258 bytes": (modulated(LONGEST), "5555550123"),
}


@pytest.mark.parametrize("name", BURSTS)
def test_whatever_comes_between_the_rings_the_call_can_be_traced(
    new_line: LineFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    burst, number = BURSTS[name]
    monkeypatch.setattr(central_office.CentralOffice, "_caller_id_burst", lambda _office, _call: burst)
    heard = play_trace(new_line(two_stage=False, answer_timeout_ms=200))
    assert "stored" in heard
    (call,) = read_record(tmp_path / "flash" / "calls")
    assert (call["caller_id"] or {}).get("number") == number
    assert call["rings"] == 2


def test_digits_without_end_are_the_exchanges(new_line: LineFactory) -> None:
    stage = new_line()

    def script() -> Script:
        stage.lift()
        yield from stage.wait(1.0)
        yield from stage.press("#" * 60)

    stage.play(script())
    assert stage.office.dialled == "#" * 60
    assert not any(stage.pair.recording.relay_energised)


ANSWERS: dict[str, tuple[bytes | None, str, bool]] = {
    "garbage": (b"\x00\xff garbage \r\n\r\n", "stored", True),
    "no JSON": (b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nnot json", "stored", True),
    "JSON of another kind": (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", "stored", True),
    "half an answer": (b'HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n{"message": "tra', "stored", True),
    "headers without end": (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 10_000, "stored", True),
    "an endless body": (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 100_000, "stored", True),
    "nothing": (None, "stored", True),
    "closed at once": (b"", "stored", True),
    "unavailable": (
        b"HTTP/1.1 503 X\r\nContent-Length: 46\r\n\r\n"
        + b'{"message": "refusal", "reason": "unavailable"}'[:46],
        "stored",
        True,
    ),
    "refused by nobody who can sign": (
        b'HTTP/1.1 400 X\r\n\r\n{"message": "refusal", "reason": "malformed", "newest_sequence": null}',
        "stored",
        True,
    ),
}


@contextmanager
def service_that_answers(answer: bytes | None) -> Iterator[int]:
    """A server that gives every request the same answer, or none; its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    held: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            peer.settimeout(5)
            held.append(peer)
            if answer is not None:
                _answer(peer, answer)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
        for peer in held:
            peer.close()


def _answer(peer: socket.socket, answer: bytes) -> None:
    try:
        peer.recv(65536)
        peer.sendall(answer)
        peer.shutdown(socket.SHUT_WR)
    except OSError:
        peer.close()


@pytest.mark.parametrize("name", ANSWERS)
def test_whatever_the_service_answers_the_household_is_told_and_nothing_is_lost(
    new_line: LineFactory, tmp_path: Path, name: str
) -> None:
    answer, outcome, pending = ANSWERS[name]
    with service_that_answers(answer) as port:
        stage = new_line(two_stage=False, service_port=port)
        heard = play_trace(stage)
        stage.firmware.power_cut()
    assert outcome in heard
    (entry,) = read_outbox(tmp_path)
    assert (entry["answer"] is None) == pending


def read_outbox(folder: Path) -> list[dict[str, Any]]:
    """The entries of the outbox on the adapter's flash."""
    entries: list[dict[str, Any]] = read_record(folder / "flash" / "outbox")
    return entries
