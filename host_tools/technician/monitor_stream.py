"""What a live line tells, as documents for programs: one for each thing that happens, and the level each second."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from host_tools.exchange.levels import RATE_HZ
from host_tools.technician.level_meter import LOWEST_DBM0, LevelMeter
from host_tools.technician.live_line import (
    Gaps,
    Happened,
    Heard,
    Plugged,
    Said,
    Sound,
    Status,
    Unplugged,
)


class MonitorStream:
    """Makes documents of what is heard, in its order.

    Attributes:
        duration_s: of the line that has been heard, gaps included.
    """

    def __init__(self) -> None:
        self._meter = LevelMeter()
        self._gaps = Gaps()
        self._samples = 0
        self._missing = 0
        self._second = 0
        self._loudest_dbm0 = LOWEST_DBM0

    @property
    def duration_s(self) -> float:
        return self._samples / RATE_HZ

    def documents(self, heard: Heard, at: datetime) -> Iterator[dict[str, Any]]:
        """The documents that follow from what was heard at `at`: each has "what" and "at", a time of ISO 8601."""
        document = self._level(heard) if isinstance(heard, Sound) else self._document(heard)
        if document is not None:
            yield {"at": at.isoformat(timespec="milliseconds"), **document}

    def _document(self, heard: Heard) -> dict[str, Any] | None:
        match heard:
            case Happened(event):
                return {"what": "event", **event}
            case Status(values):
                return {"what": "status", "status": values}
            case Said(text):
                return {"what": "log", "text": text} if text else None
            case Plugged(port):
                self._gaps.begin_anew()
                return {"what": "connected", "port": port}
            case _:
                kind = "disconnected" if isinstance(heard, Unplugged) else "unheard"
                return {"what": kind, "why": getattr(heard, "why", "")}

    def _level(self, sound: Sound) -> dict[str, Any] | None:
        missing = self._gaps.before(sound)
        self._missing += missing
        self._samples += missing + len(sound.samples)
        self._meter.feed(sound.samples)
        self._loudest_dbm0 = max(self._loudest_dbm0, self._meter.level_dbm0)
        second = self._samples // RATE_HZ
        if second == self._second:
            return None
        level = {
            "what": "level",
            "line_s": second,
            "level_dbm0": round(self._loudest_dbm0, 1),
            "missing_samples": self._missing,
        }
        self._second, self._missing, self._loudest_dbm0 = second, 0, LOWEST_DBM0
        return level
