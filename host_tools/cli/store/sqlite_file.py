"""The SQLite file that the verbs of `star57 store` are about, and what hinders them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import make_url

from host_tools.cli.database import checked_url, shown_url, stopped
from host_tools.service.sqlite_backup import NotASqliteStore

COMMAND = "store"


def sqlite_file(database: str, *, may_be_new: bool = False) -> tuple[str, Path]:
    """The URL and the file of the database.

    Raises:
        typer.Exit: it is in PostgreSQL, or is not there; said on stderr.
    """
    url = checked_url(database, command=COMMAND, may_be_new=may_be_new)
    if make_url(url).get_backend_name() != "sqlite":
        sentence = (
            f"{shown_url(url)} is in PostgreSQL: docs/service.md has the commands, of pg_dump and pg_restore"
        )
        raise stopped(COMMAND, 2, sentence)
    return url, Path(make_url(url).database or "")


@contextmanager
def told(source: Path, to: Path) -> Iterator[None]:
    """Says what hinders a copy from `source` to `to`.

    Raises:
        typer.Exit: something does; said on stderr.
    """
    try:
        yield
    except FileExistsError as error:
        raise stopped(
            COMMAND, 1, f"there is {error.filename} already: stop the service, and put it aside"
        ) from error
    except NotASqliteStore as error:
        raise stopped(COMMAND, 1, f"{source} cannot be copied: {error}") from error
    except sqlite3.Error as error:
        raise stopped(COMMAND, 1, f"{source} cannot be copied to {to}: SQLite says: {error}") from error
    except OSError as error:
        raise stopped(COMMAND, 1, f"{source} cannot be copied to {to}: {error.strerror}") from error
