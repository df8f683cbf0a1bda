"""How many traces a second the trace service accepts durably, on this machine: writes docs/trace_rate.md.

    python -m bench.trace_rate [--quick] [--only TEXT] [--out PAGE]

Each trace is a signed request of an adapter for a call of its own, which is looked for in the exchange's call records,
found, decided, sealed, counted, charged and written to the audit log, and committed before it is answered. Asker,
service and database share the machine. Two minutes; --quick asks a tenth.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import func, make_url, select, text
from sqlalchemy.engine import Connection

from bench.load_processes import LoadFailed, Star57
from bench.micropython import ROOT
from host_tools.service import signing
from host_tools.service.adapters import Adapters
from host_tools.service.sealing import new_key_pair
from host_tools.service.store import run_once
from host_tools.service.tables import AUDIT, CHARGES, TRACES
from host_tools.stories.trace_service import free_port
from tests.host.postgresql import PostgreSQL, binaries

PAGE = ROOT / "docs" / "trace_rate.md"
_CALLER = "5555550123"
_APART_S = 60


@dataclass(frozen=True)
class Plan:
    """A load.

    Attributes:
        connections: that are kept, an adapter each; as many requests are under way at any time.
        traces: by each, of which a tenth is not measured.
    """

    connections: int = 64
    traces: int = 400


QUICK = Plan(connections=64, traces=40)


@dataclass(frozen=True)
class Setup:
    """What is measured: a database, and how many processes of the service share it."""

    name: str
    is_postgresql: bool
    replicas: int


SETUPS = (
    Setup("SQLite", is_postgresql=False, replicas=1),
    Setup("PostgreSQL, one process", is_postgresql=True, replicas=1),
    Setup("PostgreSQL, two replicas", is_postgresql=True, replicas=2),
)


@dataclass(frozen=True)
class Rate:
    """What came of it: traces a second, answer times, and the most memory of each process of the service."""

    setup: Setup
    per_second: float
    median_ms: float
    percentile_99_ms: float
    maximum_ms: float
    peak_bytes: Sequence[int]
    cpu_ms: float
    stored: int


def measure(setup: Setup, plan: Plan, folder: Path) -> Rate:
    """Puts the load on a service of its own.

    Raises:
        LoadFailed: a process did not do its part, or what was answered is not what is stored.
    """
    keys = [
        (f"load-{number:03}", signing.new_key(), f"5555550{number:03}") for number in range(plan.connections)
    ]
    first = int(time.time()) - plan.traces * _APART_S - 600
    with ExitStack() as stack:
        url, records = _databases(stack, setup, folder)
        port = free_port()
        _write_calls(records, [line for _, _, line in keys], plan, first)
        run_once(url, lambda connection: _add(connection, keys))
        services = [
            stack.enter_context(
                Star57(
                    "service", ["--shares-port"], _settings(url, records, folder, port), folder / f"{n}.log"
                )
            )
            for n in range(setup.replicas)
        ]
        for service in services:
            service.wait_for(r"listening on (http://\S+)")
        tokens = [[_token(*own, number, first) for number in range(plan.traces)] for own in keys]
        before = [service.cpu_s() for service in services]
        loaded = _load(tokens, plan, folder, port)
        took = np.array(loaded["took_ms"])
        cpu_s = sum(service.cpu_s() for service in services) - sum(before)
        peaks = [service.peak_bytes() for service in services]
        stored = run_once(url, lambda connection: _check(connection, keys, loaded["signed"]))
    return Rate(
        setup,
        loaded["answers"] / (loaded["ended_s"] - loaded["began_s"]),
        float(np.median(took)),
        float(np.percentile(took, 99)),
        float(took.max()),
        peaks,
        1000 * cpu_s / stored,
        stored,
    )


def _databases(stack: ExitStack, setup: Setup, folder: Path) -> tuple[str, str]:
    if not setup.is_postgresql:
        return f"sqlite:///{folder / 'star57.sqlite'}", f"sqlite:///{folder / 'cdr.sqlite'}"
    # Tables that are new have no statistics for the first minute, and are read as if they were empty.
    server = stack.enter_context(PostgreSQL(options=("-c", "autovacuum_naptime=1s")))
    return server.url(server.create_database()), server.url(server.create_database())


def _settings(url: str, records: str, folder: Path, port: int) -> dict[str, str]:
    return {
        "STAR57_PORT": str(port),
        "STAR57_DATABASE": url,
        "STAR57_CALL_RECORDS": records,
        "STAR57_CENTRE_PUBLIC_KEY": new_key_pair()[1],
        "STAR57_SECRET": str(folder / "secret"),
        "STAR57_ORIGIN_KEYS": str(folder / "origins"),
    }


def _write_calls(records: str, lines: Sequence[str], plan: Plan, first: int) -> None:
    """Asterisk's table with a call for each trace, and the indices that docs/call_records.md tells of."""
    rows = [
        (datetime.fromtimestamp(first + number * _APART_S, UTC), _caller(number), line, f"{line}.{number}")
        for line in lines
        for number in range(plan.traces)
    ]
    if make_url(records).get_backend_name() == "sqlite":
        with closing(sqlite3.connect(make_url(records).database or "")) as connection, connection:
            connection.execute(_TABLE.format("TEXT"))
            texts = [(f"{at:%Y-%m-%d %H:%M:%S}", *others) for at, *others in rows]
            connection.executemany(_CALL.format("?1", "?2", "?3", "?4", "?4"), texts)
            for index in _INDICES:
                connection.execute(index)
        return

    def write(connection: Connection) -> None:
        connection.exec_driver_sql(_TABLE.format("TIMESTAMP"))
        named = [dict(zip("abcd", (at.replace(tzinfo=None), *others), strict=True)) for at, *others in rows]
        connection.execute(text(_CALL.format(":a", ":b", ":c", ":d", ":d")), named)
        for statement in (*_INDICES, "ANALYZE cdr"):
            connection.exec_driver_sql(statement)

    run_once(records, write, prepares=False)


_TABLE = "CREATE TABLE cdr (calldate {}, src TEXT, dst TEXT, uniqueid TEXT, linkedid TEXT, disposition TEXT)"
_CALL = "INSERT INTO cdr VALUES ({}, {}, {}, {}, {}, 'ANSWERED')"
_INDICES = (
    "CREATE INDEX cdr_of_line ON cdr (dst, calldate)",
    "CREATE INDEX cdr_of_call ON cdr (linkedid)",
)


def _add(connection: Connection, keys: Sequence[tuple[str, bytes, str]]) -> None:
    for adapter_id, key, _ in keys:
        Adapters(connection).add(adapter_id, key)


def _caller(number: int) -> str:
    """Of ten calls of a line three are of one caller, which opens a case; every other has a caller of its own."""
    return f"{_CALLER}{number // 10 * 10 if number % 10 < 3 else number:05}"


def _token(adapter_id: str, key: bytes, line: str, number: int, first: int) -> str:
    called_at = first + number * _APART_S
    caller = {"number": _caller(number), "name": None, "reason": None, "date_time": None}
    request = {
        "message": "trace_request",
        "version": 1,
        "request_id": f"{line}{number:022}",
        "adapter_id": adapter_id,
        "line": line,
        "requested_at": called_at + 30,
        "time_source": "network",
        "call": {
            "call_id": f"{number:016}",
            "at": called_at,
            "rings": 2,
            "answered": True,
            "call_waiting": False,
            "caller_id": caller,
        },
    }
    return signing.sign(json.dumps(request).encode(), key, adapter_id, number, "ask").decode()


def _load(tokens: list[list[str]], plan: Plan, folder: Path, port: int) -> dict[str, Any]:
    given = {
        "host": "127.0.0.1",
        "port": port,
        "connections": tokens,
        "warm_up": plan.connections * plan.traces // 10,
    }
    (folder / "plan.json").write_text(json.dumps(given))
    command = [
        sys.executable,
        "-m",
        "bench.trace_load",
        str(folder / "plan.json"),
        str(folder / "loaded.json"),
    ]
    subprocess.run(command, check=True, cwd=ROOT)
    loaded: dict[str, Any] = json.loads((folder / "loaded.json").read_text())
    return loaded


def _check(connection: Connection, keys: Sequence[tuple[str, bytes, str]], signed: Sequence[str]) -> int:
    """Every answer is signed, and is what is stored; each trace has its charge and its row of the audit log."""
    key_of = {adapter_id: key for adapter_id, key, _ in keys}
    answers = {}
    for token in signed:
        read = signing.read(token.encode(), "answer")
        answer = json.loads(signing.verify(token.encode(), key_of[read.adapter_id], "answer"))
        answers[answer["request_id"]] = answer["outcome"], answer["trace_id"], answer["charge_cents"]
    columns = TRACES.c.request_id, TRACES.c.outcome, TRACES.c.trace_id, TRACES.c.charge_cents
    stored = {row[0]: tuple(row[1:]) for row in connection.execute(select(*columns))}
    counts = [connection.scalar(select(func.count()).select_from(table)) for table in (CHARGES, AUDIT)]
    if answers != stored or counts[0] != len(stored) or counts[1] is None or counts[1] < len(stored):
        raise LoadFailed(f"{len(answers)} answers, {len(stored)} traces, {counts} charges and audit rows")
    if any(outcome != "traced" for outcome, _, _ in stored.values()):
        raise LoadFailed("not every call was traced")
    return len(stored)


def page(rates: Sequence[Rate], plan: Plan) -> str:
    """The page, in Markdown."""
    rows = [
        f"| {rate.setup.name} | **{rate.per_second:,.0f}** | {rate.median_ms:.0f} ms "
        f"| {rate.percentile_99_ms:.0f} ms | {rate.maximum_ms:.0f} ms "
        f"| {' + '.join(f'{peak / 1e6:.0f}' for peak in rate.peak_bytes)} MB "
        f"| {rate.cpu_ms:.2f} ms | {rate.stored:,} |"
        for rate in rates
    ]
    return _PAGE.format(
        cores=os.cpu_count(), connections=plan.connections, rows="\n".join(rows), traces=plan.traces
    )


_PAGE = """# Traces a second

Written by `python -m bench.trace_rate`. {connections} adapters, each on a connection of its own, ask for {traces}
traces each, the next as soon as the last is answered; a tenth of them is not measured. Each trace is of a call of its
own, which the service looks for in the exchange's call records (Asterisk's table, in such a database too), is sealed,
counted, charged and written to the audit log, and committed (SQLite `synchronous = FULL`; PostgreSQL `fsync` and
`synchronous_commit`, with `autovacuum_naptime` of 1 s, so that new tables have statistics) before the answer. Asker,
service and database share {cores} cores. At the end every answer's signature is verified, and held against what is
stored: each is there, with its charge and its row of the audit log.

| | traces a second | median | 99th percentile | maximum | memory, at most | processor, a trace | traces |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
{rows}

Three calls of ten are of one caller: the third opens a case. Memory and processor are those of the service's processes.
"""


def write(path: Path, plan: Plan, only: str = "") -> None:
    """Measures, and writes the page to `path`."""
    rates = []
    for setup in SETUPS:
        if only not in setup.name or (setup.is_postgresql and binaries() is None):
            continue
        with tempfile.TemporaryDirectory() as folder:
            rates.append(measure(setup, plan, Path(folder)))
        sys.stdout.write(f"{rates[-1]}\n")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page(rates, plan))


def main() -> None:
    """As the module's docstring says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a tenth of the traces")
    parser.add_argument("--only", default="", metavar="TEXT", help="setups with this in their name")
    parser.add_argument("--out", type=Path, metavar="PAGE")
    options = parser.parse_args()
    is_whole = not (options.quick or options.only)
    where = options.out or (PAGE if is_whole else ROOT / "build" / "bench" / PAGE.name)
    write(where, QUICK if options.quick else Plan(), options.only)


if __name__ == "__main__":
    main()
