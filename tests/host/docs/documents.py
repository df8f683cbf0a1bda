"""The documents of the repository, as Markdown is read: what stands in blocks, and what is set as code in sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from host_tools.rig.micropython import ROOT

_AS_USER = re.compile(r"^runuser -u \S+ -- ")
_FOLDER_OF_PROGRAM = re.compile(r"^\S*/(?=(?:star57|pip|python3?|pytest) )")
_COMMENT = re.compile(r"(?:\s{2,}|\s+#).*$")
_HERE_DOCUMENT = re.compile(r"<<(\w+)")


@dataclass(frozen=True)
class Block:
    """A block of code: its lines, and where it begins."""

    document: str
    line: int
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Command:
    """A command as a document has it, without what it is run by and without a comment."""

    document: str
    text: str
    is_in_block: bool


def documents() -> list[Path]:
    """Every document that the site has, the changes aside: those tell of what was."""
    found = (ROOT / "README.md", *(path for room in _ROOMS for path in (ROOT / room).glob("**/*.md")))
    return sorted(found)


_ROOMS = ("docs", "boards", "firmware")


@cache
def blocks() -> tuple[Block, ...]:
    """Every block of code of every document."""
    return tuple(
        Block(name, (token.map or [0])[0] + 1, tuple(token.content.splitlines()))
        for name, tokens in _read()
        for token in tokens
        if token.type in ("code_block", "fence")
    )


@cache
def mentions() -> tuple[Command, ...]:
    """What is set as code within sentences and tables, once for each document."""
    found = (
        Command(name, " ".join(child.content.split()), is_in_block=False)
        for name, tokens in _read()
        for token in tokens
        for child in token.children or ()
        if child.type == "code_inline"
    )
    return tuple(dict.fromkeys(found))


def commands_of(block: Block) -> list[Command]:
    """The commands of a block that is one of the shell's; what one reads from a here-document is no command."""
    found: list[Command] = []
    until = None
    for line in block.lines:
        if until is not None:
            until = None if line == until else until
            continue
        here = _HERE_DOCUMENT.search(line)
        until = here[1] if here else None
        found += (Command(block.document, text, is_in_block=True) for text in _commands_in(line))
    return found


def star57_commands() -> Iterator[Command]:
    """Every command of star57: those in blocks in their order, and those in sentences."""
    for block in blocks():
        yield from (command for command in commands_of(block) if command.text.startswith("star57 "))
    for mention in mentions():
        text = _bare(mention.text)
        if text.startswith("star57 "):
            yield Command(mention.document, text, is_in_block=False)


def _commands_in(line: str) -> Iterator[str]:
    first, *others = _COMMENT.sub("", _bare(line)).removesuffix("&").strip().split(", ")
    yield first
    # "star57 account disable NAME, enable NAME"
    yield from (" ".join([*first.split()[:2], other]) for other in others)


def _bare(text: str) -> str:
    return _FOLDER_OF_PROGRAM.sub("", _AS_USER.sub("", text.strip()))


@cache
def _read() -> tuple[tuple[str, list[Token]], ...]:
    markdown = MarkdownIt("commonmark").enable("table")
    return tuple(
        (str(path.relative_to(ROOT)), markdown.parse(path.read_text(encoding="utf-8")))
        for path in documents()
    )
