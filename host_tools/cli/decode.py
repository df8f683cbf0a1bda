"""`star57 decode`: what was on the line, from a recording of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from host_tools.rig.listening import STANDARDS, RecordingUnreadable, listen, read_audio


def decode(
    recording: Annotated[Path, typer.Argument(help="A recording of the line: WAV of any rate and width.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    standard: Annotated[str, typer.Option(help=f"Caller ID by FSK: {' or '.join(STANDARDS)}.")] = STANDARDS[
        0
    ],
    channel: Annotated[int, typer.Option(help="Which channel, from 0.", min=0)] = 0,
) -> None:
    """Print the callers, digits and alert tones in a recording, as the firmware hears them."""
    console = Console(highlight=False, soft_wrap=True)
    if standard not in STANDARDS:
        raise typer.BadParameter(f"{standard} is none of {', '.join(STANDARDS)}", param_hint="--standard")
    try:
        samples = read_audio(recording, channel)
    except RecordingUnreadable as fault:
        Console(stderr=True).print(f"star57: {fault}")
        raise typer.Exit(2) from fault
    for fact in listen(samples, standard):
        console.print(json.dumps(fact) if as_json else _sentence(fact), markup=False)


def _sentence(fact: dict[str, Any]) -> str:
    fields = {
        key: value for key, value in fact.items() if key not in ("event", "at") and value not in (None, [])
    }
    details = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in fields.items())
    return f"{fact['at']:8.2f} s  {fact['event'].replace('_', ' ')}: {details}"
