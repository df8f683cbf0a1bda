"""The service's adapters, as the verbs of `star57 adapter` work on them."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from sqlalchemy.engine import Connection

from host_tools.cli import database as service_database
from host_tools.cli.database import ACTOR, shown
from host_tools.service.adapters import Adapter, Adapters
from host_tools.service.audit.log import AuditLog

_COMMAND = "adapter"

Answer = TypeVar("Answer")

stopped = partial(service_database.stopped, _COMMAND)


def work_on(database: str, work: Callable[[Connection], Answer], *, may_be_new: bool = False) -> Answer:
    """As `host_tools.cli.database.work_on`."""
    return service_database.work_on(database, work, command=_COMMAND, may_be_new=may_be_new)


def known(connection: Connection, adapter_id: str) -> Adapter:
    """The adapter of this id.

    Raises:
        typer.Exit: there is none; said on stderr.
    """
    adapter = Adapters(connection).adapter(adapter_id)
    if adapter is None:
        raise stopped(1, f"there is no adapter {shown(adapter_id)}")
    return adapter


def audit(connection: Connection, action: str, adapter_id: str, **details: str | int | bool | None) -> None:
    """Tells the audit log what the command does to an adapter."""
    AuditLog(connection).append(time.time(), ACTOR, action, adapter_id, **details)
