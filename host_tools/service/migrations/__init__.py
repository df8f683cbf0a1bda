"""The tables of the store through time, by Alembic: `versions/` has a file for each step."""

from __future__ import annotations

from functools import lru_cache

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect
from sqlalchemy.engine import Connection

FIRST = "0001"
"""The tables as they were before they had versions."""


class StoreTooNew(Exception):
    """The tables are of a program newer than this one."""


def is_current(connection: Connection) -> bool:
    """Whether the tables are those of this program."""
    return MigrationContext.configure(connection).get_current_revision() == _head()


def upgrade(connection: Connection, to: str = "head") -> None:
    """Brings the tables from whatever they are to those of this program, within the transaction of `connection`.

    Raises:
        StoreTooNew: nothing is changed.
    """
    config = _config(connection)
    current = MigrationContext.configure(connection).get_current_revision()
    if current is None and _is_of_before(connection):
        command.stamp(config, FIRST)
    elif current is not None and current not in _revisions():
        raise StoreTooNew(current)
    command.upgrade(config, to)


def _is_of_before(connection: Connection) -> bool:
    return inspect(connection).has_table("traces")


@lru_cache
def _head() -> str | None:
    return ScriptDirectory.from_config(_config(None)).get_current_head()


@lru_cache
def _revisions() -> frozenset[str]:
    steps = ScriptDirectory.from_config(_config(None)).walk_revisions()
    return frozenset(step.revision for step in steps)


def _config(connection: Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", "host_tools.service:migrations")
    config.attributes["connection"] = connection
    return config
