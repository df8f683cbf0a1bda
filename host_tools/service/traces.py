"""The traces, one row an accepted request. Who called is in the sealed column, and nowhere else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, fields

from sqlalchemy import RowMapping, bindparam, func, insert, select, tuple_, update
from sqlalchemy.engine import Connection

from host_tools.service.tables import COUNTERS, TRACED, TRACES

_LAST_TRACE_NUMBER = 99_999_999


class TraceIdsExhausted(Exception):
    """The last public number of a trace, T-99999999, is given."""


@dataclass(frozen=True)
class Trace:
    """One accepted request and what was decided.

    Attributes:
        called_at: Unix seconds of the call; None when nobody knows.
        requested_at: Unix seconds, the adapter's clock.
        received_at: Unix seconds, the service's clock.
        reason: why not traceable or not offered: a `rules.Reason`.
        trace_id: the trace's public number; of an already traced call, that of its trace.
        is_actionable: it was answered that action is possible.
        origin_tag, origin_key: keyed hash of line and origin, and which key; of traces only.
        sealed, sealed_to: `sealing.WhoCalled`, sealed, and the fingerprint of the public key.
    """

    request_id: str
    adapter_id: str
    line: str
    call_id: str
    called_at: int | None
    requested_at: int
    received_at: int
    outcome: str
    reason: str | None
    trace_id: str | None
    charge_cents: int
    is_actionable: bool
    origin_tag: str | None
    origin_key: str | None
    sealed: bytes | None
    sealed_to: str | None


_SHOWN = [TRACES.c[field.name] for field in fields(Trace)]
_IDENTITY = tuple_(TRACES.c.adapter_id, TRACES.c.request_id)
_ACCEPTED = select(*_SHOWN).where(_IDENTITY.in_(bindparam("of", expanding=True)))
_OF_CALLS = select(TRACES.c.line, TRACES.c.call_id, TRACES.c.trace_id).where(
    tuple_(TRACES.c.line, TRACES.c.call_id).in_(bindparam("of", expanding=True)), TRACED
)
_OF_ORIGINS = (
    select(TRACES.c.line, TRACES.c.origin_tag, TRACES.c.trace_id, TRACES.c.called_at)
    .where(
        TRACES.c.line.in_(bindparam("of_lines", expanding=True)),
        TRACES.c.origin_tag.in_(bindparam("of_tags", expanding=True)),
        TRACED,
    )
    .order_by(TRACES.c.trace_id)
)
_COUNT_ON = (
    update(COUNTERS)
    .where(COUNTERS.c.name == "trace", COUNTERS.c.value <= _LAST_TRACE_NUMBER - bindparam("more"))
    .values(value=COUNTERS.c.value + bindparam("more"))
    .returning(COUNTERS.c.value)
)


class Traces:
    """The traces, within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def accepted(self, identities: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Trace]:
        """The rows of these (adapter id, request id) that were accepted before."""
        rows = self._connection.execute(_ACCEPTED, {"of": list(identities)}).mappings()
        return {(row["adapter_id"], row["request_id"]): _trace(row) for row in rows}

    def of_calls(self, calls: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """The trace ids of these calls, (line, call id), that were traced before."""
        rows = self._connection.execute(_OF_CALLS, {"of": list(calls)})
        return {(row.line, row.call_id): row.trace_id for row in rows}

    def of_origins(
        self, lines: Iterable[str], tags: Iterable[str]
    ) -> dict[tuple[str, str], list[tuple[str, int | None]]]:
        """The id and `called_at` of traces by (line, origin tag), the oldest first, of these lines and tags."""
        found: defaultdict[tuple[str, str], list[tuple[str, int | None]]] = defaultdict(list)
        for row in self._connection.execute(_OF_ORIGINS, {"of_lines": list(lines), "of_tags": list(tags)}):
            found[row.line, row.origin_tag].append((row.trace_id, row.called_at))
        return found

    def of_line(self, line: str, most: int = 1000) -> list[Trace]:
        """The traces of a line, whatever became of them, the newest first."""
        called_at = func.coalesce(TRACES.c.called_at, TRACES.c.requested_at)
        of_line = select(*_SHOWN).where(TRACES.c.line == line)
        query = of_line.order_by(TRACES.c.received_at.desc(), called_at.desc(), TRACES.c.request_id)
        query = query.limit(most)
        return [_trace(row) for row in self._connection.execute(query).mappings()]

    def by_trace_id(self, trace_ids: Iterable[str]) -> list[Trace]:
        """The traces of these public numbers that there are, by number."""
        query = (
            select(*_SHOWN).where(TRACES.c.trace_id.in_(list(trace_ids)), TRACED).order_by(TRACES.c.trace_id)
        )
        return [_trace(row) for row in self._connection.execute(query).mappings()]

    def next_trace_ids(self, count: int) -> list[str]:
        """The public numbers after the last: T-00000001, T-00000002 and so on.

        Raises:
            TraceIdsExhausted: so many are not left.
        """
        if count == 0:
            return []
        last = self._connection.scalar(_COUNT_ON, {"more": count})
        if last is None:
            raise TraceIdsExhausted(f"T-{_LAST_TRACE_NUMBER}")
        return [f"T-{number:08}" for number in range(last - count + 1, last + 1)]

    def add_all(self, traces: Iterable[Trace]) -> None:
        """Stores the rows."""
        rows = [vars(trace) for trace in traces]
        if rows:
            self._connection.execute(insert(TRACES), rows)


def _trace(row: RowMapping) -> Trace:
    return Trace(**row)
