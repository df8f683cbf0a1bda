"""A call to an emulated Pico, listened to over USB while its firmware reads the caller: nothing is lost anywhere.

It takes as long as the emulator does for ten seconds of the line: what the stream costs a core is seen there alone.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from host_tools.exchange.fsk import BELL_202, on_hook
from host_tools.exchange.impairments import PicoAdc
from host_tools.exchange.levels import RATE_HZ
from host_tools.rig.emulated_pico import IMAGE
from host_tools.rig.pico_firmware import pico_flash
from host_tools.rig.pico_on_usb import SERIAL_NUMBER, PicoOnUsb
from host_tools.technician.boards import Board, Kind
from host_tools.technician.caller_id_in_use import in_use
from host_tools.technician.listen import record
from host_tools.technician.live_line import Heard, Status
from host_tools.technician.ports import FolderUsb
from host_tools.technician.recording import LineRecording, events_of
from host_tools.technician.waiting import Patience, wait_for_port
from tests.host.rig.recordings import MESSAGE, NUMBER
from tests.host.rig.wired_on_ptys import needs_wired_picos

pytestmark = needs_wired_picos

SETTINGS = {"adapter_id": "bench-01", "line": "5555550101", "adapter_key": "57" * 32}
RING_PIN = 6
BOARD = Board(SERIAL_NUMBER, "", Kind.STAR57, SERIAL_NUMBER)
# With the stream, a call, and the link that nobody answers; 45 % without (docs/pico.md).
MOST_OF_THE_CORE = 0.5


def a_call(folder: Path) -> tuple[Path, list[tuple[int, int, int]]]:
    """Ten seconds of a line in codes, and the edges of its ring detector: a ring, and Bell 202 behind it."""
    wave = np.zeros(10 * RATE_HZ)
    burst = on_hook(BELL_202).wave(MESSAGE)
    wave[round(5.6 * RATE_HZ) :][: len(burst)] = burst
    path = folder / "line.codes"
    path.write_bytes(PicoAdc().codes(wave, np.random.default_rng(57)).astype("<u2").tobytes())
    cycles = (3 * RATE_HZ + cycle * 400 for cycle in range(40))
    return path, [(start + half * 200, RING_PIN, half) for start in cycles for half in (0, 1)]


def test_a_call_is_heard_while_the_firmware_reads_it(tmp_path: Path) -> None:
    line, edges = a_call(tmp_path)
    flash = pico_flash(IMAGE, {"settings.json": json.dumps(SETTINGS).encode()})
    statuses: list[dict[str, Any]] = []

    def look(heard: Heard) -> None:
        if isinstance(heard, Status):
            statuses.append(heard.values)

    with PicoOnUsb(flash, folder=tmp_path, line=line, edges=edges) as pico:
        usb = FolderUsb(tmp_path)
        port = wait_for_port(usb, BOARD, Patience(port_s=60.0))
        before = (pico.busy_s, pico.line_s)
        with LineRecording(tmp_path / "line.wav") as recording:
            asyncio.run(record(usb, port, recording, 8, look))
        busy = (pico.busy_s - before[0]) / (pico.line_s - before[1])
        assert pico.fault is None
    assert recording.gaps == []
    told = in_use(soundfile.read(recording.path, dtype="int16")[0], events_of(recording.path))
    assert told.standard == "bell_202"
    assert [call.rings for call in told.calls] == [1]
    callers = [event for event in recording.events if event["event"] == "caller"]
    assert [(event["result"], event["number"]) for event in callers] == [("message", NUMBER)]
    assert statuses[-1]["adapter_id"] == "bench-01"
    assert (statuses[-1]["lost_samples"], statuses[-1]["state"]) == (0, "ringing")
    assert busy < MOST_OF_THE_CORE
