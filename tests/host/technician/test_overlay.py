"""Single modules put on simulated boards: only what differs, and the old set or the new one wherever it is cut off."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import pytest

from host_tools.rig.pico_flash import Files
from host_tools.rig.simulated_boards import SimulatedBoard, SimulatedBoards
from host_tools.technician.boards import Board, Kind, survey
from host_tools.technician.faults import BenchFault, BoardRefuses, TooManyFiles, WrongImage
from host_tools.technician.flashing import flash_files, flash_image
from host_tools.technician.overlay import MOST_BYTES, Outcome, put_files, sources
from host_tools.technician.overlay_boot import LIST, REMOVE_OVERLAYS
from host_tools.technician.ports import FolderUsb
from host_tools.technician.prompt import Prompt
from host_tools.technician.several import for_each
from host_tools.technician.waiting import Patience, wait_for_prompt
from tests.host.technician.small_firmware import CALLS, FILES, SETTINGS, SmallFirmware

PATIENCE = Patience(answer_s=20.0)
HIGH = "from star57.high import HIGH\nprint(HIGH)"


def quiet(_step: str, _done: int, _total: int) -> None:
    """Nobody looks."""


@dataclass
class Bench:
    """One simulated board, and what is put on it."""

    firmware: SmallFirmware
    boards: SimulatedBoards

    @property
    def board(self) -> SimulatedBoard:
        return self.boards.boards[0]

    def put(self) -> Outcome:
        """Puts the sources on, and lets the board begin anew."""
        with self.prompt() as prompt:
            outcome = put_files(prompt, self.firmware.modules)
            prompt.reset()
        return outcome

    def prompt(self) -> Prompt:
        usb = FolderUsb(self.boards.folder)
        at_port = Board(self.board.serial_number, self.board.name, Kind.STAR57, self.board.serial_number)
        return wait_for_prompt(usb, at_port, PATIENCE)[1]

    def run(self, program: str) -> str:
        """What a program prints there, after its boot file has run."""
        with self.prompt() as prompt:
            printed = prompt.run(program)
            prompt.reset()
        return printed.strip()


def simulated(firmware: SmallFirmware, count: int = 1) -> SimulatedBoards:
    return SimulatedBoards(count, firmware.uf2("0.1.0", "aaa1111111"), FILES, firmware.frozen)


def test_only_what_differs_is_written(firmware: SmallFirmware) -> None:
    with simulated(firmware) as boards:
        bench = Bench(firmware, boards)
        assert bench.run(HIGH) == "101"
        firmware.write("star57/low.py", "LOW = 2\n")
        firmware.write("star57/high.py", "from star57.low import LOW\n\nHIGH = LOW + 200\n")
        assert bench.put() == Outcome(("star57.high", "star57.low"), (), ())
        assert bench.run(HIGH) == "202"
        firmware.write("star57/low.py", "LOW = 3\n")
        assert bench.put() == Outcome(("star57.low",), ("star57.high",), ())
        assert bench.run(HIGH) == "203"
        firmware.write("star57/high.py", "from star57.low import LOW\n\nHIGH = LOW + 100\n")
        assert bench.put() == Outcome((), ("star57.low",), ("star57.high",))
        assert bench.run(HIGH) == "103"
        firmware.write("star57/low.py", "LOW = 1\n")
        assert str(bench.put()) == "removed: star57.low"
        assert str(bench.put()) == "the image's own modules"
        assert bench.run(HIGH) == "101"
        boards.cut(0)
        assert sorted(bench.board.files().names()) == ["calls.a", "settings.json"]


def test_a_module_that_is_new_is_written_too(firmware: SmallFirmware) -> None:
    firmware.write("star57/link/fresh.py", "from star57.low import LOW\n\nFRESH = LOW\n")
    with simulated(firmware) as boards:
        bench = Bench(firmware, boards)
        (firmware.frozen / "star57" / "link").mkdir()
        assert bench.put().written == ("star57.link.fresh",)
        assert bench.run("from star57.link.fresh import FRESH\nprint(FRESH)") == "1"


def test_modules_that_fail_leave_the_images_own(firmware: SmallFirmware) -> None:
    firmware.write("star57/low.py", "LOW = 2\n")
    firmware.write("star57/other.py", "from star57.high import nothing\n")
    with simulated(firmware) as boards:
        bench = Bench(firmware, boards)
        bench.put()
        assert bench.run(HIGH) == "101"


def test_they_are_for_the_image_that_they_were_put_on(firmware: SmallFirmware) -> None:
    firmware.write("star57/low.py", "LOW = 2\n")
    with simulated(firmware) as boards:
        bench = Bench(firmware, boards)
        bench.put()
        usb = FolderUsb(boards.folder)
        bench.prompt().close()
        (board,) = survey(usb, PATIENCE.answer_s)
        flash_image(usb, board, firmware.image("0.1.0", "bbb2222222"), quiet, patience=PATIENCE)
        assert bench.run(HIGH) == "101"
        boards.cut(0)
        assert sorted(bench.board.files().names()) == ["calls.a", "settings.json"]


def test_what_the_board_cannot_take_is_told(firmware: SmallFirmware) -> None:
    with simulated(firmware) as boards:
        bench = Bench(firmware, boards)
        firmware.write("star57/other.py", f"OTHER = {'x' * (2 * MOST_BYTES)!r}\n")
        with bench.prompt() as prompt:
            with pytest.raises(TooManyFiles, match="1 modules differ"):
                put_files(prompt, firmware.modules)
            firmware.write("star57/other.py", "OTHER = (\n")
            with pytest.raises(SyntaxError):
                put_files(prompt, firmware.modules)
            firmware.write("star57/other.py", "def other():\n    break\n")
            with pytest.raises(BoardRefuses, match="cannot be compiled: SyntaxError"):
                put_files(prompt, firmware.modules)
            firmware.write("star57/__init__.py", "STAR = 57\n")
            with pytest.raises(TooManyFiles, match="__init__"):
                put_files(prompt, firmware.modules)


def test_a_boot_file_of_somebody_elses_is_left_alone(firmware: SmallFirmware) -> None:
    firmware.write("star57/low.py", "LOW = 2\n")
    own = b"# mine\n"
    image = firmware.uf2("0.1.0", "aaa1111111")
    with SimulatedBoards(1, image, FILES | {"boot.py": own}, firmware.frozen) as boards:
        bench = Bench(firmware, boards)
        with bench.prompt() as prompt:
            with pytest.raises(BoardRefuses, match=r"boot\.py that is not Star57's"):
                put_files(prompt, firmware.modules)
            prompt.run(REMOVE_OVERLAYS)
            assert prompt.read_file("boot.py") == own


def test_an_image_that_does_not_say_what_it_holds_takes_no_files(firmware: SmallFirmware) -> None:
    with simulated(firmware) as boards, Bench(firmware, boards).prompt() as prompt:
        prompt.run("import image\nimage.HASHES = ()")
        with pytest.raises(WrongImage, match="does not say what it holds"):
            put_files(prompt, firmware.modules)


def test_the_firmwares_own_sources_are_found() -> None:
    found = sources("pico", Path(__file__).resolve().parents[3])
    assert {
        "main.py",
        "star57/adapter.py",
        "star57/link/frame.py",
        "rp2040/console.py",
        "board.py",
    } <= found.keys()
    assert all(path.is_file() for path in found.values())


def test_wherever_it_is_cut_off_the_old_set_runs_or_the_new_one(
    firmware: SmallFirmware, is_thorough: bool
) -> None:
    """Boards in lots, each unplugged at another byte of what is sent, or write of its flash; a hundred if thorough."""
    rng = random.Random(57)
    cuts = [{"cut_after_bytes": at} for at in sorted(rng.sample(range(1, 6_000), 100))]
    cuts += [{"cut_after_writes": at} for at in range(1, 21)]
    _change(firmware, 2)
    old = _flashed(firmware)
    _change(firmware, 3)
    new = _list_on(Files(bytearray(_flashed(firmware))))
    lots = range(3) if is_thorough else range(1)
    interrupted = sum(_cut_and_flash_again(firmware, cuts[lot::3], old, new) for lot in lots)
    assert interrupted >= (100 if is_thorough else 30)


def _cut_and_flash_again(
    firmware: SmallFirmware, cuts: list[dict[str, int]], old_flash: bytes, new: str
) -> int:
    """Answers how many were interrupted before they were done."""
    old = _list_on(Files(bytearray(old_flash)))
    boards = simulated(firmware, len(cuts))
    for board, cut in zip(boards.boards, cuts, strict=True):
        board.write_flash(old_flash)
        board.limit(**cut)
    with boards:
        usb = FolderUsb(boards.folder)
        faults = _flash_all(usb, firmware)
        assert all(fault is None or isinstance(fault, BenchFault) for fault in faults)
        for number, board in enumerate(boards.boards):
            boards.cut(number)
            files = board.files()
            assert (files.read("settings.json"), files.read("calls.a")) == (SETTINGS, CALLS)
            rows = _list_on(files)
            assert rows in {old, new}
            assert all(files.read(f"overlay/{row.split()[2]}.mpy") for row in rows.splitlines()[1:])
            boards.power_on(number)
        assert _flash_all(usb, firmware) == [None] * len(cuts)
        assert {_list_on(board.files()) for board in boards.boards} == {new}
    return sum(fault is not None for fault in faults)


def _flash_all(usb: FolderUsb, firmware: SmallFirmware) -> list[BenchFault | None]:
    outcomes = for_each(
        survey(usb, PATIENCE.answer_s),
        lambda board: flash_files(usb, board, quiet, now=True, patience=PATIENCE, modules=firmware.modules),
    )
    return [outcome.fault for outcome in outcomes]


def _change(firmware: SmallFirmware, low: int) -> None:
    """Two modules that a board takes some time for."""
    firmware.write("star57/low.py", f"LOW = {low}\nTEXT = {str(low) * 3000!r}\n")
    firmware.write("star57/high.py", f"from star57.low import LOW\n\nHIGH = LOW + {low}00\n")


def _flashed(firmware: SmallFirmware) -> bytes:
    """The flash of a board that has them."""
    with simulated(firmware) as boards:
        bench = Bench(firmware, boards)
        bench.put()
        bench.prompt().close()
        boards.cut(0)
        return bench.board.flash()


def _list_on(files: Files) -> str:
    return (files.read(LIST) or b"").decode()
