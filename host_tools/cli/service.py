"""`star57 service`: runs the trace service."""

from __future__ import annotations

from typing import Annotated

import typer
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from host_tools.cli.open_files import allow_many_files
from host_tools.service.serve import listen, serve
from host_tools.service.settings import Settings


def service(
    *,
    host: Annotated[str | None, typer.Option(help="Address to listen on (127.0.0.1).")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes any free one (5757).")] = None,
    centre_public_key: Annotated[
        str | None, typer.Option(help="The trace centre's public key, 64 hex digits.")
    ] = None,
    database: Annotated[
        str | None, typer.Option(help="Where traces are kept (sqlite:///star57.sqlite).")
    ] = None,
    call_records: Annotated[
        str | None, typer.Option(help="The exchange's call records, such as sqlite:///cdr.sqlite.")
    ] = None,
    price_cents: Annotated[int | None, typer.Option(help="Price of a successful trace (500).")] = None,
    lines_offered: Annotated[
        str | None, typer.Option(help="Lines that may trace, with commas between, or * (*).")
    ] = None,
) -> None:
    """Answer adapters: trace calls, and keep who called sealed to the trace centre's key.

    Every option is also a setting in the environment: STAR57_PORT for --port, and so on.
    """
    chosen = {name: value for name, value in locals().items() if value is not None}
    try:
        settings = Settings(**chosen)
    except ValidationError as error:
        raise _stopped(2, _what_is_wrong(error)) from error
    try:
        listener = listen(settings)
    except SQLAlchemyError as error:
        raise _stopped(1, f"the database {settings.database} cannot be opened for writing") from error
    except OSError as error:
        raise _stopped(
            1, f"cannot listen on {settings.host} port {settings.port}: {error.strerror}"
        ) from error
    typer.echo(f"star57 service: listening on http://{settings.host}:{listener.getsockname()[1]}")
    allow_many_files()
    serve(settings, listener)


def _what_is_wrong(error: ValidationError) -> str:
    first = error.errors(include_input=False)[-1]
    name = str(first["loc"][0])
    where = f"set STAR57_{name.upper()} or --{name.replace('_', '-')}"
    if name == "centre_public_key" and first["type"] == "missing":
        return f"there is no key to seal records to: {where} to the trace centre's public key, 64 hex digits"
    return f"{where} right: {first['msg'].removeprefix('Value error, ')}"


def _stopped(status: int, sentence: str) -> typer.Exit:
    typer.echo(f"star57 service: {sentence}", err=True)
    return typer.Exit(status)
