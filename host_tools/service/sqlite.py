"""SQLite files under SQLAlchemy's asyncio engine."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import aiosqlite
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine


def sqlite_engine(url: str, *, read_only: bool = False) -> AsyncEngine:
    """An engine for the SQLite file that `url` names; errors, and so logs, do not repeat parameters.

    Args:
        url: as `settings.DatabaseUrl`.
        read_only: a missing file is an error, and never an empty new database.
    """
    file = Path(make_url(url).database or "").absolute().as_uri() + ("?mode=ro" if read_only else "")

    async def connect() -> aiosqlite.Connection:
        # aiosqlite leaves a thread behind when a file does not open, so it is given only what does.
        await asyncio.to_thread(lambda: sqlite3.connect(file, uri=True).close())
        return await aiosqlite.connect(file, uri=True)

    return create_async_engine(url, async_creator=connect, hide_parameters=True)
