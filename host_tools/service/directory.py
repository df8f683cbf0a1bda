"""The subscribers that the operator knows: a table or a CSV of number, name and address, which is only ever read.

A trace never waits for it in vain: what cannot be read now is counted, and the trace is captured without a name.
"""

from __future__ import annotations

import asyncio
import csv
import json
import logging
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from host_tools.service.foreign_database import (
    Dialect,
    ForeignDatabase,
    ForeignDatabaseUnreadable,
    open_foreign_database,
)
from host_tools.service.matching import comparable

_COLUMNS = ("number", "name", "address")
READ_WITHIN_S = 1.0
_FIND: dict[Dialect, str] = {
    "sqlite": (
        "SELECT number, name, address FROM json_each(?) AS wanted CROSS JOIN subscribers "
        "WHERE subscribers.number = wanted.value"
    ),
    "postgresql": "SELECT number, name, address FROM subscribers WHERE number = ANY($1::text[])",
}

logger = logging.getLogger(__name__)


class DirectoryUnreadable(Exception):
    """The directory is not there, or is not a table of number, name and address."""


@dataclass(frozen=True)
class Subscriber:
    """Whose number it is."""

    number: str
    name: str
    address: str


class Source(Protocol):
    """Where the subscribers are kept. Every method but `close` raises DirectoryUnreadable, and nothing else."""

    async def read(self, numbers: Collection[str]) -> list[Subscriber]:
        """Those of the numbers that there are, written as they are kept."""

    async def check(self) -> None:
        """Reads a little."""

    async def close(self) -> None:
        """Closes what is open."""


class Directory:
    """Finds subscribers by their number, however it is written.

    Attributes:
        failures: how many times it could not be read.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self.failures = 0

    async def find(self, number: str) -> Subscriber | None:
        """Whose number it is; None when the operator does not know, or the directory cannot be read now."""
        return (await self.find_many([number])).get(number)

    async def find_many(self, numbers: Collection[str]) -> dict[str, Subscriber]:
        """As `find`, for many at once: in one query; by the number as it is given here."""
        if not numbers:
            return {}
        try:
            found = await self._source.read({form for number in numbers for form in _forms(number)})
        except DirectoryUnreadable as error:
            self.failures += 1
            logger.warning("the directory of subscribers cannot be read: %s", error)
            return {}
        by_number = {comparable(subscriber.number): subscriber for subscriber in found}
        return {number: by_number[key] for number in numbers if (key := comparable(number)) in by_number}

    async def check(self) -> None:
        """Reads a little.

        Raises:
            DirectoryUnreadable: with a sentence that says what is wrong.
        """
        await self._source.check()

    async def close(self) -> None:
        """Closes what is open."""
        await self._source.close()


def open_directory(url_or_path: str) -> Directory:
    """The directory in the table `subscribers` of a database, or in a CSV, whose path ends in `.csv`.

    Nothing is opened before it is needed.
    """
    if url_or_path.endswith(".csv"):
        return Directory(CsvSource(Path(url_or_path)))
    return Directory(TableSource(open_foreign_database(url_or_path)))


class TableSource:
    """A table `subscribers` with the columns number, name and address, which may be NULL; number has an index."""

    def __init__(self, database: ForeignDatabase) -> None:
        self._database = database

    async def read(self, numbers: Collection[str]) -> list[Subscriber]:
        """As the protocol says."""
        wanted = json.dumps(sorted(numbers)) if self._database.dialect == "sqlite" else sorted(numbers)
        try:
            # For a free connection, too: while the table is locked nobody gives one back.
            async with asyncio.timeout(READ_WITHIN_S):
                rows = await self._database.rows(_FIND[self._database.dialect], wanted)
        except ForeignDatabaseUnreadable as error:
            raise DirectoryUnreadable(str(error)) from error
        except TimeoutError as error:
            raise DirectoryUnreadable("it does not answer in time") from error
        return [Subscriber(*(str(value or "") for value in row)) for row in rows]

    async def check(self) -> None:
        """As the protocol says."""
        await self.read(["0"])

    async def close(self) -> None:
        """As the protocol says."""
        await self._database.close()


class CsvSource:
    """A CSV (UTF-8) whose first line names its columns: number, name and address are among them.

    It is read as a whole, and again when it was changed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reading = asyncio.Lock()
        self._version: tuple[int, int, int] | None = None
        self._subscribers: Mapping[str, Subscriber] = {}

    async def read(self, numbers: Collection[str]) -> list[Subscriber]:
        """As the protocol says."""
        async with self._reading:
            try:
                await self._look()
            except OSError as error:
                raise DirectoryUnreadable(error.strerror or "the CSV cannot be read") from error
            return [self._subscribers[number] for number in numbers if number in self._subscribers]

    async def check(self) -> None:
        """As the protocol says."""
        await self.read([])

    async def close(self) -> None:
        """As the protocol says: nothing stays open."""

    async def _look(self) -> None:
        status = await asyncio.to_thread(os.stat, self._path)
        version = (status.st_ino, status.st_size, status.st_mtime_ns)
        if version != self._version:
            self._subscribers = await asyncio.to_thread(_read_csv, self._path)
            self._version = version


def _read_csv(path: Path) -> dict[str, Subscriber]:
    """The subscribers by their number, as it is written.

    Raises:
        OSError: it cannot be read.
        DirectoryUnreadable: its first line does not name the columns, or it is no CSV of UTF-8.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, strict=True)
            if not set(_COLUMNS) <= set(rows.fieldnames or ()):
                raise DirectoryUnreadable("the first line of the CSV does not name number, name and address")
            subscribers = [Subscriber(*(row[column] or "" for column in _COLUMNS)) for row in rows]
    except (csv.Error, UnicodeDecodeError) as error:
        raise DirectoryUnreadable("the file is no CSV in UTF-8") from error
    return {subscriber.number: subscriber for subscriber in subscribers}


def _forms(number: str) -> set[str]:
    """The ways in which the directory may write a number."""
    whole = comparable(number)
    return {number, whole, whole.removeprefix("+"), whole.removeprefix("+1")}
