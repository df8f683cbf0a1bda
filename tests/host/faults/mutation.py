"""Bytes that were right, and are damaged: what a line, a fault or somebody who means harm makes of them."""

from __future__ import annotations

from collections.abc import Callable
from random import Random


def damaged(chance: Random, data: bytes) -> bytes:
    """`data` with one to three damages, each of any kind; it may be as it was, when they undo each other."""
    for _ in range(chance.randint(1, 3)):
        data = chance.choice(_DAMAGES)(chance, data)
    return data


def _flipped(chance: Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(min(len(data), chance.randint(1, 8))):
        changed[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _overwritten(chance: Random, data: bytes) -> bytes:
    start, end = _piece(chance, data)
    return data[:start] + chance.randbytes(end - start) + data[end:]


def _cut(chance: Random, data: bytes) -> bytes:
    start, end = _piece(chance, data)
    return data[:start] + data[end:]


def _ended(chance: Random, data: bytes) -> bytes:
    return data[: chance.randint(0, len(data))]


def _doubled(chance: Random, data: bytes) -> bytes:
    start, end = _piece(chance, data)
    return data[:end] + data[start:]


def _filled(chance: Random, data: bytes) -> bytes:
    start, _ = _piece(chance, data)
    return data[:start] + chance.randbytes(chance.randint(1, 16)) + data[start:]


def _moved(chance: Random, data: bytes) -> bytes:
    start, end = _piece(chance, data)
    return data[:start] + data[end:] + data[start:end]


def _piece(chance: Random, data: bytes) -> tuple[int, int]:
    start = chance.randint(0, len(data))
    return start, min(len(data), start + chance.randint(1, 40))


_DAMAGES: tuple[Callable[[Random, bytes], bytes], ...] = (
    _flipped,
    _flipped,
    _overwritten,
    _cut,
    _ended,
    _doubled,
    _filled,
    _moved,
)
