"""Firmware that is pushed to adapters: a row a release, and which adapters have their turn."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy import delete, func, insert, select
from sqlalchemy.engine import Connection

from host_tools.service.adapter_health import SILENT_AFTER_S
from host_tools.service.adapters import Adapter
from host_tools.service.messages import MAX_PART_BYTES, Slot
from host_tools.service.tables import ADAPTERS, FIRMWARE

MOST_AT_ONCE = 8
"""Adapters that receive or try a release at the same time: each asks several times a second, and traces come first."""
_IMAGES = {"a": FIRMWARE.c.slot_a, "b": FIRMWARE.c.slot_b}


@dataclass(frozen=True)
class Firmware:
    """A release, whole.

    Attributes:
        sha256: of `signed`, 64 hex digits.
        board, version, release: as its manifest says.
        signed: the signature, and the manifest behind it; at most 960 bytes.
        slot_a, slot_b: the firmware for either slot.
        added_at: Unix seconds when it was pushed first.
    """

    sha256: str
    board: str
    version: str
    release: int
    signed: bytes
    slot_a: bytes
    slot_b: bytes
    added_at: int


@dataclass(frozen=True)
class Kept:
    """What is kept of a release, without its bytes; `size_bytes` of either slot's firmware."""

    sha256: str
    board: str
    version: str
    release: int
    size_bytes: dict[Slot, int]


class Release:
    """A release that an adapter may have now, read part by part."""

    def __init__(self, connection: Connection, sha256: str) -> None:
        self._connection = connection
        self.sha256 = sha256

    def part(self, slot: Slot | None, offset: int) -> bytes:
        """At most 960 bytes from `offset` on, of the firmware for `slot`, or of the signed release; none at its end."""
        column = FIRMWARE.c.signed if slot is None else _IMAGES[slot]
        part = select(func.substr(column, offset + 1, MAX_PART_BYTES))
        found: bytes | None = self._connection.scalar(part.where(FIRMWARE.c.sha256 == self.sha256))
        return bytes(found or b"")


class FirmwareReleases:
    """The releases, within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, firmware: Firmware) -> None:
        """Keeps a release, once; those that no adapter is to have any more are deleted."""
        wanted = select(ADAPTERS.c.update_sha256).where(ADAPTERS.c.update_sha256.is_not(None))
        self._connection.execute(
            delete(FIRMWARE).where(FIRMWARE.c.sha256.not_in(wanted), FIRMWARE.c.sha256 != firmware.sha256)
        )
        if firmware.sha256 not in self.kept():
            self._connection.execute(insert(FIRMWARE), asdict(firmware))

    def kept(self) -> dict[str, Kept]:
        """What is kept, by its hash."""
        sizes = {slot: func.length(column) for slot, column in _IMAGES.items()}
        query = select(
            FIRMWARE.c.sha256,
            FIRMWARE.c.board,
            FIRMWARE.c.version,
            FIRMWARE.c.release,
            sizes["a"],
            sizes["b"],
        )
        rows = self._connection.execute(query).all()
        return {row[0]: Kept(*row[:4], size_bytes={"a": row[4], "b": row[5]}) for row in rows}

    def release_for(self, adapter: Adapter, now: int) -> Release | None:
        """The release that the adapter is to have, once it is its turn; `now` in Unix seconds.

        Those with the lowest ids go first, of those that are heard: one that lies in a drawer holds up nobody.
        """
        if adapter.update_sha256 is None:
            return None
        before = select(func.count()).where(
            ADAPTERS.c.update_sha256.is_not(None),
            ADAPTERS.c.adapter_id < adapter.adapter_id,
            ADAPTERS.c.heard_at >= now - SILENT_AFTER_S,
        )
        if (self._connection.scalar(before) or 0) >= MOST_AT_ONCE:
            return None
        return Release(self._connection, adapter.update_sha256)
