"""A pseudo terminal in the place of a USB port."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import serial

from host_tools.rig.usb_port import UsbPort

SERIAL_NUMBER = "E6614103E7452D2F"


def test_it_is_there_from_plugging_in_to_pulling_out(tmp_path: Path) -> None:
    port = UsbPort(tmp_path, SERIAL_NUMBER)
    assert not Path(port.name).exists()
    assert not port.is_plugged_in
    port.plug_in()
    assert [path.name for path in tmp_path.iterdir()] == [
        f"usb-MicroPython_Board_in_FS_mode_{SERIAL_NUMBER}-if00"
    ]
    assert Path(port.name).is_char_device()
    port.pull_out()
    assert list(tmp_path.iterdir()) == []
    assert port.received() == b""


def test_bytes_go_both_ways_and_nowhere_without_a_program(tmp_path: Path) -> None:
    port = UsbPort(tmp_path, SERIAL_NUMBER)
    port.plug_in()
    port.send(b"nobody reads this")
    assert not port.is_open
    with serial.Serial(port.name, timeout=5) as program:
        assert port.is_open
        program.write(b"typed\x03")
        assert port.received() == b"typed\x03"
        port.send(b"said\r\n")
        assert program.read(6) == b"said\r\n"
    assert not port.is_open
    port.pull_out()


def test_a_program_that_does_not_read_gets_it_later(tmp_path: Path) -> None:
    port = UsbPort(tmp_path, SERIAL_NUMBER)
    port.plug_in()
    data = os.urandom(20_000)
    with serial.Serial(port.name, timeout=5) as program:
        port.send(data)
        heard = b""
        while len(heard) < len(data):
            heard += program.read(program.in_waiting)
            port.send(b"")
    assert heard == data
    port.pull_out()


def test_a_program_finds_that_it_was_pulled_out(tmp_path: Path) -> None:
    port = UsbPort(tmp_path, SERIAL_NUMBER)
    port.plug_in()
    with serial.Serial(port.name, timeout=5) as program:
        port.plug_in()
        with pytest.raises((serial.SerialException, OSError)):
            program.read(1)
    port.pull_out()
