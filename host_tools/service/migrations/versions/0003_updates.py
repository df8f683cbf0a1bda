"""Firmware that is pushed to adapters, and which adapter is to have which."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_UPDATING = sa.text("update_sha256 IS NOT NULL")


def upgrade() -> None:
    """Makes the table of firmware, and what an adapter's row says of its update."""
    op.create_table(
        "firmware",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("board", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("release", sa.BigInteger(), nullable=False),
        sa.Column("signed", sa.LargeBinary(), nullable=False),
        sa.Column("slot_a", sa.LargeBinary(), nullable=False),
        sa.Column("slot_b", sa.LargeBinary(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sha256"),
    )
    op.add_column("adapters", sa.Column("update_sha256", sa.String(length=64), nullable=True))
    op.add_column("adapters", sa.Column("update_offered", sa.BigInteger(), nullable=True))
    op.create_index(
        "adapters_updating",
        "adapters",
        ["adapter_id"],
        unique=False,
        sqlite_where=_UPDATING,
        postgresql_where=_UPDATING,
    )
