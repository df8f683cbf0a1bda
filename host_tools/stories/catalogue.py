"""The stories: what can happen between a harassing call and the word that it was traced, or was not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from host_tools.exchange.caller_id import CallerId
from host_tools.exchange.central_office import IncomingCall
from host_tools.stories.stage import Script, Stage
from host_tools.stories.trace_service import TraceService

CALLER = "5555550123"
OTHER_CALLER = "5555550145"
ANSWER_WITHIN_S = 10.0
"""The adapter asks its household to wait for the service's answer for 8 s at most."""

STUTTER_OVER_S = 2.6
"""Stutter dial tone is over so long after the phone was lifted."""


@dataclass
class Scene:
    """What a story has to work with: the line, and the service that it may start."""

    stage: Stage
    service: TraceService


@dataclass(frozen=True)
class Story:
    """One story.

    Attributes:
        name: of its files and its row in the report.
        title: one sentence for people.
        line: the household's number.
        script: what happens.
        lines_offered: where the service offers trace.
        service_runs: whether the trace service is up when the story begins.
    """

    name: str
    title: str
    line: str
    script: Callable[[Scene], Script]
    lines_offered: str = "*"
    service_runs: bool = True


def _named_call() -> IncomingCall:
    return IncomingCall(origin=CALLER, caller_id=CallerId(number=CALLER, name="A CALLER"))


def _comes_in(stage: Stage, call: IncomingCall, rings: int = 2) -> Script:
    """A call rings; `rings` whole rings go by."""
    stage.say("exchange", f"a call comes in, {_presented(call)}")
    stage.office.incoming_call(call)
    for ring in range(rings):
        yield from stage.until(lambda: stage.telephone.ringing, "a ring")
        yield from stage.until(lambda: not stage.telephone.ringing, "the end of a ring")
        if ring == 0:
            yield from stage.wait(0.6)
            stage.say("exchange", "sends caller ID")


def _presented(call: IncomingCall) -> str:
    reason = call.caller_id.reason if call.caller_id else None
    return {"P": "private", "O": "out of area", None: "with number and name"}[reason]


def _answered(stage: Stage, talk_s: float = 4.0) -> Script:
    yield from stage.wait(1.2)
    stage.lift()
    yield from stage.wait(talk_s)
    stage.hang_up()
    stage.office.caller_clears()
    yield from stage.wait(2.0)


def _unanswered(stage: Stage) -> Script:
    yield from stage.wait(1.0)
    stage.office.caller_clears()
    stage.say("exchange", "the caller gives up")
    yield from stage.wait(8.0)


def _dials_trace(stage: Stage) -> Script:
    stage.lift()
    yield from stage.wait(1.2)
    yield from stage.press("*57")
    yield from stage.until(lambda: stage.relay_energised, "the relay", within_s=1.0)


def _confirms(stage: Stage) -> Script:
    yield from stage.listen()
    yield from stage.press("1")
    yield from stage.listen(quiet_s=ANSWER_WITHIN_S)


def _leaves(stage: Stage) -> Script:
    yield from stage.wait(0.5)
    stage.hang_up()
    yield from stage.wait(1.5)


def _whole(stage: Stage) -> Script:
    yield from _dials_trace(stage)
    yield from _confirms(stage)
    yield from _leaves(stage)


def traced(scene: Scene) -> Script:
    """The main job."""
    stage = scene.stage
    yield from stage.wait(1.0)
    yield from _comes_in(stage, _named_call())
    yield from _answered(stage)
    yield from _whole(stage)


def private(scene: Scene) -> Script:
    """The caller's number is withheld; the exchange's call records have it."""
    stage = scene.stage
    yield from stage.wait(1.0)
    yield from _comes_in(stage, IncomingCall(origin=CALLER, caller_id=CallerId(reason="P", name_reason="P")))
    yield from _answered(stage)
    yield from _whole(stage)


def out_of_area(scene: Scene) -> Script:
    """No origin is known to anybody, and nobody answered."""
    stage = scene.stage
    yield from stage.wait(1.0)
    yield from _comes_in(stage, IncomingCall(origin="", caller_id=CallerId(reason="O", name_reason="O")))
    yield from _unanswered(stage)
    yield from _whole(stage)


def not_offered(scene: Scene) -> Script:
    """Trace is not available on this line: reorder tone."""
    yield from traced(scene)


def no_call(scene: Scene) -> Script:
    """Nobody has called yet."""
    stage = scene.stage
    yield from stage.wait(1.0)
    yield from _dials_trace(stage)
    yield from stage.listen()
    yield from _leaves(stage)


def stored(scene: Scene) -> Script:
    """The service cannot be reached; the request is kept, and delivered when it can."""
    stage = scene.stage
    yield from stage.wait(1.0)
    yield from _comes_in(stage, _named_call())
    yield from _unanswered(stage)
    yield from _whole(stage)
    scene.service.start()
    stage.say("service", "is back")
    yield from stage.until(lambda: _delivered(stage), "the delivery", within_s=70.0)
    stage.say("adapter", "has delivered the stored request, and keeps the answer")
    yield from stage.wait(1.0)


def _delivered(stage: Stage) -> bool:
    return all(entry["answer"] for entry in stage.firmware.record("outbox"))


def late(scene: Scene) -> Script:
    """As `stored`; the household lifts the phone again, hears that something waits, and dials the code."""
    stage = scene.stage
    yield from stored(scene)
    stage.lift()
    yield from stage.wait(STUTTER_OVER_S)
    yield from stage.press("*57")
    yield from stage.until(lambda: stage.relay_energised, "the relay", within_s=1.0)
    yield from stage.listen()
    yield from _leaves(stage)


def call_waiting(scene: Scene) -> Script:
    """A second call waits while the first one is spoken to: the second is the last call."""
    stage = scene.stage
    yield from stage.wait(1.0)
    yield from _comes_in(stage, _named_call())
    yield from stage.wait(1.2)
    stage.lift()
    yield from stage.wait(2.0)
    stage.say("exchange", "a second call waits, with number and name")
    stage.office.incoming_call(
        IncomingCall(origin=OTHER_CALLER, caller_id=CallerId(number=OTHER_CALLER, name="B CALLER")),
        call_waiting=True,
    )
    yield from stage.wait(5.0)
    stage.hang_up()
    stage.office.caller_clears()
    yield from stage.wait(9.0)
    yield from _whole(stage)


STORIES = (
    Story("traced", "A call with number and name is traced", "5555550101", traced),
    Story("private", "A private call is traced: the exchange's call records know it", "5555550102", private),
    Story("out_of_area", "An out-of-area call cannot be traced", "5555550103", out_of_area),
    Story(
        "not_offered",
        "Trace is not available on this line: reorder tone",
        "5555550104",
        not_offered,
        lines_offered="5555550101",
    ),
    Story("no_call", "No call has come yet", "5555550105", no_call),
    Story(
        "stored", "The service is away: stored, and delivered later", "5555550106", stored, service_runs=False
    ),
    Story(
        "late",
        "The answer comes late: stutter dial tone, and told at the next *57",
        "5555550108",
        late,
        service_runs=False,
    ),
    Story("call_waiting", "A call that waited has become the last call", "5555550107", call_waiting),
)
