"""`star57 selftest`: a board tests itself, through plug and cord."""

from __future__ import annotations

import json as json_format
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from host_tools.cli.answer import JsonOption, answer, progress, stopped
from host_tools.cli.chosen_board import chosen_board
from host_tools.cli.exit_codes import ExitCode
from host_tools.technician import self_test
from host_tools.technician.boards import Board
from host_tools.technician.faults import BenchFault
from host_tools.technician.flashing import check_is_free_now
from host_tools.technician.ports import usb_here
from host_tools.technician.prompt import Prompt
from host_tools.technician.self_test import Limit, Row
from host_tools.technician.waiting import Patience, wait_until_well

_LINK = Limit("link", "", "the service has answered since the board began", expected="answered")


def selftest(
    *,
    port: Annotated[
        str | None, typer.Option(help="Which board; without it the only one that is plugged in.")
    ] = None,
    now: Annotated[bool, typer.Option(help="Also when the line is in use, or a request waits.")] = False,
    link: Annotated[bool, typer.Option(help="The service must have answered the board, too.")] = False,
    record: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Where the record is kept, a file a board.", show_default=False),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Test a board through its own audio path: plug and cord of boards/pico/WIRING.md are in, and no line is.

    The phone is on the exchange meanwhile but for one moment, so no line may be connected. Ends with 1 when anything
    is out of its limits.
    """
    usb = usb_here()
    board = chosen_board(usb, port)
    try:
        if not now:
            check_is_free_now(board, Patience())
        with Prompt(board.port, fresh=True) as prompt:
            try:
                with progress("Self-test", len(self_test.STEPS), as_json=json) as bar:
                    rows = self_test.run(prompt, bar.advance)
            finally:
                prompt.reset()
        seen = wait_until_well(usb, board, None, Patience())
    except BenchFault as error:
        raise stopped(ExitCode.FAILED, str(error)) from error
    if link:
        rows.append(_link(seen))
    document = _document(seen, rows)
    kept = _keep(record or Path(typer.get_app_dir("star57")) / "selftest", seen, document)
    answer(document, _table(seen, rows), as_json=json)
    if not json:
        told = (
            "Passed."
            if document["passed"]
            else "Failed: docs/selftest.md has what is most likely, row by row."
        )
        typer.echo(f"\n{told} The record is in {kept}")
    if not document["passed"]:
        raise typer.Exit(int(ExitCode.FAILED))


def _link(board: Board) -> Row:
    link = board.status.get("link") or {}
    has_answered = link.get("answered_s") is not None
    return Row(
        _LINK, "answered" if has_answered else "silent", "" if has_answered else "no heartbeat was answered"
    )


def _document(board: Board, rows: list[Row]) -> dict[str, Any]:
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "serial_number": board.serial_number,
        "board": board.board,
        "version": board.version,
        "commit": board.commit,
        "adapter_id": board.adapter_id,
        "passed": all(row.passed for row in rows),
        "rows": [
            {**asdict(row.limit), "value": row.value, "told": row.told, "passed": row.passed} for row in rows
        ],
    }


def _keep(folder: Path, board: Board, document: dict[str, Any]) -> Path:
    """Adds the record to the board's file, a line a test."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{board.serial_number or 'unnumbered'}.jsonl"
    with path.open("a", encoding="utf-8") as file:
        file.write(json_format.dumps(document) + "\n")
    return path


def _table(board: Board, rows: list[Row]) -> Table:
    table = Table(
        "test", "measured", "limit", "", box=None, title=f"{board.serial_number}", title_justify="left"
    )
    for row in rows:
        value = row.told if row.value is None else f"{row.value} {row.limit.unit}".strip()
        passed = Text("pass", "green") if row.passed else Text("FAIL", "bold red")
        table.add_row(row.limit.name, Text(value), f"{row.limit.words} {row.limit.unit}".strip(), passed)
    return table
