"""The processes of a load: a gateway and a trace service as an operator starts them, and adapters in MicroPython."""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
import time
import tty
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from bench.load_table import Fact
from bench.micropython import FIRMWARE, ROOT
from host_tools.rig.micropython import interpreter_command

_MANY_ADAPTERS = ROOT / "tests" / "firmware" / "programs" / "many_adapters.py"
_STAR57 = "from host_tools.cli.main import app; app()"
_STARTS_WITHIN_S = 60.0
_LOOK_EVERY_S = 0.1
_TOLD_CHARACTERS = 2000
_NICE = 19
_USUAL_FILES = 1024
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class LoadFailed(Exception):
    """A process ended, or did not come up; the text says which, and what it said."""


class Star57:
    """A command of star57 that serves; what it says goes to the file `log`."""

    def __init__(self, command: str, options: Sequence[str], settings: Mapping[str, str], log: Path) -> None:
        self._command = command
        self._log = log
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("STAR57_")}
        with log.open("wb") as file:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _STAR57, command, *options],
                env={**inherited, "PYTHONUNBUFFERED": "1", **settings},
                cwd=ROOT,
                stdout=file,
                stderr=subprocess.STDOUT,
                preexec_fn=_as_usual,  # noqa: PLW1509 - there is one thread here
            )

    def wait_for(self, words: str, times: int = 1) -> str:
        """Waits until a match of `words` is in its log so often; answers the last.

        Raises:
            LoadFailed: it ended, or it took too long.
        """
        until_s = time.monotonic() + _STARTS_WITHIN_S
        while len(found := re.findall(words, self._log.read_text())) < times:
            if self._process.poll() is not None or time.monotonic() > until_s:
                raise self._failed()
            time.sleep(_LOOK_EVERY_S)
        return str(found[-1])

    def cpu_s(self) -> float:
        """Processor time since it started."""
        # proc_pid_stat(5): utime and stime, the fields 14 and 15; the name, which is before, may have spaces.
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S

    def peak_bytes(self) -> int:
        """The most memory that it has had at any time. Raises LoadFailed when it has ended."""
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{self._process.pid}/status").read_text())
        if found is None:
            raise self._failed()
        return int(found[1]) * 1024

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()

    def _failed(self) -> LoadFailed:
        return LoadFailed(f"star57 {self._command}: {self._log.read_text()[-_TOLD_CHARACTERS:]}")


def _as_usual() -> None:
    """An operator starts it so, and not with as many open files as the load needs."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (_USUAL_FILES, hard))


class Fleet:
    """Adapters in one MicroPython, by the plan that tests/firmware/programs/many_adapters.py describes.

    Its files are `path` with several suffixes.
    """

    def __init__(self, plan: Mapping[str, Any], path: Path) -> None:
        self._carriers = {
            own["adapter_id"]: "network" if own["serial"] is None else "serial" for own in plan["adapters"]
        }
        self._told = path.with_suffix(".jsonl")
        self._log = path.with_suffix(".log")
        plan_file = path.with_suffix(".json")
        plan_file.write_text(json.dumps(plan))
        with self._told.open("wb") as told, self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [*interpreter_command(), "-X", "heapsize=16M", str(_MANY_ADAPTERS), str(plan_file)],
                env={"MICROPYPATH": f"{FIRMWARE}:.frozen"},
                pass_fds=[own["serial"] for own in plan["adapters"] if own["serial"] is not None],
                stdout=told,
                stderr=log,
            )
        # Real ones take nothing of the host's processor: emulated ones take what gateway and service leave.
        os.setpriority(os.PRIO_PROCESS, self._process.pid, _NICE)

    def facts(self) -> list[Fact]:
        """Waits until it ends; answers what its adapters tell. Raises LoadFailed when it did not end well."""
        if self._process.wait():
            raise LoadFailed(f"adapters ended: {self._log.read_text()[-_TOLD_CHARACTERS:]}")
        told = map(json.loads, self._told.read_text().splitlines())
        return [Fact(carrier=self._carriers[fact["adapter_id"]], **fact) for fact in told]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()


@dataclass(frozen=True)
class Port:
    """A serial port: descriptors of the adapter's end, and of the end that the gateway opens by its path."""

    own: int
    other: int


@contextmanager
def serial_ports(folder: Path, count: int) -> Iterator[list[Port]]:
    """Pseudo terminals, each with a link `line-N` in the folder, as udev makes them."""
    ports: list[Port] = []
    try:
        for number in range(count):
            ports.append(Port(*os.openpty()))
            tty.setraw(ports[-1].other)
            os.set_blocking(ports[-1].own, False)
            (folder / f"line-{number:04}").symlink_to(os.ttyname(ports[-1].other))
        yield ports
    finally:
        for port in ports:
            os.close(port.own)
            os.close(port.other)
