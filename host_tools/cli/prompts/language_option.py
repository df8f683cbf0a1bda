"""Which language a verb is for."""

from __future__ import annotations

from typing import Annotated

import typer

from host_tools.cli.answer import stopped
from host_tools.cli.exit_codes import ExitCode
from host_tools.prompts.language import Language
from host_tools.prompts.texts import LANGUAGES

LanguageOption = Annotated[
    str | None,
    typer.Option("--language", metavar="CODE", help=f"One of {', '.join(LANGUAGES)}; without it, all."),
]


def chosen(code: str | None) -> list[Language]:
    """The languages that were asked for.

    Raises:
        typer.Exit: there is no such language.
    """
    if code is None:
        return list(LANGUAGES.values())
    if code not in LANGUAGES:
        raise stopped(ExitCode.USAGE, f"there is no language {code}; there are {', '.join(LANGUAGES)}")
    return [LANGUAGES[code]]
