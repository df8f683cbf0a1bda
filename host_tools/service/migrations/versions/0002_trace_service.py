"""The trace service: its traces with seal and tag, lines and areas, charges, cases, people, and the audit log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from host_tools.service.tables import TABLES

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_OLD = ("traces", "adapters")


def upgrade() -> None:
    """Makes the tables, and takes over what the two of before hold."""
    # The first stores had no adapters.
    had_adapters = sa.inspect(op.get_bind()).has_table("adapters")
    set_aside = _SET_ASIDE_TRACES + (_SET_ASIDE_ADAPTERS if had_adapters else ())
    take_over = _TAKE_OVER_TRACES + (_TAKE_OVER_ADAPTERS if had_adapters else ())
    for statement in set_aside:
        op.execute(sa.text(statement))
    TABLES.create_all(op.get_bind())
    for statement in take_over:
        op.execute(sa.text(statement))


_SET_ASIDE_TRACES = ("CREATE TABLE old_traces AS SELECT * FROM traces", "DROP TABLE traces")
_SET_ASIDE_ADAPTERS = ("CREATE TABLE old_adapters AS SELECT * FROM adapters", "DROP TABLE adapters")
_TAKE_OVER_TRACES = (
    """
    INSERT INTO traces (
        request_id, adapter_id, line, call_id, requested_at, received_at,
        outcome, reason, trace_id, charge_cents, sealed, is_actionable
    ) SELECT
        request_id, adapter_id, line, call_id, requested_at, received_at,
        outcome, reason, trace_id, charge_cents, sealed, false
    FROM old_traces
    """,
    """
    INSERT INTO counters (name, value)
    SELECT 'trace', coalesce(max(CAST(substr(trace_id, 3) AS INTEGER)), 0) FROM old_traces
    """,
    "INSERT INTO counters (name, value) VALUES ('case', 0)",
    "DROP TABLE old_traces",
)
_TAKE_OVER_ADAPTERS = (
    """
    INSERT INTO adapters (
        adapter_id, key, newest_sequence, heartbeat, heard_at, settings_revision, settings_values, prompt_name,
        prompt_sha256, prompt_file, prompt_offset, prompt_failures, log_lines, log_wanted
    ) SELECT
        adapter_id, key, newest_sequence, heartbeat, heard_at, settings_revision, settings_values, prompt_name,
        prompt_sha256, prompt_file, prompt_offset, prompt_failures, log_lines, log_wanted <> 0
    FROM old_adapters
    """,
    "DROP TABLE old_adapters",
)
