"""Literals in viper code: on the Pico a wide one may be loaded from a word that is not aligned, and is then another."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from host_tools.rig.micropython import ROOT


def is_loaded_by_parts(value: int) -> bool:
    """Whether ARMv6-M code makes it of eight bits and a shift, or of twice eight bits, and loads no word."""
    value = abs(value)
    return value <= 0xFFFF or value // (value & -value) <= 0xFF


def constants_of(module: ast.Module) -> dict[str, int]:
    found: dict[str, object] = {}
    for node in module.body:
        match node:
            case ast.Assign(
                targets=[ast.Name(id=name)], value=ast.Call(func=ast.Name(id="const"), args=[argument])
            ):
                expression = compile(ast.Expression(argument), "const", "eval")
                found[name] = eval(expression, {}, dict(found))  # noqa: S307
            case _:
                pass
    return {name: value for name, value in found.items() if isinstance(value, int)}


def wide_literals(path: Path) -> Iterator[str]:
    module = ast.parse(path.read_text())
    constants = constants_of(module)
    for function in ast.walk(module):
        if not isinstance(function, ast.FunctionDef):
            continue
        if not any("viper" in ast.unparse(decorator) for decorator in function.decorator_list):
            continue
        for node in ast.walk(function):
            if not isinstance(node, ast.Constant | ast.Name):
                continue
            value = node.value if isinstance(node, ast.Constant) else constants.get(node.id)
            if isinstance(value, int) and not is_loaded_by_parts(value):
                yield f"{path.name}:{node.lineno} {function.name}: {value}"


def test_no_wide_literal_in_viper_code() -> None:
    files = sorted((ROOT / "firmware").rglob("*.py"))
    assert len(files) > 20
    assert [found for path in files for found in wide_literals(path)] == []


def test_a_wide_literal_is_found(tmp_path: Path) -> None:
    source = tmp_path / "wide.py"
    source.write_text(
        "_BIG = const(590000000)\n\n\n@micropython.viper\ndef f(x: int) -> int:\n    return x + _BIG + 0x8000\n"
    )
    assert list(wide_literals(source)) == ["wide.py:6 f: 590000000"]
