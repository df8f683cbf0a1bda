"""MicroPython's prompt on a board, by mpremote: its firmware is interrupted, and the phone is on the exchange."""

from __future__ import annotations

import errno
import struct
import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType

import serial
from mpremote.transport import TransportError, TransportExecError
from mpremote.transport_serial import SerialTransport

from host_tools.technician.busy_port import opened
from host_tools.technician.faults import BoardGone, BoardRefuses, NoAnswer

_TIMEOUT_S = 10.0
_LEAVES_WITHIN_S = 10.0
_END_OF_OUTPUT = b"\x04"
_GONE = (errno.EIO, errno.ENODEV, errno.ENXIO, errno.EBADF)


class Prompt:
    """The prompt behind a port, for programs; a context manager. The firmware runs again after `reset`.

    Args:
        port: its path.
        fresh: with nothing of the firmware left in the board's memory.

    Raises:
        BoardGone: the port cannot be opened.
        NoAnswer: no prompt comes.
    """

    def __init__(self, port: str, *, fresh: bool = False) -> None:
        self._port = port
        self._fresh = fresh
        try:
            self._transport = opened(lambda: SerialTransport(port, timeout=_TIMEOUT_S), TransportError)
        except (TransportError, serial.SerialException) as fault:
            raise BoardGone(f"{port} cannot be opened: it is gone, or another program has it") from fault
        self._transport.serial.write_timeout = _TIMEOUT_S
        try:
            with self._faults():
                self._transport.enter_raw_repl(soft_reset=self._fresh)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Prompt:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Gives the port back. A board that has not begun anew stays at MicroPython's prompt."""
        with suppress(OSError, termios.error):
            if self._transport.in_raw_repl:
                self._transport.exit_raw_repl()
            self._transport.close()

    def run(self, program: str, timeout_s: float = _TIMEOUT_S) -> str:
        """Runs a program; answers what it prints. What earlier ones defined is still there.

        Args:
            timeout_s: how long it may print nothing.

        Raises:
            BoardRefuses: it raised an exception; the text is its last line.
            BoardGone, NoAnswer: nothing more comes.
        """
        printed: bytes
        with self._faults():
            printed, fault = self._transport.exec_raw(program, timeout=timeout_s)
            if fault:
                raise TransportExecError(printed, fault.decode())
        return printed.decode(errors="replace").replace("\r\n", "\n")

    def write_file(self, path: str, data: bytes) -> None:
        """Writes a file, whatever was in it; raises as `run`."""
        with self._faults():
            self._transport.fs_writefile(path, data)

    def read_file(self, path: str) -> bytes:
        """What is in a file; raises as `run`."""
        with self._faults():
            return bytes(self._transport.fs_readfile(path))

    def has_file(self, path: str) -> bool:
        """Whether there is such a file; raises as `run`."""
        with self._faults():
            return bool(self._transport.fs_exists(path))

    def sha256(self, path: str) -> str:
        """Of what is in a file, hashed on the board, in hexadecimal; raises as `run`."""
        with self._faults():
            digest: bytes = self._transport.fs_hashfile(path, "sha256")
        return digest.hex()

    def reset(self) -> None:
        """The board begins anew: the port goes away, and comes back."""
        self._leave("import machine\nmachine.reset()")

    def boot_loader(self) -> None:
        """The board goes into its boot loader: the port goes away, and a drive comes."""
        self._leave("import machine\nmachine.bootloader()")

    def _leave(self, program: str) -> None:
        try:
            with self._faults():
                self._transport.exec_raw_no_follow(program)
                # What is typed meanwhile would interrupt it.
                said = self._transport.read_until(1, _END_OF_OUTPUT, timeout=_LEAVES_WITHIN_S)
        except (BoardGone, NoAnswer):
            self._transport.in_raw_repl = False
            return
        raise BoardRefuses(f"the board at {self._port} stays where it is: {said!r}")

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except TransportExecError as fault:
            lines = [line for line in fault.error_output.splitlines() if line.strip()]
            raise BoardRefuses(lines[-1] if lines else "a program failed on the board") from fault
        except TransportError as fault:
            raise NoAnswer(f"MicroPython's prompt does not answer at {self._port}: {fault}") from fault
        except (serial.SerialException, termios.error, struct.error, TypeError) as fault:
            raise BoardGone(f"the board at {self._port} is gone: {fault}") from fault
        except OSError as fault:
            if fault.errno in _GONE:
                raise BoardGone(f"the board at {self._port} is gone: {fault}") from fault
            raise BoardRefuses(f"the board's file system: {fault}") from fault
