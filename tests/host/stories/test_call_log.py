"""A household's log of its calls, from the ring to the store: the firmware at one end, the service at the other."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from sqlalchemy.engine import Connection

from host_tools.exchange.call_records import CallRecords
from host_tools.exchange.caller_id import CallerId
from host_tools.exchange.central_office import CentralOffice, IncomingCall
from host_tools.exchange.pair import Pair
from host_tools.exchange.telephone import Telephone
from host_tools.service.call_log import CallLog, LoggedCall
from host_tools.service.call_log_switch import set_switch
from host_tools.service.lines import LinePolicy, Lines
from host_tools.service.secret import Secret
from host_tools.service.store import run_once
from host_tools.stories.adapters import Placement, emulated
from host_tools.stories.performance import STARTS_AT
from host_tools.stories.stage import Script, Stage
from host_tools.stories.trace_service import TraceService

LINE = "5555550101"
CALLER = IncomingCall(origin="5555550123", caller_id=CallerId(number="5555550123", name="A CALLER"))
PRIVATE = IncomingCall(origin="5555550123", caller_id=CallerId(reason="P", name_reason="P"))


def a_call(stage: Stage, call: IncomingCall, *, answered: bool = True) -> Script:
    """A call rings twice; the household talks for two seconds, or the caller gives up."""
    stage.office.incoming_call(call)
    for _ in range(2):
        yield from stage.until(lambda: stage.telephone.ringing, "a ring")
        yield from stage.until(lambda: not stage.telephone.ringing, "the end of a ring")
    yield from stage.wait(1.0)
    if answered:
        stage.lift()
        yield from stage.wait(2.0)
        stage.hang_up()
    stage.office.caller_clears()


def traces_it(stage: Stage) -> Script:
    """The household traces the last call, and hangs up when that is answered."""
    yield from stage.wait(1.5)
    stage.lift()
    yield from stage.wait(1.2)
    yield from stage.press("*57")
    for _ in range(60):
        if any(entry["answer"] for entry in stage.firmware.record("outbox") or []):
            break
        yield from stage.wait(0.5)
    stage.hang_up()


def wants_a_log(connection: Connection) -> None:
    """The line is the adapter's, and its household has switched the log on: the adapter does not know yet."""
    Lines(connection).put(LinePolicy(line=LINE, adapter_id="adapter-1"))
    set_switch(connection, LINE, is_on=True, by="household", at=1)


def test_calls_are_in_the_log_with_their_traces_through_a_power_cut(tmp_path: Path) -> None:
    starts_at = int(STARTS_AT.timestamp())
    records = tmp_path / "cdr.sqlite"
    with TraceService(tmp_path, records, "*") as service:
        key = service.add_adapter("adapter-1")
        chosen = {"adapter_id": "adapter-1", "adapter_key": key, "line": LINE, "service_port": service.port}
        firmware = emulated(Placement(tmp_path, {**chosen, "two_stage": False}, service.url, starts_at))
        office = CentralOffice(line=LINE, starts_at=STARTS_AT, records=CallRecords(records))
        telephone = Telephone()
        pair = Pair(office, telephone)
        stage = Stage(office, telephone, pair, firmware, clock=lambda s: service.set_time(starts_at + s))
        service.set_time(starts_at)
        run_once(f"sqlite:///{service.database}", wants_a_log)
        secret = Secret(tmp_path / "service.secret")

        def logged() -> list[LoggedCall]:
            return run_once(
                f"sqlite:///{service.database}",
                lambda connection: CallLog(connection, secret, LINE).page(0, 50),
                prepares=False,
            )

        def until_logged(is_so: Callable[[list[LoggedCall]], bool], what: str) -> Script:
            # Asked once a second of line time: the store is another process's.
            for _ in range(60):
                yield from stage.wait(1.0)
                if is_so(logged()):
                    return
            raise AssertionError(f"{what}: {logged()}\n{firmware.log}")

        def script() -> Script:
            yield from stage.wait(1.0)
            yield from a_call(stage, CALLER)
            yield from until_logged(lambda calls: len(calls) == 1, "the first call")
            yield from traces_it(stage)
            yield from until_logged(lambda calls: calls[0].trace_id is not None, "its trace")
            service.stop()
            yield from a_call(stage, PRIVATE, answered=False)
            yield from stage.wait(7.0)  # until the ringing is known to be over
            firmware.power_cut()
            firmware.start()
            service.start()
            yield from until_logged(lambda calls: len(calls) == 2, "the call before the power cut")

        service.start()
        firmware.start()
        try:
            stage.play(script())
            later, first = logged()
        finally:
            firmware.stop()
    assert (first.number, first.name, first.rings, first.answered) == ("5555550123", "A CALLER", 2, True)
    assert (first.trace_id, first.trace_outcome, first.time_source) == ("T-00000001", "traced", "network")
    rang_at = STARTS_AT + timedelta(seconds=1)
    assert abs(first.at - rang_at.timestamp()) <= 3
    assert (later.number, later.presentation, later.answered, later.trace_id) == (
        None,
        "private",
        False,
        None,
    )
