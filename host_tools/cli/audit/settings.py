"""What of the service's settings the audit log and retention need, from the environment and the settings' file."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from pydantic import ValidationError

from host_tools.cli.database import stopped
from host_tools.service.audit.time_stamp import TimeStampAuthority
from host_tools.service.settings import Settings

OptionalDatabase = Annotated[
    str | None, typer.Option(help="The database of the trace service (as in its settings).")
]


class UpkeepSettings(Settings):
    """As of the service, without the centre's key: nothing is sealed here."""

    centre_public_key: str = ""


def upkeep_settings(command: str, database: str | None) -> UpkeepSettings:
    """The settings, with another database if one is given.

    Raises:
        typer.Exit: something in them is wrong; said on stderr.
    """
    chosen: dict[str, Any] = {} if database is None else {"database": database}
    try:
        return UpkeepSettings(**chosen)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        name = str(first["loc"][0]).upper()
        reason = first["msg"].removeprefix("Value error, ")
        raise stopped(command, 2, f"set STAR57_{name} right: {reason}") from error


def authority_of(command: str, settings: UpkeepSettings) -> TimeStampAuthority | None:
    """The time-stamping authority of the settings; None when there is none.

    Raises:
        typer.Exit: its certificates are missing; said on stderr.
    """
    if settings.time_stamp_url is None:
        return None
    if settings.time_stamp_certificates is None:
        sentence = "set STAR57_TIME_STAMP_CERTIFICATES to the certificate of the authority, a PEM file"
        raise stopped(command, 2, sentence)
    try:
        return TimeStampAuthority(str(settings.time_stamp_url), settings.time_stamp_certificates.read_bytes())
    except (OSError, ValueError) as error:
        sentence = f"{settings.time_stamp_certificates} has no certificate that can be read"
        raise stopped(command, 2, sentence) from error
