"""`star57 gateway`: takes what adapters ask over serial ports to the trace service."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from host_tools.cli.open_files import allow_many_files
from host_tools.gateway.daemon import Daemon
from host_tools.gateway.forward import ServiceForward
from host_tools.gateway.ports import PortFinder
from host_tools.gateway.settings import Settings
from host_tools.service.logs import configure

OPTIONS = {"ports": "--port", "services": "--service", "ca_file": "--ca-file", "timeout_s": "--timeout-s"}


def gateway(
    *,
    port: Annotated[
        list[str] | None,
        typer.Option(help="Serial port: a path, a glob, or usb:SERIAL. Repeat it for several."),
    ] = None,
    service: Annotated[
        list[str] | None,
        typer.Option(help="Address of the trace service (http://127.0.0.1:5757). Repeat it for several."),
    ] = None,
    ca_file: Annotated[
        Path | None, typer.Option(help="PEM of the only authorities that are trusted (the system's).")
    ] = None,
    timeout_s: Annotated[
        float | None, typer.Option(help="Seconds for each address to answer in (3).")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="The log as JSON: an object a line.")] = False,
) -> None:
    """Serve adapters at serial ports: what they ask goes to the trace service, and its answers back.

    Ports need not be there yet, and may go and come back. Every option is also a setting in the environment, with
    commas between several: STAR57_GATEWAY_PORTS, STAR57_GATEWAY_SERVICES, STAR57_GATEWAY_CA_FILE and
    STAR57_GATEWAY_TIMEOUT_S.
    """
    options: dict[str, Any] = {"ports": port, "services": service, "ca_file": ca_file, "timeout_s": timeout_s}
    try:
        settings = Settings(**{name: value for name, value in options.items() if value is not None})
    except ValidationError as error:
        raise _stopped(_what_is_wrong(error)) from error
    try:
        forward = ServiceForward(settings.services, settings.timeout_s, settings.ca_file)
    except OSError as error:
        raise _stopped(
            f"{settings.ca_file} holds no certificates that can be read: "
            "set STAR57_GATEWAY_CA_FILE or --ca-file to a PEM file"
        ) from error
    configure("json" if json else "text")
    allow_many_files()
    asyncio.run(_serve(settings, forward))


async def _serve(settings: Settings, forward: ServiceForward) -> None:
    serving = asyncio.create_task(Daemon(PortFinder(settings.ports), forward).run())
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, serving.cancel)
    typer.echo(f"star57 gateway: serving {', '.join(settings.ports)} to {', '.join(settings.services)}")
    async with forward:
        with suppress(asyncio.CancelledError):
            await serving
    typer.echo("star57 gateway: stopped")


def _what_is_wrong(error: ValidationError) -> str:
    first = error.errors(include_input=False)[0]
    name = str(first["loc"][0])
    where = f"set STAR57_GATEWAY_{name.upper()} or {OPTIONS[name]}"
    if name == "ports" and first["type"] in ("missing", "too_short"):
        return f"there is no port to serve: {where}, such as /dev/ttyACM* or usb:SERIAL"
    return f"{where} right: {first['msg'].removeprefix('Value error, ')}"


def _stopped(sentence: str) -> typer.Exit:
    typer.echo(f"star57 gateway: {sentence}", err=True)
    return typer.Exit(2)
