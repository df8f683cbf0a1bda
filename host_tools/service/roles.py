"""Roles, and what each may do. This table is the only place that says it."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What somebody is to the service; everybody is one thing."""

    HOUSEHOLD = "household"
    TECHNICIAN = "technician"
    OPERATOR = "operator"
    LIAISON = "liaison"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


class Permission(StrEnum):
    """What somebody may do."""

    OWN_LINE = "own_line"
    """See the traces and charges of their own line, never whom a trace found; the log of its calls, where they keep
    one, as their own caller ID has shown them, with their notes; say that they are in danger."""
    ADAPTERS = "adapters"
    """See adapters, their health and versions; never a trace."""
    PROVISION = "provision"
    """Make adapters known, each with its key and its line."""
    DESK = "desk"
    """See the centre's queue and its cases, open, hold and close them; never who called."""
    RELEASE = "release"
    """Enter a legal instrument, open the records of a case, hand over the bundle."""
    BILLS = "bills"
    """See the bill of any line and month."""
    AUDIT = "audit"
    """See and verify the audit log."""
    ACCOUNTS = "accounts"
    """Add, change and disable accounts."""
    POLICY = "policy"
    """Change where traces are offered, and at what price."""


PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.HOUSEHOLD: frozenset({Permission.OWN_LINE}),
    Role.TECHNICIAN: frozenset({Permission.ADAPTERS, Permission.PROVISION}),
    Role.OPERATOR: frozenset({Permission.DESK, Permission.BILLS}),
    Role.LIAISON: frozenset({Permission.DESK, Permission.RELEASE}),
    Role.AUDITOR: frozenset({Permission.AUDIT}),
    Role.ADMINISTRATOR: frozenset({Permission.ACCOUNTS, Permission.POLICY, Permission.BILLS}),
}
