"""The `star57` command. A verb is imported when it is asked for: what one needs does not hold up the others."""

from __future__ import annotations

from importlib import import_module
from typing import NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command


class Verb(NamedTuple):
    """Where a verb lives, and its line in the list of them."""

    module: str
    name: str
    """Of the function, or of the Typer that holds a group of verbs."""
    line: str


VERBS = {
    "demo": Verb("host_tools.cli.demo", "demo", "Tell the main job on real audio, and keep its pictures."),
    "decode": Verb("host_tools.cli.decode", "decode", "Print callers, digits and tones in a recording."),
    "provision": Verb(
        "host_tools.cli.provision", "provision", "Make boards the adapters of lines, each with a key."
    ),
    "listen": Verb(
        "host_tools.cli.listen", "listen", "Record a line, and say which caller ID is in use on it."
    ),
    "monitor": Verb(
        "host_tools.cli.monitor", "monitor", "A live view of a line: level, spectrum, callers, log."
    ),
    "selftest": Verb("host_tools.cli.selftest", "selftest", "Test a board through its own audio path."),
    "service": Verb(
        "host_tools.cli.service", "service", "Answer adapters: trace calls; and serve the console."
    ),
    "gateway": Verb(
        "host_tools.cli.gateway", "gateway", "Take what adapters ask at serial ports to the service."
    ),
    "house": Verb("host_tools.cli.house", "house", "Show the household its calls: NCID and Home Assistant."),
    "prompts": Verb(
        "host_tools.cli.prompts.main", "prompts", "What the household hears: read out, record, build, review."
    ),
    "account": Verb(
        "host_tools.cli.account.main", "account", "People of the trace service: add, look, change."
    ),
    "adapter": Verb(
        "host_tools.cli.adapter.main", "adapter", "Adapters that the service knows: add, look, change."
    ),
    "update": Verb(
        "host_tools.cli.update.main", "update", "Firmware over the link: package, sign, push, watch."
    ),
    "area": Verb(
        "host_tools.cli.area.main", "area", "Areas of lines: where trace is offered, its price and cap."
    ),
    "line": Verb(
        "host_tools.cli.line.main", "line", "Single lines: their adapter, offer, price and monthly cap."
    ),
    "audit": Verb(
        "host_tools.cli.audit.main", "audit", "The audit log: verify it, export it, make checkpoints."
    ),
    "bundle": Verb("host_tools.cli.bundle", "bundle", "Bundles that a trace centre has released."),
    "centre": Verb("host_tools.cli.centre.main", "centre", "The keys of the trace centre."),
    "retention": Verb("host_tools.cli.retention", "retention", "Delete what is due; run it daily."),
    "store": Verb("host_tools.cli.store.main", "store", "The trace service's store: back it up, restore it."),
    "boards": Verb(
        "host_tools.cli.boards", "boards", "Boards that are plugged in: firmware, identity, health."
    ),
    "flash": Verb("host_tools.cli.flash", "flash", "Put the firmware on boards, and read it back."),
    "doctor": Verb(
        "host_tools.cli.doctor", "doctor", "What is wrong with this computer, and how to mend it."
    ),
}
"""Every verb of the command, in the order in which they are listed."""


class _Verbs(TyperGroup):
    """The verbs of the table. The list of them imports none."""

    def list_commands(self, _ctx: typer.Context) -> list[str]:  # type: ignore[override]
        return list(VERBS)

    def get_command(self, _ctx: typer.Context, cmd_name: str) -> TyperCommand | None:  # type: ignore[override]
        verb = VERBS.get(cmd_name)
        return None if verb is None else TyperCommand(name=cmd_name, help=verb.line)

    def resolve_command(self, ctx: typer.Context, args: list[str]):  # type: ignore[no-untyped-def,override]
        if args[0] not in VERBS:
            return super().resolve_command(ctx, args)
        return args[0], loaded(args[0]), args[1:]


def loaded(name: str) -> TyperCommand | TyperGroup:
    """The verb of this name, or the group of verbs, imported."""
    verb = VERBS[name]
    found = getattr(import_module(verb.module), verb.name)
    if not isinstance(found, typer.Typer):
        alone = typer.Typer(add_completion=False)
        alone.command(name)(found)
        found = alone
    command = get_command(found)
    command.name = name
    return command  # type: ignore[return-value]


app = typer.Typer(cls=_Verbs, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def star57() -> None:
    """Call trace (*57) for analog lines: the host side, and the technician's bench."""
