"""The real trace service beside a story: what `star57 service` runs, in a process of its own, on a real socket."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from types import TracebackType

from nacl.public import PrivateKey

from host_tools.service.adapters import Adapters
from host_tools.service.signing import new_key
from host_tools.service.store import run_once
from host_tools.stories.service_on_line_time import LineClock


class ServiceNotStarted(Exception):
    """The service did not come up; the text is what it printed."""


class TraceService:
    """A trace service with a store, a centre's key and the exchange's call records of its own.

    The private key of the centre is made here and kept in memory only: what is stored can be read in a test, and by
    nobody afterwards.
    """

    def __init__(self, folder: Path, call_records: Path, lines_offered: str) -> None:
        self.database = folder / "traces.sqlite"
        self.call_records = call_records
        self.centre_key = PrivateKey.generate()
        self.port = free_port()
        self._settings = {
            "STAR57_PORT": str(self.port),
            "STAR57_DATABASE": f"sqlite:///{self.database}",
            "STAR57_CALL_RECORDS": f"sqlite:///{call_records}",
            "STAR57_CENTRE_PUBLIC_KEY": bytes(self.centre_key.public_key).hex(),
            "STAR57_LINES_OFFERED": lines_offered,
            "STAR57_SECRET": str(folder / "service.secret"),
            "STAR57_ORIGIN_KEYS": str(folder / "service.origins"),
        }
        self._clock_file = folder / "service.clock"
        self._clock = LineClock(self._clock_file)
        self._log = (folder / "service.log").open("ab")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it takes messages."""
        return f"http://127.0.0.1:{self.port}/v1/messages"

    def add_adapter(self, adapter_id: str) -> str:
        """Makes an adapter known, whether the service runs or not; its key, 64 hex digits, for `adapter_key`.

        Raises:
            AdapterExists: it is known already.
        """
        key = new_key()
        database = self._settings["STAR57_DATABASE"]
        run_once(database, lambda connection: Adapters(connection).add(adapter_id, key))
        return key.hex()

    def set_time(self, unix_seconds: float) -> None:
        """Tells the service what time it is on the line; until the first time, its clock is this machine's."""
        self._clock.set(unix_seconds)

    def start(self) -> None:
        """Starts the service and returns when it listens.

        Raises:
            ServiceNotStarted: it ended instead.
        """
        self._process = subprocess.Popen(
            [sys.executable, "-m", "host_tools.stories.service_on_line_time", str(self._clock_file)],
            env={**os.environ, **self._settings},
            stdout=subprocess.PIPE,
            stderr=self._log,
        )
        said = self._process.stdout.readline().decode() if self._process.stdout else ""
        if "listening" not in said:
            raise ServiceNotStarted(f"the trace service did not start: {said}, see {self._log.name}")

    def stop(self) -> None:
        """Stops the service; its store stays."""
        if self._process is None:
            return
        self._process.terminate()
        self._ended()

    def kill(self) -> None:
        """Ends the service where it stands (SIGKILL)."""
        if self._process is None:
            return
        self._process.kill()
        self._ended()

    @property
    def process_id(self) -> int:
        """Of the service that runs.

        Raises:
            ServiceNotStarted: none does.
        """
        if self._process is None:
            raise ServiceNotStarted("the trace service does not run")
        return self._process.pid

    def store_bytes(self) -> int:
        """How long the store's write-ahead log is: whoever lets no file grow beyond this leaves no room to write."""
        write_ahead = self.database.with_name(self.database.name + "-wal")
        return write_ahead.stat().st_size if write_ahead.exists() else 0

    def __enter__(self) -> TraceService:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._clock.close()
        self._log.close()

    def _ended(self) -> None:
        if self._process is not None:
            self._process.communicate()
            self._process = None


def free_port() -> int:
    """A port of 127.0.0.1 on which nobody listens now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port
