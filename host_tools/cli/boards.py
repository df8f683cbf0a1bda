"""`star57 boards`: what is plugged in."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from host_tools.cli.answer import JsonOption, answer, stopped
from host_tools.cli.exit_codes import ExitCode
from host_tools.technician.boards import Board, Kind, survey
from host_tools.technician.ports import usb_here

_COLUMNS = ("serial number", "port", "board", "firmware", "adapter", "line", "health")


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
    table = Table(*_COLUMNS)
    for board in found:
        table.add_row(
            board.serial_number,
            Path(board.port).name,
            _board(board),
            " ".join(
                each for each in (board.version, board.commit, board.slot and f"slot {board.slot}") if each
            ),
            board.adapter_id or "",
            board.line or "",
            _health(board),
        )
    return table


def _board(board: Board) -> str:
    machine = board.chip or ""
    if board.micropython:
        machine += f", MicroPython {board.micropython}"
    return f"{board.board or board.kind.value} ({machine})" if machine else board.kind.value


def _health(board: Board) -> str:
    if board.kind is Kind.BOOT_LOADER:
        return "waits for an image: star57 flash"
    health = board.told or board.health
    return f"{health}; {board.state}" if board.state not in (None, "idle") else health
