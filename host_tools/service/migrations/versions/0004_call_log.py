"""The call logs of households, what they noted, and whether they want one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Makes the three tables."""
    op.create_table(
        "call_log",
        sa.Column("adapter_id", sa.String(length=32), nullable=False),
        sa.Column("call_id", sa.String(length=16), nullable=False),
        sa.Column("line", sa.String(length=15), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("time_source", sa.String(length=16), nullable=False),
        sa.Column("rings", sa.Integer(), nullable=False),
        sa.Column("answered", sa.Boolean(), nullable=False),
        sa.Column("call_waiting", sa.Boolean(), nullable=False),
        sa.Column("presented", sa.LargeBinary(), nullable=False),
        sa.Column("trace_outcome", sa.String(length=16), nullable=True),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("adapter_id", "call_id"),
    )
    op.create_index("call_log_of_line", "call_log", ["line", "at"], unique=False)
    op.create_table(
        "call_notes",
        sa.Column("note_id", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("adapter_id", sa.String(length=32), nullable=False),
        sa.Column("call_id", sa.String(length=16), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.Column("written_at", sa.BigInteger(), nullable=False),
        sa.Column("written_by", sa.String(length=64), nullable=False),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["adapter_id", "call_id"],
            ["call_log.adapter_id", "call_log.call_id"],
        ),
        sa.PrimaryKeyConstraint("note_id"),
    )
    op.create_index("call_notes_of_call", "call_notes", ["adapter_id", "call_id"], unique=False)
    op.create_table(
        "call_log_switches",
        sa.Column("line", sa.String(length=15), nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("line"),
    )
