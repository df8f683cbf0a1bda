"""How an adapter is, in words: for `star57 adapter list`, and for a technician's page."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ValidationError

from host_tools.service.messages import Decoded, Heartbeat, UpdateProgress

SILENT_AFTER_S = 150
"""Two heartbeats and a half: one that was lost worries nobody."""
LATE_MS = 60
"""Longer between two blocks of 20 ms, and the audio in between may have been lost."""
NEVER = "never"
LATE_WHILE_UPDATING_MS = 300
"""While firmware is written to flash, a sector or a record at a time: nothing is lost in a second."""
OF_OLDER_SERVICE = "its heartbeat was kept by an older service: wait for the next"


@dataclass(frozen=True)
class AdapterHealth:
    """How an adapter is; all but `last_heard` is empty before its first heartbeat.

    Attributes:
        last_heard: how long ago, or "never".
        firmware: board, version and commit.
        complaints: what is wrong, a few words each.
        decode_quality: how well the last caller ID by FSK was heard.
        heartbeat: the last one, when it can be read.
    """

    last_heard: str = NEVER
    firmware: str = ""
    complaints: tuple[str, ...] = ()
    decode_quality: str = ""
    heartbeat: Heartbeat | None = None

    @property
    def words(self) -> str:
        """The complaints, or that the adapter is well; empty when it was never heard."""
        return ", ".join(self.complaints) or ("" if self.last_heard == NEVER else "well")


def adapter_health(heartbeat: str | None, heard_at: int | None, now: int) -> AdapterHealth:
    """How the adapter is whose last heartbeat came at `heard_at`.

    Args:
        heartbeat: a `messages.Heartbeat` in JSON; None before the first.
        heard_at, now: Unix seconds.
    """
    if heartbeat is None or heard_at is None:
        return AdapterHealth()
    silent_s = max(0, now - heard_at)
    last_heard = f"{ago(silent_s)} ago"
    silent = (f"silent for {ago(silent_s)}",) if silent_s > SILENT_AFTER_S else ()
    try:
        told = Heartbeat.model_validate_json(heartbeat)
    except ValidationError:
        return AdapterHealth(last_heard, complaints=(*silent, OF_OLDER_SERVICE))
    return AdapterHealth(
        last_heard=last_heard,
        firmware=" ".join(filter(None, [told.board, told.firmware, told.commit[:10]])),
        complaints=(*silent, *_complaints(told)),
        decode_quality=_decode_quality(told.decoded) if told.decoded else "",
        heartbeat=told,
    )


def ago(seconds: int) -> str:
    """A time in words, in its largest whole unit."""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def _complaints(heartbeat: Heartbeat) -> list[str]:
    told = [
        (heartbeat.reset_reason != "power_on", f"started after a {heartbeat.reset_reason} reset"),
        (heartbeat.time_source == "none", "has no clock"),
        (heartbeat.outbox, f"{heartbeat.outbox} waiting"),
        (heartbeat.lost_samples, f"{heartbeat.lost_samples} samples lost"),
        (heartbeat.underruns, f"{heartbeat.underruns} underruns"),
        (heartbeat.longest_gap_ms > _late_ms(heartbeat.update), f"{heartbeat.longest_gap_ms} ms late"),
        (heartbeat.refusals, f"{heartbeat.refusals} refusals"),
        (heartbeat.settings_refused, f"refused {', '.join(heartbeat.settings_refused)}"),
        (
            heartbeat.prompt and heartbeat.prompt.state == "failed",
            f"prompt {heartbeat.prompt.name if heartbeat.prompt else ''} failed",
        ),
        (_is_bad(heartbeat.update), f"update: {_update(heartbeat.update) if heartbeat.update else ''}"),
    ]
    return [words for is_so, words in told if is_so]


def _update(update: UpdateProgress) -> str:
    words = f"release {update.release} {update.state}" if update.release else update.state
    return f"{words}: {update.reason}" if update.reason else words


def _late_ms(update: UpdateProgress | None) -> int:
    is_written = update is not None and update.state in ("receiving", "kept")
    return LATE_WHILE_UPDATING_MS if is_written else LATE_MS


def _is_bad(update: UpdateProgress | None) -> bool:
    return update is not None and update.state in ("returned", "refused")


def _decode_quality(decoded: Decoded) -> str:
    measured = [
        ("", decoded.level_dbm0, "dBm0"),
        ("S/N ", decoded.snr_db, "dB"),
        ("twist ", decoded.twist_db, "dB"),
    ]
    figures = [f"{name}{figure} {unit}" for name, figure, unit in measured if figure is not None]
    return ", ".join([decoded.standard, *figures])
