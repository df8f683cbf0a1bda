"""`star57 monitor`: a live view of a line, through its adapter."""

from __future__ import annotations

import asyncio
import json as json_text
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from host_tools.cli.answer import JsonOption, stopped
from host_tools.cli.exit_codes import ExitCode
from host_tools.technician.faults import BenchFault
from host_tools.technician.live_line import Heard, LiveLine, chosen_port
from host_tools.technician.monitor_stream import MonitorStream
from host_tools.technician.ports import Port, Usb, usb_here


def monitor(
    *,
    port: Annotated[
        str | None, typer.Option(help="The board's port or serial number; the only board's without it.")
    ] = None,
    folder: Annotated[
        Path, typer.Option(help="Where recordings go (key r).", file_okay=False, exists=True)
    ] = Path(),
    seconds: Annotated[
        float | None, typer.Option(min=0, help="With --json: end after so many seconds of the line.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Show a line live: its state, level and spectrum, the last caller ID, events and the log.

    The adapter goes on with its work. Keys: q quits, p pauses, r records to WAV, s changes between spectrum and levels.
    With --json: a line of JSON for each thing that happens, and the level each second, until Ctrl-C.
    """
    usb = usb_here()
    try:
        chosen = chosen_port(usb, port)
    except BenchFault as fault:
        raise stopped(ExitCode.NOTHING_THERE, str(fault)) from fault
    if json:
        with suppress(KeyboardInterrupt):
            asyncio.run(_stream(usb, chosen, seconds))
        return
    # Textual takes a third of a second, which a stream need not wait for.
    from host_tools.technician.monitor_app import MonitorApp  # noqa: PLC0415

    MonitorApp(lambda take: LiveLine(usb, chosen, take), folder).run()


async def _stream(usb: Usb, port: Port, seconds: float | None) -> None:
    stream = MonitorStream()
    ended = asyncio.Event()

    def take(heard: Heard) -> None:
        if ended.is_set():
            return
        for document in stream.documents(heard, datetime.now(UTC)):
            typer.echo(json_text.dumps(document, ensure_ascii=False))
        if seconds is not None and stream.duration_s >= seconds:
            ended.set()

    listening = asyncio.create_task(LiveLine(usb, port, take).run())
    try:
        await ended.wait()
    finally:
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening
