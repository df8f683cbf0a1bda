"""`star57 prompts script`: what a speaker is to read out."""

from __future__ import annotations

import csv
import io
from typing import Annotated

import typer
from rich.table import Table

from host_tools.cli.answer import JsonOption, answer
from host_tools.cli.prompts.language_option import LanguageOption, chosen
from host_tools.prompts.language import Prompt
from host_tools.prompts.occasions import occasion
from host_tools.prompts.texts import prompts_of

_COLUMNS = ("language", "file", "text", "where")


def script(
    *,
    language: LanguageOption = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="As CSV, for a spreadsheet.")] = False,
    json: JsonOption = False,
) -> None:
    """Print what a speaker is to read out: the name of each recording, its words, and where it is heard."""
    rows = [_row(one.code, prompt) for one in chosen(language) for prompt in prompts_of(one)]
    document = [dict(zip(_COLUMNS, row, strict=True)) for row in rows]
    answer(document, _as_csv(rows) if as_csv else _as_table(rows), as_json=json)


def _row(language: str, prompt: Prompt) -> tuple[str, ...]:
    return language, f"{prompt.name}.wav", prompt.text, occasion(prompt.name)


def _as_csv(rows: list[tuple[str, ...]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows(rows)
    return out.getvalue().rstrip("\n")


def _as_table(rows: list[tuple[str, ...]]) -> Table:
    table = Table(*_COLUMNS)
    for row in rows:
        table.add_row(*row)
    return table
