"""Successful traces in the store, as the tests of the desk need them: sealed, and of callers that they name."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.engine import Connection

from host_tools.service import signing
from host_tools.service.audit.log import AuditLog
from host_tools.service.sealing import Seal
from host_tools.service.tables import AUDIT, TRACES
from tests.host.service.test_sealing import WHO

LINE = "5555550100"
CALLED_AT = 1767268800  # 2026-01-01 12:00:00 UTC


def add_trace(
    connection: Connection,
    number: int,
    *,
    line: str = LINE,
    seal: Seal | None = None,
    **who: Any,
) -> str:
    """A successful trace of this number, an hour after the one before; its public number.

    Args:
        seal: what its record is sealed to; None keeps no record.
        who: fields of `WhoCalled` that are others than those of `test_sealing.WHO`.
    """
    trace_id, request_id = f"T-{number:08}", f"{number:032x}"
    said = {"trace_id": trace_id, "line": line, "request": signed_request(request_id), **who}
    row = {
        "request_id": request_id,
        "adapter_id": "adapter-1",
        "line": line,
        "call_id": f"{number:016x}",
        "called_at": CALLED_AT + 3600 * number,
        "requested_at": CALLED_AT + 3600 * number + 60,
        "received_at": CALLED_AT + 3600 * number + 61,
        "outcome": "traced",
        "reason": None,
        "trace_id": trace_id,
        "charge_cents": 500,
        "is_actionable": False,
        "origin_tag": "ab" * 32,
        "origin_key": "ab" * 8,
        "sealed": seal.seal(WHO.model_copy(update=said)) if seal else None,
        "sealed_to": seal.fingerprint if seal else None,
    }
    connection.execute(insert(TRACES), row)
    if seal:
        vouch(connection, trace_id)
    return trace_id


def vouch(connection: Connection, trace_id: str) -> None:
    """The audit log tells of the trace's record, as it is now."""
    sealed = connection.scalar(select(TRACES.c.sealed).where(TRACES.c.trace_id == trace_id))
    told: dict[str, Any] = {"outcome": "traced", "sealed_sha256": sha256(sealed or b"").hexdigest()}
    AuditLog(connection).append(CALLED_AT, "adapter:adapter-1", "trace.decided", trace_id, **told)


def signed_request(request_id: str) -> bytes:
    """A request of this id, signed by an adapter that nobody asks for."""
    return signing.sign(json.dumps({"request_id": request_id}).encode(), bytes(32), "adapter-1", 1, "ask")


def audited(connection: Connection) -> list[tuple[str, str, str]]:
    """The audit log: actor, action and subject of each row but those of `add_trace`."""
    columns = (AUDIT.c.actor, AUDIT.c.action, AUDIT.c.subject)
    rows = select(*columns).where(AUDIT.c.action != "trace.decided").order_by(AUDIT.c.sequence)
    return [tuple(row) for row in connection.execute(rows)]
