"""Asks the firmware of a board, on the console beside its link (boards/rp2040/console.py), while it goes on.

Nothing is interrupted: an expression is typed, and its value read from between the frames and the log that share the
port. MicroPython's own prompt, where no firmware runs, is asked in the same way.
"""

from __future__ import annotations

import ast
import errno
import secrets
import termios
import time
from contextlib import suppress
from types import TracebackType
from typing import Any

import serial

from host_tools.technician.busy_port import opened
from host_tools.technician.faults import BoardGone, BoardRefuses, NoAnswer, PortBusy, PortDenied

BAUD = 115_200

_PROMPT = b">>>"
_LONGEST_LINE = 160
_PIECE_TIMEOUT_S = 0.05
_KEPT_BYTES = 65_536


class Console:
    """An open port with a board's console behind it; a context manager.

    Args:
        port: its path.
        timeout_s: for each answer.

    Raises:
        PortBusy, PortDenied, BoardGone: it cannot be opened.
    """

    def __init__(self, port: str, timeout_s: float = 3.0) -> None:
        self._timeout_s = timeout_s
        self._received = b""
        self._is_in_step = False
        self.at_prompt = False
        """Whether MicroPython's own prompt has been seen: no firmware runs."""
        self._serial = opened(lambda: _open(port), PortBusy)

    def __enter__(self) -> Console:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Gives the port back."""
        with suppress(OSError, termios.error):
            self._serial.close()

    def ask(self, expression: str) -> Any:
        """The value of an expression on the board: a literal.

        Args:
            expression: of at most 140 characters. What it names is what the firmware gives its console: `board`, and
                `bench` where it has one.

        Raises:
            NoAnswer: none came in time, or none that is a literal.
            BoardRefuses: it raised an exception there; its last line is the text.
            BoardGone: the port has gone away.
        """
        if not self._is_in_step:
            # Somebody may have asked before, and not waited for the answer, or have left MicroPython's raw prompt. The
            # firmware's console passes Ctrl-B by.
            self._write(b"\r\x02")
            self._ask("0")
            self._is_in_step = True
        return self._ask(expression)

    def _ask(self, expression: str) -> Any:
        mark = secrets.token_hex(2)
        # In two parts, so that the echo of the question is not taken for the answer.
        line = f"('<'+'{mark}',({expression}))"
        if len(line) > _LONGEST_LINE:
            raise ValueError(f"the console takes {_LONGEST_LINE} characters, not {len(line)}")
        self._received = b""
        # Something may have been typed before, and not ended.
        self._write(b"\r" + line.encode() + b"\r")
        return self._answer(f"('<{mark}', ".encode(), time.monotonic() + self._timeout_s)

    def _answer(self, begin: bytes, end_s: float) -> Any:
        while time.monotonic() < end_s:
            self._received = (self._received + self._read())[-_KEPT_BYTES:]
            *lines, _ = self._received.replace(b"\r", b"\n").split(b"\n")
            self.at_prompt = self.at_prompt or any(each.startswith(_PROMPT) for each in lines)
            for each in lines:
                if each.startswith(begin):
                    return _value(each)
            fault = _fault(lines) if self._is_in_step else ""
            if fault:
                raise BoardRefuses(fault)
        raise NoAnswer("nothing answers behind this port")

    def _read(self) -> bytes:
        try:
            return bytes(self._serial.read(max(1, self._serial.in_waiting)))
        except (OSError, termios.error) as error:
            raise BoardGone("the board was unplugged while it was asked") from error

    def _write(self, data: bytes) -> None:
        try:
            self._serial.write(data)
        except (OSError, termios.error) as error:
            raise BoardGone("the board was unplugged while it was asked") from error


def _open(port: str) -> serial.Serial:
    device = serial.Serial(baudrate=BAUD, timeout=_PIECE_TIMEOUT_S, write_timeout=1.0, exclusive=True)
    device.port = port
    try:
        device.open()
    except serial.SerialException as error:
        raise _why_not(port, error) from error
    except (OSError, termios.error) as error:
        raise BoardGone(f"{port} cannot be opened: {error}") from error
    return device


def _why_not(port: str, error: serial.SerialException) -> PortBusy | PortDenied | BoardGone:
    if error.errno in (errno.EAGAIN, errno.EBUSY):
        return PortBusy(f"another program has {port} open")
    if error.errno == errno.EACCES:
        return PortDenied(f"this user may not open {port}: star57 doctor says how to mend it")
    return BoardGone(f"{port} cannot be opened: {error}")


def _value(line: bytes) -> Any:
    try:
        _, value = ast.literal_eval(line.decode())
    except (ValueError, SyntaxError) as error:
        raise NoAnswer(f"what came cannot be read: {line[:80]!r}") from error
    return value


def _fault(lines: list[bytes]) -> str:
    """The last line of a traceback that has come whole; "" when none has."""
    for at, line in enumerate(lines):
        if not line.startswith(b"Traceback"):
            continue
        for each in lines[at + 1 :]:
            if each and not each.startswith(b" "):
                return each.decode(errors="replace")
    return ""
