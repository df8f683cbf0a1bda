"""What a `star57` command ends with; docs/exit_codes.md tells it to those who write scripts."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes of every verb."""

    DONE = 0
    FAILED = 1
    """It was tried, and did not come about, or what was looked at is not as it should be."""
    USAGE = 2
    """What was asked for makes no sense: an option, a value, a setting."""
    NOTHING_THERE = 3
    """No such board, port, adapter or drive."""
    SOME_FAILED = 4
    """Of several boards some failed; the answer says which."""
    MISSING = 5
    """This computer lacks something: `star57 doctor` says what."""
    INTERRUPTED = 130
    """Ctrl-C, as shells count it."""
