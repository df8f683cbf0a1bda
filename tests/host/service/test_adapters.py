"""The adapters that are known."""

from __future__ import annotations

import pytest
from sqlalchemy.engine import Connection

from host_tools.service.adapters import Adapter, AdapterExists, Adapters, Standing
from host_tools.service.messages import RefusalReason, Refused
from host_tools.service.store import run_once

KEY = bytes(range(32))


def taken(connection: Connection, sequence: int, key: bytes = KEY) -> int | RefusalReason | None:
    """None when the number is taken, or else the newest one, or why not."""
    try:
        Adapters(connection).take("adapter-1", key, sequence)
    except Refused as refused:
        return refused.reason if refused.newest_sequence is None else refused.newest_sequence
    return None


def test_an_adapter_is_known_from_when_it_is_added_until_it_is_removed(database_url: str) -> None:
    def work(connection: Connection) -> None:
        adapters = Adapters(connection)
        assert adapters.key("adapter-1") is None
        assert adapters.adapter("adapter-1") is None
        adapters.add("adapter-2", bytes(32))
        adapters.add("adapter-1", KEY)
        assert adapters.key("adapter-1") == KEY
        assert adapters.adapter("adapter-1") == Adapter("adapter-1")
        assert [adapter.adapter_id for adapter in adapters.all()] == ["adapter-1", "adapter-2"]
        with pytest.raises(AdapterExists):
            adapters.add("adapter-1", bytes(32))
        assert adapters.key("adapter-1") == KEY
        adapters.change("adapter-1", settings_revision=3, log_wanted=True)
        assert adapters.adapter("adapter-1") == Adapter("adapter-1", settings_revision=3, log_wanted=True)
        assert adapters.adapter("adapter-2") == Adapter("adapter-2")
        assert adapters.remove("adapter-1")
        assert not adapters.remove("adapter-1")
        assert adapters.key("adapter-1") is None

    run_once(database_url, work)


def test_sequence_numbers_rise(database_url: str) -> None:
    def work(connection: Connection) -> None:
        assert taken(connection, 0) == RefusalReason.UNKNOWN_ADAPTER
        Adapters(connection).add("adapter-1", KEY)
        asked = [0, 0, 1, 5, 4, 5, 2**53 - 1, 6]
        assert [taken(connection, number) for number in asked] == [
            None, 0, None, None, 5, 5, None, 2**53 - 1,
        ]  # fmt: skip

    run_once(database_url, work)


def test_a_number_is_taken_for_the_key_that_signed_it(database_url: str) -> None:
    def work(connection: Connection) -> None:
        Adapters(connection).add("adapter-1", KEY)
        assert taken(connection, 1, bytes(32)) == RefusalReason.UNKNOWN_ADAPTER
        assert taken(connection, 1) is None

    run_once(database_url, work)


def test_the_standing_of_many_is_read_and_kept_at_once(database_url: str) -> None:
    def work(connection: Connection) -> None:
        adapters = Adapters(connection)
        for number in range(3):
            adapters.add(f"adapter-{number}", KEY)
        adapters.taken({"adapter-0": 7, "adapter-2": 2**53 - 1})
        assert adapters.standing(["adapter-2", "adapter-0", "adapter-9"]) == {
            "adapter-0": Standing(KEY, 7, None),
            "adapter-2": Standing(KEY, 2**53 - 1, None),
        }
        adapters.taken({})
        assert adapters.standing(["adapter-1"]) == {"adapter-1": Standing(KEY, None, None)}

    run_once(database_url, work)
