"""Firmware in the store: kept once, read in parts, and given to a few adapters at a time."""

from __future__ import annotations

import hashlib

from sqlalchemy.engine import Connection

from host_tools.service.adapters import Adapters
from host_tools.service.firmware import MOST_AT_ONCE, Firmware, FirmwareReleases, Kept
from host_tools.service.orders import cancel_update, push_update
from host_tools.service.store import run_once
from tests.host.service.conftest import CALLED_AT

SIGNED = bytes(range(256)) * 3
IMAGE_A, IMAGE_B = b"a" * 2000, bytes(range(256)) * 9


def firmware(release: int = 7, signed: bytes = SIGNED) -> Firmware:
    sha256 = hashlib.sha256(signed).hexdigest()
    return Firmware(sha256, "pico", "0.2.0", release, signed, IMAGE_A, IMAGE_B, CALLED_AT)


def test_a_release_is_read_in_parts(database_url: str) -> None:
    def work(connection: Connection) -> None:
        FirmwareReleases(connection).put(firmware())
        FirmwareReleases(connection).put(firmware())
        assert FirmwareReleases(connection).kept() == {
            firmware().sha256: Kept(firmware().sha256, "pico", "0.2.0", 7, {"a": 2000, "b": 2304})
        }
        Adapters(connection).add("adapter-1", bytes(32))
        adapter = Adapters(connection).adapter("adapter-1")
        assert adapter is not None
        assert FirmwareReleases(connection).release_for(adapter, CALLED_AT) is None
        Adapters(connection).change("adapter-1", **push_update(firmware().sha256))
        adapter = Adapters(connection).adapter("adapter-1")
        assert adapter is not None
        release = FirmwareReleases(connection).release_for(adapter, CALLED_AT)
        assert release is not None
        assert release.part(None, 0) == SIGNED
        assert b"".join(release.part("b", offset) for offset in range(0, 2304, 960)) == IMAGE_B
        assert release.part("a", 1999) == b"a"
        assert release.part("a", 2000) == release.part("b", 2**20 - 1) == b""

    run_once(database_url, work)


def test_a_few_adapters_have_their_turn_and_one_that_is_silent_holds_up_nobody(database_url: str) -> None:
    names = [f"adapter-{number:02}" for number in range(MOST_AT_ONCE + 4)]

    def turns(connection: Connection) -> list[str]:
        adapters = Adapters(connection).all()
        releases = FirmwareReleases(connection)
        return [each.adapter_id for each in adapters if releases.release_for(each, CALLED_AT + 100)]

    def work(connection: Connection) -> None:
        FirmwareReleases(connection).put(firmware())
        for name in names:
            Adapters(connection).add(name, bytes(32))
            Adapters(connection).change(name, heard_at=CALLED_AT + 60, **push_update(firmware().sha256))
        assert turns(connection) == names[:MOST_AT_ONCE]
        Adapters(connection).change(names[0], heard_at=CALLED_AT - 100)
        Adapters(connection).change(names[1], heard_at=None)
        assert turns(connection) == names[: MOST_AT_ONCE + 2]
        Adapters(connection).change(names[2], **cancel_update())
        assert turns(connection) == [*names[:2], *names[3 : MOST_AT_ONCE + 3]]

    run_once(database_url, work)


def test_what_nobody_is_to_have_goes_with_the_next_release(database_url: str) -> None:
    first, second, third = (firmware(number, SIGNED + bytes([number])) for number in (1, 2, 3))

    def work(connection: Connection) -> None:
        releases = FirmwareReleases(connection)
        Adapters(connection).add("adapter-1", bytes(32))
        releases.put(first)
        Adapters(connection).change("adapter-1", **push_update(first.sha256))
        releases.put(second)
        assert releases.kept().keys() == {first.sha256, second.sha256}
        releases.put(third)
        assert releases.kept().keys() == {first.sha256, third.sha256}
        Adapters(connection).change("adapter-1", **cancel_update())
        releases.put(third)
        assert releases.kept().keys() == {third.sha256}
        adapter = Adapters(connection).adapter("adapter-1")
        assert adapter is not None
        assert releases.release_for(adapter, CALLED_AT) is None

    run_once(database_url, work)
