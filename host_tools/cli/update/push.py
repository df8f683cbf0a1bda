"""`star57 update push`: gives adapters a release."""

from __future__ import annotations

import time
from typing import Annotated

import typer
from rich.table import Column, Table
from rich.text import Text
from sqlalchemy.engine import Connection

from host_tools.cli.adapter.database import audit
from host_tools.cli.answer import JsonOption, answer, stopped
from host_tools.cli.database import DATABASE, DatabaseOption, shown
from host_tools.cli.exit_codes import ExitCode
from host_tools.cli.update.release_file import FileArgument, named, read
from host_tools.cli.update.standing import hindrance, work_on
from host_tools.service.adapters import Adapters
from host_tools.service.firmware import Firmware, FirmwareReleases
from host_tools.service.orders import push_update
from host_tools.technician.release import NotSigned, Release

PUSHED = "pushed"
UNKNOWN = "is not known"

AdaptersArgument = Annotated[list[str] | None, typer.Argument(metavar="[ADAPTER...]")]


def push(
    file: FileArgument,
    adapters: AdaptersArgument = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="Every adapter that the release is for.")] = False,
    first: Annotated[
        int | None, typer.Option(min=1, help="Of those, only so many: see how they do before the rest.")
    ] = None,
    database: DatabaseOption = DATABASE,
    json: JsonOption = False,
) -> None:
    """Give adapters a signed release: each takes it part by part, and tries it while its line is idle.

    One that does not report healthy within ten minutes goes back to what it ran before; `star57 update list` shows it.
    """
    named_adapters = adapters or []
    if every == bool(named_adapters):
        raise stopped(ExitCode.USAGE, "name the adapters, or give --all")
    release = read(file)
    firmware = _firmware(release)

    def pushing(connection: Connection) -> dict[str, str]:
        outcomes = _outcomes(connection, None if every else named_adapters, firmware)
        can_have = [adapter_id for adapter_id, outcome in outcomes.items() if outcome == PUSHED]
        for adapter_id in can_have[first:] if first else []:
            del outcomes[adapter_id]
        if can_have:
            FirmwareReleases(connection).put(firmware)
        for adapter_id in can_have[:first]:
            Adapters(connection).change(adapter_id, **push_update(firmware.sha256))
            audit(connection, "adapter.changed", adapter_id, update=firmware.release, sha256=firmware.sha256)
        return outcomes

    outcomes = work_on(database, pushing)
    rows = [{"adapter_id": adapter_id, "outcome": outcome} for adapter_id, outcome in outcomes.items()]
    answer({"release": firmware.release, "adapters": rows}, _table(release, outcomes), as_json=json)
    code = _exit_code(outcomes, every=every)
    if code is not ExitCode.DONE:
        raise typer.Exit(int(code))


def _firmware(release: Release) -> Firmware:
    manifest = release.manifest
    try:
        sha256, signed = release.sha256, release.signed
    except NotSigned as fault:
        raise stopped(ExitCode.FAILED, str(fault)) from fault
    return Firmware(
        sha256=sha256,
        board=manifest.board,
        version=manifest.version,
        release=manifest.release,
        signed=signed,
        slot_a=release.firmware["a"],
        slot_b=release.firmware["b"],
        added_at=int(time.time()),
    )


def _outcomes(connection: Connection, named: list[str] | None, firmware: Firmware) -> dict[str, str]:
    """What is to become of each adapter: pushed, or why not; of all of them when none are named."""
    known = {adapter.adapter_id: adapter for adapter in Adapters(connection).all()}
    now = int(time.time())
    outcomes = {}
    for adapter_id in known if named is None else named:
        adapter = known.get(adapter_id)
        hinders = UNKNOWN if adapter is None else hindrance(adapter, firmware.board, firmware.sha256, now)
        outcomes[adapter_id] = hinders or PUSHED
    return outcomes


def _table(release: Release, outcomes: dict[str, str]) -> Table:
    table = Table("adapter", Column(Text(named(release))), box=None)
    for adapter_id, outcome in outcomes.items():
        table.add_row(Text(shown(adapter_id)), outcome)
    return table


def _exit_code(outcomes: dict[str, str], *, every: bool) -> ExitCode:
    pushed = [outcome for outcome in outcomes.values() if outcome == PUSHED]
    if not pushed:
        return ExitCode.NOTHING_THERE
    # Of all adapters there are always some of another kind; who is named is meant.
    return ExitCode.DONE if every or len(pushed) == len(outcomes) else ExitCode.SOME_FAILED
