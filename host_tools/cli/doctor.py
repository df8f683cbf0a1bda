"""`star57 doctor`: what is wrong with this computer, and how to mend it."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from host_tools.cli.answer import JsonOption, answer
from host_tools.cli.exit_codes import ExitCode
from host_tools.technician.doctor import UDEV_RULE, Check, Computer, Outcome, examine


def doctor(
    *,
    udev_rule: Annotated[
        bool, typer.Option("--udev-rule", help="Print the udev rule for the boards instead.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Say what is wrong with this computer for work with boards, and how to mend it.

    Ends with 5 when something is wrong that is needed. What is optional says what it is for.
    """
    if udev_rule:
        typer.echo(UDEV_RULE, nl=False)
        return
    checks = examine(Computer())
    answer(checks, _table(checks), as_json=json)
    if any(check.outcome is Outcome.WRONG for check in checks):
        raise typer.Exit(int(ExitCode.MISSING))


def _table(checks: list[Check]) -> Table:
    table = Table("check", "outcome", "found", "remedy")
    for check in checks:
        table.add_row(check.name, check.outcome.value, check.found, check.remedy)
    return table
