"""`star57 boards`: what is plugged in."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Column, Table
from rich.text import Text

from host_tools.cli.answer import JsonOption, answer, stopped
from host_tools.cli.exit_codes import ExitCode
from host_tools.technician.boards import Board, Kind, survey
from host_tools.technician.ports import usb_here

# What --port takes stands whole, however narrow the terminal is; --json has chip and MicroPython too.
_SERIAL_NUMBER_LETTERS = 16
_COLUMNS = ("port", "board", "firmware", "adapter", "line", "health")


def boards(
    *,
    timeout_s: Annotated[float, typer.Option(min=0.1, help="Seconds for each answer of a board.")] = 3.0,
    json: JsonOption = False,
) -> None:
    """Show what is plugged in: boards by USB serial number, their firmware, identity and health.

    Each is asked on its console, beside what it does: no call is disturbed. A port that another program has open is
    not touched.
    """
    found = survey(usb_here(), timeout_s)
    if not found:
        raise stopped(
            ExitCode.NOTHING_THERE,
            "no board is plugged in; star57 doctor says whether this computer could see one",
        )
    answer([_document(board) for board in found], _table(found), as_json=json)


def _document(board: Board) -> dict[str, object]:
    """All but what the firmware told of its last call."""
    facts = asdict(board)
    del facts["status"]
    return facts | {"health": board.health}


def _table(found: list[Board]) -> Table:
    serial_number = Column("serial number", no_wrap=True, min_width=_SERIAL_NUMBER_LETTERS)
    table = Table(serial_number, *(Column(name, overflow="fold") for name in _COLUMNS), box=None)
    for board in found:
        firmware = (board.version, board.commit, board.slot and f"slot {board.slot}")
        row = (
            board.serial_number,
            Path(board.port).name,
            board.board or board.kind.value,
            " ".join(each for each in firmware if each),
            board.adapter_id or "",
            board.line or "",
            _health(board),
        )
        table.add_row(*map(Text, row))
    return table


def _health(board: Board) -> str:
    if board.kind is Kind.BOOT_LOADER:
        return "waits for an image: star57 flash"
    health = board.told or board.health
    return f"{health}; {board.state}" if board.state not in (None, "idle") else health
