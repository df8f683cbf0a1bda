"""The service's database: traces, one row an accepted request, and adapters, one row each with its key.

Who called is in the sealed column of its trace, and nowhere else.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    Engine,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    RowMapping,
    String,
    Table,
    Text,
    bindparam,
    delete,
    event,
    func,
    insert,
    make_url,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError

from host_tools.service.messages import Outcome, RefusalReason, Refused
from host_tools.service.sqlite import sqlite_engine

_LAST_TRACE_ID = "T-99999999"
_BUSY_TIMEOUT_S = 2
_TRIES_EACH_S = 0.002
_PATIENT = f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_S * 1000}"


class TraceIdsExhausted(Exception):
    """The last public number of a trace, T-99999999, is given."""


class AdapterExists(Exception):
    """There is an adapter of this id."""


@dataclass(frozen=True)
class Trace:
    """One accepted request and what was decided.

    Attributes:
        requested_at: Unix seconds, the adapter's clock.
        received_at: Unix seconds, the service's clock.
        reason: why not traceable: a `rules.Reason`.
        trace_id: the trace's public number; of an already traced call, that of its trace.
        sealed: `sealing.WhoCalled`, sealed to the centre's public key.
    """

    request_id: str
    line: str
    call_id: str
    adapter_id: str
    requested_at: int
    received_at: int
    outcome: str
    reason: str | None
    trace_id: str | None
    charge_cents: int
    sealed: bytes


@dataclass(frozen=True)
class Adapter:
    """One adapter that is known; its key is not here, so that nothing shows it by accident.

    Attributes:
        newest_sequence: the greatest sequence number that was taken; None before the first.
        heartbeat: the last one, a `messages.Heartbeat` in JSON.
        heard_at: Unix seconds of the last heartbeat, the service's clock.
        settings_revision: of the settings that were pushed last; 0 before the first.
        settings_values: those settings, a JSON object.
        prompt_name, prompt_sha256: the prompt that was pushed last.
        prompt_file: its bytes, for as long as it is offered.
        prompt_offset: where the part begins that was offered last; None before the first.
        prompt_failures: how often the adapter had it whole, and its hash was wrong.
        log_wanted: lines of the log are to be sent.
        log_lines: the newest that were sent, a JSON list of [number, line].
    """

    adapter_id: str
    newest_sequence: int | None = None
    heartbeat: str | None = None
    heard_at: int | None = None
    settings_revision: int = 0
    settings_values: str = "{}"
    prompt_name: str | None = None
    prompt_sha256: str | None = None
    prompt_file: bytes | None = None
    prompt_offset: int | None = None
    prompt_failures: int = 0
    log_wanted: bool = False
    log_lines: str = "[]"


_TABLES = MetaData()

_TRACES = Table(
    "traces",
    _TABLES,
    # Of an adapter: whoever has read a request must not take its place by sending its identity first.
    Column("request_id", String(32), primary_key=True),
    Column("line", String(15), nullable=False),
    Column("call_id", String(16), nullable=False),
    Column("adapter_id", String(32), primary_key=True),
    Column("requested_at", Integer, nullable=False),
    Column("received_at", Integer, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("reason", String(32)),
    Column("trace_id", String(10)),
    Column("charge_cents", Integer, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)

_ADAPTERS = Table(
    "adapters",
    _TABLES,
    Column("adapter_id", String(32), primary_key=True),
    Column("key", LargeBinary(32), nullable=False),
    Column("newest_sequence", Integer),
    Column("heartbeat", Text),
    Column("heard_at", Integer),
    Column("settings_revision", Integer, nullable=False),
    Column("settings_values", Text, nullable=False),
    Column("prompt_name", String(32)),
    Column("prompt_sha256", String(64)),
    Column("prompt_file", LargeBinary),
    Column("prompt_offset", Integer),
    Column("prompt_failures", Integer, nullable=False),
    Column("log_wanted", Integer, nullable=False),
    Column("log_lines", Text, nullable=False),
)

# As a text, not as a parameter: only so does SQLite see that the indices below answer a query.
_TRACED = text(f"outcome = '{Outcome.TRACED.value}'")
Index("one_trace_per_call", _TRACES.c.line, _TRACES.c.call_id, unique=True, sqlite_where=_TRACED)
Index("one_trace_per_trace_id", _TRACES.c.trace_id, unique=True, sqlite_where=_TRACED)

_SHOWN = [_ADAPTERS.c[field.name] for field in fields(Adapter)]
_ADAPTER = select(*_SHOWN).where(_ADAPTERS.c.adapter_id == bindparam("of"))
_KEY = select(_ADAPTERS.c.key).where(_ADAPTERS.c.adapter_id == bindparam("of"))
_NEWEST = select(_ADAPTERS.c.newest_sequence).where(
    _ADAPTERS.c.adapter_id == bindparam("of"), _ADAPTERS.c.key == bindparam("with_key")
)
_TAKE = (
    update(_ADAPTERS)
    .where(
        _ADAPTERS.c.adapter_id == bindparam("of"),
        _ADAPTERS.c.key == bindparam("with_key"),
        or_(_ADAPTERS.c.newest_sequence.is_(None), _ADAPTERS.c.newest_sequence < bindparam("sequence")),
    )
    .values(newest_sequence=bindparam("sequence"))
)
_ADD_TRACE = insert(_TRACES)
_TRACE = select(_TRACES).where(
    _TRACES.c.request_id == bindparam("request_id"), _TRACES.c.adapter_id == bindparam("of")
)
_TRACE_OF_CALL = select(_TRACES.c.trace_id).where(
    _TRACES.c.line == bindparam("on_line"), _TRACES.c.call_id == bindparam("of"), _TRACED
)
_LAST = select(func.max(_TRACES.c.trace_id)).where(_TRACED)


class Ledger:
    """One transaction: what it reads stays true until it ends."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, adapter_id: str, request_id: str) -> Trace | None:
        """The row of this request of this adapter, when it was accepted before."""
        row = (
            self._connection.execute(_TRACE, {"of": adapter_id, "request_id": request_id}).mappings().first()
        )
        return Trace(**row) if row else None

    def trace_id_of_call(self, line: str, call_id: str) -> str | None:
        """The public number of this call's trace, when it was traced before."""
        return self._connection.scalar(_TRACE_OF_CALL, {"on_line": line, "of": call_id})

    def next_trace_id(self) -> str:
        """The public number after the last: T-00000001, T-00000002 and so on.

        Raises:
            TraceIdsExhausted: all are given.
        """
        last = self._connection.scalar(_LAST)
        if last == _LAST_TRACE_ID:
            raise TraceIdsExhausted(_LAST_TRACE_ID)
        return f"T-{int(last[2:]) + 1:08}" if last else "T-00000001"

    def add_trace(self, trace: Trace) -> None:
        """Stores the row."""
        self._connection.execute(_ADD_TRACE, vars(trace))

    def key(self, adapter_id: str) -> bytes | None:
        """The key of this adapter, 32 bytes, when it is known."""
        return self._connection.scalar(_KEY, {"of": adapter_id})

    def take(self, adapter_id: str, key: bytes, sequence: int) -> None:
        """Takes the ask of this number, which was signed with `key`, and every greater one after it.

        Raises:
            Refused: `old_sequence`; `unknown_adapter` when it has this key no more.
        """
        which = {"of": adapter_id, "with_key": key}
        if self._connection.execute(_TAKE, {**which, "sequence": sequence}).rowcount:
            return
        row = self._connection.execute(_NEWEST, which).first()
        if row is None:
            raise Refused(RefusalReason.UNKNOWN_ADAPTER)
        raise Refused(RefusalReason.OLD_SEQUENCE, row.newest_sequence)

    def adapter(self, adapter_id: str) -> Adapter | None:
        """This adapter, when it is known."""
        row = self._connection.execute(_ADAPTER, {"of": adapter_id}).mappings().first()
        return _adapter(row) if row else None

    def adapters(self) -> list[Adapter]:
        """Every adapter that is known, by its id."""
        rows = self._connection.execute(select(*_SHOWN).order_by(_ADAPTERS.c.adapter_id)).mappings()
        return [_adapter(row) for row in rows]

    def add_adapter(self, adapter_id: str, key: bytes) -> None:
        """Makes an adapter known by its key of 32 bytes.

        Raises:
            AdapterExists: it is known by another.
        """
        if self.adapter(adapter_id):
            raise AdapterExists(adapter_id)
        self._connection.execute(insert(_ADAPTERS), {**asdict(Adapter(adapter_id)), "key": key})

    def change_adapter(self, adapter_id: str, **changed: Any) -> None:
        """Sets fields of an `Adapter`, by their names."""
        self._connection.execute(
            update(_ADAPTERS).where(_ADAPTERS.c.adapter_id == bindparam("of")).values(**changed),
            {"of": adapter_id},
        )

    def remove_adapter(self, adapter_id: str) -> bool:
        """Forgets an adapter and its key; its traces stay. Answers whether it was known."""
        removed = self._connection.execute(delete(_ADAPTERS).where(_ADAPTERS.c.adapter_id == adapter_id))
        return removed.rowcount > 0


class Records:
    """The database, for threads. Every method raises SQLAlchemyError when the database cannot do it now."""

    def __init__(self, url: str) -> None:
        self._engine = _durable_engine(url)
        self._file = Path(make_url(url).database or "")

    def prepare(self) -> None:
        """Makes the file, for its owner alone, and the tables that are not there yet."""
        _keep_private(self._file)
        with self._engine.execution_options(writes=True).begin() as connection:
            _TABLES.create_all(connection)

    def check(self) -> None:
        """Reads the table of traces, to see that it can be read."""
        with self._engine.connect() as connection:
            connection.execute(select(_TRACES.c.request_id).limit(1))

    @contextmanager
    def reading(self) -> Iterator[Ledger]:
        """A transaction that reads."""
        with self._engine.connect() as connection:
            yield Ledger(connection)

    @contextmanager
    def writing(self) -> Iterator[Ledger]:
        """A transaction, alone in writing; at its end it is on the disk, or after an exception undone."""
        with self.transaction() as connection:
            yield Ledger(connection)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """As `writing`, for who sets savepoints in it."""
        with self._engine.execution_options(writes=True).begin() as connection:
            yield connection

    def close(self) -> None:
        """Closes every connection."""
        self._engine.dispose()


def _adapter(row: RowMapping) -> Adapter:
    return Adapter(**{**row, "log_wanted": bool(row["log_wanted"])})


def _keep_private(file: Path) -> None:
    # It holds keys. SQLite gives the files beside it the rights that this one has when it makes them.
    with suppress(OSError):  # SQLite tells what hinders
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
        for suffix in ("", "-wal", "-shm"):
            beside = file.with_name(file.name + suffix)
            if beside.exists():
                beside.chmod(stat.S_IMODE(beside.stat().st_mode) & ~stat.S_IRWXO)


def _durable_engine(url: str) -> Engine:
    engine = sqlite_engine(url)

    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None  # sqlite3 must not begin transactions of its own
        cursor = connection.cursor()
        cursor.execute(_PATIENT)
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get("writes"):
            _begin_alone(connection)
        else:
            connection.exec_driver_sql("BEGIN")

    return engine


def _begin_alone(connection: Connection) -> None:
    # SQLite's own waiting gets slower and slower, so that a busy process starves one beside it.
    end_s = time.monotonic() + _BUSY_TIMEOUT_S
    connection.exec_driver_sql("PRAGMA busy_timeout = 0")
    try:
        while not _is_begun(connection, is_last=time.monotonic() >= end_s):
            time.sleep(_TRIES_EACH_S)
    finally:
        connection.exec_driver_sql(_PATIENT)


def _is_begun(connection: Connection, *, is_last: bool) -> bool:
    try:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    except OperationalError as error:
        is_busy = isinstance(error.orig, sqlite3.OperationalError) and (
            error.orig.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
        )
        if is_last or not is_busy:
            raise
        return False
    return True
