"""`star57 audit verify`: verifies the log in the service's database."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from host_tools.cli.answer import JsonOption, answer
from host_tools.cli.audit.database import stopped, work_on
from host_tools.cli.database import ACTOR, DATABASE, DatabaseOption
from host_tools.service.audit.export import tell_verified, verified
from host_tools.service.audit.time_stamp import TimeStampAuthority
from host_tools.service.audit.verify import Check, Report, known_hash, summary
from host_tools.service.store import Store


def verify(
    database: DatabaseOption = DATABASE,
    authority: Annotated[
        Path | None,
        typer.Option(
            envvar="STAR57_TIME_STAMP_CERTIFICATES",
            help="The certificate that the time stamps' chain begins with, a PEM file.",
        ),
    ] = None,
    known: Annotated[
        list[str] | None,
        typer.Option(metavar="ROW:HASH", help="The hash of a row, as an earlier verification said it."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Verify the audit log: every row, link, hash and checkpoint. Exit status 1: something is wrong with it."""
    check = _check(authority)
    hashes = _hashes(known or [])

    async def run(store: Store) -> Report:
        report = await verified(store, check, hashes)
        await store.write_audited(lambda connection: tell_verified(connection, time.time(), ACTOR, report))
        return report

    report = work_on(database, run)
    sentences = list(summary(report, is_checked=check is not None))
    answer({"is_proven": report.is_proven, "told": sentences}, "\n".join(sentences), as_json=json)
    if not report.is_proven:
        raise typer.Exit(1)


def _check(authority: Path | None) -> Check | None:
    try:
        return TimeStampAuthority("", authority.read_bytes()).check if authority else None
    except (OSError, ValueError) as error:
        raise stopped(2, f"{authority} has no certificate that can be read") from error


def _hashes(known: list[str]) -> dict[int, str]:
    try:
        return dict(map(known_hash, known))
    except ValueError as error:
        raise stopped(2, f"--known is {error}") from error
