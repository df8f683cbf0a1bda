"""The real trace service beside a story: the `star57 service` command in a process of its own, on a real socket."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from types import TracebackType

from nacl.public import PrivateKey


class ServiceNotStarted(Exception):
    """The service did not come up; the text is what it printed."""


class TraceService:
    """A trace service with a store, a centre's key and the exchange's call records of its own.

    The private key of the centre is made here and kept in memory only: what is stored can be read in a test, and by
    nobody afterwards.
    """

    def __init__(self, folder: Path, call_records: Path, lines_offered: str) -> None:
        self.database = folder / "traces.sqlite"
        self.centre_key = PrivateKey.generate()
        self.port = _free_port()
        self._settings = {
            "STAR57_PORT": str(self.port),
            "STAR57_DATABASE": f"sqlite:///{self.database}",
            "STAR57_CALL_RECORDS": f"sqlite:///{call_records}",
            "STAR57_CENTRE_PUBLIC_KEY": bytes(self.centre_key.public_key).hex(),
            "STAR57_LINES_OFFERED": lines_offered,
        }
        self._log = (folder / "service.log").open("ab")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it takes requests."""
        return f"http://127.0.0.1:{self.port}/v1/traces"

    def start(self) -> None:
        """Starts the service and returns when it listens.

        Raises:
            ServiceNotStarted: it ended instead.
        """
        self._process = subprocess.Popen(
            [sys.executable, "-c", "from host_tools.cli.main import app; app()", "service"],
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
        self._process.communicate()
        self._process = None

    def __enter__(self) -> TraceService:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._log.close()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port
