"""Firmware tests run in MicroPython: pytest collects them by reading, and one interpreter runs them all.

Every file `tests/firmware/**/test_*.py` is read, never imported, by CPython. Its functions `test_*`, plain or
async, become pytest items; `tests/firmware/serve_tests.py` runs them, in one MicroPython process, started
at the first item, and again only after a test has killed or stalled it.
"""

from __future__ import annotations

import ast
import json
import os
import select
import subprocess
from collections.abc import Generator, Iterable
from pathlib import Path

import pytest

from host_tools.rig.micropython import interpreter_command

ROOT = Path(__file__).resolve().parent.parent
FIRMWARE_TESTS = ROOT / "tests" / "firmware"
STALLED_AFTER_S = 120.0


class FirmwareTestFailed(Exception):
    """A test raised in MicroPython; the text is MicroPython's traceback."""


class Interpreter:
    """The MicroPython process that serves firmware tests."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._answers = -1

    def run(self, path: Path, function: str) -> None:
        """Runs one test; raises FirmwareTestFailed."""
        if self._process is None:
            self._start()
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(f"{path.relative_to(ROOT)} {function}\n".encode())
        self._process.stdin.flush()
        answer = self._answer()
        if not answer.endswith(b"\n"):
            self.stop()
            raise FirmwareTestFailed("MicroPython died or stalled in this test")
        error = json.loads(answer)["error"]
        if error is not None:
            raise FirmwareTestFailed(error)

    def stop(self) -> None:
        """Ends the process, if there is one."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        assert self._process.stdin is not None
        self._process.stdin.close()
        os.close(self._answers)
        self._process = None

    def _start(self) -> None:
        self._answers, answers = os.pipe()
        arguments = ["-X", "heapsize=64M", str(FIRMWARE_TESTS / "serve_tests.py"), str(answers)]
        path = [ROOT / "firmware", ROOT / "boards" / "emulated", FIRMWARE_TESTS]
        self._process = subprocess.Popen(
            [*interpreter_command(), *arguments],
            cwd=ROOT,
            env={"MICROPYPATH": ":".join([*map(str, path), ".frozen"])},
            stdin=subprocess.PIPE,
            pass_fds=[answers],
        )
        os.close(answers)

    def _answer(self) -> bytes:
        answer = b""
        while not answer.endswith(b"\n"):
            if not select.select([self._answers], [], [], STALLED_AFTER_S)[0]:
                break
            part = os.read(self._answers, 65536)
            if not part:
                break
            answer += part
        return answer


class MicroPythonFile(pytest.File):
    """A file of firmware tests."""

    def collect(self) -> Iterable[pytest.Item]:
        tree = ast.parse(self.path.read_text(), str(self.path))
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                yield MicroPythonItem.from_parent(self, name=node.name, line=node.lineno)


class MicroPythonItem(pytest.Item):
    """One firmware test."""

    def __init__(self, *, name: str, parent: MicroPythonFile, line: int) -> None:
        super().__init__(name, parent)
        self._line = line

    def runtest(self) -> None:
        self.config.stash[_INTERPRETER].run(self.path, self.name)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> str:
        if isinstance(excinfo.value, FirmwareTestFailed):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, self._line, self.name


_INTERPRETER = pytest.StashKey[Interpreter]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_INTERPRETER] = Interpreter()


def pytest_unconfigure(config: pytest.Config) -> None:
    if _INTERPRETER in config.stash:
        config.stash[_INTERPRETER].stop()


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(
    file_path: Path, parent: pytest.Collector
) -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
    """Collects a firmware test for MicroPython, and for nothing else."""
    collectors = yield
    if FIRMWARE_TESTS in file_path.parents and file_path.match("test_*.py"):
        return [MicroPythonFile.from_parent(parent, path=file_path)]
    return collectors
