"""Whether a household keeps a log of its calls: its word, and the setting `call_log` that tells its adapter."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum

from pydantic import ValidationError
from sqlalchemy import insert, select, update
from sqlalchemy.engine import Connection

from host_tools.service.adapters import Adapter, Adapters
from host_tools.service.audit.log import AuditLog
from host_tools.service.lines import Lines
from host_tools.service.messages import Heartbeat
from host_tools.service.orders import Pushed, push_settings
from host_tools.service.tables import CALL_LOG_SWITCHES

_SETTING = "call_log"


class Reaches(StrEnum):
    """How far what a household wants has come to its adapter."""

    NOBODY = "nobody"
    """No adapter is bound to the line."""
    ON_ITS_WAY = "on_its_way"
    TAKEN = "taken"
    REFUSED = "refused"
    """The adapter's firmware is of before there were call logs."""


@dataclass(frozen=True)
class Switch:
    """What a line's household has said last; `is_on` None when it never has."""

    is_on: bool | None
    reaches: Reaches


def is_refused(connection: Connection, line: str) -> bool:
    """Whether the line's household has said that it wants no log.

    One that has never said anything has it where a technician has switched it on at the adapter, with its consent.
    """
    return _said(connection, line) is False


def switch_of(connection: Connection, line: str) -> Switch:
    """What the household of the line has said, and whether its adapter knows."""
    return Switch(_said(connection, line), _reaches(_bound_to(connection, line)))


def set_switch(connection: Connection, line: str, *, is_on: bool, by: str, at: int) -> None:
    """Switches the line's log on or off, and tells the adapter that is bound to it; what is kept stays.

    Raises:
        RevisionsExhausted: the adapter takes no more settings; nothing may be kept of this.
    """
    of_line = update(CALL_LOG_SWITCHES).where(CALL_LOG_SWITCHES.c.line == line)
    values = {"is_on": is_on, "changed_at": at}
    if not connection.execute(of_line.values(**values)).rowcount:
        connection.execute(insert(CALL_LOG_SWITCHES), {"line": line, **values})
    AuditLog(connection).append(at, by, "call_log.switched", line, is_on=is_on)
    tell_adapter(connection, line, by=by, at=at)


def tell_adapter(connection: Connection, line: str, *, by: str, at: float) -> None:
    """Pushes what the household has said to the adapter that is bound to the line now, if it has not got it.

    An adapter of several lines sends the calls when one of their households wants them; the others' are not kept.
    """
    adapter = _bound_to(connection, line)
    if adapter is None:
        return
    said = [_said(connection, each) for each in Lines(connection).of_adapter(adapter.adapter_id)]
    if said.count(None) == len(said):
        return
    wanted = any(said)
    if json.loads(adapter.settings_values).get(_SETTING) == wanted:
        return
    changed = push_settings(adapter, Pushed(call_log=wanted))
    Adapters(connection).change(adapter.adapter_id, **changed)
    AuditLog(connection).append(
        at,
        by,
        "adapter.changed",
        adapter.adapter_id,
        settings=changed["settings_values"],
        revision=changed["settings_revision"],
    )


def _said(connection: Connection, line: str) -> bool | None:
    said: bool | None = connection.scalar(
        select(CALL_LOG_SWITCHES.c.is_on).where(CALL_LOG_SWITCHES.c.line == line)
    )
    return said


def _bound_to(connection: Connection, line: str) -> Adapter | None:
    bound = Lines(connection).find(line)
    return Adapters(connection).adapter(bound.adapter_id) if bound and bound.adapter_id else None


def _reaches(adapter: Adapter | None) -> Reaches:
    if adapter is None:
        return Reaches.NOBODY
    try:
        heartbeat = Heartbeat.model_validate_json(adapter.heartbeat or "")
    except ValidationError:
        return Reaches.ON_ITS_WAY  # it was never heard, or by an older service
    if heartbeat.settings_revision < adapter.settings_revision:
        return Reaches.ON_ITS_WAY
    return Reaches.REFUSED if _SETTING in heartbeat.settings_refused else Reaches.TAKEN
