"""The emulated board: lock-step, line time, and the hardware that lets the relay fall."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from host_tools.exchange.pair import HOOK_EDGE, PairBlock
from host_tools.rig.firmware import BoardBlock, FirmwareFault
from host_tools.rig.lockstep import WATCHDOG_SAMPLES, BoardSettings, MicroPythonFirmware
from host_tools.rig.micropython import ROOT

PROGRAMS = ROOT / "tests" / "firmware" / "programs"
N = 160

Boot = Callable[..., MicroPythonFirmware]


@pytest.fixture
def boot(tmp_path: Path) -> Iterator[Boot]:
    """Starts a program on the emulated board."""
    started: list[MicroPythonFirmware] = []

    def start(program: str, patience_ms: int = 10_000, hung_after_s: float = 30.0) -> MicroPythonFirmware:
        settings = BoardSettings(
            flash=tmp_path,
            program=PROGRAMS / program,
            patience_ms=patience_ms,
            hung_after_s=hung_after_s,
        )
        firmware = MicroPythonFirmware(settings)
        started.append(firmware)
        firmware.start()
        return firmware

    yield start
    for firmware in started:
        firmware.stop()


def block(value: int = 0, hook: int | None = None, n: int = N) -> PairBlock:
    samples = np.full(n, value, np.int16)
    return PairBlock(n, samples, samples, [] if hook is None else [(0, HOOK_EDGE, hook)])


def run(firmware: MicroPythonFirmware, seconds: float) -> list[BoardBlock]:
    return [firmware.exchange_block(block()) for _ in range(round(seconds * 8000 / N))]


def test_a_block_is_answered_before_the_next_one_is_sent(boot: Boot) -> None:
    firmware = boot("echo.py")
    for value in (-32768, -1, 1234, 32767):
        assert set(firmware.exchange_block(block(value)).phone_out) == {value}


@pytest.mark.parametrize("n", [1, 7, 160])
def test_blocks_may_have_any_length(boot: Boot, n: int) -> None:
    firmware = boot("echo.py")
    assert list(firmware.exchange_block(block(5, n=n)).phone_out) == [5] * n


def test_the_relay_follows_the_firmware(boot: Boot) -> None:
    firmware = boot("echo.py")
    assert not firmware.exchange_block(block()).relay_energised
    assert firmware.exchange_block(block(hook=1)).relay_energised
    assert firmware.exchange_block(block()).relay_energised
    assert not firmware.exchange_block(block(hook=0)).relay_energised


def test_timers_follow_line_time(boot: Boot) -> None:
    firmware = boot("timers.py")
    run(firmware, 1.0)
    assert firmware.log.splitlines() == [
        "timeout at 200",
        "in time 100 at 300",
        "cancelled at 360",
        "gathered 120 at 440",
        "event at 560",
    ]


def test_a_fault_lets_the_relay_fall_and_starts_the_firmware_again(boot: Boot) -> None:
    firmware = boot("crash.py")
    assert firmware.exchange_block(block(hook=1)).relay_energised
    assert not firmware.exchange_block(block(hook=0)).relay_energised
    assert not firmware.exchange_block(block()).relay_energised
    assert firmware.boots == 2
    assert "a fault of the firmware" in firmware.log
    assert "started after fault" in firmware.log


def test_the_watchdog_frees_a_line_that_hanging_firmware_holds(boot: Boot) -> None:
    firmware = boot("hang.py", hung_after_s=0.2)
    assert run(firmware, 1.0)[-1].relay_energised
    firmware.exchange_block(block(hook=1))
    answers = run(firmware, WATCHDOG_SAMPLES / 8000 + 0.1)
    held = sum(answer.relay_energised for answer in answers)
    assert held * N <= WATCHDOG_SAMPLES
    assert not answers[-1].relay_energised
    assert "started after watchdog" in firmware.log


def test_a_program_that_does_not_start_is_a_fault_with_its_log(boot: Boot) -> None:
    with pytest.raises(FirmwareFault, match="did not start"):
        boot("missing.py")


class Far:
    """What is at the other end of a serial port: it keeps what comes, and sends what it is told to, once."""

    def __init__(self) -> None:
        self.sending = b""
        self.received: list[bytes] = []

    def __call__(self, data: bytes) -> bytes:
        self.received.append(data)
        sending, self.sending = self.sending, b""
        return sending


@pytest.fixture
def serial_echo(tmp_path: Path) -> Iterator[tuple[MicroPythonFirmware, Far]]:
    far = Far()
    firmware = MicroPythonFirmware(
        BoardSettings(
            flash=tmp_path,
            program=PROGRAMS / "serial_echo.py",
            serial=far,
            network=False,
        )
    )
    firmware.start()
    yield firmware, far
    firmware.stop()


def test_serial_bytes_go_both_ways_at_the_pace_of_a_uart(
    serial_echo: tuple[MicroPythonFirmware, Far],
) -> None:
    firmware, far = serial_echo
    data = bytes(range(256)) * 4
    far.sending = data
    run(firmware, 0.5)
    assert b"".join(far.received) == data
    assert max(map(len, far.received)) == 230
    assert [len(part) for part in far.received if part] == [230] * 4 + [104]
    assert len(far.received) == 25


def test_a_port_that_is_full_takes_no_more(serial_echo: tuple[MicroPythonFirmware, Far]) -> None:
    firmware, far = serial_echo
    far.sending = bytes(20_000)
    run(firmware, 3.0)
    assert b"".join(far.received) == bytes(20_000)


def test_what_waits_on_the_line_is_lost_with_the_power(serial_echo: tuple[MicroPythonFirmware, Far]) -> None:
    firmware, far = serial_echo
    far.sending = b"x" * 1000
    run(firmware, 0.04)
    firmware.power_cut()
    firmware.start()
    run(firmware, 0.2)
    assert len(b"".join(far.received)) < 500


@pytest.mark.parametrize(
    ("network", "name_server", "logged"),
    [
        (True, None, "serial False, network True, name server None"),
        (True, "127.0.0.1:5353", "serial False, network True, name server 127.0.0.1:5353"),
        (False, None, "serial False, network False, name server none"),
    ],
)
def test_a_board_has_the_network_that_it_is_given(
    tmp_path: Path, network: bool, name_server: str | None, logged: str
) -> None:
    firmware = MicroPythonFirmware(
        BoardSettings(
            flash=tmp_path,
            program=PROGRAMS / "serial_echo.py",
            network=network,
            name_server=name_server,
        )
    )
    firmware.start()
    run(firmware, 0.1)
    firmware.stop()
    assert firmware.log.strip() == logged


@pytest.mark.parametrize(
    ("answers_after_s", "patience_ms", "logged"),
    [(0.3, 10_000, "b'pong\\n' after 0 ms"), (None, 100, "nothing after 3000 ms")],
    ids=["slow", "silent"],
)
def test_the_line_stands_still_while_the_network_works(
    boot: Boot, tmp_path: Path, answers_after_s: float | None, patience_ms: int, logged: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=_serve, args=(listener, answers_after_s))
        server.start()
        (tmp_path / "settings.json").write_text(json.dumps({"service_port": listener.getsockname()[1]}))
        firmware = boot("post.py", patience_ms=patience_ms)
        run(firmware, 4.0)
        firmware.power_cut()
        server.join()
    assert firmware.log.strip() == logged


def _serve(listener: socket.socket, answers_after_s: float | None) -> None:
    peer, _ = listener.accept()
    with peer:
        peer.recv(16)
        if answers_after_s is None:
            peer.recv(16)
        else:
            time.sleep(answers_after_s)
            peer.sendall(b"pong\n")
