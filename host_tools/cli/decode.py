"""`star57 decode`: what was on the line, from a recording of it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from host_tools.cli import sentences
from host_tools.rig import events as line_events
from host_tools.rig import explanation
from host_tools.rig.events import AUTO, STANDARDS, Event
from host_tools.rig.listening import (
    Recording,
    RecordingUnreadable,
    countries,
    read,
)
from host_tools.rig.micropython import InterpreterMissing
from host_tools.rig.ring_voltage import rings_in

_ALL_COUNTRIES = "all"
_OF_CALLERS = ("caller_id", "caller_id_failed", "message_waiting", "other_message")


def decode(  # noqa: PLR0917 - the options of a command
    recording: Annotated[Path, typer.Argument(help="A recording of the line: WAV of any rate and width.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    standard: Annotated[
        str, typer.Option(help=f"Tell callers by this standard alone: {', '.join(STANDARDS)}.")
    ] = AUTO,
    channel: Annotated[int, typer.Option(help="Which channel, from 0.", min=0)] = 0,
    country: Annotated[
        str, typer.Option(help="Whose call-progress tones to expect: two letters, or all.")
    ] = _ALL_COUNTRIES,
    why: Annotated[bool, typer.Option("--why", help="Explain what went wrong, and what to do.")] = False,
    plot: Annotated[Path | None, typer.Option(help="Draw spectrogram and events into this PNG.")] = None,
) -> None:
    """Print the callers, digits and tones in a recording, as the firmware hears them."""
    try:
        heard = read(recording, channel)
        line = line_events.decode(heard.samples, _known_standard(standard), _known_country(country))
    except RecordingUnreadable as fault:
        _complain(str(fault))
        raise typer.Exit(2) from fault
    except InterpreterMissing as fault:
        _complain(str(fault))
        raise typer.Exit(1) from fault
    told = _explained(heard, line, standard) if why else line.events
    if plot is not None:
        _draw(plot, recording, heard, told)
    for event in told:
        if as_json:
            typer.echo(json.dumps(event))
        else:
            _tell(event)
    if not as_json:
        _say(f"{recording.name}, {_form(heard)}: {sentences.summary(told)}.")
    for sentence in line.faults.values():
        _complain(sentence)
    if line.faults:
        raise typer.Exit(1)


def _tell(event: Event) -> None:
    _say(sentences.line(event))
    if "why" in event:
        _say(f"{'':14}{event['why']}")
        for number, reason in enumerate(event["reasons"], 1):
            _say(f"{'':14}{number}. {reason['remedy']}")


def _explained(recording: Recording, line: line_events.Line, standard: str) -> list[Event]:
    rings = rings_in(recording.samples)
    explained = {
        id(failed.event): explanation.of_failure(recording.samples, failed, rings) for failed in line.failures
    }
    told = [explained.get(id(event), event) for event in line.events]
    if not any(event["event"] in _OF_CALLERS for event in told):
        others = () if standard == AUTO else _standards_in(recording)
        told.insert(0, explanation.of_absence(recording.samples, line.events, rings, others))
    return told


def _standards_in(recording: Recording) -> list[str]:
    """Those of the callers in it, whatever they are."""
    events = line_events.decode(recording.samples).events
    return sorted({str(event["standard"]) for event in events if event["event"] in _OF_CALLERS} - {"None"})


def _known_standard(standard: str) -> str:
    if standard not in STANDARDS:
        raise typer.BadParameter(f"{standard} is none of {', '.join(STANDARDS)}", param_hint="--standard")
    return standard


def _known_country(country: str) -> str | None:
    if country.lower() == _ALL_COUNTRIES:
        return None
    known = countries()
    if country.upper() not in known:
        names = ", ".join([*known, _ALL_COUNTRIES])
        raise typer.BadParameter(f"{country} is none of {names}", param_hint="--country")
    return country.upper()


def _draw(plot: Path, recording: Path, heard: Recording, told: list[Event]) -> None:
    from host_tools.cli import spectrogram  # noqa: PLC0415 - matplotlib takes as long as a short recording

    try:
        spectrogram.draw(plot, f"{recording.name}, {_form(heard)}", heard.samples, told)
    except (OSError, ValueError) as fault:
        raise typer.BadParameter(f"{plot} cannot be written: {fault}", param_hint="--plot") from fault


def _form(recording: Recording) -> str:
    channels = f"{recording.channels} channel{'s' if recording.channels != 1 else ''}"
    return f"{recording.duration_s:.2f} s ({recording.rate_hz} Hz, {recording.encoding}, {channels})"


def _say(text: str) -> None:
    """Names have any Latin-1 character, and not every terminal has them."""
    encoding = sys.stdout.encoding or "utf-8"
    typer.echo(text.encode(encoding, errors="replace").decode(encoding))


def _complain(text: str) -> None:
    typer.echo(f"star57 decode: {text}", err=True)
