"""A real Mosquitto of its own, on a free port, with users or without."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Self

import pytest

_BINARY = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
_PASSWORDS = shutil.which("mosquitto_passwd")
_STARTS_WITHIN_S = 10.0

USER = "house"
PASSWORD = "a password of this test alone"  # noqa: S105


class Mosquitto:
    """A broker whose files are in `folder`; `secured`: it takes USER with PASSWORD alone. Skips where there is none."""

    def __init__(
        self, folder: Path, *, secured: bool = False, certificate: tuple[Path, Path] | None = None
    ) -> None:
        if _BINARY is None or _PASSWORDS is None:
            pytest.skip("Mosquitto is not here (Debian: mosquitto)")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        lines = [f"listener {self.port} 127.0.0.1", "persistence false", "log_type none"]
        if secured:
            passwords = folder / "passwords"
            passwords.touch(0o600)
            subprocess.run([_PASSWORDS, "-b", str(passwords), USER, PASSWORD], check=True)
            lines += ["allow_anonymous false", f"password_file {passwords}", "user root"]
        else:
            lines.append("allow_anonymous true")
        if certificate is not None:
            lines += [f"certfile {certificate[0]}", f"keyfile {certificate[1]}", "user root"]
        self._configuration = folder / "mosquitto.conf"
        self._configuration.write_text("\n".join(lines) + "\n")
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Starts it; comes back when it takes connections."""
        assert _BINARY is not None
        self._process = subprocess.Popen(
            [_BINARY, "-c", str(self._configuration)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until_s = time.monotonic() + _STARTS_WITHIN_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                assert self._process.poll() is None, "Mosquitto does not take its configuration"
                assert time.monotonic() < until_s, "Mosquitto does not start"
                time.sleep(0.02)
            else:
                return

    def stop(self) -> None:
        """Kills it; what it kept is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
