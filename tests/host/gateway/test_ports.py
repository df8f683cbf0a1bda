"""Which ports are found: by path, by glob, by USB serial number, and again under another path."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from serial.tools.list_ports_common import ListPortInfo

from host_tools.gateway.ports import PortFinder, port_pattern

PICO = "E6614C311B7A2F29"


def usb(path: Path | str, serial_number: str | None, location: str = "1-1:1.0") -> ListPortInfo:
    """A USB port, as pyserial lists it."""
    port = ListPortInfo(str(path))
    port.serial_number = serial_number
    port.location = location
    return port


class Machine:
    """Its serial ports, which come and go."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.usb: list[ListPortInfo] = []

    def has(self, *names: str) -> None:
        """These ports are there, and no others."""
        for path in self.folder.iterdir():
            path.unlink()
        for name in names:
            (self.folder / name).touch()

    def finder(self, *patterns: str) -> PortFinder:
        """Looks for ports here; a pattern without a beginning is one in the folder."""
        return PortFinder(
            [pattern if pattern.startswith("usb:") else f"{self.folder}/{pattern}" for pattern in patterns],
            listed=lambda: self.usb,
        )

    def path(self, name: str) -> str:
        """The path of a port."""
        return str(self.folder / name)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.parametrize(
    "pattern", ["/dev/ttyACM0", "/dev/ttyACM*", "/dev/serial/by-id/*", f"usb:{PICO}", "usb:*"]
)
def test_what_names_ports(pattern: str) -> None:
    assert port_pattern(f" {pattern} ") == pattern


@pytest.mark.parametrize("pattern", ["", "ttyACM0", "usb:", "COM3", "USB:1"])
def test_what_names_none(pattern: str) -> None:
    with pytest.raises(ValueError, match="neither a path"):
        port_pattern(pattern)


def test_a_path_is_found_once_it_is_there(machine: Machine) -> None:
    finder = machine.finder("ttyAMA0")
    assert finder.look() == {}
    machine.has("ttyAMA0", "ttyAMA1")
    assert finder.look() == {machine.path("ttyAMA0"): machine.path("ttyAMA0")}


def test_a_glob_finds_what_is_there_at_the_time(machine: Machine) -> None:
    finder = machine.finder("ttyACM*")
    machine.has("ttyACM0", "ttyUSB0")
    assert list(finder.look().values()) == [machine.path("ttyACM0")]
    machine.has("ttyACM1", "ttyACM2")
    assert list(finder.look().values()) == [machine.path("ttyACM1"), machine.path("ttyACM2")]


def test_a_usb_serial_number_is_found_under_any_path(machine: Machine) -> None:
    finder = machine.finder(f"usb:{PICO}")
    machine.usb = [usb("/dev/ttyACM0", "another"), usb("/dev/ttyACM1", PICO)]
    assert finder.look() == {f"usb:{PICO}:1.0": "/dev/ttyACM1"}
    machine.usb = [usb("/dev/ttyACM7", PICO), usb("/dev/ttyS0", None)]
    assert finder.look() == {f"usb:{PICO}:1.0": "/dev/ttyACM7"}
    machine.usb = []
    assert finder.look() == {}


def test_a_glob_over_serial_numbers(machine: Machine) -> None:
    machine.usb = [usb("/dev/ttyACM0", "E661A"), usb("/dev/ttyACM1", "F0"), usb("/dev/ttyACM2", "E661B")]
    assert set(machine.finder("usb:E661*").look().values()) == {"/dev/ttyACM0", "/dev/ttyACM2"}


def test_a_device_that_was_found_by_its_path_is_followed(machine: Machine) -> None:
    finder = machine.finder("ttyACM0")
    machine.has("ttyACM0")
    machine.usb = [usb(machine.path("ttyACM0"), PICO)]
    assert finder.look() == {f"usb:{PICO}:1.0": machine.path("ttyACM0")}
    machine.has("ttyACM0", "ttyACM1")
    machine.usb = [usb(machine.path("ttyACM0"), "another"), usb(machine.path("ttyACM1"), PICO)]
    assert finder.look() == {
        f"usb:{PICO}:1.0": machine.path("ttyACM1"),
        "usb:another:1.0": machine.path("ttyACM0"),
    }


def test_a_port_that_several_patterns_and_links_mean_is_one(machine: Machine) -> None:
    machine.has("ttyACM0")
    (machine.folder / "by-id").symlink_to(machine.path("ttyACM0"))
    machine.usb = [usb(machine.path("ttyACM0"), PICO)]
    finder = machine.finder("ttyACM0", "ttyACM*", "by-id", f"usb:{PICO}")
    assert finder.look() == {f"usb:{PICO}:1.0": machine.path("ttyACM0")}


def test_two_ports_of_one_device_are_two(machine: Machine) -> None:
    machine.usb = [usb("/dev/ttyACM0", PICO, "1-1.4:1.0"), usb("/dev/ttyACM1", PICO, "1-1.4:1.2")]
    assert machine.finder(f"usb:{PICO}").look() == {
        f"usb:{PICO}:1.0": "/dev/ttyACM0",
        f"usb:{PICO}:1.2": "/dev/ttyACM1",
    }


def test_converters_with_one_number_are_known_by_their_paths(machine: Machine) -> None:
    machine.has("ttyUSB0", "ttyUSB1")
    machine.usb = [
        usb(machine.path(name), "0001", location)
        for name, location in [("ttyUSB0", "1-1"), ("ttyUSB1", "1-2")]
    ]
    assert machine.finder("ttyUSB*").look() == {
        machine.path("ttyUSB0"): machine.path("ttyUSB0"),
        machine.path("ttyUSB1"): machine.path("ttyUSB1"),
    }


@pytest.mark.parametrize("serial_number", ["", "two words", "line\nbreak", "x" * 65, "\u00f6"])
def test_a_serial_number_that_no_log_should_hold_is_none(machine: Machine, serial_number: str) -> None:
    machine.has("ttyACM0")
    machine.usb = [usb(machine.path("ttyACM0"), serial_number)]
    assert machine.finder("ttyACM0", "usb:*").look() == {machine.path("ttyACM0"): machine.path("ttyACM0")}


def test_a_device_that_vanishes_while_it_is_listed_costs_nothing(machine: Machine) -> None:
    faults: list[Exception] = [TypeError("int() argument"), ValueError("base 16"), OSError("gone")]

    def listed() -> Iterable[ListPortInfo]:
        if len(faults) < 3:
            raise faults.pop()
        faults.pop()
        return [usb("/dev/ttyACM0", PICO)]

    finder = PortFinder(["usb:*"], listed)
    assert [finder.look() for _ in range(3)] == [{f"usb:{PICO}:1.0": "/dev/ttyACM0"}] * 3


def test_this_machines_own_ports_can_be_listed(machine: Machine) -> None:
    machine.has("ttyACM0")
    assert PortFinder([machine.path("ttyACM0")]).look() == {machine.path("ttyACM0"): machine.path("ttyACM0")}
