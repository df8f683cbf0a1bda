"""How a verb answers: to people on the terminal, or with --json to programs, as one document on standard output."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Annotated, Any, Protocol

import typer
from pydantic_core import to_jsonable_python
from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

_is_json: ContextVar[bool] = ContextVar("is_json", default=False)


def _note(value: bool) -> bool:
    _is_json.set(value)
    return value


JsonOption = Annotated[
    bool, typer.Option("--json", help="Answer as one JSON document.", callback=_note, show_default=False)
]


def answer(document: Any, text: RenderableType | None, *, as_json: bool) -> None:
    """Prints `document` (pydantic models, dataclasses, dicts, lists of them) as JSON, or `text`, on standard output."""
    if as_json:
        typer.echo(json.dumps(to_jsonable_python(document), indent=2, ensure_ascii=False))
    elif isinstance(text, str):
        typer.echo(text)
    elif text is not None:
        Console().print(text)


def stopped(code: int, sentence: str, command: str = "") -> typer.Exit:
    """Says what hinders the command, on stderr and with --json on standard output too, and answers what ends it."""
    typer.echo(f"star57{command and ' '}{command}: {sentence}", err=True)
    if _is_json.get():
        typer.echo(json.dumps({"error": sentence, "exit_code": int(code)}, ensure_ascii=False))
    return typer.Exit(int(code))


class Bar(Protocol):
    """A progress bar."""

    def advance(self, by: float = 1) -> None:
        """So much more is done."""


class _Silent:
    def advance(self, by: float = 1) -> None:
        """Nobody looks."""


class _Shown:
    def __init__(self, shown: Progress, task: TaskID) -> None:
        self._shown = shown
        self._task = task

    def advance(self, by: float = 1) -> None:
        self._shown.advance(self._task, by)


def several_bars(*, as_json: bool) -> Progress:
    """Bars on stderr, one a task: `with several_bars(...) as bars: task = bars.add_task(name, total=n)`.

    Nothing is drawn where stderr is no terminal, or with --json.
    """
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, disable=as_json or not console.is_terminal)


@contextmanager
def progress(what: str, total: float, *, as_json: bool) -> Iterator[Bar]:
    """One bar on stderr for work of `total` steps, as `several_bars`."""
    with several_bars(as_json=as_json) as shown:
        yield _Silent() if shown.disable else _Shown(shown, shown.add_task(what, total=total))
