"""Every verb takes --json: for its answer as one document, or, where it runs until it is stopped, for its log."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from typer.core import TyperCommand, TyperGroup

from host_tools.cli.main import VERBS, loaded


def verbs() -> Iterator[tuple[str, TyperCommand]]:
    for name in VERBS:
        command = loaded(name)
        if isinstance(command, TyperGroup):
            yield from (
                (f"{name} {below}", verb)
                for below, verb in command.commands.items()
                if isinstance(verb, TyperCommand)
            )
        elif isinstance(command, TyperCommand):
            yield name, command


@pytest.mark.parametrize(
    ("name", "verb"), list(verbs()), ids=lambda each: each if isinstance(each, str) else ""
)
def test_it_takes_json(name: str, verb: TyperCommand) -> None:
    assert "--json" in {option for parameter in verb.params for option in parameter.opts}, name
