"""The service's database, as the verbs of `star57 adapter` open it; what hinders them is one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from host_tools.service.records import Adapter, Ledger, Records
from host_tools.service.settings import DatabaseUrl

DATABASE = "sqlite:///star57.sqlite"
DatabaseOption = Annotated[
    str, typer.Option(envvar="STAR57_DATABASE", help="The database of the trace service.")
]


@contextmanager
def opened(database: str, *, may_be_new: bool = False) -> Iterator[Records]:
    """The database, with its tables; without `may_be_new` there must be one.

    Raises:
        typer.Exit: it cannot be opened, or does not do what it is asked; said on stderr.
    """
    try:
        url = TypeAdapter(DatabaseUrl).validate_python(database)
    except ValidationError as error:
        raise stopped(
            2, "set STAR57_DATABASE or --database to a URL such as sqlite:///star57.sqlite"
        ) from error
    if not may_be_new and not Path(make_url(url).database or "").exists():
        raise stopped(1, f"there is no database {url}")
    records = Records(url)
    try:
        records.prepare()
        yield records
    except SQLAlchemyError as error:
        raise stopped(1, f"the database {url} cannot be written now") from error
    finally:
        records.close()


def known(ledger: Ledger, adapter_id: str) -> Adapter:
    """The adapter of this id.

    Raises:
        typer.Exit: there is none; said on stderr.
    """
    adapter = ledger.adapter(adapter_id)
    if adapter is None:
        raise stopped(1, f"there is no adapter {shown(adapter_id)}")
    return adapter


def stopped(status: int, sentence: str) -> typer.Exit:
    """Says on stderr what hinders the command, and answers what ends it."""
    typer.echo(f"star57 adapter: {sentence}", err=True)
    return typer.Exit(status)


def shown(text: str) -> str:
    """What an adapter has sent, for a terminal: nothing in it moves the cursor."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
