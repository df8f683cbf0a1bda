"""The adapters that the service knows, one row each with its key."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import Any

from sqlalchemy import bindparam, delete, insert, or_, select, update
from sqlalchemy.engine import Connection

from host_tools.service.messages import RefusalReason, Refused
from host_tools.service.tables import ADAPTERS


class AdapterExists(Exception):
    """There is an adapter of this id."""


@dataclass(frozen=True)
class Adapter:
    """One adapter that is known; its key is not here, so that nothing shows it by accident.

    Attributes:
        newest_sequence: the greatest sequence number that was taken; None before the first.
        heartbeat: the last one, a `messages.Heartbeat` in JSON.
        heard_at: Unix seconds of the last heartbeat, the service's clock.
        settings_revision: of the settings that were pushed last; 0 before the first.
        settings_values: those settings, a JSON object.
        prompt_name, prompt_sha256: the prompt that was pushed last.
        prompt_file: its bytes, for as long as it is offered.
        prompt_offset: where the part begins that was offered last; None before the first.
        prompt_failures: how often the adapter had it whole, and its hash was wrong.
        log_wanted: lines of the log are to be sent.
        log_lines: the newest that were sent, a JSON list of [number, line].
        log_taken_at: Unix seconds when the last of them came.
        update_sha256: the release that it is to have, until it has an end; see `firmware`.
        update_offered: where the part begins that was offered last, `RELEASE` for the release itself; None before the
            first.
    """

    adapter_id: str
    newest_sequence: int | None = None
    heartbeat: str | None = None
    heard_at: int | None = None
    settings_revision: int = 0
    settings_values: str = "{}"
    prompt_name: str | None = None
    prompt_sha256: str | None = None
    prompt_file: bytes | None = None
    prompt_offset: int | None = None
    prompt_failures: int = 0
    log_wanted: bool = False
    log_lines: str = "[]"
    log_taken_at: int | None = None
    update_sha256: str | None = None
    update_offered: int | None = None


@dataclass(frozen=True)
class Standing:
    """What the trace of an adapter's call needs to know of it."""

    key: bytes
    newest_sequence: int | None
    heartbeat: str | None


_SHOWN = [ADAPTERS.c[field.name] for field in fields(Adapter)]
_ADAPTER = select(*_SHOWN).where(ADAPTERS.c.adapter_id == bindparam("of"))
_KEY = select(ADAPTERS.c.key).where(ADAPTERS.c.adapter_id == bindparam("of"))
_NEWEST = select(ADAPTERS.c.newest_sequence).where(
    ADAPTERS.c.adapter_id == bindparam("of"), ADAPTERS.c.key == bindparam("with_key")
)
_TAKE = (
    update(ADAPTERS)
    .where(
        ADAPTERS.c.adapter_id == bindparam("of"),
        ADAPTERS.c.key == bindparam("with_key"),
        or_(ADAPTERS.c.newest_sequence.is_(None), ADAPTERS.c.newest_sequence < bindparam("sequence")),
    )
    .values(newest_sequence=bindparam("sequence"))
)
_TAKEN = (
    update(ADAPTERS)
    .where(ADAPTERS.c.adapter_id == bindparam("of"))
    .values(newest_sequence=bindparam("sequence"))
)
# In the order of their ids, so that two writers of several never wait for one another in a circle.
_STANDING = (
    select(ADAPTERS.c.adapter_id, ADAPTERS.c.key, ADAPTERS.c.newest_sequence, ADAPTERS.c.heartbeat)
    .where(ADAPTERS.c.adapter_id.in_(bindparam("of", expanding=True)))
    .order_by(ADAPTERS.c.adapter_id)
    .with_for_update()
)


class Adapters:
    """The adapters, within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def key(self, adapter_id: str) -> bytes | None:
        """The key of this adapter, 32 bytes, when it is known."""
        return self._connection.scalar(_KEY, {"of": adapter_id})

    def take(self, adapter_id: str, key: bytes, sequence: int) -> None:
        """Takes the ask of this number, which was signed with `key`, and every greater one after it.

        Raises:
            Refused: `old_sequence`; `unknown_adapter` when it has this key no more.
        """
        which = {"of": adapter_id, "with_key": key}
        if self._connection.execute(_TAKE, {**which, "sequence": sequence}).rowcount:
            return
        row = self._connection.execute(_NEWEST, which).first()
        if row is None:
            raise Refused(RefusalReason.UNKNOWN_ADAPTER)
        raise Refused(RefusalReason.OLD_SEQUENCE, row.newest_sequence)

    def standing(self, adapter_ids: Iterable[str]) -> dict[str, Standing]:
        """What is known of these adapters, which nobody changes until the transaction ends."""
        rows = self._connection.execute(_STANDING, {"of": list(adapter_ids)})
        return {row.adapter_id: Standing(row.key, row.newest_sequence, row.heartbeat) for row in rows}

    def taken(self, newest: dict[str, int]) -> None:
        """Keeps the greatest sequence number that was taken of each; of adapters from `standing`."""
        if newest:
            rows = [{"of": adapter_id, "sequence": sequence} for adapter_id, sequence in newest.items()]
            self._connection.execute(_TAKEN, rows)

    def adapter(self, adapter_id: str) -> Adapter | None:
        """This adapter, when it is known."""
        row = self._connection.execute(_ADAPTER, {"of": adapter_id}).mappings().first()
        return Adapter(**row) if row else None

    def all(self) -> list[Adapter]:
        """Every adapter that is known, by its id."""
        rows = self._connection.execute(select(*_SHOWN).order_by(ADAPTERS.c.adapter_id)).mappings()
        return [Adapter(**row) for row in rows]

    def page(self, after: str = "", limit: int = 100) -> list[Adapter]:
        """The next `limit` adapters behind the id `after`, by their ids."""
        query = select(*_SHOWN).where(ADAPTERS.c.adapter_id > after).order_by(ADAPTERS.c.adapter_id)
        return [Adapter(**row) for row in self._connection.execute(query.limit(limit)).mappings()]

    def add(self, adapter_id: str, key: bytes) -> None:
        """Makes an adapter known by its key of 32 bytes.

        Raises:
            AdapterExists: it is known by another.
        """
        if self.adapter(adapter_id):
            raise AdapterExists(adapter_id)
        self._connection.execute(insert(ADAPTERS), {**asdict(Adapter(adapter_id)), "key": key})

    def rekey(self, adapter_id: str, key: bytes) -> None:
        """Gives an adapter another key of 32 bytes: the old one is refused from now on, and numbers begin anew."""
        self.change(adapter_id, key=key, newest_sequence=None)

    def change(self, adapter_id: str, **changed: Any) -> None:
        """Sets fields of an `Adapter`, by their names."""
        self._connection.execute(
            update(ADAPTERS).where(ADAPTERS.c.adapter_id == bindparam("of")).values(**changed),
            {"of": adapter_id},
        )

    def remove(self, adapter_id: str) -> bool:
        """Forgets an adapter and its key; its traces stay. Answers whether it was known."""
        removed = self._connection.execute(delete(ADAPTERS).where(ADAPTERS.c.adapter_id == adapter_id))
        return removed.rowcount > 0
