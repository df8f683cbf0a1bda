"""Measures what the receivers cost on a Pico: share of its core, time of a second reading, memory.

    python -m bench.pico_cost [--profile RECEIVER SIGNAL]

The image that `make image` built runs in an emulated Pico at 125 MHz; its time is a lower bound (host_tools.rig.
emulated_pico says of what). Samples come in blocks of 20 ms, as the adapter gets them. A share is the time of all
blocks over the audio's, the worst block's stands behind it. `--profile` tells instead where the cycles of one receiver
go, function by function; receivers and signals are those of the second table, `again` reads a burst a second time.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import numpy.typing as npt

from bench import calls, speech
from bench.calls import LEVEL_DBM0, Condition, calls_through
from bench.micropython import PROGRAMS, ROOT, Pcm, run_each
from bench.table import Row, heading, line
from host_tools.exchange import dtmf
from host_tools.exchange.fsk import BELL_202, V23, FskStandard, on_hook
from host_tools.exchange.impairments import Line, Noise
from host_tools.exchange.levels import RATE_HZ, to_samples
from host_tools.exchange.tones import DIAL, ToneGenerator, noise
from host_tools.rig.emulated_pico import IMAGE, EmulatedPico, Symbols

SEED = 57
BLOCK_SAMPLES = 160
BLOCK_US = BLOCK_SAMPLES / RATE_HZ * 1e6
SIGNAL_MS = 1000.0
ON_HOOK_GOAL = 0.10
OFF_HOOK_GOAL = 0.12
SECOND_READING_GOAL_MS = 400.0
MEMORY_GOAL_BYTES = 24 * 1024
SNRS_DB = (5.0, 4.0, 3.0, 2.0)

# The names that bench/firmware/pico_cost.py has for the receivers, and what they are.
RECEIVERS = {
    "caller_id": "caller ID by FSK (CallerIdReceiver), on-hook",
    "call_waiting": "the same, call waiting's window open",
    "dtmf": "DtmfReceiver",
    "dtmf_caller_id": "DtmfCallerId",
    "alert": "AlertReceiver",
    "progress": "ProgressReceiver",
    "ring": "RingDetector",
    "hook": "HookDetector",
    "level": "LevelMeter",
}
ON_HOOK = ("ring", "hook", "dtmf", "dtmf_caller_id", "caller_id", "alert")
OFF_HOOK = ("ring", "hook", "dtmf", "alert", "progress", "call_waiting")

_QUIET_DBM0 = -60.0
_CLEAR_SNR_DB = 20.0
_BURSTS_TRIED = 24
_KINDS = 3  # read, repaired, given up
_BURST = "again"


@dataclass(frozen=True)
class Listening:
    """What listening took: of each receiver the microseconds in each block; who allocated something."""

    took_us: dict[str, npt.NDArray[np.int64]]
    allocating: frozenset[str]

    def share(self, *receivers: str) -> str:
        """Of the core in %, all blocks, and the worst one in brackets; of these receivers together."""
        return f"{100 * self.mean(*receivers):.1f} ({100 * float(self._together(receivers).max()):.1f})"

    def mean(self, *receivers: str) -> float:
        """Of the core, over all blocks."""
        return float(self._together(receivers).mean())

    def _together(self, receivers: Sequence[str]) -> npt.NDArray[np.float64]:
        total = np.sum([self.took_us[receiver] for receiver in receivers], axis=0)
        return np.asarray(total / BLOCK_US, np.float64)


@dataclass(frozen=True)
class SecondReading:
    """What reading a burst again took.

    Attributes:
        result: as star57.callerid.framing names it.
        repaired: grammar and checksum decided what a byte is.
        steps: so many times there was work to do.
        total_ms, longest_ms: of all steps, and of the longest.
    """

    result: int
    repaired: bool
    steps: int
    total_ms: float
    longest_ms: float

    def __str__(self) -> str:
        return f"{self.total_ms:.0f} ms in {self.steps} steps, the longest {self.longest_ms:.0f} ms"


def _kb(count: int) -> str:
    return f"{count / 1024:.1f} KB"


def signals() -> dict[str, Pcm]:
    """What the receivers hear, a second of each or what one burst is long; whole blocks."""
    rng = np.random.default_rng(SEED)
    quiet = noise(_QUIET_DBM0, SIGNAL_MS, rng)
    heard = {
        "silence": quiet,
        "dial tone": ToneGenerator(DIAL).samples(len(quiet)) + quiet,
        "Bell 202": _burst(BELL_202, _CLEAR_SNR_DB, SEED),
        "V.23": _burst(V23, _CLEAR_SNR_DB, SEED),
        "digits": to_samples(np.concatenate([dtmf.digit(key, 50, 50) for key in "1590*A57D3"])) + quiet,
    }
    for _, talk in speech.pieces():
        heard["speech"] = talk[2 * len(quiet) : 3 * len(quiet)]
        break
    return {name: samples[: len(samples) // BLOCK_SAMPLES * BLOCK_SAMPLES] for name, samples in heard.items()}


def _burst(standard: FskStandard, snr_db: float, seed: int) -> Pcm:
    """A message of 30 bytes in white noise, as it comes on-hook."""
    noisy = Line(Noise(snr_db, LEVEL_DBM0))
    condition = Condition(replace(on_hook(standard), level_dbm0=LEVEL_DBM0), noisy, calls.mdmf_of_30_bytes)
    samples = calls_through(condition, 1, np.random.default_rng(seed)).samples
    return np.pad(samples, (0, -len(samples) % BLOCK_SAMPLES))


class Pico:
    """An emulated Pico with the measuring program in it."""

    def __init__(self) -> None:
        self._pico = EmulatedPico()
        self._pico.boot()
        imported = self._pico.execute(_IMPORT_AND_TELL)
        self.module_bytes = int(imported)
        self._pico.execute((PROGRAMS / "pico_cost.py").read_text())

    def listen(self, receivers: Sequence[str], samples: Pcm) -> Listening:
        """What each of the receivers takes to hear the samples."""
        address, blocks = self._lay_out(samples)
        told = self._pico.execute(f"listen({tuple(receivers)!r}, {address}, {blocks})").splitlines()
        took_us = np.array([row.split() for row in told[1:]], np.int64)
        return Listening(dict(zip(receivers, took_us.T, strict=True)), frozenset(told[0].split()))

    def second_reading(self, samples: Pcm) -> SecondReading:
        """What a burst takes that the first reading cannot read."""
        address, blocks = self._lay_out(samples)
        told = self._pico.execute(f"read_again({address}, {blocks})").split()
        result, repaired, steps, total_us, longest_us = map(int, told)
        return SecondReading(result, bool(repaired), steps, total_us / 1000, longest_us / 1000)

    def heap_of_second_reading(self, samples: Pcm) -> tuple[int, int, int]:
        """Bytes that it allocates in all and in one step, and by how many more are in use between two steps."""
        address, blocks = self._lay_out(samples)
        total, most, kept = map(
            int, self._pico.execute(f"heap_of_reading_again({address}, {blocks})").split()
        )
        return total, most, kept

    def idle_share(self) -> float:
        """Of the core: what CallerIdReceiver.work() takes when there is nothing to do."""
        blocks = 50
        return int(self._pico.execute(f"idle_work({blocks})")) / blocks / BLOCK_US

    def memory(self, receiver: str) -> int:
        """Bytes of heap that it keeps."""
        return int(self._pico.execute(f"memory({receiver!r})"))

    def table_bytes(self) -> int:
        """Bytes of RAM in the tables of the receivers' modules."""
        return int(self._pico.execute("tables()"))

    def profile(self, receiver: str, samples: Pcm) -> Counter[str]:
        """Cycles by function while the receiver hears the samples, or, for `again`, reads them a second time."""
        address, blocks = self._lay_out(samples)
        call = f"listen({(receiver,)!r}, {address}, {blocks})"
        if receiver == _BURST:
            call = f"read_again({address}, {blocks})"
        flag = int(self._pico.execute("print(uctypes.addressof(counting))"))
        _, cycles = self._pico.profile(call, flag)
        return Symbols().by_function(cycles)

    def _lay_out(self, samples: Pcm) -> tuple[int, int]:
        return self._pico.lay_out(samples.astype("<i2").tobytes()), len(samples) // BLOCK_SAMPLES


_IMPORT_AND_TELL = """
import gc
gc.collect()
before = gc.mem_alloc()
import star57.callerid.receiver, star57.callerid.dtmf_clip, star57.dsp.alert, star57.dsp.dtmf, star57.dsp.level
import star57.dsp.progress, star57.line.hook, star57.line.ring
gc.collect()
print(gc.mem_alloc() - before)
"""


@cache
def _pico() -> Pico:
    """This process's."""
    return Pico()


def _listen(samples: Pcm) -> Listening:
    return _pico().listen(tuple(RECEIVERS), samples)


def _second_reading(samples: Pcm) -> SecondReading:
    return _pico().second_reading(samples)


def _bursts() -> Iterator[tuple[str, Pcm]]:
    """Bursts that a second reading is for: the first of each kind, by what comes of it, at 5 dB or else below."""
    for standard in (BELL_202, V23):
        found: dict[str, tuple[float, Pcm]] = {}
        for snr_db in SNRS_DB:
            tried = [_burst(standard, snr_db, seed) for seed in range(_BURSTS_TRIED)]
            for samples, told in zip(tried, run_each("hear_callers.py", tried), strict=True):
                kind = _kind([json.loads(fact) for fact in told])
                if kind is not None:
                    found.setdefault(kind, (snr_db, samples))
            if len(found) == _KINDS:
                break
        for kind, (snr_db, samples) in found.items():
            yield f"{standard.name}, {snr_db:g} dB, {kind}", samples


def _kind(facts: Sequence[dict[str, object]]) -> str | None:
    """What became of a burst that the first reading lost; None if it had lost nothing."""
    if not facts:
        return "given up"
    quality = facts[0]["quality"]
    if not isinstance(quality, dict) or not quality["framing_errors"]:
        return None
    return "repaired" if quality["repaired"] else "read"


def _state_row(name: str, receivers: Sequence[str], goal: float, heard: dict[str, Listening]) -> Row:
    measured = ", ".join(f"{signal} {listening.share(*receivers)}" for signal, listening in heard.items())
    most = max(listening.mean(*receivers) for listening in heard.values())
    return Row(f"everything {name}", f"{100 * goal:.0f} % of the core at most", f"{measured} %", most <= goal)


def _second_reading_row(name: str, reading: SecondReading) -> Row:
    goal = f"less than {SECOND_READING_GOAL_MS:g} ms"
    return Row(f"second reading, {name}", goal, str(reading), reading.total_ms < SECOND_READING_GOAL_MS)


def _allocation_row(heard: Iterable[Listening]) -> Row:
    allocating = sorted(set().union(*(listening.allocating for listening in heard)))
    return Row("receivers that allocate in a block", "none", ", ".join(allocating) or "none", not allocating)


def _memory_rows(pico: Pico, burst: Pcm) -> Iterator[Row]:
    kept = {name: pico.memory(name) for name in RECEIVERS if name != "call_waiting"}
    tables = pico.table_bytes()
    total = sum(kept.values()) + tables
    parts = ", ".join(f"{name} {count}" for name, count in kept.items())
    measured = f"{total / 1024:.1f} KB: {parts}, tables of their modules {tables} bytes"
    yield Row(
        "RAM of all receivers", f"{_kb(MEMORY_GOAL_BYTES)} at most", measured, total <= MEMORY_GOAL_BYTES
    )
    whole = f"{_kb(pico.module_bytes)}, tables included"
    yield Row("heap for the names and functions of their modules", "-", whole, True)
    whole_reading, most, kept_between = map(_kb, pico.heap_of_second_reading(burst))
    told = f"{whole_reading} allocated in all, {most} at most in a step, {kept_between} kept between steps"
    yield Row("heap of a second reading", "-", told, True)


def measure() -> Iterator[str]:
    """The tables, as Markdown, in parts."""
    samples = signals()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        heard = dict(zip(samples, pool.map(_listen, samples.values()), strict=True))
        yield _receiver_table(heard)
        bursts = dict(_bursts())
        readings = dict(zip(bursts, pool.map(_second_reading, bursts.values()), strict=True))
    rows = [
        _state_row("on-hook", ON_HOOK, ON_HOOK_GOAL, heard),
        _state_row("off-hook, call waiting's window open", OFF_HOOK, OFF_HOOK_GOAL, heard),
        _allocation_row(heard.values()),
        *(_second_reading_row(name, reading) for name, reading in readings.items()),
        *_memory_rows(_pico(), next(iter(bursts.values()))),
        Row(
            "work() of caller ID, nothing to do", "-", f"{100 * _pico().idle_share():.2f} % of the core", True
        ),
    ]
    yield "\n" + heading()
    yield from map(line, rows)


def _receiver_table(heard: dict[str, Listening]) -> str:
    lines = [
        f"| Share of the core in %, worst block | {' | '.join(heard)} |",
        f"|{'---|' * (len(heard) + 1)}",
    ]
    for receiver, name in RECEIVERS.items():
        lines.append(f"| {name} | {' | '.join(listening.share(receiver) for listening in heard.values())} |")
    return "\n".join(lines) + "\n"


def _viper_names() -> dict[str, str]:
    """The functions in machine code, by their symbols: numbered in the order in which a module defines them."""
    names = {}
    firmware = ROOT / "firmware"
    for path in firmware.glob("star57/**/*.py"):
        parts = path.relative_to(firmware).with_suffix("").parts
        symbol = f"fun_data_{'_'.join(parts)}_{'_slash_'.join(parts)}_dot_py"
        functions = re.findall(r"^@micropython\.(?:viper|native)\ndef (\w+)", path.read_text(), re.MULTILINE)
        for number, function in enumerate(functions, 1):
            names[symbol + (str(number) if number > 1 else "")] = f"{'.'.join(parts[1:])}.{function}"
    return names


def profile(receiver: str, signal: str) -> Iterator[str]:
    """Lines that tell where the cycles go; the functions of the firmware that are viper by their own names."""
    samples = _burst(V23 if signal == V23.name else BELL_202, SNRS_DB[0], SEED)
    if receiver != _BURST:
        samples = signals()[signal]
    names = _viper_names()
    by_function = _pico().profile(receiver, samples)
    for symbol, cycles in by_function.most_common(40):
        share = 100 * cycles / by_function.total()
        yield f"{cycles / len(samples):8.1f} cycles a sample {share:5.1f} %  {names.get(symbol, symbol)}"


def main() -> None:
    parser = argparse.ArgumentParser(description="What the receivers cost on a Pico.")
    parser.add_argument("--profile", nargs=2, metavar=("RECEIVER", "SIGNAL"), help="where its cycles go")
    arguments = parser.parse_args()
    if not IMAGE.exists():
        sys.exit("The cost on the Pico is left out: there is no image (make image builds it).")
    if arguments.profile:
        print("\n".join(profile(*arguments.profile)))
        return
    for part in measure():
        print(part, end="", flush=True)


if __name__ == "__main__":
    main()
