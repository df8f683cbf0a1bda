"""The long run of faults between household and service, seeded: writes docs/faults.md.

    python -m tests.host.faults.soak [--rounds N] [--seed N] [--processes N]

Each row is the sum of several runs, each with a trace service of its own. Answers 1 if a request was lost, or accepted
twice, or anything was believed that should not be; what fails is told with its seed, and can be run alone.
"""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from host_tools.rig.micropython import ROOT
from tests.host.faults import clock, hostile, network_faults, serial_noise, service_faults
from tests.host.faults.conftest import Place, place_in
from tests.host.faults.power_cut import cut_power
from tests.host.faults.tally import Tally, added, table

PAGE = ROOT / "docs" / "faults.md"

_CUT_RUNS = 7
_CUTS_A_RUN = 300
# Pieces at the gateway are of three lines each, and so a million lines in three runs.
_PIECES_A_RUN = 101_000
_TOKENS_A_RUN = 100_000
_AT_FIRMWARE_A_RUN = 340_000
_OVER_HTTP_A_RUN = 3000

_PAGE = """# Faults, counted

Written by `make soak`. Firmware in MicroPython, the gateway's own code, and the real trace service in a process of
its own; every row is the sum of {rounds} runs or more, and follows from the seed {seed}. *Messages* are trace requests
that a household had confirmed; *lost* were never accepted by the service, *twice* more than once; *wrong* was accepted
without having been sent, or answered otherwise than the service had decided. While a network, a serial line or the
service failed, the line went on: a call rang, its caller ID was read, and no sample was lost.

{rows}
{summary}

- **Power cuts**: the whole adapter on LittleFS with pages of 256 bytes, cut before a write or an erase, or in the
  middle of one; in two lives of five the service cannot be reached. Swept from write to write in the first run, drawn
  in the others. After each cut calls, outbox and settings are the old ones or the new ones.
- **Serial line**: both ways; damaged frames as the gateway counts them, and periods of silence.
- **Network**: what befell requests and answers on the way, by a proxy.
- **Service**: killed with SIGKILL within 20 ms after it got a request; a limit on the size of its files for three
  requests of five; two processes on one store, asked in turn, while answers are lost and requests come twice.
- **Hostile peers**: faults are frames, tokens and messages that were made; *wrong* would be one that was believed.
- **Clock**: the adapter has none at first; the service's clock is somewhere else at each answer. Order and identity do
  not hang on it.
"""


@dataclass(frozen=True)
class Run:
    """One run of a row: what it does in a place of its own."""

    row: str
    do: Callable[[Place], Tally]


def runs(rounds: int, seed: int) -> Iterator[Run]:
    """All runs, those of a row one after another."""
    for number in range(_CUT_RUNS):
        yield Run("power", partial(_cut, seed + number, sweep=number == 0))
    for number in range(rounds):
        for at, name in enumerate(serial_noise.NOISES):
            yield Run(f"serial {at}", partial(_serial, name, seed + 100 * number + at))
        for at, name in enumerate(network_faults.FAULTS):
            yield Run(f"network {at}", partial(_network, name, seed + 100 * number + at))
        yield Run("network name", partial(_by_name, seed + number))
        if network_faults.TLS_MICROPYTHON.exists():
            yield Run("network tls", partial(_over_tls, seed + number))
        for at, deliver in enumerate((_killed, _full, _replicas)):
            yield Run(f"service {at}", partial(deliver, seed + number))
        yield Run("hostile gateway", partial(_at_the_gateway, seed + number))
        for kind in hostile.FIRMWARE_KINDS:
            yield Run(f"hostile {kind}", partial(_at_the_firmware, kind, seed + number))
        yield Run("hostile desk", partial(_at_the_desk, seed + number))
        yield Run("hostile service", partial(_at_the_service, seed + number))
        for at, name in enumerate(clock.JUMPS):
            yield Run(f"clock {at}", partial(_clock, name, seed + number))


def _cut(seed: int, place: Place, *, sweep: bool) -> Tally:
    return cut_power(seed, _CUTS_A_RUN, place.service, place.folder, sweep=sweep)


def _serial(name: str, seed: int, place: Place) -> Tally:
    return serial_noise.deliver_through(name, seed, place.service, place.folder)


def _network(name: str, seed: int, place: Place) -> Tally:
    return network_faults.deliver_through(name, seed, place.service, place.folder)


def _by_name(seed: int, place: Place) -> Tally:
    return network_faults.deliver_by_name(seed, place.service, place.folder)


def _over_tls(seed: int, place: Place) -> Tally:
    return network_faults.deliver_over_tls(seed, place.service, place.folder)


def _killed(seed: int, place: Place) -> Tally:
    return service_faults.deliver_to_a_killed_service(seed, place.service, place.folder)


def _full(seed: int, place: Place) -> Tally:
    return service_faults.deliver_to_a_full_disk(seed, place.service, place.folder)


def _replicas(seed: int, place: Place) -> Tally:
    with service_faults.second_replica(place.folder, place.records) as other:
        return service_faults.deliver_to_replicas(seed, (place.service, other), place.folder)


def _at_the_gateway(seed: int, _place: Place) -> Tally:
    return hostile.at_the_gateway(seed, _PIECES_A_RUN)


def _at_the_firmware(kind: str, seed: int, place: Place) -> Tally:
    return hostile.at_the_firmware(kind, seed, _AT_FIRMWARE_A_RUN, place.folder)


def _at_the_desk(seed: int, place: Place) -> Tally:
    return hostile.at_the_desk(seed, _TOKENS_A_RUN, place.folder)


def _at_the_service(seed: int, place: Place) -> Tally:
    return hostile.at_the_service(seed, _OVER_HTTP_A_RUN, place.service)


def _clock(name: str, seed: int, place: Place) -> Tally:
    return clock.deliver_with_jumps(name, seed, place.service, place.folder)


def _done(run: Run) -> tuple[str, Tally | str]:
    """The row of a run, and its tally or what went wrong."""
    with tempfile.TemporaryDirectory() as folder:
        place = place_in(Path(folder))
        with place.service:
            place.service.start()
            try:
                return run.row, run.do(place)
            except Exception as fault:  # noqa: BLE001 - one run that fails is told, and the others go on
                return run.row, f"{run.row}, {run.do}: {type(fault).__name__}: {str(fault)[-500:]}"


def write(page: Path, rounds: int, seed: int, processes: int) -> int:
    """Runs all, writes the page, and answers how many runs did not hold."""
    rows: dict[str, Tally] = {}
    wrong = []
    with ProcessPoolExecutor(processes) as pool:
        for row, told in pool.map(_done, runs(rounds, seed)):
            if isinstance(told, str):
                wrong.append(told)
                continue
            if not told.holds:
                wrong.append(f"{row}: {told}")
            rows[row] = added(rows[row], told) if row in rows else told
    page.write_text(_page(rows.values(), rounds, seed))
    for what in wrong:
        sys.stderr.write(what + "\n")
    return len(wrong)


def _page(tallies: Iterable[Tally], rounds: int, seed: int) -> str:
    tallies = list(tallies)
    every = tallies[0]
    for tally in tallies[1:]:
        every = added(every, tally)
    summary = (
        f"In all {every.faults:,} faults, {every.messages:,} messages: {every.lost} lost, {every.twice} twice, "
        f"{every.wrong} wrong, {every.samples_lost} samples lost. "
        f"Python {platform.python_version()}, MicroPython's unix port."
    )
    return _PAGE.format(rounds=rounds, seed=seed, rows=table(tallies), summary=summary)


def main() -> int:
    """See the module's docstring."""
    parser = argparse.ArgumentParser(description="Faults between household and service, counted.")
    parser.add_argument("--rounds", type=int, default=3, help="runs of a row (3)")
    parser.add_argument("--seed", type=int, default=57)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, default=PAGE, metavar="PAGE")
    options = parser.parse_args()
    return 1 if write(options.out, options.rounds, options.seed, options.processes) else 0


if __name__ == "__main__":
    sys.exit(main())
