"""Measures every receiver beside its peers, and writes docs/bench.md with its pictures.

    python -m bench [--quick] [--only SECTION ...] [--rows TEXT ...] [--out PAGE]

All of it takes half an hour or so, and another hour for the Pico on a line (docs/pico.md).
What is quick or partial is written to build/bench/bench.md, unless told otherwise.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from bench import link_load, peers, pico_line, report, speech, trace_rate
from bench.micropython import ROOT
from host_tools.rig.emulated_pico import IMAGE


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [section.name for section in report.SECTIONS]
    parser.add_argument("--quick", action="store_true", help="fewer of everything: some minutes")
    parser.add_argument(
        "--only", nargs="*", choices=names, default=[], metavar="SECTION", help=", ".join(names)
    )
    parser.add_argument("--rows", nargs="*", default=[], metavar="TEXT", help="of caller_id and dtmf")
    parser.add_argument("--out", type=Path, metavar="PAGE")
    options = parser.parse_args()
    is_whole = not (options.quick or options.only or options.rows)
    page = options.out or ROOT / ("docs" if is_whole else "build/bench") / "bench.md"
    for missing in peers.absent() + speech.absent():
        print(f"bench: left out, for it is not installed: {missing}")
    size = replace(report.QUICK if options.quick else report.FULL, only_rows=options.rows)
    report.write(page, size, options.only, _tell)
    if is_whole:
        _tell("\nTraces a second, for two minutes ...\n")
        trace_rate.write(trace_rate.PAGE, trace_rate.Plan())
        _tell("\nA thousand adapters, for two minutes ...\n")
        link_load.write(link_load.PAGE, link_load.Plan())
    if is_whole and IMAGE.exists():
        _tell("\nThe Pico on a line, for an hour ...\n")
        pico_line.write(pico_line.PAGE, pico_line.MINUTES)
    print(f"\nbench: {page}")


def _tell(part: str) -> None:
    sys.stdout.write(part)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
