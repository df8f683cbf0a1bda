"""Making adapters known, in either database."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.engine import Connection

from host_tools.service.adapters import AdapterExists, Adapters
from host_tools.service.lines import LinePolicy, Lines
from host_tools.service.messages import RefusalReason, Refused
from host_tools.service.registration import LineTaken, Registration, register
from host_tools.service.store import run_once
from host_tools.service.tables import AUDIT
from tests.host.service.conftest import LINE

KEY = bytes(range(32))
OTHER_KEY = bytes(32)


def registered(connection: Connection, adapter_id: str = "adapter-1", key: bytes = KEY, **more: Any) -> bool:
    return register(connection, Registration(adapter_id, key, **more), actor="tess", at=1.0)


def test_a_new_adapter_is_known_by_its_key_and_has_its_line(database_url: str) -> None:
    def work(connection: Connection) -> None:
        assert not registered(connection, line=LINE)
        assert Adapters(connection).key("adapter-1") == KEY
        assert Lines(connection).of_adapter("adapter-1") == [LINE]
        rows = connection.execute(select(AUDIT.c.actor, AUDIT.c.action, AUDIT.c.subject)).all()
        assert [tuple(row) for row in rows] == [("tess", "adapter.added", "adapter-1")]

    run_once(database_url, work)


def test_what_was_set_of_the_line_stays(database_url: str) -> None:
    def work(connection: Connection) -> None:
        Lines(connection).put(LinePolicy(line=LINE, price_cents=300))
        registered(connection, line=LINE)
        assert Lines(connection).find(LINE) == LinePolicy(line=LINE, price_cents=300, adapter_id="adapter-1")

    run_once(database_url, work)


def test_a_known_adapter_keeps_its_key_unless_it_is_to_be_replaced(database_url: str) -> None:
    def work(connection: Connection) -> None:
        registered(connection)
        Adapters(connection).take("adapter-1", KEY, 7)
        with pytest.raises(AdapterExists):
            registered(connection, key=OTHER_KEY)
        assert Adapters(connection).key("adapter-1") == KEY
        assert registered(connection, key=OTHER_KEY, replaces=True)
        assert Adapters(connection).key("adapter-1") == OTHER_KEY
        Adapters(connection).take("adapter-1", OTHER_KEY, 1)  # its numbers begin anew
        with pytest.raises(Refused) as refused:
            Adapters(connection).take("adapter-1", KEY, 8)
        assert refused.value.reason == RefusalReason.UNKNOWN_ADAPTER
        actions = connection.scalars(select(AUDIT.c.action)).all()
        assert actions == ["adapter.added", "adapter.rekeyed"]

    run_once(database_url, work)


def test_a_line_of_another_adapter_is_not_taken_unless_it_is_to_be_replaced(database_url: str) -> None:
    def work(connection: Connection) -> None:
        registered(connection, line=LINE)
        with pytest.raises(LineTaken, match="adapter-1"):
            registered(connection, "adapter-2", line=LINE)
        assert Adapters(connection).adapter("adapter-2") is None
        registered(connection, "adapter-2", line=LINE, replaces=True)
        assert Lines(connection).of_adapter("adapter-2") == [LINE]
        assert Lines(connection).of_adapter("adapter-1") == []

    run_once(database_url, work)


def test_nothing_shows_the_key() -> None:
    assert KEY.hex() not in repr(Registration("adapter-1", KEY))
    assert str(KEY) not in repr(Registration("adapter-1", KEY))
