"""Traces and adapters, in an SQLite file, as they were before the store had versions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the two tables."""
    op.create_table(
        "traces",
        sa.Column("request_id", sa.String(32), primary_key=True),
        sa.Column("line", sa.String(15), nullable=False),
        sa.Column("call_id", sa.String(16), nullable=False),
        sa.Column("adapter_id", sa.String(32), primary_key=True),
        sa.Column("requested_at", sa.BigInteger, nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(32)),
        sa.Column("trace_id", sa.String(10)),
        sa.Column("charge_cents", sa.Integer, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "adapters",
        sa.Column("adapter_id", sa.String(32), primary_key=True),
        sa.Column("key", sa.LargeBinary(32), nullable=False),
        sa.Column("newest_sequence", sa.BigInteger),
        sa.Column("heartbeat", sa.Text),
        sa.Column("heard_at", sa.BigInteger),
        sa.Column("settings_revision", sa.BigInteger, nullable=False),
        sa.Column("settings_values", sa.Text, nullable=False),
        sa.Column("prompt_name", sa.String(32)),
        sa.Column("prompt_sha256", sa.String(64)),
        sa.Column("prompt_file", sa.LargeBinary),
        sa.Column("prompt_offset", sa.BigInteger),
        sa.Column("prompt_failures", sa.Integer, nullable=False),
        sa.Column("log_wanted", sa.Integer, nullable=False),
        sa.Column("log_lines", sa.Text, nullable=False),
    )
