"""A line whose adapter has requests to deliver, while a fault is at work between it and the real trace service.

The whole firmware runs, on real audio: a call rings meanwhile, and its caller ID must be read.
"""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from host_tools.exchange.call_records import CallRecord, CallRecords
from host_tools.exchange.caller_id import CallerId
from host_tools.exchange.central_office import CentralOffice, IncomingCall
from host_tools.exchange.pair import Pair
from host_tools.exchange.telephone import Telephone
from host_tools.rig.lockstep import BoardSettings, MicroPythonFirmware
from host_tools.rig.micropython import ROOT, interpreter_command
from host_tools.stories.performance import STARTS_AT
from host_tools.stories.stage import Script, Stage
from host_tools.stories.trace_service import TraceService
from tests.host.faults.accepted import accepted, last_heartbeat
from tests.host.faults.tally import Tally

_LINES = "5555550100"
CALLER = "5555550123"
CALLED_AT = 1_795_000_000
"""When the first of the calls rang whose requests wait; the others a minute after each other."""
MOST_PENDING = 16

_FILL = ROOT / "tests" / "firmware" / "programs" / "fill_outbox.py"


@dataclass
class Delivery:
    """What an adapter is given to deliver, and how.

    Attributes:
        seed: of its requests and its random numbers.
        service: the trace service.
        requests: how many wait when the power comes on, at most 16.
        settings: of the adapter, beside its identity; where it reaches the service above all.
        files: on its flash, beside its settings.
        serial: the host's end of its serial port, or None.
        network: whether it has a network.
        within_s: of line time, until all must be delivered.
        patience_ms: how long the line stands still for a silent network.
        name_server: the board's.
        wall_time: of the board at power-on; 0 for a board without a clock.
        more_s: how long the line goes on behind the last delivery.
    """

    seed: int
    service: TraceService
    requests: int = MOST_PENDING
    settings: dict[str, object] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    serial: Callable[[bytes], bytes] | None = None
    network: bool = True
    within_s: float = 600.0
    patience_ms: int = 200
    name_server: str | None = None
    wall_time: int = int(STARTS_AT.timestamp())
    more_s: float = 1.0

    @property
    def adapter_id(self) -> str:
        """Of the adapter that delivers."""
        return f"faulty-{self.seed}"

    @property
    def line(self) -> str:
        """The adapter's own: a call of one line is traced once, whoever asks."""
        return f"{_LINES}{self.seed:04}"

    def run(self, folder: Path, fault: str, faults: Callable[[], int]) -> Tally:
        """Runs until all is delivered, and counts.

        Args:
            folder: for the adapter's flash.
            fault: its row's name.
            faults: how many faults were made, asked at the end.

        Raises:
            StoryStuck: it was not all delivered in time.
        """
        flash = folder / self.adapter_id
        flash.mkdir()
        own = {
            "adapter_id": self.adapter_id,
            "adapter_key": self.service.add_adapter(self.adapter_id),
            "line": self.line,
            "service_hosts": "127.0.0.1",
            "service_port": self.service.port,
            **self.settings,
        }
        (flash / "settings.json").write_text(json.dumps(own))
        for name, content in self.files.items():
            (flash / name).write_bytes(content)
        self._ring()
        self._fill(flash)
        firmware = MicroPythonFirmware(
            BoardSettings(
                flash,
                wall_time=self.wall_time,
                seed=self.seed,
                patience_ms=self.patience_ms,
                serial=self.serial,
                network=self.network,
                name_server=self.name_server,
            )
        )
        office = CentralOffice(line=self.line, starts_at=STARTS_AT)
        telephone = Telephone(type_two=True)
        stage = Stage(office, telephone, Pair(office, telephone), firmware)
        firmware.start()
        try:
            stage.play(self._script(stage))
        finally:
            firmware.stop()
        return self._tally(stage, fault, faults())

    def _ring(self) -> None:
        """The exchange has a record of each call that waits."""
        exchange = CallRecords(self.service.call_records)
        for number in range(self.requests):
            exchange.write(self._call(number))

    def _call(self, number: int) -> CallRecord:
        """The call of the request of that number (tests/firmware/programs/fill_outbox.py)."""
        called_at = CALLED_AT + 60 * number
        return CallRecord(
            calldate=datetime.fromtimestamp(called_at, UTC).strftime("%Y-%m-%d %H:%M:%S"),
            clid=f'"A CALLER" <{CALLER}>',
            src=CALLER,
            dst=self.line,
            dcontext="",
            channel="",
            dstchannel="",
            lastapp="",
            lastdata="",
            duration=20,
            billsec=0,
            disposition="NO ANSWER",
            amaflags=3,
            accountcode="",
            uniqueid=f"{called_at}.{self.seed * MOST_PENDING + number}",
            userfield="",
        )

    def _fill(self, flash: Path) -> None:
        subprocess.run(
            [
                *interpreter_command(),
                str(_FILL),
                str(flash),
                self.adapter_id,
                str(self.requests),
                str(self.seed),
                self.line,
            ],
            env={"MICROPYPATH": f"{ROOT / 'firmware'}:.frozen"},
            check=True,
        )

    def _script(self, stage: Stage) -> Script:
        """A call rings in while the fault is at work."""
        yield from stage.wait(1.0)
        stage.office.incoming_call(
            IncomingCall(origin=CALLER, caller_id=CallerId(number=CALLER, name="A CALLER"))
        )
        yield from stage.wait(9.0)
        stage.office.caller_clears()
        yield from stage.until(lambda: _is_delivered(stage), "the delivery", within_s=self.within_s)
        yield from stage.wait(self.more_s)

    def _tally(self, stage: Stage, fault: str, faults: int) -> Tally:
        entries = stage.firmware.record("outbox")
        rows = accepted(self.service.database, self.adapter_id)
        asked = [entry["request"]["request_id"] for entry in entries]
        calls = Counter((row["line"], row["call_id"]) for row in rows)
        answered = {row["request_id"]: (row["outcome"], row["trace_id"], row["charge_cents"]) for row in rows}
        believed = {
            entry["request"]["request_id"]: tuple(
                entry["answer"][name] for name in ("outcome", "trace_id", "charge_cents")
            )
            for entry in entries
        }
        traced = {answer[1] for answer in answered.values() if answer[0] == "traced"}
        assert len(traced) == len(asked), "not each call was traced, with a number of its own"
        assert [row["request_id"] for row in rows] == asked, "not in the order dialled"
        assert stage.firmware.record("calls")[-1]["caller_id"]["number"] == CALLER, "the caller was not read"
        return Tally(
            fault=fault,
            faults=faults,
            messages=len(asked),
            lost=len(set(asked) - set(answered)),
            twice=sum(count - 1 for count in calls.values()),
            wrong=len(set(answered) - set(asked))
            + sum(answered[name] != believed[name] for name in believed),
            samples_lost=json.loads(last_heartbeat(self.service.database, self.adapter_id))["lost_samples"],
            more={"line seconds": round(stage.now_s)},
        )


def _is_delivered(stage: Stage) -> bool:
    return all(entry["answer"] for entry in stage.firmware.record("outbox"))
