"""Changes of what is set of lines and areas, each with its row in the audit log; works of `Store.write_audited`."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from host_tools.service.audit.log import AuditLog
from host_tools.service.call_log_switch import tell_adapter
from host_tools.service.lines import AreaPolicy, Areas, LinePolicy, Lines


def set_line(connection: Connection, policy: LinePolicy, *, actor: str, at: float) -> None:
    """Sets all of a line.

    Raises:
        UnknownAdapter: nothing is changed.
    """
    Lines(connection).put(policy)
    AuditLog(connection).append(at, actor, "line.changed", policy.line, **policy.model_dump(exclude={"line"}))
    tell_adapter(connection, policy.line, by=actor, at=at)


def set_area(connection: Connection, policy: AreaPolicy, *, actor: str, at: float) -> None:
    """Sets all of an area, which may be a new one."""
    Areas(connection).put(policy)
    AuditLog(connection).append(
        at, actor, "area.changed", policy.prefix, **policy.model_dump(exclude={"prefix"})
    )


def remove_area(connection: Connection, prefix: str, *, actor: str, at: float) -> bool:
    """Forgets an area; answers whether there was one."""
    is_removed = Areas(connection).remove(prefix)
    if is_removed:
        AuditLog(connection).append(at, actor, "area.removed", prefix)
    return is_removed
