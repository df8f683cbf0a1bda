"""Images put on simulated boards, whole and interrupted at many points."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from host_tools.rig.flash_image import BLOCK_BYTES
from host_tools.rig.simulated_boards import SimulatedBoard, SimulatedBoards, simulated_image
from host_tools.technician.boards import Board, Kind, survey
from host_tools.technician.faults import (
    BenchFault,
    DoesNotVerify,
    LineBusy,
    NoAnswer,
    NoDrive,
    NotHealthy,
    PortBusy,
)
from host_tools.technician.flashing import check_is_free, flash_image, verify
from host_tools.technician.kept_files import KeptFiles
from host_tools.technician.ports import FolderUsb
from host_tools.technician.prompt import Prompt
from host_tools.technician.several import for_each
from host_tools.technician.waiting import Patience, wait_for_prompt, wait_until_well
from tests.host.technician.small_firmware import CALLS, FILES, SETTINGS, SmallFirmware

HALF_OF_FLASH = 1 << 20
PATIENCE = Patience(answer_s=20.0)
SHORT = Patience(drive_s=0.5, port_s=0.5, well_s=0.5, answer_s=20.0)


def quiet(_step: str, _done: int, _total: int) -> None:
    """Nobody looks."""


def found(boards: SimulatedBoards) -> list[Board]:
    return survey(FolderUsb(boards.folder), PATIENCE.answer_s)


def assert_kept(board: SimulatedBoard) -> None:
    files = board.files()
    assert (files.read("settings.json"), files.read("calls.a")) == (SETTINGS, CALLS)


def test_an_image_is_put_on_read_back_and_reports(firmware: SmallFirmware, tmp_path: Path) -> None:
    image = firmware.image("0.2.0", "bbb2222222")
    said: list[tuple[str, int, int]] = []
    with SimulatedBoards(1, firmware.uf2("0.1.0", "aaa1111111"), FILES) as boards:
        (board,) = found(boards)
        flashed = flash_image(
            FolderUsb(boards.folder),
            board,
            image,
            lambda *step: said.append(step),
            kept=KeptFiles(tmp_path / "kept"),
            patience=PATIENCE,
        )
        assert_kept(boards.boards[0])
    assert (flashed.board.version, flashed.board.commit) == ("0.2.0", "bbb2222222")
    assert flashed.board.serial_number == board.serial_number
    steps = list(dict.fromkeys(step for step, _, _ in said))
    assert steps == ["boot loader", "copying", "starting", "verifying", "waiting for its report"]
    assert ("copying", len(image.uf2), len(image.uf2)) in said
    assert ("verifying", 65_536, 65_536) in said
    # The file system lies above the image: nothing had to be kept elsewhere.
    assert not (tmp_path / "kept").exists()


def test_files_that_an_image_leaves_no_room_for_are_kept_and_put_back(
    firmware: SmallFirmware, tmp_path: Path
) -> None:
    """Also when it was interrupted in between: they are put back by whoever flashes it next."""
    kept = KeptFiles(tmp_path / "kept")
    large = firmware.image("0.2.0", "bbb2222222", size=HALF_OF_FLASH + 65_536)
    with SimulatedBoards(
        1, simulated_image("0.1.0", "aaa1111111", storage_bytes=HALF_OF_FLASH), FILES
    ) as boards:
        usb = FolderUsb(boards.folder)
        (board,) = found(boards)
        with Prompt(board.port) as prompt:
            prompt.write_file("settings.json", SETTINGS)
            prompt.write_file("calls.a", CALLS)
            prompt.run("import os\nos.mkdir('prompts')")
            prompt.write_file("prompts/one.wav", b"RIFF")
        boards.boards[0].limit(cut_after_blocks=100)
        with pytest.raises(BenchFault):
            flash_image(usb, board, large, quiet, kept=kept, patience=SHORT)
        (file,) = (tmp_path / "kept").iterdir()
        assert file.stat().st_mode & 0o777 == 0o600

        boards.power_on(0, boot_button=True)
        (loading,) = found(boards)
        flash_image(usb, loading, large, quiet, kept=kept, patience=PATIENCE)
        assert_kept(boards.boards[0])
        assert boards.boards[0].files().read("prompts/one.wav") == b"RIFF"
        assert list((tmp_path / "kept").iterdir()) == []


def test_wherever_an_image_is_cut_off_the_board_can_be_flashed_again(
    firmware: SmallFirmware, tmp_path: Path
) -> None:
    """Some twenty boards, each unplugged after another number of blocks; the last one after all but one."""
    image = firmware.image("0.2.0", "bbb2222222")
    blocks = len(image.uf2) // BLOCK_BYTES
    cuts = [*sorted(random.Random(57).sample(range(1, blocks - 1), 22)), blocks - 1]
    kept = KeptFiles(tmp_path / "kept")
    with SimulatedBoards(len(cuts), firmware.uf2("0.1.0", "aaa1111111"), FILES) as boards:
        usb = FolderUsb(boards.folder)
        for number in range(len(cuts)):
            boards.cut(number)
            boards.boards[number].limit(cut_after_blocks=cuts[number])
            boards.power_on(number, boot_button=True)
        outcomes = for_each(
            found(boards), lambda board: flash_image(usb, board, image, quiet, kept=kept, patience=SHORT)
        )
        assert all(isinstance(outcome.fault, BenchFault) for outcome in outcomes)
        assert not any(board.is_on for board in boards.boards)
        for number, board in enumerate(boards.boards):
            assert_kept(board)
            boards.power_on(number, boot_button=True)
        again = for_each(
            found(boards), lambda board: flash_image(usb, board, image, quiet, kept=kept, patience=PATIENCE)
        )
        for board in boards.boards:
            assert_kept(board)
    assert [outcome.fault for outcome in again] == [None] * len(cuts)
    assert {outcome.done.board.commit for outcome in again if outcome.done} == {"bbb2222222"}


def test_a_flash_that_is_not_the_image_does_not_verify(firmware: SmallFirmware) -> None:
    other = firmware.image("0.2.0", "bbb2222222")
    with SimulatedBoards(1, firmware.uf2("0.1.0", "aaa1111111"), FILES) as boards:
        own = firmware.image("0.1.0", "aaa1111111")
        with Prompt(boards.boards[0].name) as prompt:
            verify(prompt, own)
            with pytest.raises(DoesNotVerify, match="0x10000000"):
                verify(prompt, other)


def test_a_board_that_runs_something_else_is_not_well(firmware: SmallFirmware) -> None:
    with SimulatedBoards(1, firmware.uf2("0.1.0", "aaa1111111"), FILES) as boards:
        (board,) = found(boards)
        usb = FolderUsb(boards.folder)
        with pytest.raises(NotHealthy, match=r"runs 0\.1\.0, commit aaa1111111, and not 0\.2\.0"):
            wait_until_well(usb, board, ("0.2.0", "bbb2222222"), SHORT)
        _, prompt = wait_for_prompt(usb, board, PATIENCE)
        prompt.close()
        with pytest.raises(NotHealthy, match="no firmware runs"):
            wait_until_well(usb, board, None, SHORT)


def test_a_drive_that_does_not_come_is_told(firmware: SmallFirmware, tmp_path: Path) -> None:
    image = firmware.image("0.2.0", "bbb2222222")
    board = Board("E66141", "/dev/ttyACM0", Kind.BOOT_LOADER, "1-1.4")
    with pytest.raises(NoDrive, match="--drive"):
        flash_image(FolderUsb(tmp_path), board, image, quiet, patience=SHORT)


def test_nothing_is_flashed_during_a_call_or_with_requests_that_wait() -> None:
    check_is_free(Board("E1", "p", Kind.STAR57, state="idle", relay=False, outbox=0))
    check_is_free(Board("E1", "p", Kind.MICROPYTHON))
    for board, fault in (
        (Board("E1", "p", Kind.STAR57, state="in_call"), LineBusy),
        (Board("E1", "p", Kind.STAR57, state="ringing"), LineBusy),
        (Board("E1", "p", Kind.STAR57, relay=True), LineBusy),
        (Board("E1", "p", Kind.STAR57, state="idle", outbox=2), LineBusy),
        (Board("E1", "p", Kind.SILENT), NoAnswer),
        (Board("E1", "p", Kind.BUSY, told="star57 gateway has it open"), PortBusy),
    ):
        with pytest.raises(fault):
            check_is_free(board)
