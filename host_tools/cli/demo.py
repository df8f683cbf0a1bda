"""`star57 demo`: the main job and its other endings, told live, on real audio."""

from __future__ import annotations

import shutil
import time
from dataclasses import asdict
from json import dumps
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from host_tools.cli.answer import JsonOption, answer, stopped
from host_tools.cli.exit_codes import ExitCode
from host_tools.rig.chip_process import EmulatorMissing
from host_tools.rig.emulated_pico import ImageMissing
from host_tools.rig.firmware import FirmwareFault
from host_tools.rig.micropython import InterpreterMissing
from host_tools.stories.adapters import ADAPTERS
from host_tools.stories.catalogue import STORIES, Story
from host_tools.stories.performance import Performance, perform
from host_tools.stories.stage import BLOCK_S, Event, StoryStuck
from host_tools.stories.trace_service import ServiceNotStarted

COLOURS = {
    "exchange": "cyan",
    "line": "yellow",
    "household": "green",
    "adapter": "magenta",
    "service": "blue",
    "heard": "white",
}


FAULTS = (StoryStuck, FirmwareFault, ServiceNotStarted, InterpreterMissing, ImageMissing, EmulatorMissing)


def demo(
    out: Annotated[Path, typer.Option(help="Where audio, pictures and report go.")] = Path("build/demo"),
    board: Annotated[
        str, typer.Option(help=f"What the firmware runs on: {', '.join(ADAPTERS)}.")
    ] = "emulated",
    only: Annotated[list[str] | None, typer.Option("--story", help="Only this one.")] = None,
    json: JsonOption = False,
) -> None:
    """Tell the main job and its other endings, and keep their audio, pictures and report."""
    console = Console(highlight=False, stderr=json)
    shutil.rmtree(out, ignore_errors=True)
    performances = []
    began = time.monotonic()
    for story in _chosen(only, board):
        console.print(f"\n[bold]{story.title}[/bold]")
        try:
            performances.append(perform(story, out / story.name, lambda event: _tell(console, event), board))
        except FAULTS as fault:
            raise stopped(ExitCode.FAILED, f"{story.name}: {fault}", "demo") from fault
    report = [asdict(performance.result) for performance in performances]
    (out / "report.json").write_text(dumps(report, indent=2) + "\n")
    _summarise(console, performances, time.monotonic() - began)
    console.print(f"Report, audio and pictures: {out}", markup=False)
    answer(report, None, as_json=json)


def _chosen(names: list[str] | None, board: str) -> list[Story]:
    known = [story.name for story in STORIES]
    wrong = [name for name in names or [] if name not in known]
    if wrong:
        raise typer.BadParameter(f"there is no story {wrong[0]}; there is {', '.join(known)}")
    if board not in ADAPTERS:
        raise typer.BadParameter(f"there is no board {board}; there is {', '.join(ADAPTERS)}")
    return [story for story in STORIES if not names or story.name in names]


def _tell(console: Console, event: Event) -> None:
    who = f"[{COLOURS[event.who]}]{event.who:<9}[/]"
    console.print(f"  {event.at_s:7.2f} s  {who}  {event.what}", soft_wrap=True)


def _summarise(console: Console, performances: list[Performance], took_s: float) -> None:
    table = Table(title="\nWhat the household was told", title_justify="left", title_style="bold")
    for column in ("story", "caller ID as decoded", "outcome", "trace", "charge"):
        table.add_column(column)
    for performance in performances:
        result = performance.result
        table.add_row(
            result.story,
            _caller(result.caller_id),
            result.outcome.replace("_", " "),
            result.trace_id or "-",
            f"${result.charge_cents / 100:.2f}",
        )
    console.print(table)
    line_s = sum(performance.stage.blocks for performance in performances) * BLOCK_S
    console.print(f"{line_s:.0f} s of line time in {took_s:.1f} s.")


def _caller(caller_id: dict[str, str | None] | None) -> str:
    if caller_id is None:
        return "none"
    if caller_id["number"]:
        return f"{caller_id['number']} {caller_id['name'] or ''}"
    return {"P": "private", "O": "out of area"}.get(caller_id["reason"] or "", "no number")
