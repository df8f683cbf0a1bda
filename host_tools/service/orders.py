"""What the service wants of an adapter, and how the answers to its heartbeats say so.

Settings, a prompt, its log, and firmware.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Annotated, Any, Protocol

from pydantic import Field, field_validator

from host_tools.service.adapters import Adapter
from host_tools.service.messages import (
    MAX_CHARGE_CENTS,
    MAX_COUNT,
    MAX_FIRMWARE_BYTES,
    MAX_PART_BYTES,
    Heartbeat,
    HeartbeatAnswer,
    HeartbeatAnswerOfBefore,
    Log,
    Message,
    PromptPart,
    SettingsPush,
    Slot,
    UpdatePart,
    UpdateProgress,
)

MOST_FAILURES = 3
MOST_LOG_LINES = 256
RELEASE = -1
"""Where the part of an update begins that is the release itself."""
ENDS_OF_UPDATE = ("confirmed", "returned", "refused")

_OTHER: dict[Slot, Slot] = {"a": "b", "b": "a"}


@dataclass(frozen=True)
class Next:
    """The answer to a heartbeat, and what changes in the adapter's row with it."""

    answer: HeartbeatAnswerOfBefore
    changed: dict[str, Any]


@dataclass(frozen=True)
class _Offer:
    part: PromptPart | None = None
    is_news: bool = False
    changed: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _Update:
    part: UpdatePart | None = None
    is_news: bool = False
    changed: dict[str, Any] = field(default_factory=dict)


class Release(Protocol):
    """The release that an adapter may have now: `firmware.Release`."""

    def part(self, slot: Slot | None, offset: int) -> bytes:
        """At most 960 bytes from `offset` on, of the firmware for `slot`, or of the signed release; none at its end."""


class RevisionsExhausted(Exception):
    """The adapter has taken settings of the last revision that there is."""


class Pushed(Message):
    """The settings that a host may set; those that are not given stay as they are."""

    two_stage: bool | None = None
    trace_offered: bool | None = None
    price_cents: Annotated[int, Field(ge=0, le=MAX_CHARGE_CENTS)] | None = None
    answer_timeout_ms: Annotated[int, Field(ge=100, le=60000)] | None = None
    utc_offset_minutes: Annotated[int, Field(ge=-720, le=840)] | None = None
    call_log: bool | None = None

    @field_validator("*")
    @classmethod
    def _is_given(cls, value: bool | int | None) -> bool | int:
        if value is None:
            raise ValueError("a setting has a value")
        return value


def push_settings(adapter: Adapter, pushed: Pushed) -> dict[str, Any]:
    """What changes when `pushed` is to be set beside what was pushed before, under a new revision.

    Raises:
        RevisionsExhausted: no revision is greater than the adapter's.
    """
    revision = max(adapter.settings_revision, _heartbeat_revision(adapter)) + 1
    if revision > MAX_COUNT:
        raise RevisionsExhausted
    # An adapter keeps the values of its last push only.
    values = {**json.loads(adapter.settings_values), **pushed.model_dump(exclude_none=True)}
    return {"settings_revision": revision, "settings_values": json.dumps(values)}


def push_prompt(name: str, file: bytes) -> dict[str, Any]:
    """What changes when the adapter is to keep `file`, 1 to 65536 bytes, in place of the prompt `name`."""
    return {
        "prompt_name": name,
        "prompt_sha256": hashlib.sha256(file).hexdigest(),
        "prompt_file": file,
        "prompt_offset": None,
        "prompt_failures": 0,
    }


def want_log() -> dict[str, Any]:
    """What changes when the adapter is to send what it has logged."""
    return {"log_wanted": True, "log_lines": "[]"}


def push_update(sha256: str) -> dict[str, Any]:
    """What changes when the adapter is to have the release of that hash."""
    return {"update_sha256": sha256, "update_offered": None}


def cancel_update() -> dict[str, Any]:
    """What changes when it is to have none: what it has received lies idle until another comes."""
    return {"update_sha256": None, "update_offered": None}


def heard(adapter: Adapter, heartbeat: Heartbeat, received_at: int, release: Release | None = None) -> Next:
    """What is answered to `heartbeat`, which came at `received_at` (Unix seconds), and kept with it.

    Args:
        adapter: its row.
        heartbeat: what it says.
        received_at: Unix seconds.
        release: that of `adapter.update_sha256`, when it is the adapter's turn.
    """
    offer = _offer(adapter, heartbeat)
    # A message holds one part: of a prompt, which is short, before one of firmware.
    update = _Update() if offer.part else _update(adapter, heartbeat, release)
    log_from, log_changed = _log_from(adapter, heartbeat)
    settings = _settings(adapter, heartbeat)
    answer = HeartbeatAnswerOfBefore(
        unix_seconds=received_at,
        settings=settings,
        prompt=offer.part,
        log_from=log_from,
        again=offer.is_news or update.is_news,
    )
    if heartbeat.knows_updates:
        answer = HeartbeatAnswer(**dict(answer), update=update.part)
    return Next(
        answer,
        {
            "heartbeat": heartbeat.model_dump_json(),
            "heard_at": received_at,
            **({"settings_revision": settings.revision} if settings else {}),
            **offer.changed,
            **update.changed,
            **log_changed,
        },
    )


def logged(adapter: Adapter, log: Log, received_at: int) -> dict[str, Any]:
    """What changes with lines that came at `received_at`: those are kept that are new, and the newest of all."""
    lines = json.loads(adapter.log_lines)
    after = lines[-1][0] if lines else -1
    lines += [[number, line] for number, line in enumerate(log.lines, log.first) if number > after]
    changed: dict[str, Any] = {"log_lines": json.dumps(lines[-MOST_LOG_LINES:]), "log_taken_at": received_at}
    if lines and adapter.heartbeat and _is_all(lines, Heartbeat.model_validate_json(adapter.heartbeat)):
        changed["log_wanted"] = False
    return changed


def _heartbeat_revision(adapter: Adapter) -> int:
    if adapter.heartbeat is None:
        return 0
    return Heartbeat.model_validate_json(adapter.heartbeat).settings_revision


def _settings(adapter: Adapter, heartbeat: Heartbeat) -> SettingsPush | None:
    pushed, taken = adapter.settings_revision, heartbeat.settings_revision
    is_first = adapter.heartbeat is None
    if pushed == 0 or (taken == pushed and not is_first):
        return None
    if taken >= pushed:
        # Of a service that knew it before, or of this one before it was removed: not these settings.
        pushed = taken + 1
    if pushed > MAX_COUNT:
        return None
    return SettingsPush(revision=pushed, values=json.loads(adapter.settings_values))


def _offer(adapter: Adapter, heartbeat: Heartbeat) -> _Offer:
    """The part that comes next. It is news when it is not the one that was offered last."""
    file, progress = adapter.prompt_file, heartbeat.prompt
    if file is None or adapter.prompt_name is None or adapter.prompt_sha256 is None:
        return _Offer()
    failures, offset = adapter.prompt_failures, 0
    if progress and (progress.name, progress.sha256) == (adapter.prompt_name, adapter.prompt_sha256):
        if progress.state == "kept":
            return _Offer(changed={"prompt_file": None})
        if progress.state == "failed":
            failures += 1
            if failures >= MOST_FAILURES:
                return _Offer(changed={"prompt_failures": failures, "prompt_file": None})
        elif progress.received < len(file):
            offset = progress.received
    part = PromptPart(
        name=adapter.prompt_name,
        size=len(file),
        sha256=adapter.prompt_sha256,
        offset=offset,
        data=b64encode(file[offset : offset + MAX_PART_BYTES]).decode(),
    )
    return _Offer(
        part, offset != adapter.prompt_offset, {"prompt_failures": failures, "prompt_offset": offset}
    )


def _update(adapter: Adapter, heartbeat: Heartbeat, release: Release | None) -> _Update:
    """The part of the release that comes next; news as in `_offer`."""
    progress, slot = heartbeat.update, heartbeat.slot
    if adapter.update_sha256 is None:
        return _Update()
    if slot is None:  # it takes none, and shall hold up nobody
        return _Update(changed=cancel_update())
    if progress is None or progress.sha256 != adapter.update_sha256 or _is_of_before(adapter, progress):
        return _part_of(adapter, release, None, 0)
    if progress.state in ENDS_OF_UPDATE:
        return _Update(changed=cancel_update())
    if progress.state == "receiving":
        return _part_of(adapter, release, _OTHER[slot], progress.received)
    return _Update()


def _is_of_before(adapter: Adapter, progress: UpdateProgress) -> bool:
    """Whether it came to nothing before this push, which tries it once more."""
    return progress.state in ("returned", "refused") and adapter.update_offered is None


def _part_of(adapter: Adapter, release: Release | None, slot: Slot | None, offset: int) -> _Update:
    data = release.part(slot, offset) if release and offset < MAX_FIRMWARE_BYTES else b""
    if not data or adapter.update_sha256 is None:
        return _Update()
    place = RELEASE if slot is None else offset
    part = UpdatePart(sha256=adapter.update_sha256, slot=slot, offset=offset, data=b64encode(data).decode())
    return _Update(part, place != adapter.update_offered, {"update_offered": place})


def _log_from(adapter: Adapter, heartbeat: Heartbeat) -> tuple[int | None, dict[str, Any]]:
    if not adapter.log_wanted:
        return None, {}
    lines = json.loads(adapter.log_lines)
    if heartbeat.log_lines == 0 or (lines and lines[-1][0] + 1 == heartbeat.log_lines):
        return None, {"log_wanted": False}
    if lines and lines[-1][0] >= heartbeat.log_lines:
        return 0, {"log_lines": "[]"}  # it has started anew, and counts anew
    return lines[-1][0] + 1 if lines else 0, {}


def _is_all(lines: list[list[Any]], heartbeat: Heartbeat) -> bool:
    return bool(lines[-1][0] + 1 >= heartbeat.log_lines)
