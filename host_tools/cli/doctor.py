"""`star57 doctor`: what is wrong with this computer, and how to mend it."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Column, Table
from rich.text import Text

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
    for check in checks:
        if check.remedy and not json:
            # No table: a command in it would be cut, or broken into lines that no shell takes.
            typer.echo(f"\n{check.name}: {check.found}\n    {check.remedy}")
    if any(check.outcome is Outcome.WRONG for check in checks):
        raise typer.Exit(int(ExitCode.MISSING))


def _table(checks: list[Check]) -> Table:
    table = Table("check", "outcome", Column("found", overflow="fold"), box=None)
    for check in checks:
        table.add_row(Text(check.name), check.outcome.value, Text(check.found))
    return table
