"""The trace service: its traces with seal and tag, lines and areas, charges, cases, people, and the audit log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from host_tools.service.audit import triggers

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TRACED = sa.text("outcome = 'traced'")


def upgrade() -> None:
    """Makes the tables, and takes over what the two of before hold."""
    # The first stores had no adapters.
    had_adapters = sa.inspect(op.get_bind()).has_table("adapters")
    set_aside = _SET_ASIDE_TRACES + (_SET_ASIDE_ADAPTERS if had_adapters else ())
    take_over = _TAKE_OVER_TRACES + (_TAKE_OVER_ADAPTERS if had_adapters else ())
    for statement in set_aside:
        op.execute(sa.text(statement))
    for make in _MAKE:
        make()
    triggers.install(op.get_bind())
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


def _make_accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("account_id", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("line", sa.String(length=15), nullable=True),
        sa.Column("password_hash", sa.String(length=128), nullable=True),
        sa.Column("password_until", sa.BigInteger(), nullable=True),
        sa.Column("totp_secret", sa.LargeBinary(), nullable=True),
        sa.Column("totp_last_step", sa.BigInteger(), nullable=True),
        sa.Column("oidc_subject", sa.String(length=255), nullable=True),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("locked_until", sa.BigInteger(), nullable=True),
        sa.Column("is_disabled", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id"),
        sa.UniqueConstraint("name"),
        sa.UniqueConstraint("oidc_subject"),
    )


def _make_adapters() -> None:
    op.create_table(
        "adapters",
        sa.Column("adapter_id", sa.String(length=32), nullable=False),
        sa.Column("key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("newest_sequence", sa.BigInteger(), nullable=True),
        sa.Column("heartbeat", sa.Text(), nullable=True),
        sa.Column("heard_at", sa.BigInteger(), nullable=True),
        sa.Column("settings_revision", sa.BigInteger(), nullable=False),
        sa.Column("settings_values", sa.Text(), nullable=False),
        sa.Column("prompt_name", sa.String(length=32), nullable=True),
        sa.Column("prompt_sha256", sa.String(length=64), nullable=True),
        sa.Column("prompt_file", sa.LargeBinary(), nullable=True),
        sa.Column("prompt_offset", sa.BigInteger(), nullable=True),
        sa.Column("prompt_failures", sa.Integer(), nullable=False),
        sa.Column("log_wanted", sa.Boolean(), nullable=False),
        sa.Column("log_lines", sa.Text(), nullable=False),
        sa.Column("log_taken_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("adapter_id"),
    )


def _make_areas() -> None:
    op.create_table(
        "areas",
        sa.Column("prefix", sa.String(length=15), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("is_offered", sa.Boolean(), nullable=False),
        sa.Column("price_cents", sa.Integer(), nullable=True),
        sa.Column("monthly_cap_cents", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("prefix"),
    )


def _make_audit() -> None:
    op.create_table(
        "audit",
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=48), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("sequence"),
    )
    op.create_index("audit_of_action", "audit", ["action", "sequence"], unique=False)
    op.create_index(
        "audit_of_people",
        "audit",
        ["actor", "sequence"],
        unique=False,
        sqlite_where=sa.text("actor NOT LIKE 'adapter:%'"),
        postgresql_where=sa.text("actor NOT LIKE 'adapter:%'"),
    )
    op.create_index("audit_of_subject", "audit", ["subject", "sequence"], unique=False)
    op.create_index("audit_of_time", "audit", ["at"], unique=False)


def _make_cases() -> None:
    op.create_table(
        "cases",
        sa.Column("case_id", sa.String(length=10), nullable=False),
        sa.Column("line", sa.String(length=15), nullable=False),
        sa.Column("opened_for", sa.String(length=20), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("opened_by", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("has_legal_hold", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("case_id"),
    )
    op.create_index("cases_of_state", "cases", ["state", "opened_at"], unique=False)


def _make_charges() -> None:
    op.create_table(
        "charges",
        sa.Column("trace_id", sa.String(length=10), nullable=False),
        sa.Column("line", sa.String(length=15), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("traced_at", sa.BigInteger(), nullable=False),
        sa.Column("price_cents", sa.Integer(), nullable=False),
        sa.Column("charge_cents", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("trace_id"),
    )
    op.create_index("charges_of_month", "charges", ["month", "line"], unique=False)


def _make_checkpoints() -> None:
    op.create_table(
        "checkpoints",
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("time_stamp", sa.LargeBinary(), nullable=True),
        sa.Column("is_pruned", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("sequence"),
    )


def _make_counters() -> None:
    op.create_table(
        "counters",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def _make_lines() -> None:
    op.create_table(
        "lines",
        sa.Column("line", sa.String(length=15), nullable=False),
        sa.Column("adapter_id", sa.String(length=32), nullable=True),
        sa.Column("is_offered", sa.Boolean(), nullable=True),
        sa.Column("price_cents", sa.Integer(), nullable=True),
        sa.Column("monthly_cap_cents", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("line"),
    )
    op.create_index("ix_lines_adapter_id", "lines", ["adapter_id"], unique=False)


def _make_traces() -> None:
    op.create_table(
        "traces",
        sa.Column("request_id", sa.String(length=32), nullable=False),
        sa.Column("adapter_id", sa.String(length=32), nullable=False),
        sa.Column("line", sa.String(length=15), nullable=False),
        sa.Column("call_id", sa.String(length=16), nullable=False),
        sa.Column("called_at", sa.BigInteger(), nullable=True),
        sa.Column("requested_at", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=True),
        sa.Column("trace_id", sa.String(length=10), nullable=True),
        sa.Column("charge_cents", sa.Integer(), nullable=False),
        sa.Column("is_actionable", sa.Boolean(), nullable=False),
        sa.Column("origin_tag", sa.String(length=64), nullable=True),
        sa.Column("origin_key", sa.String(length=16), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("sealed_to", sa.String(length=16), nullable=True),
        sa.PrimaryKeyConstraint("request_id", "adapter_id"),
    )
    op.create_index(
        "one_trace_per_call",
        "traces",
        ["line", "call_id"],
        unique=True,
        sqlite_where=_TRACED,
        postgresql_where=_TRACED,
    )
    op.create_index(
        "one_trace_per_trace_id",
        "traces",
        ["trace_id"],
        unique=True,
        sqlite_where=_TRACED,
        postgresql_where=_TRACED,
    )
    op.create_index("traces_of_line", "traces", ["line", "received_at"], unique=False)
    op.create_index(
        "traces_of_origin",
        "traces",
        ["line", "origin_tag"],
        unique=False,
        sqlite_where=_TRACED,
        postgresql_where=_TRACED,
    )


def _make_case_traces() -> None:
    op.create_table(
        "case_traces",
        sa.Column("case_id", sa.String(length=10), nullable=False),
        sa.Column("trace_id", sa.String(length=10), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["cases.case_id"],
        ),
        sa.PrimaryKeyConstraint("case_id", "trace_id"),
    )


def _make_instruments() -> None:
    op.create_table(
        "instruments",
        sa.Column("instrument_id", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("case_id", sa.String(length=10), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("agency", sa.String(length=128), nullable=False),
        sa.Column("officer", sa.String(length=128), nullable=False),
        sa.Column("case_number", sa.String(length=64), nullable=False),
        sa.Column("reference", sa.String(length=128), nullable=False),
        sa.Column("issued_on", sa.String(length=10), nullable=False),
        sa.Column("entered_at", sa.BigInteger(), nullable=False),
        sa.Column("entered_by", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["cases.case_id"],
        ),
        sa.PrimaryKeyConstraint("instrument_id"),
    )
    op.create_index("ix_instruments_case_id", "instruments", ["case_id"], unique=False)


def _make_sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("account_id", _NUMBER, nullable=False),
        sa.Column("is_complete", sa.Boolean(), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.account_id"],
        ),
        sa.PrimaryKeyConstraint("token_sha256"),
    )
    op.create_index("ix_sessions_account_id", "sessions", ["account_id"], unique=False)


def _make_releases() -> None:
    op.create_table(
        "releases",
        sa.Column("release_id", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("case_id", sa.String(length=10), nullable=False),
        sa.Column("instrument_id", _NUMBER, nullable=False),
        sa.Column("released_at", sa.BigInteger(), nullable=False),
        sa.Column("released_by", sa.String(length=64), nullable=False),
        sa.Column("traces", sa.Text(), nullable=False),
        sa.Column("bundle_sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["cases.case_id"],
        ),
        sa.ForeignKeyConstraint(
            ["instrument_id"],
            ["instruments.instrument_id"],
        ),
        sa.PrimaryKeyConstraint("release_id"),
    )
    op.create_index("ix_releases_case_id", "releases", ["case_id"], unique=False)


_MAKE = (
    _make_accounts,
    _make_adapters,
    _make_areas,
    _make_audit,
    _make_cases,
    _make_charges,
    _make_checkpoints,
    _make_counters,
    _make_lines,
    _make_traces,
    _make_case_traces,
    _make_instruments,
    _make_sessions,
    _make_releases,
)
