"""The firmware's parsers of caller ID, in MicroPython, behind a pipe."""

from __future__ import annotations

import json
import subprocess
from types import TracebackType
from typing import Any

from hypothesis import settings

from host_tools.rig.micropython import ROOT, interpreter_command

PROGRAMS = ROOT / "tests" / "firmware" / "programs"
FIRMWARE_PATH = {"MICROPYPATH": f"{ROOT / 'firmware'}:.frozen"}

# Of a property test: the same examples in every run, and a process may be slow now and then.
seeded = settings(derandomize=True, deadline=None, max_examples=150, database=None)

Fields = dict[str, Any]

# What a field is that the line did not present.
ABSENT: Fields = {
    "number": None,
    "name": None,
    "reason": None,
    "name_reason": None,
    "date_time": None,
    "call_waiting": False,
    "forwarded_from": None,
    "unknown": [],
}


class MessageReader:
    """One MicroPython process that reads one message after the other (tests/firmware/programs/parse_messages.py)."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [*interpreter_command(), str(PROGRAMS / "parse_messages.py")],
            env=FIRMWARE_PATH,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def __enter__(self) -> MessageReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()

    def fsk(self, data: bytes) -> Fields:
        """The answer for an SDMF or MDMF message: `error`, or `message` and whether it is `framed` as it is."""
        return self._answer(f"fsk {data.hex()}")

    def ntt(self, data: bytes) -> Fields:
        """As `fsk`, for a frame of NTT."""
        return self._answer(f"ntt {data.hex()}")

    def dtmf(self, keys: str, *schemes: str) -> Fields:
        """The answer for keys heard one by one: `message` or `error`. Without schemes: those that nobody dials."""
        return self._answer(f"dtmf:{','.join(schemes)} {keys}")

    def _answer(self, line: str) -> Fields:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        text = self._process.stdout.readline()
        assert text, "the reader has ended"
        answer: Fields = json.loads(text)
        return answer


def presented(answer: Fields) -> Fields:
    """What the line presented: the message's fields that are not ABSENT, but its kind and type."""
    fields: Fields = answer["message"]
    return {
        field: content
        for field, content in fields.items()
        if field not in ("kind", "message_type") and content != ABSENT.get(field, ...)
    }
