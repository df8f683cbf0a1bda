"""What the firmware does on a Pico that is on a line: load, latency, memory; and why the board is as it is.

    python -m bench.pico_line [--quick] [--out PAGE]

The image of `make image` runs in the emulated Pico of host_tools/rig, in exact emulated time (a lower bound: no misses
of the flash cache), on the lines of the stories. Writes docs/pico.md; `make bench` does so too.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.micropython import ROOT
from bench.table import Row, heading, line
from host_tools.exchange.caller_id import CallerId
from host_tools.exchange.central_office import CentralOffice, IncomingCall
from host_tools.exchange.impairments import PicoAdc
from host_tools.exchange.levels import peak_of
from host_tools.exchange.pair import Pair, PairBlock
from host_tools.exchange.spectrum import HIGH_HZ, LOW_HZ
from host_tools.exchange.telephone import Telephone
from host_tools.gateway.gateway import Gateway
from host_tools.rig.emulated_pico import CYCLES_PER_SECOND, IMAGE, EmulatedPico
from host_tools.rig.pico_firmware import PicoFirmware, PicoSettings
from host_tools.service.messages import Heartbeat, Outcome, TraceAnswer, TraceRequest
from host_tools.stories.catalogue import CALLER, OTHER_CALLER
from host_tools.stories.desk import Desk
from host_tools.stories.performance import STARTS_AT
from host_tools.stories.stage import BLOCK_S, SAMPLE_RATE_HZ, Script, Stage

PAGE = ROOT / "docs" / "pico.md"
MINUTES = 60
MOST_OF_CORE = 0.45
MOST_BOOT_S = 1.0
MOST_HOOK_S = 0.020
MOST_DIGIT_TO_PROMPT_S = 0.150
LEAST_FREE_BYTES = 120_000
MOST_HEAP_DRIFT_BYTES = 1024
CALLS_KEPT = 10  # star57.calls.CallHistory
ANSWERS_KEPT = 16  # star57.trace.outbox.Outbox
CALLS_IN_A_ROW = 26
HEARTBEATS_A_ROUND = 10  # a call and a trace every ten minutes, a heartbeat a minute
LINE = "5555550101"
KEY_S = 0.160
TONE_S = 0.080
MOST_GAP_MS = 250
READS = (1, 2, 4, 8)
WEAKEST_DBM0 = -36.0
TONE_HZ = 1004.0
SEED = 57
KEY = bytes(range(32))
_BAND_FFT_SAMPLES = 8000


@dataclass(frozen=True)
class Told:
    """What one line told.

    Attributes:
        busy: share of the core in each block, by what the line was doing.
        heartbeats: of the firmware, in order.
        first_sample_s, relay_s, sound_s: emulated time of the first conversion; of the relay; and of the first sample
            that is not silence, after the code was dialled. 0 where there was none.
        last_digit_s: when the last digit of the code ended.
        resets: how often it began anew.
    """

    busy: dict[str, list[float]]
    heartbeats: list[Heartbeat]
    first_sample_s: float
    relay_s: float
    sound_s: float
    last_digit_s: float
    resets: int


class BenchLine:
    """An emulated Pico on a line, and a host that answers every trace."""

    def __init__(self) -> None:
        self.desk = Desk("bench-01", KEY, now=lambda: STARTS_AT.timestamp() + self.pico.line_time_s)
        self.desk.answer = _traced
        own = {"adapter_id": "bench-01", "adapter_key": KEY.hex(), "line": LINE}
        files = {"settings.json": json.dumps(own).encode()}
        self.pico = PicoFirmware(PicoSettings(files=files, serial=Gateway(self.desk).receive))
        office = CentralOffice(line=LINE, starts_at=STARTS_AT)
        telephone = Telephone(type_two=True)
        self.stage = Stage(office, telephone, Pair(office, telephone), self.pico)
        self.doing = "starts"
        self.busy: dict[str, list[float]] = {}
        self.last_digit_s = 0.0

    def play(self, script: Script) -> Told:
        """Plays a script, and answers what was told."""
        self.pico.start()
        try:
            self.stage.play(self._noted(script))
        finally:
            self.pico.stop()
        sounds = [h.at_s for h in self.pico.latest("sound", since_s=self.last_digit_s)]
        relays = [h.at_s for h in self.pico.latest("pin 8") if h.value]
        return Told(
            self.busy,
            self.desk.heartbeats,
            self.pico.latest("first sample")[0].at_s,
            relays[0] if relays else 0.0,
            sounds[0] if sounds and self.last_digit_s else 0.0,
            self.last_digit_s,
            self.pico.resets,
        )

    def _noted(self, script: Script) -> Script:
        for _ in script:
            doing = self.doing
            yield
            self.busy.setdefault(doing, []).append(self.pico.busy_share[-1])


def _traced(request: TraceRequest) -> TraceAnswer:
    return TraceAnswer(
        request_id=request.request_id, outcome=Outcome.TRACED, trace_id="T-00000001", charge_cents=500
    )


def _call(bench: BenchLine) -> Script:
    """A call that is answered, with a second one waiting; then it is traced."""
    stage = bench.stage
    bench.doing = "on-hook, at rest"
    yield from stage.wait(2.0)
    bench.doing = "ringing, and caller ID"
    stage.office.incoming_call(
        IncomingCall(origin=CALLER, caller_id=CallerId(number=CALLER, name="A CALLER"))
    )
    yield from stage.wait(7.0)
    bench.doing = "off-hook, in a call"
    stage.lift()
    yield from stage.wait(2.0)
    bench.doing = "off-hook, a call waits"
    waiting = CallerId(number=OTHER_CALLER, name="B CALLER")
    stage.office.incoming_call(IncomingCall(origin=OTHER_CALLER, caller_id=waiting), call_waiting=True)
    yield from stage.wait(5.0)
    bench.doing = "on-hook, at rest"
    stage.hang_up()
    stage.office.caller_clears()
    yield from stage.wait(9.0)
    yield from _trace(bench)


def _trace(bench: BenchLine) -> Script:
    stage = bench.stage
    bench.doing = "off-hook, dialling"
    stage.lift()
    yield from stage.wait(1.2)
    dialled_at_s = stage.now_s
    yield from stage.press("*57")
    bench.last_digit_s = bench.last_digit_s or dialled_at_s + 2 * KEY_S + TONE_S
    bench.doing = "the dialogue"
    yield from stage.until(lambda: stage.relay_energised, "the relay", within_s=1.0)
    yield from stage.wait(3.0)
    yield from stage.press("1")
    yield from stage.wait(8.0)
    bench.doing = "on-hook, at rest"
    stage.hang_up()
    yield from stage.wait(2.0)


def busy_line() -> Told:
    """A call, one that waits, and a trace."""
    bench = BenchLine()
    return bench.play(_call(bench))


def hour(minutes: int) -> Told:
    """A call and a trace every ten minutes, and at rest between them."""
    bench = BenchLine()

    def script() -> Script:
        while bench.stage.now_s < 60 * minutes:
            ends_s = min(bench.stage.now_s + 600, 60 * minutes)
            yield from _call(bench)
            while bench.stage.now_s < ends_s:
                yield

    return bench.play(script())


def calls_in_a_row(count: int) -> Told:
    """So many calls, each traced, one after the other."""
    bench = BenchLine()

    def script() -> Script:
        for _ in range(count):
            yield from _call(bench)

    return bench.play(script())


def earliest_digit_ms(steps_ms: tuple[int, ...] = (0, 5, 10, 20)) -> int | None:
    """The least time after the phone is lifted at which a code may begin and is taken; None: none of these."""
    for step_ms in steps_ms:
        bench = BenchLine()
        if bench.play(_dials_after(bench, step_ms)).relay_s:
            return step_ms
    return None


def _dials_after(bench: BenchLine, delay_ms: int) -> Script:
    stage = bench.stage
    yield from stage.wait(0.6)
    stage.lift()
    # The keys of a real telephone can wait for less than a block; its queue is told so by a key of silence.
    stage.telephone.pause(delay_ms)
    yield from stage.press("*57")
    yield from stage.wait(0.6)


def states(busy: dict[str, list[float]]) -> Iterator[str]:
    """A line for each state: the share of the core, in all of it, in its worst second and in its worst block."""
    second = round(1 / BLOCK_S)
    yield "| What the line does | Mean share of the core | Worst second | Worst block of 20 ms |\n|---|---|---|---|\n"
    for doing, shares in busy.items():
        if doing == "starts":
            continue
        seconds = [
            np.mean(shares[at : at + second]) for at in range(0, max(1, len(shares) - second + 1), second)
        ]
        yield f"| {doing} | {np.mean(shares):.1%} | {max(seconds):.1%} | {max(shares):.0%} |\n"


def rows(line_: Told, long: Told, full: Told, digit_ms: int | None) -> Iterator[Row]:
    """What must hold.

    Args:
        line_: of one call and its trace.
        long: of an hour.
        full: of calls in a row, more than are kept.
        digit_ms: the earliest digit that was taken.
    """
    yield _under("boot to the first sample", line_.first_sample_s * 1000, MOST_BOOT_S * 1000, "ms")
    told = (
        "none of those tried"
        if digit_ms is None
        else f"a code that begins {digit_ms} ms after the lift is taken"
    )
    yield Row(
        "hook lift to listening", "under 20 ms", told, digit_ms is not None and digit_ms < MOST_HOOK_S * 1000
    )
    prompt_ms = (line_.sound_s - line_.last_digit_s) * 1000
    goal_ms = MOST_DIGIT_TO_PROMPT_S * 1000
    yield _under("end of the last digit of \\*57 to the first sample of a prompt", prompt_ms, goal_ms, "ms")
    for doing, shares in line_.busy.items():
        if doing != "starts":
            yield _under(
                f"mean load, {doing}", 100 * float(np.mean(shares)), 100 * MOST_OF_CORE, "% of the core"
            )
    yield from _lasting(long, full)


def _lasting(long: Told, full: Told) -> Iterator[Row]:
    for name, told in (("the hour", long), ("the calls in a row", full)):
        gap_ms = max(heartbeat.longest_gap_ms for heartbeat in told.heartbeats)
        yield _under(f"longest time between two blocks, in {name}", gap_ms, MOST_GAP_MS, "ms")
    free = [heartbeat.free_heap_bytes for heartbeat in long.heartbeats]
    goal = f"at least {LEAST_FREE_BYTES}"
    yield Row("free heap after boot", goal, f"{free[0]} bytes", free[0] >= LEAST_FREE_BYTES)
    yield Row(
        "free heap at the least, in the hour", goal, f"{min(free)} bytes", min(free) >= LEAST_FREE_BYTES
    )
    within = f"within {MOST_HEAP_DRIFT_BYTES} bytes"
    rounds = [free[at + 2 : at + HEARTBEATS_A_ROUND] for at in range(1, len(free), HEARTBEATS_A_ROUND)]
    spread = max((max(at_rest) - min(at_rest) for at_rest in rounds if at_rest), default=0)
    yield Row(
        "free heap at rest, between two calls of the hour",
        within,
        f"{spread} bytes",
        spread <= MOST_HEAP_DRIFT_BYTES,
    )
    yield _once_full(full, within)
    for name, told in (("the hour", long), ("the calls in a row", full)):
        last = told.heartbeats[-1]
        lost = f"{last.lost_samples} lost, {told.resets} resets"
        yield Row(
            f"samples of the line lost, and resets, in {name}", "none", lost, lost == "0 lost, 0 resets"
        )


def _once_full(full: Told, within: str) -> Row:
    """What is kept of calls and answers takes memory until so many are there, and from then on no more."""
    free = [heartbeat.free_heap_bytes for heartbeat in full.heartbeats]
    calls = 2 * CALLS_IN_A_ROW  # each has one that waits
    after = free[len(free) * (ANSWERS_KEPT + 1) // CALLS_IN_A_ROW + 1 :]
    drift = max(after) - min(after)
    name = f"free heap, {calls} calls in a row, once {CALLS_KEPT} calls and {ANSWERS_KEPT} answers are kept"
    return Row(name, within, f"{min(after)} to {max(after)} bytes", drift <= MOST_HEAP_DRIFT_BYTES)


def _under(name: str, measured: float, goal: float, unit: str) -> Row:
    return Row(name, f"under {goal:g} {unit}", f"{measured:.1f} {unit}", measured < goal)


def converter() -> Iterator[str]:
    """What averaging several conversions a sample would give, by the model of the converter."""
    columns = (
        "Conversions a sample",
        "Noise, 300 to 3400 Hz",
        "SNR of a tone of -36 dBm0",
        "Ring of 1.024 s",
    )
    yield f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}\n"
    for reads in READS:
        noise_dbm0, snr_db = _heard_through(PicoAdc(reads=reads))
        yield f"| {reads} | {noise_dbm0:.1f} dBm0 | {snr_db:.1f} dB | {32 * reads} KB |\n"


def _heard_through(adc: PicoAdc) -> tuple[float, float]:
    """Noise in dBm0, and its distance from a tone of -36 dBm0, in 300 to 3400 Hz."""
    rng = np.random.default_rng(SEED)
    at = np.arange(20 * _BAND_FFT_SAMPLES) / SAMPLE_RATE_HZ
    tone = peak_of(WEAKEST_DBM0) * np.sin(2 * np.pi * TONE_HZ * at)
    heard = np.asarray(adc(tone, rng)).reshape(-1, _BAND_FFT_SAMPLES)
    power = np.mean(np.abs(np.fft.rfft(heard) / _BAND_FFT_SAMPLES) ** 2, axis=0) * 2
    hz = np.fft.rfftfreq(_BAND_FFT_SAMPLES, 1 / SAMPLE_RATE_HZ)
    is_tone = np.abs(hz - TONE_HZ) < 2
    noise = power[(hz >= LOW_HZ) & (hz <= HIGH_HZ) & ~is_tone].sum()
    noise_dbm0 = 10 * np.log10(noise / (peak_of(0.0) ** 2 / 2))
    return float(noise_dbm0), float(10 * np.log10(power[is_tone].sum() / noise))


SPINS = b"""
from array import array
from star57.dsp.level import sum_of_squares
samples = array("h", bytes(320))
while True:
    sum_of_squares(samples, 0, 160)
"""


def emulators() -> Iterator[str]:
    """How fast the two emulators are on a processor that never rests."""
    yield "| Emulator | Emulated seconds in a second of this machine, the processor busy with viper |\n|---|---|\n"
    yield f"| rp2040js 1.4.1 (Node) | {_speed_js():.2f} |\n"
    yield f"| rp2040py 0.3.6 (Python, its core in Cython) | {_speed_py():.2f} |\n"


def _speed_js() -> float:
    pico = PicoFirmware(PicoSettings(files={"boot.py": SPINS}))
    silence = np.zeros(160, np.int16)
    pico.start()
    began = 0.0
    for block in range(100):
        if block == 25:
            began = time.perf_counter()
        pico.exchange_block(PairBlock(160, silence, silence, []))
    took_s = time.perf_counter() - began
    pico.stop()
    return 75 * BLOCK_S / took_s


def _speed_py() -> float:
    pico = EmulatedPico()
    pico.boot()
    pico.execute(SPINS.decode().split("while")[0])
    before, began = pico.cycles, time.perf_counter()
    pico.execute("for _ in range(100): sum_of_squares(samples, 0, 160)")
    return (pico.cycles - before) / CYCLES_PER_SECOND / (time.perf_counter() - began)


def write(page: Path, minutes: int) -> None:
    """Measures, and writes the page."""
    with ProcessPoolExecutor(2) as pool:
        long = pool.submit(hour, minutes)
        line_ = pool.submit(busy_line)
        digit = pool.submit(earliest_digit_ms)
        full = pool.submit(calls_in_a_row, CALLS_IN_A_ROW)
        page.write_text(page_of(line_.result(), long.result(), full.result(), digit.result()))


def page_of(told: Told, long: Told, full: Told, digit_ms: int | None) -> str:
    """The page, from what was told; see `rows`."""
    held = list(rows(told, long, full, digit_ms))
    commits = sorted({part.heartbeats[0].commit for part in (told, long, full)})
    return f"""# The firmware on a Pico, measured

Written by `make bench`. The image ran in an emulated Pico of 128 MHz, on emulated lines, in exact emulated time.
Commits: {", ".join(commits)}. That is a lower bound: misses of the flash cache, contention on the bus and the
entry of interrupts are not modelled, and no real board was at hand. Hence the goal of {MOST_OF_CORE:.0%} of the core.
What each receiver costs is in [bench.md](bench.md).

{heading()}{"".join(map(line, held))}
Samples for the phone that come too late are silence, are counted and are in each heartbeat. They lie where the outbox
writes: the request, when 1 has been dialled and nothing is being said; and the answer, when it comes, which may be a
gap in "Please wait". 120 ms of lead bridge most of it.

## The core, state by state

A call with caller ID, a second one that waits, and a trace. A second reading of a burst (some 250 ms of work, in steps
of 25 ms behind blocks) and the start of a dialogue make the worst blocks; the ring of samples bridges them.

{"".join(states(told.busy))}
## Why the converter runs at 8 kHz

By the model of the RP2040's converter (8.7 effective bits, four wide codes; `PicoAdc`). The weakest caller ID that a
standard knows has -36 dBm, and one conversion a sample leaves it a SNR at which every burst is read (bench.md: 99 % at
5.3 dB). More conversions would read it no better, and would shorten the second that the ring bridges, or take memory
that is not there. The filter before the converter (WIRING.md) is what 8 kHz need.

{"".join(converter())}
## Which emulator

Stories run in rp2040js, and pay for it with Node. The console, and cycles by function, are rp2040py's: it is Python.

{"".join(emulators())}"""


def main() -> None:
    parser = argparse.ArgumentParser(description="What the firmware does on a Pico that is on a line.")
    parser.add_argument("--quick", action="store_true", help="three minutes instead of an hour")
    parser.add_argument("--out", type=Path, default=PAGE, metavar="PAGE")
    options = parser.parse_args()
    if not IMAGE.exists():
        sys.exit("The Pico's page is left out: there is no image (make image builds it).")
    write(options.out, 3 if options.quick else MINUTES)


if __name__ == "__main__":
    main()
