"""Call reports as an adapter sends them, and calls in the log of a line."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy.engine import Connection

from host_tools.service.call_log import seal_report, take_report
from host_tools.service.messages import CallReport
from host_tools.service.secret import Secret
from tests.host.service.conftest import CALLED_AT, LINE

CALL_ID = "0123456789abcdef"


def new_report(
    *, number: str | None = "5555550123", name: str | None = "JANE DOE", **fields: Any
) -> dict[str, Any]:
    """A report of a call at CALLED_AT; `fields` of the report, of its call, or `reason` of its caller ID."""
    presented = {
        "number": number,
        "name": name,
        "reason": fields.pop("reason", None),
        "date_time": "01011200",
    }
    call = {
        "call_id": CALL_ID,
        "at": CALLED_AT,
        "rings": 2,
        "answered": True,
        "call_waiting": False,
        "caller_id": presented,
    }
    report = {
        "message": "call_report",
        "version": 1,
        "adapter_id": "adapter-1",
        "line": LINE,
        "time_source": "network",
        "call": {**call, **{name: value for name, value in fields.items() if name in call}},
        "trace_outcome": None,
    }
    return {**report, **{name: value for name, value in fields.items() if name not in call}}


def add_call(
    connection: Connection, secret: Secret, received_at: int = CALLED_AT + 30, **fields: Any
) -> bool:
    """Takes a report, as the desk does; whether it is kept."""
    report = CallReport.model_validate_json(json.dumps(new_report(**fields)))
    return take_report(connection, seal_report(report, secret), received_at)
