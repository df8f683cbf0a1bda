"""How many adapters one gateway and one trace service carry, and how long a trace takes then: writes docs/load.md.

    python -m bench.link_load [--adapters N] [--quick] [--out PAGE]

Each adapter is the firmware's own link in MicroPython (tests/firmware/programs/many_adapters.py), half of them behind
pseudo terminals that a real `star57 gateway` serves, half on the network; the real `star57 service` answers all. It
takes two and a half minutes; --quick has a tenth of the adapters and takes half a minute.
"""

from __future__ import annotations

import argparse
import os
import resource
import sqlite3
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy.engine import Connection

from bench.load_processes import Fleet, LoadFailed, Star57, serial_ports
from bench.load_table import Kept, Load, Use, counted, page
from bench.micropython import ROOT
from host_tools.exchange.call_records import CallRecords
from host_tools.service.adapters import Adapters
from host_tools.service.sealing import new_key_pair
from host_tools.service.signing import new_key
from host_tools.service.store import run_once

PAGE = ROOT / "docs" / "load.md"

# For MicroPython to start.
_LEAD_S = 2.0
_CALLER = "5555550123"
_LINES = "5555550100"
_CALLED_BEFORE_S = 30


@dataclass(frozen=True)
class Plan:
    """A load.

    Attributes:
        adapters: in all, half of them on a serial port.
        per_process: how many share one MicroPython.
        period_s: between two heartbeats of an adapter; the burst begins after one period, and it ends after two.
        burst_s: how long the moments of their traces lie apart at most.
        seed: of all moments.
    """

    adapters: int = 1000
    per_process: int = 100
    period_s: float = 60.0
    burst_s: float = 10.0
    seed: int = 57


QUICK = Plan(adapters=100, per_process=50, period_s=10.0)

_FIRST_SEQUENCE = 256


def run(plan: Plan, folder: Path) -> Load:
    """Puts the load on a gateway and a service of its own.

    Args:
        plan: what load.
        folder: for all files.

    Raises:
        LoadFailed: a process did not do its part, or this machine does not allow it.
        host_tools.rig.micropython.InterpreterMissing: no MicroPython is here.
    """
    _allow_files(4 * plan.adapters + 200)
    adapters = _adapters(plan, folder)
    serial = adapters[: plan.adapters // 2]
    with ExitStack() as stack:
        service = stack.enter_context(Star57("service", [], _service(folder), folder / "service.log"))
        url = service.wait_for(r"http://127\.0\.0\.1:\d+")
        ports = stack.enter_context(serial_ports(folder, len(serial)))
        for own, port in zip(serial, ports, strict=True):
            own["serial"] = port.own
        options = ["--port", f"{folder}/line-*", "--service", url]
        gateway = stack.enter_context(Star57("gateway", options, {}, folder / "gateway.log"))
        gateway.wait_for("connected=yes", len(serial))
        burst_at = time.time() + _LEAD_S + plan.period_s
        began_s = gateway.cpu_s(), service.cpu_s(), _ended_cpu_s()
        plans = _plans(plan, adapters, int(url.rpartition(":")[2]), burst_at)
        fleets = [
            stack.enter_context(Fleet(one, folder / f"fleet-{number}")) for number, one in enumerate(plans)
        ]
        time.sleep(max(0.0, burst_at - time.time()))
        beaten_s = gateway.cpu_s(), service.cpu_s()
        facts = [fact for fleet in fleets for fact in fleet.facts()]
        return Load(
            seed=plan.seed,
            cores=os.cpu_count() or 1,
            processes=len(fleets),
            period_s=plan.period_s,
            burst_s=plan.burst_s,
            facts=facts,
            counts=counted(facts, _kept(folder / "traces.sqlite")),
            gateway=_use(gateway, began_s[0], beaten_s[0]),
            service=_use(service, began_s[1], beaten_s[1]),
            adapters_cpu_s=_ended_cpu_s() - began_s[2],
        )


def _plans(
    plan: Plan, adapters: Sequence[dict[str, Any]], service_port: int, burst_at: float
) -> list[dict[str, Any]]:
    """What each process of adapters is told."""
    return [
        {
            "seed": plan.seed + first,
            "service_port": service_port,
            "period_ms": round(1000 * plan.period_s),
            "burst_at": burst_at,
            "burst_ms": round(1000 * plan.burst_s),
            "ends_at": burst_at + plan.period_s,
            "adapters": adapters[first : first + plan.per_process],
        }
        for first in range(0, plan.adapters, plan.per_process)
    ]


def _use(process: Star57, began_s: float, beaten_s: float) -> Use:
    return Use(beaten_s - began_s, process.cpu_s() - beaten_s, process.peak_bytes())


def _ended_cpu_s() -> float:
    """Processor time of all processes of this one that have ended."""
    times = os.times()
    return times.children_user + times.children_system


def _adapters(plan: Plan, folder: Path) -> list[dict[str, Any]]:
    """Adapters that the service knows, each with a line of its own, and a call there that the exchange has recorded."""
    called_at = int(time.time() + plan.period_s) - _CALLED_BEFORE_S
    adapters = [
        {
            "adapter_id": f"load-{number:04}",
            "key": new_key().hex(),
            "line": f"{_LINES}{number:04}",
            "caller": _CALLER,
            "called_at": called_at,
            "serial": None,
        }
        for number in range(plan.adapters)
    ]

    def adding(connection: Connection) -> None:
        for own in adapters:
            Adapters(connection).add(str(own["adapter_id"]), bytes.fromhex(str(own["key"])))

    run_once(f"sqlite:///{folder / 'traces.sqlite'}", adding)
    _record_calls(CallRecords(folder / "cdr.sqlite").path, adapters)
    return adapters


def _record_calls(path: Path, adapters: Sequence[dict[str, Any]]) -> None:
    """All in one transaction: the exchange's own way, one each, would wait for the disk each time."""
    calls = [
        (
            datetime.fromtimestamp(own["called_at"], UTC).strftime("%Y-%m-%d %H:%M:%S"),
            own["caller"],
            own["line"],
            f"{own['called_at']}.{number}",
        )
        for number, own in enumerate(adapters)
    ]
    with closing(sqlite3.connect(path)) as database, database:
        database.executemany(
            "INSERT INTO cdr (calldate, clid, src, dst, dcontext, channel, dstchannel, lastapp, lastdata, duration, "
            "billsec, disposition, amaflags, accountcode, uniqueid, userfield) "
            "VALUES (?, '', ?, ?, '', '', '', '', '', 20, 0, 'NO ANSWER', 3, '', ?, '')",
            calls,
        )


def _service(folder: Path) -> dict[str, str]:
    _, public_key = new_key_pair()
    return {
        "STAR57_PORT": "0",
        "STAR57_DATABASE": f"sqlite:///{folder / 'traces.sqlite'}",
        "STAR57_CALL_RECORDS": f"sqlite:///{folder / 'cdr.sqlite'}",
        "STAR57_CENTRE_PUBLIC_KEY": public_key,
    }


def _kept(database: Path) -> Kept:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        traces = [dict(row) for row in connection.execute("SELECT * FROM traces")]
        adapters = connection.execute(
            "SELECT adapter_id, newest_sequence, heartbeat FROM adapters WHERE newest_sequence IS NOT NULL"
        ).fetchall()
    return Kept(
        traces=traces,
        # Their numbers begin a block behind 0, which is what their flash has (firmware/star57/link/sequence.py).
        asked={adapter_id: newest + 1 - _FIRST_SEQUENCE for adapter_id, newest, _ in adapters},
        beats=frozenset(adapter_id for adapter_id, _, heartbeat in adapters if heartbeat is not None),
    )


def _allow_files(count: int) -> None:
    """Lets this process and those that it starts open so many files.

    Raises:
        LoadFailed: this machine allows fewer.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= count:
        return
    if hard != resource.RLIM_INFINITY and hard < count:
        raise LoadFailed(f"{count} open files are needed, and this machine allows {hard}: raise ulimit -Hn")
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))


def write(out: Path, plan: Plan) -> Load:
    """Puts the load on, and writes its page."""
    with tempfile.TemporaryDirectory() as folder:
        load = run(plan, Path(folder))
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(page(load))
    return load


def main() -> int:
    """Writes the page; answers 1 when not all was accepted once, and answered."""
    parser = argparse.ArgumentParser(description="Many adapters on one gateway and one trace service.")
    parser.add_argument("--adapters", type=int, metavar="N")
    parser.add_argument("--quick", action="store_true", help="fewer adapters, heartbeats every 10 s")
    parser.add_argument("--out", type=Path, metavar="PAGE")
    options = parser.parse_args()
    plan = QUICK if options.quick else Plan()
    plan = replace(plan, adapters=options.adapters or plan.adapters)
    out = options.out or (PAGE if plan == Plan() else ROOT / "build" / "bench" / "load.md")
    load = write(out, plan)
    print(f"{out.read_text()}\nbench: {out}")
    return 0 if load.counts.holds else 1


if __name__ == "__main__":
    sys.exit(main())
