"""Performs a story: sets the stage, plays it, and keeps what could be seen and heard."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from host_tools.exchange.call_records import CallRecords
from host_tools.exchange.central_office import CentralOffice
from host_tools.exchange.pair import Pair
from host_tools.exchange.telephone import Telephone
from host_tools.stories.adapters import ADAPTERS, Placement
from host_tools.stories.catalogue import Scene, Story
from host_tools.stories.picture import Caption, StateTrack, draw
from host_tools.stories.stage import BLOCK_S, SAMPLE_RATE_HZ, Event, Stage
from host_tools.stories.trace_service import TraceService

STARTS_AT = datetime(2026, 12, 1, 17, 30, tzinfo=UTC)
"""When every story begins: a fixed time, so that it is told the same each time."""


@dataclass(frozen=True)
class Result:
    """A row of the report.

    Attributes:
        story: its name.
        caller_id: as the firmware decoded it and kept it on its flash; None when no call or no caller ID came.
        outcome: of the household's trace, from what was heard.
        trace_id: as the service gave it to the adapter; None unless traced.
        charge_cents: as the service gave it to the adapter.
        heard: what the household heard in order, recognised from the audio of the earpiece alone.
    """

    story: str
    caller_id: dict[str, Any] | None
    outcome: str
    trace_id: str | None
    charge_cents: int
    heard: list[str]


OUTCOME_OF_PROMPT = {
    "traced": "traced",
    "not_traceable": "not_traceable",
    "already_traced": "already_traced",
    "no_call": "no_call",
    "stored": "stored",
    "reorder": "not_offered",
    "earlier_traced": "traced",
    "earlier_not_traceable": "not_traceable",
    "earlier_already_traced": "already_traced",
    "earlier_not_offered": "not_offered",
}


@dataclass(frozen=True)
class Performance:
    """A story that was played.

    Attributes:
        story: which.
        folder: where its files are.
        stage: its line, at the end.
        result: its row of the report.
        centre_key: the private key of its call identification centre, 32 bytes.
    """

    story: Story
    folder: Path
    stage: Stage
    result: Result
    centre_key: bytes


def perform(
    story: Story, folder: Path, tell: Callable[[Event], None], board: str = "emulated"
) -> Performance:
    """Plays a story and writes its files into `folder`: audio of both ends, the picture, flash, service store, logs.

    Args:
        board: a name of adapters.ADAPTERS.

    Raises:
        StoryStuck: what the story waited for did not come.
        FirmwareFault, ServiceNotStarted: there is nothing to play with.
    """
    folder.mkdir(parents=True)
    call_records = folder / "cdr.sqlite"
    office = CentralOffice(line=story.line, starts_at=STARTS_AT, records=CallRecords(call_records))
    telephone = Telephone(type_two=True)
    with TraceService(folder, call_records, story.lines_offered) as service:
        starts_at = int(STARTS_AT.timestamp())
        service.set_time(starts_at)
        adapter_id = f"demo-{story.line[-2:]}"
        settings = {
            "adapter_id": adapter_id,
            "adapter_key": service.add_adapter(adapter_id),
            "line": story.line,
            "service_port": service.port,
        }
        placement = Placement(folder, settings, service.url, starts_at)
        firmware = ADAPTERS[board](placement)
        stage = Stage(
            office,
            telephone,
            Pair(office, telephone),
            firmware,
            tell,
            clock=lambda now_s: service.set_time(starts_at + now_s),
        )
        if story.service_runs:
            service.start()
        firmware.start()
        try:
            stage.play(story.script(Scene(stage, service)))
        finally:
            firmware.stop()
            (folder / "firmware.log").write_text(firmware.log)
    performance = Performance(story, folder, stage, _result(story, stage), bytes(service.centre_key))
    _keep(performance, folder)
    return performance


def _result(story: Story, stage: Stage) -> Result:
    calls = stage.firmware.record("calls") or []
    answers = [entry["answer"] for entry in stage.firmware.record("outbox") or [] if entry["answer"]]
    answer: dict[str, Any] = answers[-1] if answers else {"trace_id": None, "charge_cents": 0}
    return Result(
        story=story.name,
        caller_id=calls[-1]["caller_id"] if calls else None,
        outcome=_outcome(stage),
        trace_id=answer["trace_id"],
        charge_cents=answer["charge_cents"],
        heard=[sentence.text for sentence in stage.heard],
    )


def _outcome(stage: Stage) -> str:
    """The last outcome that the household was told."""
    told = [OUTCOME_OF_PROMPT[name] for s in stage.heard for name in s.names if name in OUTCOME_OF_PROMPT]
    return told[-1] if told else "none"


def _keep(performance: Performance, folder: Path) -> None:
    recording = performance.stage.pair.recording
    phone_heard = np.concatenate(recording.phone_heard)
    soundfile.write(folder / "phone_heard.wav", phone_heard, SAMPLE_RATE_HZ, subtype="PCM_16")
    exchange_heard = np.concatenate(recording.exchange_heard)
    soundfile.write(folder / "exchange_heard.wav", exchange_heard, SAMPLE_RATE_HZ, subtype="PCM_16")
    draw(
        folder / "line.png",
        performance.story.title,
        phone_heard,
        tracks=[
            StateTrack("ringing", np.array(recording.ringing), "tab:orange"),
            StateTrack("off-hook", np.array(recording.off_hook), "tab:blue"),
            StateTrack("relay: phone on adapter", np.array(recording.relay_energised), "tab:red"),
        ],
        captions=[
            Caption(event.at_s, _shortened(event.what)) for event in performance.stage.events if _shown(event)
        ],
        block_s=BLOCK_S,
    )


def _shown(event: Event) -> bool:
    return event.who in ("heard", "exchange") or event.what.startswith("dials")


def _shortened(text: str) -> str:
    return text if len(text) <= 34 else text[:33].rstrip() + "\N{HORIZONTAL ELLIPSIS}"
