"""Reads figures out of MicroPython source, which CPython cannot import."""

import ast
from pathlib import Path


def constants_of(source: Path) -> dict[str, int]:
    """The module's own `NAME = const(number)`, by name."""
    found = {}
    for node in ast.parse(source.read_text(encoding="utf-8")).body:
        match node:
            case ast.Assign(
                targets=[ast.Name(id=name)],
                value=ast.Call(func=ast.Name(id="const"), args=[ast.Constant(value=int(number))]),
            ):
                found[name] = number
    return found


def argument_of(source: Path, function: str, argument: str) -> int:
    """The number that the only call of `function` with a keyword `argument` gives it."""
    numbers = [
        keyword.value.value
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == function
        for keyword in node.keywords
        if keyword.arg == argument and isinstance(keyword.value, ast.Constant)
    ]
    (number,) = numbers
    assert isinstance(number, int)
    return number
