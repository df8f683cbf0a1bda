"""What of the service's settings the audit log needs."""

from __future__ import annotations

from typing import Annotated

import typer

from host_tools.cli.database import StoreSettings, stopped
from host_tools.service.audit.time_stamp import TimeStampAuthority

OptionalDatabase = Annotated[
    str | None, typer.Option(help="The database of the trace service (as in its settings).")
]


def authority_of(command: str, settings: StoreSettings) -> TimeStampAuthority | None:
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
