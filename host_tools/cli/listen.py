"""`star57 listen`: record a line through its adapter, and say which caller ID is in use on it."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from host_tools.cli.answer import JsonOption, answer, stopped
from host_tools.cli.exit_codes import ExitCode
from host_tools.rig import listening
from host_tools.rig.listening import RecordingUnreadable
from host_tools.rig.micropython import InterpreterMissing
from host_tools.technician.caller_id_in_use import InUse, RingHeard, in_use, name_of
from host_tools.technician.faults import BenchFault, BoardGone
from host_tools.technician.level_meter import LevelMeter, bar
from host_tools.technician.listen import record
from host_tools.technician.live_line import Happened, Heard, Plugged, Sound, Unplugged, chosen_port
from host_tools.technician.ports import usb_here
from host_tools.technician.recording import CannotRecord, LineRecording, events_of

_METER_CHARACTERS = 40
_A_SECOND = 10


def listen(
    *,
    port: Annotated[
        str | None, typer.Option(help="The board's port or serial number; the only board's without it.")
    ] = None,
    seconds: Annotated[float, typer.Option(min=1, max=86_400, help="How long; Ctrl-C ends it before.")] = 120,
    out: Annotated[Path | None, typer.Option(help="Keep the recording in this WAV.")] = None,
    file: Annotated[
        Path | None, typer.Option(help="Look at this recording instead of a board.", dir_okay=False)
    ] = None,
    json: JsonOption = False,
) -> None:
    """Record the line, and say which caller-ID standard is in use in this place, and what to provision.

    Have the line called while it records, and let it ring twice. The adapter goes on with its work.
    """
    if file is not None:
        found = _looked_at(file)
    elif out is not None:
        found = _recorded(port, seconds, out, as_json=json)
    else:
        with tempfile.TemporaryDirectory(prefix="star57-") as folder:
            found = _recorded(port, seconds, Path(folder) / "line.wav", as_json=json)
    answer(found, _told(found), as_json=json)


def _looked_at(recording: Path) -> InUse:
    try:
        return in_use(listening.read(recording).samples, events_of(recording))
    except RecordingUnreadable as fault:
        raise stopped(ExitCode.USAGE, str(fault)) from fault
    except InterpreterMissing as fault:
        raise stopped(ExitCode.MISSING, str(fault)) from fault


def _recorded(port: str | None, seconds: float, out: Path, *, as_json: bool) -> InUse:
    usb = usb_here()
    try:
        chosen = chosen_port(usb, port)
        # Ctrl-C ends the recording; what it has is looked at.
        with (
            LineRecording(out) as recording,
            _Shown(recording, seconds, as_json=as_json) as shown,
            suppress(KeyboardInterrupt),
        ):
            asyncio.run(record(usb, chosen, recording, seconds, shown.take))
    except BoardGone as fault:
        raise stopped(ExitCode.NOTHING_THERE, str(fault)) from fault
    except CannotRecord as fault:
        raise stopped(ExitCode.USAGE, str(fault)) from fault
    except BenchFault as fault:
        raise stopped(ExitCode.FAILED, str(fault)) from fault
    found = _looked_at(out)
    found.missing_s = round(sum(gap.duration_s for gap in recording.gaps), 3)
    return found


class _Shown:
    """The meter on standard error; nothing where that is no terminal."""

    def __init__(self, recording: LineRecording, seconds: float, *, as_json: bool) -> None:
        self._recording = recording
        self._seconds = seconds
        self._meter = LevelMeter()
        self._last = "waiting for the board"
        console = Console(stderr=True)
        is_seen = console.is_terminal and not as_json
        self._live = (
            Live(console=console, get_renderable=self._drawn, refresh_per_second=_A_SECOND, transient=True)
            if is_seen
            else None
        )

    def __enter__(self) -> _Shown:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def take(self, heard: Heard) -> None:
        """Notes what comes."""
        if isinstance(heard, Sound):
            self._meter.feed(heard.samples)
        elif isinstance(heard, Happened):
            self._last = str(heard.event["event"]).replace("_", " ")
        elif isinstance(heard, Plugged):
            self._last = f"listening at {Path(heard.port).name}"
        elif isinstance(heard, Unplugged):
            self._last = heard.why

    def _drawn(self) -> RenderableType:
        meter = self._meter
        drawn = bar(meter.level_dbm0, meter.peak_dbm0, _METER_CHARACTERS)
        gaps = len(self._recording.gaps)
        missing = f"  {gaps} gaps" if gaps else ""
        return Text.assemble(
            f"{self._recording.duration_s:7.1f} of {self._seconds:g} s ",
            (drawn, "green"),
            f" {meter.level_dbm0:6.1f} dBm0  {self._last}{missing}",
        )


def _told(found: InUse) -> RenderableType:
    parts: list[RenderableType] = []
    if found.standard is None:
        parts.append(Text("The standard in use cannot be told.", style="bold"))
    else:
        parts.append(Text.assemble("Caller ID in use: ", (name_of(found.standard), "bold")))
    parts.append(Text(found.why))
    if found.countries:
        parts.append(Text(f"Provision with: country {' or '.join(found.countries)}"))
    if found.caller_ids:
        parts.append(_caller_ids(found))
    parts.extend(Text(_call(call)) for call in found.calls)
    missing = f", of which {found.missing_s:g} s are missing and silent" if found.missing_s else ""
    parts.append(Text(f"{found.duration_s:g} s were looked at{missing}."))
    return Group(*parts)


def _caller_ids(found: InUse) -> Table:
    table = Table("at", "standard", "when", "level", "SNR", "twist", "baud", "")
    for one in found.caller_ids:
        table.add_row(
            f"{one.at:.2f} s",
            name_of(one.standard) if one.standard else "?",
            one.when,
            _figure(one.level_dbm0, "dBm0"),
            _figure(one.snr_db, "dB"),
            _figure(one.twist_db, "dB"),
            "" if one.baud_error_percent is None else f"{one.baud_error_percent:+.1f} %",
            one.failed or "read",
        )
    return table


def _figure(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:.1f} {unit}"


def _call(call: RingHeard) -> str:
    cadence = " ".join(f"{seconds:g}" for seconds in call.cadence_s)
    at_hz = "" if call.frequency_hz is None else f" at {call.frequency_hz:g} Hz"
    return f"A call at {call.at:.1f} s: {call.rings} rings{at_hz}; rings and pauses in turn, in seconds: {cadence}"
