"""Puts an image on a board by its boot loader, and leaves nothing to belief: it is read back, and has to report.

An image leaves the board's files alone, or they are kept for it (kept_files.py). Whenever it is interrupted, the
board's relay is at rest, and its boot loader can be had again, with BOOTSEL held while it is plugged in.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from host_tools.rig.flash_image import FLASH_BYTES
from host_tools.technician.boards import Board, Kind, look
from host_tools.technician.console import Console
from host_tools.technician.faults import BoardGone, DoesNotVerify, LineBusy, NoAnswer, NotHealthy, PortBusy
from host_tools.technician.firmware_image import Image
from host_tools.technician.kept_files import KeptFiles
from host_tools.technician.overlay import put_files, sources
from host_tools.technician.overlay_boot import REMOVE_OVERLAYS
from host_tools.technician.ports import Drive, Port, Usb
from host_tools.technician.prompt import Prompt
from host_tools.technician.repository import repository
from host_tools.technician.waiting import PATIENCE, Patience, wait_for_drive, wait_for_prompt, wait_until_well

Say = Callable[[str, int, int], None]
"""Is told of what goes on: the step, how much of it is done, and of how much, in bytes."""

_PIECE_BYTES = 32_768
_HASHED_AT_ONCE_BYTES = 65_536
_FAULT = "fault"  # rp2040/resets.py

# The file system lies at the top of the flash.
_STORAGE_START = f"""
import os
size = os.statvfs("/")
print({FLASH_BYTES} - size[0] * size[2])
"""
# What is hashed lies in the flash as it is: nothing is copied.
_HASHER = """
import hashlib, uctypes
def hashed(address, size):
    digest = hashlib.sha256()
    while size:
        part = min(size, 4096)
        digest.update(uctypes.bytearray_at(address, part))
        address += part
        size -= part
    print(digest.digest().hex())
"""


@dataclass(frozen=True)
class Flashed:
    """What was done to a board.

    Attributes:
        done: "image", or what became of its files.
    """

    board: Board
    done: str


def check_is_free(board: Board) -> None:
    """Raises LineBusy or PortBusy, when flashing the board would disturb somebody; NoAnswer, when that is not known."""
    if board.kind in (Kind.BUSY, Kind.DENIED):
        raise PortBusy(board.told)
    if board.kind in (Kind.SILENT, Kind.OTHER):
        raise NoAnswer(
            f"nothing known answers at {board.port}: hold BOOTSEL while plugging it in, or say --now"
        )
    if board.relay or board.state not in (None, "idle"):
        raise LineBusy(f"the line of {board.serial_number} is in use ({board.state}): wait, or say --now")
    if board.outbox:
        raise LineBusy(
            f"{board.outbox} requests of {board.serial_number} wait to be sent: connect it to its service, or say --now"
        )


def check_is_free_now(board: Board, patience: Patience) -> None:
    """As `check_is_free`, of a board that may have waited for its turn since it was seen."""
    check_is_free(board)
    if board.kind is Kind.STAR57:
        port = Port(board.port, board.serial_number, board.location, is_micropython=True)
        check_is_free(look(port, [], patience.answer_s))


def flash_image(
    usb: Usb,
    board: Board,
    image: Image,
    say: Say,
    *,
    now: bool = False,
    drive: Drive | None = None,
    kept: KeptFiles | None = None,
    patience: Patience = PATIENCE,
) -> Flashed:
    """Puts the image on one board, verifies it, starts it anew, and waits until it reports that it is well.

    Args:
        board: as `survey` found it.
        now: also when its line is in use, or a request waits, or it does not answer.
        drive: its boot loader's, when it cannot be found.
        kept: where its files are kept for as long as they cannot stay on it.

    Raises:
        BenchFault: it did not come about; the text says what to do. The board can be flashed again.
    """
    kept = kept or KeptFiles()
    known = frozenset(port.name for port in usb.ports())
    has_taken = False
    if board.kind is not Kind.BOOT_LOADER:
        if not now:
            check_is_free_now(board, patience)
        say("boot loader", 0, 1)
        with Prompt(board.port) as prompt:
            if image.end > int(prompt.run(_STORAGE_START)):
                kept.take(prompt, board.serial_number)
                has_taken = True
            prompt.boot_loader()
    _copy(image, drive or wait_for_drive(usb, board, patience), say)
    say("starting", 0, 1)
    port, prompt = wait_for_prompt(usb, board, patience, known)
    with prompt:
        verify(prompt, image, say)
        prompt.run(REMOVE_OVERLAYS)
        if has_taken or kept.is_newest(prompt, port.serial_number):
            kept.put_back(prompt, port.serial_number)
        else:
            kept.forget(port.serial_number)
        prompt.reset()
    say("waiting for its report", 0, 1)
    at_port = Board(port.serial_number, port.name, Kind.SILENT, port.location)
    well = wait_until_well(usb, at_port, (image.version, image.commit), patience)
    return Flashed(well, "image")


def flash_files(
    usb: Usb,
    board: Board,
    say: Say,
    *,
    now: bool = False,
    patience: Patience = PATIENCE,
    modules: Mapping[str, Path] | None = None,
) -> Flashed:
    """Puts the modules that differ from the board's on it as files, starts it anew, and waits for its report.

    Args:
        modules: their sources, see `overlay.sources`; without them, this repository's for this kind of board.
        The others as for `flash_image`.

    Raises:
        NotHealthy: the firmware fails with them.
        BenchFault: it did not come about; what runs is what ran before.
    """
    if not now:
        check_is_free_now(board, patience)
    say("files", 0, 1)
    with Prompt(board.port) as prompt:
        if modules is None:
            name = board.board or prompt.run("import image\nprint(image.BOARD)").strip()
            modules = sources(name, repository())
        outcome = put_files(prompt, modules, say)
        prompt.reset()
    say("waiting for its report", 0, 1)
    well = wait_until_well(usb, board, None, patience)
    with Console(well.port, patience.answer_s) as console:
        if console.ask("board.reset_reason") == _FAULT:
            raise NotHealthy(
                f"the firmware of {board.serial_number} fails with these files, and runs without them until it begins "
                "anew: mend them, or flash an image"
            )
    return Flashed(well, str(outcome))


def verify(prompt: Prompt, image: Image, say: Say = lambda _step, _done, _total: None) -> None:
    """Reads the flash back, hashed on the board.

    Raises:
        DoesNotVerify: something else than the image is in it.
        BenchFault: it cannot be read.
    """
    prompt.run(_HASHER)
    pieces = [
        (address + at, data[at : at + _HASHED_AT_ONCE_BYTES])
        for address, data in image.kept_regions()
        for at in range(0, len(data), _HASHED_AT_ONCE_BYTES)
    ]
    total = sum(len(piece) for _, piece in pieces)
    done = 0
    for address, piece in pieces:
        digest = prompt.run(f"hashed({address}, {len(piece)})").strip()
        if digest != hashlib.sha256(piece).hexdigest():
            raise DoesNotVerify(f"the flash at {address:#x} is not what was written: flash the board again")
        done += len(piece)
        say("verifying", done, total)


def _copy(image: Image, drive: Drive, say: Say) -> None:
    """Copies the UF2. The drive goes away by itself with the last block, which may look like an error."""
    target = drive.folder / image.path.name
    total = len(image.uf2)
    done = 0
    try:
        with target.open("wb", buffering=0) as file:
            for at in range(0, total, _PIECE_BYTES):
                target.stat()
                file.write(image.uf2[at : at + _PIECE_BYTES])
                done = min(at + _PIECE_BYTES, total)
                os.fsync(file.fileno())
                say("copying", done, total)
    except OSError as error:
        if done < total:
            raise BoardGone(
                f"the drive {drive.folder} went away when {done} of {total} bytes were copied: plug the board in anew, "
                "with BOOTSEL held, and flash it again"
            ) from error
