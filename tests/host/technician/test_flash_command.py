"""`star57 flash` and `star57 boards`, on simulated boards by the real mpremote: one, and fifty at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from host_tools.cli.exit_codes import ExitCode
from host_tools.cli.main import app
from host_tools.rig.boot_loader_drive import INFO
from host_tools.rig.simulated_boards import SimulatedBoards
from host_tools.technician.ports import USB_FOLDER
from host_tools.technician.prompt import Prompt
from tests.host.technician.small_firmware import CALLS, FILES, SETTINGS, SmallFirmware

FIFTY = 50
PULLED_OUT = 7


def star57(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture(autouse=True)
def nothing_of_this_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv(USB_FOLDER, str(tmp_path / "usb"))
    (tmp_path / "usb").mkdir()


@pytest.fixture
def usb(tmp_path: Path) -> Path:
    return tmp_path / "usb"


def test_fifty_boards_get_an_image_at_once_and_one_that_fails_holds_up_none(
    firmware: SmallFirmware, usb: Path
) -> None:
    image = firmware.image("0.2.0", "bbb2222222")
    with SimulatedBoards(FIFTY, firmware.uf2("0.1.0", "aaa1111111"), FILES, folder=usb) as boards:
        boards.cut(PULLED_OUT)
        # It is pulled out in the middle: within what is sent until it is in its boot loader.
        boards.boards[PULLED_OUT].limit(cut_after_bytes=400)
        boards.power_on(PULLED_OUT)
        ran = star57("flash", "--all", "--image", image.path, "--at-once", "50", "--json")
        kept = [board.files() for board in boards.boards]
    assert ran.exit_code == ExitCode.SOME_FAILED, ran.output
    document = json.loads(ran.stdout)
    assert document["failed"] == 1
    assert len(document["boards"]) == FIFTY
    failed = document["boards"].pop(PULLED_OUT)
    assert failed["serial_number"] == boards.boards[PULLED_OUT].serial_number
    assert failed["error"]
    assert {(board["version"], board["commit"], board["done"]) for board in document["boards"]} == {
        ("0.2.0", "bbb2222222", "image")
    }
    assert [(files.read("settings.json"), files.read("calls.a")) for files in kept] == [
        (SETTINGS, CALLS)
    ] * FIFTY


def test_fifty_boards_are_shown(firmware: SmallFirmware, usb: Path) -> None:
    with SimulatedBoards(FIFTY, firmware.uf2("0.1.0", "aaa1111111"), FILES, folder=usb) as boards:
        ran = star57("boards", "--timeout-s", "20", "--json")
        serial_numbers = [board.serial_number for board in boards.boards]
    assert ran.exit_code == ExitCode.DONE
    document = json.loads(ran.stdout)
    assert [board["serial_number"] for board in document] == serial_numbers
    assert {(board["kind"], board["adapter_id"], board["health"]) for board in document} == {
        ("star57", "bench-01", "unknown")
    }
    assert not any("status" in board for board in document)


def test_one_board_is_told_in_a_table(
    firmware: SmallFirmware, usb: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    image = firmware.image("0.2.0", "bbb2222222")
    with SimulatedBoards(1, firmware.uf2("0.1.0", "aaa1111111"), FILES, folder=usb) as boards:
        serial_number = boards.boards[0].serial_number
        shown = star57("boards", "--timeout-s", "20")
        flashed = star57("flash", "--port", serial_number, "--image", image.path)
    assert shown.exit_code == flashed.exit_code == ExitCode.DONE, flashed.output
    for part in (serial_number, "pico", "0.1.0 aaa1111111", "bench-01", "5555550101"):
        assert part in shown.stdout
    for part in (serial_number, "0.2.0 bbb2222222", "image"):
        assert part in flashed.stdout


def test_a_board_in_its_boot_loader_is_flashed_where_its_drive_is_named(
    firmware: SmallFirmware, usb: Path
) -> None:
    image = firmware.image("0.2.0", "bbb2222222")
    with SimulatedBoards(1, firmware.uf2("0.1.0", "aaa1111111"), FILES, folder=usb) as boards:
        (board,) = boards.boards
        boards.cut(0)
        boards.power_on(0, boot_button=True)
        ran = star57("flash", "--drive", board.drive, "--image", image.path, "--json")
    assert ran.exit_code == ExitCode.DONE, ran.output
    assert json.loads(ran.stdout)["boards"][0]["serial_number"] == board.serial_number


def test_files_by_a_program_of_its_own(firmware: SmallFirmware, usb: Path) -> None:
    """As it is installed: in the repository that has the sources, which is the folder that it is run in."""
    command = [
        sys.executable,
        "-c",
        "from host_tools.cli.main import app; app()",
        "flash",
        "--files",
        "--json",
    ]
    image = firmware.uf2("0.1.0", "aaa1111111")
    with SimulatedBoards(1, image, FILES, firmware.frozen, usb) as boards:
        ran = subprocess.run(
            command,
            env={**os.environ, USB_FOLDER: str(usb)},
            cwd=Path(__file__).resolve().parents[3],
            capture_output=True,
            text=True,
            check=False,
        )
        with Prompt(boards.boards[0].name) as prompt:
            assert "overlay" not in prompt.run("import os\nprint(os.listdir('/'))")
    # The firmware's own sources are far more than a board has room for as files.
    assert ran.returncode == ExitCode.FAILED
    assert "modules differ" in json.loads(ran.stdout)["error"] or "cannot be put on" in ran.stdout


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ((), ExitCode.NOTHING_THERE, "no board is plugged in"),
        (("--all",), ExitCode.NOTHING_THERE, "no board is plugged in"),
        (("--port", "/dev/ttyACM9"), ExitCode.NOTHING_THERE, "there is no board /dev/ttyACM9"),
        (("--port", "E1", "--all"), ExitCode.USAGE, "do not go together"),
        (("--drive", "/nowhere"), ExitCode.NOTHING_THERE, "no boot loader's drive"),
        (("--at-once", "0"), ExitCode.USAGE, ""),
    ],
)
def test_what_cannot_be_done_is_said(words: tuple[str, ...], code: ExitCode, told: str) -> None:
    ran = star57("flash", *words, "--json")
    assert ran.exit_code == code
    assert told in ran.output


def test_an_image_that_is_not_there_is_missing(usb: Path, tmp_path: Path) -> None:
    drive = usb / "E66141-drive" / "RPI-RP2"
    drive.mkdir(parents=True)
    (drive / "INFO_UF2.TXT").write_text(INFO)
    ran = star57("flash", "--image", tmp_path / "none.uf2", "--json")
    assert ran.exit_code == ExitCode.MISSING
    assert "make image BOARD=pico builds it" in json.loads(ran.stdout)["error"]


def test_nothing_plugged_in_is_told_with_where_to_look(usb: Path) -> None:
    ran = star57("boards", "--json")
    assert ran.exit_code == ExitCode.NOTHING_THERE
    assert "star57 doctor" in json.loads(ran.stdout)["error"]


def test_ctrl_c_says_what_to_do(firmware: SmallFirmware, usb: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    image = firmware.image("0.2.0", "bbb2222222")
    monkeypatch.setattr("host_tools.cli.flash.for_each", interrupted)
    with SimulatedBoards(1, firmware.uf2("0.1.0", "aaa1111111"), FILES, folder=usb):
        ran = star57("flash", "--all", "--image", image.path, "--json")
    assert ran.exit_code == ExitCode.INTERRUPTED
    assert json.loads(ran.stdout)["exit_code"] == ExitCode.INTERRUPTED
    assert "star57 boards shows what each board runs" in ran.stderr
