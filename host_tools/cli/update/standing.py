"""How the update of an adapter stands, and the service's adapters as the verbs of `star57 update` work on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy.engine import Connection

from host_tools.cli import database as service_database
from host_tools.service.adapter_health import AdapterHealth, adapter_health
from host_tools.service.adapters import Adapter
from host_tools.service.firmware import Kept

Answer = TypeVar("Answer")

WAITING = "waiting"
TAKES_NONE = "takes no updates"


@dataclass(frozen=True)
class Standing:
    """How the update of one adapter stands.

    Attributes:
        adapter_id, last_heard, board, firmware: "" what it has not told yet.
        slot: the one that runs; None without a second one.
        wanted_release: that it is to have; None when it is to have none, or has come to an end with it.
        release: that `state` is of; 0 when it is not known.
        state: as the adapter says, "waiting" before it has begun, or that it takes none; "" when nothing was pushed.
        received_bytes, size_bytes: of the firmware for its idle slot; the size is None when it is not known.
        reason: of what was refused or came back.
    """

    adapter_id: str
    last_heard: str
    board: str
    firmware: str
    slot: str | None
    wanted_release: int | None
    release: int
    state: str
    received_bytes: int
    size_bytes: int | None
    reason: str | None


def work_on(database: str, work: Callable[[Connection], Answer]) -> Answer:
    """As `host_tools.cli.database.work_on`."""
    return service_database.work_on(database, work, command="update")


def standing(adapter: Adapter, kept: dict[str, Kept], now: int) -> Standing:
    """How it stands; `kept` are the releases, `now` is Unix seconds."""
    health = adapter_health(adapter.heartbeat, adapter.heard_at, now)
    wanted = kept.get(adapter.update_sha256 or "")
    told = health.heartbeat
    progress = told.update if told else None
    state = _before(health, is_wanted=wanted is not None)
    received, reason, which = 0, None, wanted
    release = wanted.release if wanted else 0
    if progress is not None and adapter.update_sha256 in (None, progress.sha256):
        release, state = progress.release, str(progress.state)
        received, reason, which = progress.received, progress.reason, kept.get(progress.sha256)
    return Standing(
        adapter_id=adapter.adapter_id,
        last_heard=health.last_heard,
        board=told.board if told else "",
        firmware=told.firmware if told else "",
        slot=told.slot if told else None,
        wanted_release=wanted.release if wanted else None,
        release=release,
        state=state,
        received_bytes=received,
        size_bytes=_size(which, told.slot if told else None),
        reason=reason,
    )


def hindrance(adapter: Adapter, board: str, sha256: str, now: int) -> str | None:
    """Why the adapter cannot be given a release for `board`; None when it can. One never heard is given any."""
    told = adapter_health(adapter.heartbeat, adapter.heard_at, now).heartbeat
    if told is None:
        return None
    if told.slot is None:
        return TAKES_NONE
    if told.board != board:
        return f"is a {told.board}"
    if told.update and (told.update.sha256, told.update.state) == (sha256, "confirmed"):
        return "runs it already"
    return None


def _before(health: AdapterHealth, *, is_wanted: bool) -> str:
    if health.heartbeat is not None and health.heartbeat.slot is None:
        return TAKES_NONE
    return WAITING if is_wanted else ""


def _size(kept: Kept | None, runs: str | None) -> int | None:
    if kept is None or runs is None:
        return None
    return kept.size_bytes["b" if runs == "a" else "a"]
