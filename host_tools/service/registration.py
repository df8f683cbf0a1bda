"""Making an adapter known with its key and its line, as provisioning does; a work of `Store.write_audited`."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy.engine import Connection

from host_tools.service.adapters import AdapterExists, Adapters
from host_tools.service.audit.log import AuditLog
from host_tools.service.call_log_switch import tell_adapter
from host_tools.service.lines import LinePolicy, Lines


class LineTaken(Exception):
    """The line is another adapter's; the text is that adapter's id."""


@dataclass(frozen=True)
class Registration:
    """An adapter that is to be known.

    Attributes:
        key: 32 bytes, which the adapter signs with.
        line: the only line that it may trace for, 1 to 15 digits; None: any that is nobody else's.
        replaces: an adapter of this id gets the new key, and the line is taken from another adapter.
    """

    adapter_id: str
    key: bytes = field(repr=False)
    line: str | None = None
    replaces: bool = False


def register(connection: Connection, registration: Registration, *, actor: str, at: float) -> bool:
    """Makes the adapter known; answers whether it was known before, by another key.

    Raises:
        AdapterExists: an adapter of this id is known.
        LineTaken: its line is another's.
    """
    adapters, adapter_id, line = Adapters(connection), registration.adapter_id, registration.line
    was_known = adapters.adapter(adapter_id) is not None
    if was_known and not registration.replaces:
        raise AdapterExists(adapter_id)
    if line is not None:
        _check_line(connection, registration)
    if was_known:
        adapters.rekey(adapter_id, registration.key)
    else:
        adapters.add(adapter_id, registration.key)
    action = "adapter.rekeyed" if was_known else "adapter.added"
    AuditLog(connection).append(at, actor, action, adapter_id, line=line)
    if line is not None:
        bound = Lines(connection).find(line) or LinePolicy(line=line)
        Lines(connection).put(bound.model_copy(update={"adapter_id": adapter_id}))
        tell_adapter(connection, line, by=actor, at=at)
    return was_known


def _check_line(connection: Connection, registration: Registration) -> None:
    bound = Lines(connection).find(registration.line or "")
    other = None if bound is None else bound.adapter_id
    if other not in (None, registration.adapter_id) and not registration.replaces:
        raise LineTaken(other)
