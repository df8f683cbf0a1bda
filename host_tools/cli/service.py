"""`star57 service`: runs the trace service."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from pydantic_settings import SettingsError
from sqlalchemy.exc import SQLAlchemyError

from host_tools.cli.database import shown_url, stopped
from host_tools.cli.open_files import allow_many_files
from host_tools.service.migrations import StoreTooNew
from host_tools.service.origins import OriginKeysUnreadable
from host_tools.service.secret import SecretUnusable
from host_tools.service.serve import CannotListen, listen, serve
from host_tools.service.settings import SETTINGS_FILE, Settings, SettingsFileUnreadable


def service(
    *,
    settings_file: Annotated[
        Path | None,
        typer.Option("--settings", help="A TOML file of settings, by the names in docs/service.md."),
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on (127.0.0.1).")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes any free one (5757).")] = None,
    shares_port: Annotated[
        bool | None, typer.Option("--shares-port", help="Other replicas on this machine listen there too.")
    ] = None,
    centre_public_key: Annotated[
        str | None, typer.Option(help="The trace centre's public key, 64 hex digits.")
    ] = None,
    database: Annotated[
        str | None,
        typer.Option(help="sqlite:///FILE or postgresql+asyncpg://... (sqlite:///star57.sqlite)."),
    ] = None,
    call_records: Annotated[
        str | None,
        typer.Option(help="The exchange's call records: the URL of a database, or a Master.csv."),
    ] = None,
    subscribers: Annotated[
        str | None, typer.Option(help="Whom the operator knows: the URL of a database, or a CSV file.")
    ] = None,
    price_cents: Annotated[int | None, typer.Option(help="Price of a successful trace (500).")] = None,
    lines_offered: Annotated[
        str | None, typer.Option(help="Lines that may trace, with commas between, or * (*).")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="The log as JSON: an object a line.")] = False,
) -> None:
    """Answer adapters: trace calls, and keep who called sealed to the trace centre's key; and serve the console.

    Every option, and more, is also a setting in the environment: STAR57_PORT for --port, and so on; and in the file
    of --settings (STAR57_SETTINGS_FILE). docs/service.md has them all.
    """
    chosen = {name: value for name, value in locals().items() if value is not None and name != "json"}
    if json:
        chosen["log_format"] = "json"
    if settings_file is not None:
        os.environ[SETTINGS_FILE] = str(chosen.pop("settings_file"))
    try:
        settings = Settings(**chosen)
    except ValidationError as error:
        raise stopped("service", 2, _what_is_wrong(error)) from error
    except (SettingsFileUnreadable, SettingsError) as error:
        raise stopped("service", 2, str(error).splitlines()[0]) from error
    shown = shown_url(settings.database)
    try:
        listener = listen(settings)
    except (OriginKeysUnreadable, SecretUnusable) as error:
        raise stopped("service", 1, str(error)) from error
    except StoreTooNew as error:
        raise stopped("service", 1, f"the database {shown} is of a newer star57 than this") from error
    except CannotListen as error:
        sentence = f"cannot listen on {settings.host} port {settings.port}: {error.strerror}"
        raise stopped("service", 1, sentence) from error
    except (SQLAlchemyError, OSError) as error:
        raise stopped("service", 1, f"the database {shown} cannot be opened for writing") from error
    typer.echo(f"star57 service: listening on http://{settings.host}:{listener.getsockname()[1]}")
    allow_many_files()
    serve(settings, listener)


def _what_is_wrong(error: ValidationError) -> str:
    first = error.errors(include_input=False)[-1]
    if not first["loc"]:
        return first["msg"].removeprefix("Value error, ")
    name = str(first["loc"][0])
    where = f"set STAR57_{name.upper()} or --{name.replace('_', '-')}"
    if name == "centre_public_key" and first["type"] == "missing":
        return f"there is no key to seal records to: {where} to the trace centre's public key, 64 hex digits"
    return f"{where} right: {first['msg'].removeprefix('Value error, ')}"
