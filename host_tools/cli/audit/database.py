"""The service's database, as the verbs of `star57 audit` work on it over its asynchronous store."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from sqlalchemy.exc import SQLAlchemyError

from host_tools.cli import database as service_database
from host_tools.service.audit.export import Overtaken
from host_tools.service.store import Store

_COMMAND = "audit"

Answer = TypeVar("Answer")

stopped = partial(service_database.stopped, _COMMAND)


def work_on(database: str, work: Callable[[Store], Awaitable[Answer]]) -> Answer:
    """What `work` answers, over the store, whose tables are brought up to date before.

    Raises:
        typer.Exit: there is no such database, or it does not do what it is asked; said on stderr; and what `work`
            raises.
    """
    url = service_database.checked_url(database, command=_COMMAND)

    async def run() -> Answer:
        store = Store(url)
        try:
            await store.prepare()
            return await work(store)
        finally:
            await store.close()

    try:
        return asyncio.run(run())
    except Overtaken as error:
        raise stopped(1, "retention has deleted rows meanwhile: begin anew") from error
    except (SQLAlchemyError, OSError) as error:
        shown = service_database.shown_url(url)
        raise stopped(1, f"the database {shown} cannot be read or written now") from error
