"""Ports and drives: of a computer whose file system is a folder, and of emulated boards."""

from __future__ import annotations

from pathlib import Path

import pytest
from serial.tools.list_ports_common import ListPortInfo

from host_tools.rig.boot_loader_drive import INFO
from host_tools.technician.ports import USB_FOLDER, ComputerUsb, Drive, FolderUsb, Port, usb_here


def _listed(device: str, vid: int | None, serial_number: str | None, location: str | None) -> ListPortInfo:
    port = ListPortInfo(device, skip_link_detection=True)
    port.vid, port.serial_number, port.location = vid, serial_number, location
    return port


def test_usb_ports_are_told_by_their_devices() -> None:
    usb = ComputerUsb(
        listed=lambda: [
            _listed("/dev/ttyACM1", 0x2E8A, "E6614103E7452D2F", "1-1.4:1.0"),
            _listed("/dev/ttyACM0", 0x1A86, None, None),
            _listed("/dev/ttyS0", None, None, None),
        ]
    )
    assert usb.ports() == [
        Port("/dev/ttyACM0", "", "", is_micropython=False),
        Port("/dev/ttyACM1", "E6614103E7452D2F", "1-1.4", is_micropython=True),
    ]


def test_a_device_that_is_unplugged_while_it_is_read_hinders_nothing() -> None:
    def listed() -> list[ListPortInfo]:
        raise TypeError("int() argument must be a string")

    assert ComputerUsb(listed=listed).ports() == []


def test_a_mounted_drive_is_told_by_its_socket(tmp_path: Path) -> None:
    mounted = tmp_path / "media" / "a user" / "RPI-RP2"
    mounted.mkdir(parents=True)
    (mounted / "INFO_UF2.TXT").write_text(INFO)
    (tmp_path / "media" / "stick").mkdir()
    device = tmp_path / "sys/devices/pci0/usb1/1-1/1-1.4/1-1.4:1.0/host6/block/sdb/sdb1"
    device.mkdir(parents=True)
    (tmp_path / "sys/class/block").mkdir(parents=True)
    (tmp_path / "sys/class/block/sdb1").symlink_to(device)
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/mounts").write_text(
        "proc /proc proc rw 0 0\n"
        "/dev/sdb1 /media/a\\040user/RPI-RP2 vfat rw 0 0\n"
        "/dev/sdc1 /media/stick vfat rw 0 0\n"
    )
    assert ComputerUsb(root=tmp_path).drives() == [Drive(mounted, "RPI-RP2", "1-1.4")]


def test_emulated_boards_stand_in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "usb-MicroPython_Board_in_FS_mode_E6614103E7452D2F-if00"
    (tmp_path / name).symlink_to("/dev/null")
    drive = tmp_path / "E66141-drive" / "RPI-RP2"
    drive.mkdir(parents=True)
    (drive / "INFO_UF2.TXT").write_text(INFO)
    monkeypatch.setenv(USB_FOLDER, str(tmp_path))
    usb = usb_here()
    assert isinstance(usb, FolderUsb)
    assert usb.ports() == [
        Port(str(tmp_path / name), "E6614103E7452D2F", "E6614103E7452D2F", is_micropython=True)
    ]
    assert usb.drives() == [Drive(drive, "RPI-RP2", "E66141")]
