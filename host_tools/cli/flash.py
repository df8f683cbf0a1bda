"""`star57 flash`: puts an image, or files, on boards."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress
from rich.table import Table

from host_tools.cli.answer import JsonOption, answer, several_bars, stopped
from host_tools.cli.exit_codes import ExitCode
from host_tools.technician.boards import Board, Kind, boards_among, choose, survey
from host_tools.technician.faults import (
    BenchFault,
    NoDrive,
    NoSuchBoard,
    SeveralBoards,
    WrongImage,
)
from host_tools.technician.firmware_image import image_for
from host_tools.technician.flashing import Flashed, Say, flash_files, flash_image
from host_tools.technician.ports import Drive, Usb, drive_in, usb_here
from host_tools.technician.several import MOST_AT_ONCE, Outcome, for_each

_CODES: dict[type[BenchFault], ExitCode] = {
    NoSuchBoard: ExitCode.NOTHING_THERE,
    NoDrive: ExitCode.NOTHING_THERE,
    SeveralBoards: ExitCode.USAGE,
    WrongImage: ExitCode.MISSING,
}


def flash(
    *,
    port: Annotated[str | None, typer.Option(help="The board's port, or its USB serial number.")] = None,
    all_boards: Annotated[bool, typer.Option("--all", help="All that are plugged in, at once.")] = False,
    board: Annotated[
        str | None, typer.Option(help="What it is: pico, pico_w, w5500_evb_pico; else it is asked.")
    ] = None,
    image: Annotated[Path | None, typer.Option(help="The UF2, with its JSON file beside it.")] = None,
    files: Annotated[bool, typer.Option("--files", help="Only the modules that differ, as files.")] = False,
    drive: Annotated[Path | None, typer.Option(help="Where the boot loader's drive is mounted.")] = None,
    now: Annotated[
        bool, typer.Option("--now", help="Even during a call, or with requests that wait.")
    ] = False,
    at_once: Annotated[int, typer.Option(min=1, help="How many boards at a time.")] = MOST_AT_ONCE,
    json: JsonOption = False,
) -> None:
    """Put the firmware on a board, read it back, start it anew, and wait until it reports that it is well.

    The image goes through the boot loader: the board is sent there, or waits there already because it was plugged in
    with BOOTSEL held. With --files only the modules that were changed go on, through MicroPython's prompt. Settings
    and stored calls stay. Interrupted at any point, it can be done again, and the phone stays on the exchange.
    """
    usb = usb_here()
    try:
        boards = _chosen(usb, port, all_boards, drive)
    except BenchFault as fault:
        raise _stopped(fault) from fault

    def do(each: Board, say: Say) -> Flashed:
        if files:
            return flash_files(usb, each, say, now=now)
        at_drive = None if drive is None else drive_in(drive, each.location)
        return flash_image(usb, each, image_for(_kind(each, board), image), say, now=now, drive=at_drive)

    # mpremote prints what it did not understand.
    try:
        with redirect_stdout(sys.stderr), several_bars(as_json=json) as bars:
            outcomes = for_each(boards, lambda each: do(each, _bar(bars, each)), at_once)
    except KeyboardInterrupt as interrupted:
        raise stopped(
            ExitCode.INTERRUPTED,
            "interrupted: star57 boards shows what each board runs; flash those again that run nothing",
        ) from interrupted
    _answer(outcomes, several=all_boards, as_json=json)


def _chosen(usb: Usb, port: str | None, all_boards: bool, drive: Path | None) -> list[Board]:
    if drive is not None and port is None and not all_boards:
        there = drive_in(drive)
        if there is None:
            raise NoDrive(f"{drive} is no boot loader's drive: it has no INFO_UF2.TXT")
        return [_at_drive(usb, there)]
    found = survey(usb)
    if not all_boards:
        return [choose(found, port)]
    if port is not None:
        raise SeveralBoards("--port and --all do not go together")
    boards = boards_among(found)
    if not boards:
        raise NoSuchBoard("no board is plugged in; star57 doctor says whether this computer could see one")
    return boards


def _at_drive(usb: Usb, drive: Drive) -> Board:
    location = next((each.location for each in usb.drives() if each.folder == drive.folder), "")
    return Board("", str(drive.folder), Kind.BOOT_LOADER, location, chip=drive.board_id)


def _kind(board: Board, named: str | None) -> str:
    return named or board.board or "pico"


def _bar(bars: Progress, board: Board) -> Say:
    name = board.serial_number or board.port
    task = bars.add_task(name, total=None)

    def say(step: str, done: int, total: int) -> None:
        bars.update(task, description=f"{name} {step}", completed=done, total=total)

    return say


def _answer(outcomes: list[Outcome[Flashed]], *, several: bool, as_json: bool) -> None:
    if not several and outcomes[0].fault is not None:
        raise _stopped(outcomes[0].fault) from outcomes[0].fault
    failed = sum(outcome.fault is not None for outcome in outcomes)
    document = {"boards": [_document(outcome) for outcome in outcomes], "failed": failed}
    answer(document, _table(outcomes), as_json=as_json)
    if failed:
        raise typer.Exit(int(ExitCode.SOME_FAILED))


def _document(outcome: Outcome[Flashed]) -> dict[str, object]:
    board = outcome.board if outcome.done is None else outcome.done.board
    return {
        "serial_number": board.serial_number,
        "port": board.port,
        "board": board.board,
        "version": board.version,
        "commit": board.commit,
        "health": board.health,
        "done": None if outcome.done is None else outcome.done.done,
        "error": None if outcome.fault is None else str(outcome.fault),
    }


def _table(outcomes: list[Outcome[Flashed]]) -> Table:
    table = Table("serial number", "firmware", "health", "outcome")
    for outcome in outcomes:
        if outcome.done is None:
            table.add_row(outcome.board.serial_number, "", "", f"failed: {outcome.fault}")
        else:
            board = outcome.done.board
            table.add_row(
                board.serial_number, f"{board.version} {board.commit}", board.health, outcome.done.done
            )
    return table


def _stopped(fault: BenchFault) -> typer.Exit:
    return stopped(_CODES.get(type(fault), ExitCode.FAILED), str(fault))
