"""`star57 house`: the calls of the household's telephones for NCID clients and, over MQTT, for Home Assistant."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from host_tools.cli.answer import stopped
from host_tools.cli.exit_codes import ExitCode
from host_tools.cli.open_files import allow_many_files
from host_tools.gateway.daemon import Daemon as GatewayDaemon
from host_tools.gateway.forward import ServiceForward
from host_tools.gateway.ports import PortFinder
from host_tools.gateway.settings import Settings as GatewaySettings
from host_tools.house.daemon import Daemon
from host_tools.house.settings import SecretUnreadable, Settings
from host_tools.service.logs import configure


def house(
    *,
    port: Annotated[
        list[str] | None,
        typer.Option(help="Serial port of an adapter: a path, a glob, or usb:SERIAL. Repeat it for several."),
    ] = None,
    service: Annotated[
        list[str] | None,
        typer.Option(
            help="Address of the trace service, for adapters at serial ports. Repeat it for several."
        ),
    ] = None,
    ca_file: Annotated[
        Path | None, typer.Option(help="PEM of the only authorities that are trusted for the service.")
    ] = None,
    adapters_host: Annotated[
        str | None, typer.Option(help="Listen to adapters on the network at this address, such as 0.0.0.0.")
    ] = None,
    keys_file: Annotated[Path | None, typer.Option(help="House keys of adapters on the network.")] = None,
    ncid_host: Annotated[
        str | None, typer.Option(help="Serve NCID clients at this address (127.0.0.1); 0.0.0.0: everybody.")
    ] = None,
    ncid_port: Annotated[int | None, typer.Option(help="Serve NCID clients at this port (3333).")] = None,
    mqtt_host: Annotated[
        str | None, typer.Option(help="The MQTT broker that Home Assistant listens to.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="The log as JSON: an object a line.")] = False,
) -> None:
    """Show the household its calls: serve NCID clients, and tell Home Assistant over MQTT.

    With serial ports it is their gateway too (star57 gateway): a port is one program's. Every option, and more that
    docs/house.md names, is also a setting in the environment: STAR57_HOUSE_..., and for the serial ports and the
    service STAR57_GATEWAY_...
    """
    options = {
        "adapters_host": adapters_host,
        "keys_file": keys_file,
        "ncid_host": ncid_host,
        "ncid_port": ncid_port,
        "mqtt_host": mqtt_host,
    }
    settings = _house_settings(_given(options))
    gateway = _gateway_settings(_given({"ports": port, "services": service, "ca_file": ca_file}))
    try:
        daemon = Daemon(settings, version("star57"))
        forward = (
            None if gateway is None else ServiceForward(gateway.services, gateway.timeout_s, gateway.ca_file)
        )
    except SecretUnreadable as error:
        raise stopped(ExitCode.USAGE, str(error)) from error
    except OSError as error:
        raise stopped(ExitCode.USAGE, f"{ca_file} holds no certificates that can be read") from error
    if gateway is None and settings.adapters_host is None:
        raise stopped(
            ExitCode.USAGE,
            "no adapter would be heard: set --port to a serial port, such as '/dev/ttyACM*', or --adapters-host to "
            "0.0.0.0 for adapters on the network",
        )
    configure("json" if json else "text")
    allow_many_files()
    try:
        asyncio.run(_serve(daemon, gateway, forward))
    except* OSError as errors:
        sentence = f"an address is taken or not this computer's: {errors.exceptions[0]}"
        raise stopped(ExitCode.FAILED, sentence) from errors


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _house_settings(options: dict[str, Any]) -> Settings:
    try:
        return Settings(**options)
    except ValidationError as error:
        raise _wrong("STAR57_HOUSE_", error) from error


def _gateway_settings(options: dict[str, Any]) -> GatewaySettings | None:
    """The gateway's settings; None when no serial port is wanted."""
    try:
        return GatewaySettings(**options)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        if first["loc"][:1] == ("ports",) and first["type"] in ("missing", "too_short"):
            return None
        raise _wrong("STAR57_GATEWAY_", error) from error


async def _serve(daemon: Daemon, gateway: GatewaySettings | None, forward: ServiceForward | None) -> None:
    serving = asyncio.create_task(_run(daemon, gateway, forward))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, serving.cancel)
    with suppress(asyncio.CancelledError):
        await serving
    typer.echo("star57 house: stopped")


async def _run(daemon: Daemon, gateway: GatewaySettings | None, forward: ServiceForward | None) -> None:
    def say() -> None:
        where = ", ".join(f"{name} at port {number}" for name, number in daemon.ports.items())
        typer.echo(f"star57 house: serving {where or 'MQTT'}")

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(daemon.run(say))
        if gateway is not None and forward is not None:
            tasks.create_task(_serve_ports(daemon, gateway, forward))


async def _serve_ports(daemon: Daemon, gateway: GatewaySettings, forward: ServiceForward) -> None:
    def noticed(name: str, payload: bytes) -> None:
        daemon.noticed(name, payload, ports.press)

    ports = GatewayDaemon(PortFinder(gateway.ports), forward, noticed=noticed)
    async with forward:
        await ports.run()


def _wrong(prefix: str, error: ValidationError) -> typer.Exit:
    first = error.errors(include_input=False)[0]
    what = first["msg"].removeprefix("Value error, ")
    if not first["loc"]:
        return stopped(ExitCode.USAGE, what)
    return stopped(ExitCode.USAGE, f"set {prefix}{str(first['loc'][0]).upper()} right: {what}")
