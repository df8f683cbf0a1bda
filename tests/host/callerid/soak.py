"""The long run of the fuzz of caller ID, seeded: writes docs/soak.md.

    python -m tests.host.callerid.soak [--messages N] [--bursts N] [--seed N]

It stands among the tests, not in `bench`: it measures no accuracy, and the programs that it runs are the firmware's
tests. Answers 1 if memory grew, or if a message that was never sent was reported more often than once in 1000 bursts.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence

from host_tools.rig.micropython import ROOT
from tests.host.callerid.fuzzing import MOST_GROWTH_BYTES, Run, fuzz_bursts, fuzz_messages

PAGE = ROOT / "docs" / "soak.md"
MOST_NEVER_SENT = 1 / 1000

_PAGE = """# Soak

Written by `make soak`: messages and bursts at random, whole, cut short and mutated, through the firmware's parsers and
receivers of caller ID, in MicroPython. All that a case is comes from its number and the seed, here {seed}; it can be
replayed alone (`tests/firmware/programs/fuzz_messages.py`, `fuzz_bursts.py`).

{summary}
## Messages, byte by byte

Whole, damaged, or with a length that lies; in most of them checksum or CRC is made to hold, so that the rest is read.

{outcomes}
## Bursts, as sound

FSK of -48 to +3 dBm0 in Bell 202 and V.23, with twist, another baud, shifted tones, noise from 0 dB of SNR on, cuts,
clicks, clipping and DC; blocks of 1 to 400 samples, samples lost, and in one case of four the window reset, closed,
cleared or opened at any moment. *Read*: cases of which a message was reported. *Never sent*: messages reported that are
neither in the bytes that were sent nor what these were before they were damaged. *Wrong caller*: those with another
number, name, reason or date. The rest are the results of all windows, of which a case may have several.

{kinds}
{digits}
{never_sent}"""

_SUMMARY = """
{cases:,} cases; the bursts are {heard_h:.1f} hours of sound. Memory is what is in use after a collection. Each message
that was parsed was held against its bytes: no field without a parameter, no parameter lost. Nothing was allocated while
a burst was heard; the work on what was heard came to an end after {most_steps:,} steps at most. {compared:,} bursts
were heard a second time, by a new receiver, to the same end.
"""

Row = Sequence[object]

_RESULTS = ("message", "checksum wrong", "truncated", "garbage", "no carrier")


def table(head: Row, rows: Iterable[Row]) -> str:
    """A Markdown table: text to the left, figures to the right."""
    lines = [head, ["---" if column == 0 else "---:" for column in range(len(head))], *rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines) + "\n"


def page(messages: Run, bursts: Run) -> str:
    """docs/soak.md."""
    return _PAGE.format(
        seed=messages.report["seed"],
        summary=_summary(messages, bursts),
        outcomes=_outcomes(messages),
        kinds=_kinds(bursts),
        digits=_digits(bursts),
        never_sent=_never_sent(bursts),
    )


def _summary(messages: Run, bursts: Run) -> str:
    rows = [
        (
            name,
            run.cases,
            0,
            run.report["memory_before"],
            run.report["memory_highest"],
            run.report["memory_after"],
            round(run.cases / run.cpu_s),
        )
        for name, run in (("messages", messages), ("bursts", bursts))
    ]
    head = (
        "",
        "cases",
        "exceptions but MessageError",
        "memory before, bytes",
        "highest",
        "after",
        "cases a second of CPU",
    )
    return table(head, rows) + _SUMMARY.format(
        cases=messages.cases + bursts.cases,
        heard_h=bursts.report["samples"] / 8000 / 3600,
        most_steps=bursts.report["most_steps"],
        compared=bursts.report["compared_with_a_new_receiver"],
    )


def _outcomes(messages: Run) -> str:
    report = messages.report
    rows = [(f"{form}: cases", count) for form, count in sorted(report["forms"].items())]
    rows += sorted(report["outcomes"].items())
    rows += sorted(report["depths"].items())
    rows += [
        (f"fields of {len(report['fields'])} that were filled", sum(map(bool, report["fields"].values()))),
        (f"times that the rarest, {_rarest(report['fields'])}, was", min(report["fields"].values())),
    ]
    return table(("outcome", "count"), rows)


def _rarest(fields: dict[str, int]) -> str:
    return min(fields, key=lambda field: fields[field])


def _kinds(bursts: Run) -> str:
    columns = ("cases", "read", "never sent", "wrong caller", "refused by message()", *_RESULTS)
    kinds: dict[str, dict[str, int]] = bursts.report["kinds"]
    rows = [(kind, *(kinds[kind][column] for column in columns)) for kind in sorted(kinds)]
    rows.append(("all", *(sum(counts[column] for counts in kinds.values()) for column in columns)))
    return table(("kind", *columns), rows)


def _digits(bursts: Run) -> str:
    kinds: dict[str, dict[str, int]] = bursts.report["kinds"]
    sent = kinds["digits"]
    false = sum(counts["digits heard"] for kind, counts in kinds.items() if kind != "digits")
    return (
        f"The DTMF receiver heard {sent['digits heard']:,} of {sent['digits sent']:,} digits, and {false:,} where none"
        f" were sent; they made {sent['callers by DTMF']:,} callers, {sent['another number by DTMF']:,} of them with"
        " another number than was sent (DTMF carries no checksum).\n"
    )


def _never_sent(bursts: Run) -> str:
    if not bursts.never_sent:
        return "No message was reported that was never sent.\n"
    rows = [
        (case["case"], case["kind"], case["reported"], case["sent"], case["quality"]["repaired"])
        for case in bursts.never_sent
    ]
    return "## Reported, and never sent\n\n" + table(
        ("case", "kind", "reported", "sent", "repaired"), sorted(rows)
    )


def _cell(content: object) -> str:
    return f"{content:,}" if isinstance(content, int) and not isinstance(content, bool) else str(content)


def main() -> int:
    """Runs both, writes the page, and says in one line what came of it."""
    options = argparse.ArgumentParser(prog="soak", description="the long run of the fuzz of caller ID")
    options.add_argument("--messages", type=int, default=1_000_000)
    options.add_argument("--bursts", type=int, default=25_000)
    options.add_argument("--seed", type=int, default=57)
    chosen = options.parse_args()
    messages = fuzz_messages(chosen.messages, chosen.seed)
    bursts = fuzz_bursts(chosen.bursts, chosen.seed)
    PAGE.write_text(page(messages, bursts))
    growth_bytes = max(messages.growth_bytes, bursts.growth_bytes)
    sys.stdout.write(
        f"star57: {messages.cases + bursts.cases:,} cases, no exception but MessageError, memory grew by"
        f" {growth_bytes} bytes, {len(bursts.never_sent)} messages that were never sent: {PAGE.relative_to(ROOT)}\n"
    )
    is_good = growth_bytes <= MOST_GROWTH_BYTES and len(bursts.never_sent) <= MOST_NEVER_SENT * bursts.cases
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
