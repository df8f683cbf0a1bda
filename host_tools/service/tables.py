"""The service's tables, for SQLite and PostgreSQL alike. `migrations/` makes them; every room reads and writes its own.

Times are Unix seconds by the service's clock where nothing else is said. Who called is in `traces.sealed`, and nowhere
else: `call_log.presented` is what a household's own caller ID has shown. `traces.origin_tag` is a keyed hash that only
says whether two traces of one line found the same origin.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)

TABLES = MetaData()

# SQLite numbers rows by itself only in a column that is called INTEGER.
_NUMBER = BigInteger().with_variant(Integer, "sqlite")


def _seconds(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=nullable)


def _cents(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, Integer, nullable=nullable)


def _flag(name: str, **options: Any) -> Column[bool]:
    return Column(name, Boolean, **{"nullable": False, **options})


COUNTERS = Table(
    "counters",
    TABLES,
    Column("name", String(32), primary_key=True),
    Column("value", BigInteger, nullable=False),
)
"""The last number that was given, of `trace` and `case`: they never start anew, whatever is deleted."""

ADAPTERS = Table(
    "adapters",
    TABLES,
    Column("adapter_id", String(32), primary_key=True),
    Column("key", LargeBinary(32), nullable=False),
    Column("newest_sequence", BigInteger),
    Column("heartbeat", Text),
    _seconds("heard_at", nullable=True),
    Column("settings_revision", BigInteger, nullable=False),
    Column("settings_values", Text, nullable=False),
    Column("prompt_name", String(32)),
    Column("prompt_sha256", String(64)),
    Column("prompt_file", LargeBinary),
    Column("prompt_offset", BigInteger),
    Column("prompt_failures", Integer, nullable=False),
    _flag("log_wanted"),
    Column("log_lines", Text, nullable=False),
    _seconds("log_taken_at", nullable=True),
    Column("update_sha256", String(64)),
    Column("update_offered", BigInteger),
)
UPDATING = text("update_sha256 IS NOT NULL")
Index("adapters_updating", ADAPTERS.c.adapter_id, sqlite_where=UPDATING, postgresql_where=UPDATING)

FIRMWARE = Table(
    "firmware",
    TABLES,
    Column("sha256", String(64), primary_key=True),
    Column("board", String(64), nullable=False),
    Column("version", String(64), nullable=False),
    Column("release", BigInteger, nullable=False),
    Column("signed", LargeBinary, nullable=False),
    Column("slot_a", LargeBinary, nullable=False),
    Column("slot_b", LargeBinary, nullable=False),
    _seconds("added_at"),
)
"""A row a release that is pushed to adapters: `signed` is its signature and manifest, whose hash `sha256` is."""

AREAS = Table(
    "areas",
    TABLES,
    Column("prefix", String(15), primary_key=True),
    Column("name", String(64), nullable=False),
    _flag("is_offered"),
    _cents("price_cents", nullable=True),
    _cents("monthly_cap_cents", nullable=True),
)
"""A row an area: the lines that begin with `prefix` and with no longer one. NULL is the operator's setting."""

LINES = Table(
    "lines",
    TABLES,
    Column("line", String(15), primary_key=True),
    Column("adapter_id", String(32), index=True),
    _flag("is_offered", nullable=True),
    _cents("price_cents", nullable=True),
    _cents("monthly_cap_cents", nullable=True),
)
"""A row a line that has something of its own: its adapter, offer, price or cap. NULL is that of its area."""

TRACES = Table(
    "traces",
    TABLES,
    # Of an adapter: whoever has read a request must not take its place by sending its identity first.
    Column("request_id", String(32), primary_key=True),
    Column("adapter_id", String(32), primary_key=True),
    Column("line", String(15), nullable=False),
    Column("call_id", String(16), nullable=False),
    _seconds("called_at", nullable=True),
    _seconds("requested_at"),
    _seconds("received_at"),
    Column("outcome", String(16), nullable=False),
    Column("reason", String(32)),
    Column("trace_id", String(10)),
    _cents("charge_cents"),
    _flag("is_actionable"),
    Column("origin_tag", String(64)),
    Column("origin_key", String(16)),
    Column("sealed", LargeBinary),
    Column("sealed_to", String(16)),
)
"""A row an accepted request. `called_at` as the exchange's record has it, or the adapter's clock; NULL when nobody
knows. `is_actionable`: what was answered about action. `sealed` is NULL once its retention has ended."""

TRACED = text("outcome = 'traced'")
"""As a text, not as a parameter: only so does SQLite see that the indices below answer a query."""

Index(
    "one_trace_per_call",
    TRACES.c.line,
    TRACES.c.call_id,
    unique=True,
    sqlite_where=TRACED,
    postgresql_where=TRACED,
)
Index("one_trace_per_trace_id", TRACES.c.trace_id, unique=True, sqlite_where=TRACED, postgresql_where=TRACED)
Index("traces_of_line", TRACES.c.line, TRACES.c.received_at)
Index("traces_of_origin", TRACES.c.line, TRACES.c.origin_tag, sqlite_where=TRACED, postgresql_where=TRACED)

CALL_LOG = Table(
    "call_log",
    TABLES,
    Column("adapter_id", String(32), primary_key=True),
    Column("call_id", String(16), primary_key=True),
    Column("line", String(15), nullable=False),
    _seconds("at"),
    Column("time_source", String(16), nullable=False),
    Column("rings", Integer, nullable=False),
    _flag("answered"),
    _flag("call_waiting"),
    Column("presented", LargeBinary, nullable=False),
    Column("trace_outcome", String(16)),
    _seconds("received_at"),
)
"""A row a call that a household keeps a log of. `at` is its first ring by the clock that `time_source` names; where
that is "none", when its report came. `presented` is what the line presented, encrypted with the service's secret."""
Index("call_log_of_line", CALL_LOG.c.line, CALL_LOG.c.at)

CALL_NOTES = Table(
    "call_notes",
    TABLES,
    Column("note_id", _NUMBER, primary_key=True, autoincrement=True),
    Column("adapter_id", String(32), nullable=False),
    Column("call_id", String(16), nullable=False),
    Column("note", LargeBinary, nullable=False),
    _seconds("written_at"),
    Column("written_by", String(64), nullable=False),
    _seconds("withdrawn_at", nullable=True),
    ForeignKeyConstraint(["adapter_id", "call_id"], ["call_log.adapter_id", "call_log.call_id"]),
)
"""What a household has written about its calls, encrypted with the service's secret; a note is never changed."""
Index("call_notes_of_call", CALL_NOTES.c.adapter_id, CALL_NOTES.c.call_id)

CALL_LOG_SWITCHES = Table(
    "call_log_switches",
    TABLES,
    Column("line", String(15), primary_key=True),
    _flag("is_on"),
    _seconds("changed_at"),
)
"""Whether a household wants a log of its calls; a line that has no row has never said."""

CHARGES = Table(
    "charges",
    TABLES,
    Column("trace_id", String(10), primary_key=True),
    Column("line", String(15), nullable=False),
    Column("month", String(7), nullable=False),
    _seconds("traced_at"),
    _cents("price_cents"),
    _cents("charge_cents"),
)
"""A row a successful trace: its price, and what is charged of it under the month's cap. `month` is YYYY-MM of the
operator's time zone."""
Index("charges_of_month", CHARGES.c.month, CHARGES.c.line)

CASES = Table(
    "cases",
    TABLES,
    Column("case_id", String(10), primary_key=True),
    Column("line", String(15), nullable=False),
    Column("opened_for", String(20), nullable=False),
    _seconds("opened_at"),
    Column("opened_by", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    _seconds("changed_at"),
    _flag("has_legal_hold"),
)
"""`case_id` is C- and 8 digits; `opened_for` "three_traces" or "immediate_danger"; `state` "ready", "instrument",
"released" or "closed"."""
Index("cases_of_state", CASES.c.state, CASES.c.opened_at)

CASE_TRACES = Table(
    "case_traces",
    TABLES,
    Column("case_id", String(10), ForeignKey(CASES.c.case_id), primary_key=True),
    Column("trace_id", String(10), primary_key=True),
)

INSTRUMENTS = Table(
    "instruments",
    TABLES,
    Column("instrument_id", _NUMBER, primary_key=True, autoincrement=True),
    Column("case_id", String(10), ForeignKey(CASES.c.case_id), nullable=False, index=True),
    Column("kind", String(24), nullable=False),
    Column("agency", String(128), nullable=False),
    Column("officer", String(128), nullable=False),
    Column("case_number", String(64), nullable=False),
    Column("reference", String(128), nullable=False),
    Column("issued_on", String(10), nullable=False),
    _seconds("entered_at"),
    Column("entered_by", String(64), nullable=False),
)
"""Legal instruments: `kind` is "subpoena", "court_order" or "law_enforcement_request"; `issued_on` is YYYY-MM-DD."""

RELEASES = Table(
    "releases",
    TABLES,
    Column("release_id", _NUMBER, primary_key=True, autoincrement=True),
    Column("case_id", String(10), ForeignKey(CASES.c.case_id), nullable=False, index=True),
    Column("instrument_id", _NUMBER, ForeignKey(INSTRUMENTS.c.instrument_id), nullable=False),
    _seconds("released_at"),
    Column("released_by", String(64), nullable=False),
    Column("traces", Text, nullable=False),
    Column("bundle_sha256", String(64), nullable=False),
)
"""What was handed over, and to which instrument; `traces` is a JSON list of trace ids. The bundle is not kept."""

ACCOUNTS = Table(
    "accounts",
    TABLES,
    Column("account_id", _NUMBER, primary_key=True, autoincrement=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("role", String(16), nullable=False),
    Column("line", String(15)),
    Column("password_hash", String(128)),
    _seconds("password_until", nullable=True),
    Column("totp_secret", LargeBinary),
    Column("totp_last_step", BigInteger),
    Column("oidc_subject", String(255), unique=True),
    Column("failures", Integer, nullable=False, server_default="0"),
    _seconds("locked_until", nullable=True),
    _flag("is_disabled", server_default=text("false")),
    _seconds("created_at"),
)
"""People: `line` is a household's own. `password_until`: the end of a one-time password, which its owner replaces at
the first sign-in; NULL for a password of their own. `totp_secret` is encrypted with the service's secret."""

SESSIONS = Table(
    "sessions",
    TABLES,
    Column("token_sha256", String(64), primary_key=True),
    Column("account_id", _NUMBER, ForeignKey(ACCOUNTS.c.account_id), nullable=False, index=True),
    _flag("is_complete"),
    _seconds("began_at"),
    _seconds("seen_at"),
)
"""Who is signed in; `is_complete` once the second factor was given too."""

AUDIT = Table(
    "audit",
    TABLES,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    _seconds("at"),
    Column("actor", String(64), nullable=False),
    Column("action", String(48), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("details", Text, nullable=False),
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)
"""The audit log: a row is never changed; `hash` covers the row and `previous_hash`. `details` is a JSON object."""
PEOPLE = text("actor NOT LIKE 'adapter:%'")
"""The rows that are few and looked for; adapters are many, and an index of them costs more than the row itself."""
Index("audit_of_people", AUDIT.c.actor, AUDIT.c.sequence, sqlite_where=PEOPLE, postgresql_where=PEOPLE)
Index("audit_of_time", AUDIT.c.at)
Index("audit_of_action", AUDIT.c.action, AUDIT.c.sequence)
Index("audit_of_subject", AUDIT.c.subject, AUDIT.c.sequence)

CHECKPOINTS = Table(
    "checkpoints",
    TABLES,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", String(64), nullable=False),
    _seconds("made_at"),
    Column("time_stamp", LargeBinary),
    _flag("is_pruned", server_default=text("false")),
)
"""The audit log's hash at a row; `time_stamp` an RFC 3161 token over it. `is_pruned`: rows up to it may be deleted."""
