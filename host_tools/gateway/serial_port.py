"""An open serial port in the event loop, which it never keeps waiting."""

from __future__ import annotations

import asyncio
import errno
import os
import termios
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from typing import Self

import serial

BAUD = 115200

_READ_AT_ONCE_BYTES = 1024
# Some frames. An adapter that takes nothing is sent nothing more: it repeats what it still wants.
_UNSENT_MOST_BYTES = 8192

_REASONS = {
    errno.EACCES: "permission denied: add this user to the group dialout",
    errno.EAGAIN: "another program has it open",
    errno.EBUSY: "another program has it open",
}


class PortError(Exception):
    """The port cannot be opened; the text says why, and what can be done about it."""


class SerialPort:
    """An open port; `open_port` makes one.

    Args:
        device: open, and not blocking.
        received: is given what has come, at most 1024 bytes at once.
    """

    def __init__(self, device: serial.Serial, received: Callable[[bytes], None], executor: Executor) -> None:
        self._device = device
        self._descriptor: int = device.fileno()
        self._received = received
        self._executor = executor
        self._unsent = bytearray()
        self._loop = asyncio.get_running_loop()
        self._gone = asyncio.Event()
        self._loop.add_reader(self._descriptor, self._read)

    def send(self, data: bytes) -> None:
        """Sends `data` as soon as the port takes it; all of it or nothing, when it takes nothing or is gone."""
        if self._gone.is_set() or len(self._unsent) + len(data) > _UNSENT_MOST_BYTES:
            return
        self._unsent += data
        self._write()

    async def wait_until_gone(self) -> None:
        """Comes back when the device has been unplugged, or the port fails."""
        await self._gone.wait()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._leave()
        await self._loop.run_in_executor(self._executor, _close, self._device)

    def _read(self) -> None:
        try:
            data = os.read(self._descriptor, _READ_AT_ONCE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._received(data)
        else:
            self._leave()

    def _write(self) -> None:
        try:
            count = os.write(self._descriptor, self._unsent) if self._unsent else 0
        except BlockingIOError:
            count = 0
        except OSError:
            self._leave()
            return
        del self._unsent[:count]
        if self._unsent:
            self._loop.add_writer(self._descriptor, self._write)
        else:
            self._loop.remove_writer(self._descriptor)

    def _leave(self) -> None:
        if not self._gone.is_set():
            self._gone.set()
            self._loop.remove_reader(self._descriptor)
            self._loop.remove_writer(self._descriptor)


async def open_port(path: str, received: Callable[[bytes], None], executor: Executor) -> SerialPort:
    """Opens the port at `path` for this program alone, and neither resets nor interrupts what is behind it.

    Args:
        executor: where opening and closing may wait: for a USB device that does not respond, some seconds.

    Raises:
        PortError: it cannot be opened.
    """
    opening = asyncio.get_running_loop().run_in_executor(executor, _open, path)
    try:
        device = await asyncio.shield(opening)
    except asyncio.CancelledError:
        opening.add_done_callback(_close_when_opened)
        raise
    return SerialPort(device, received, executor)


def _open(path: str) -> serial.Serial:
    device = serial.Serial(baudrate=BAUD, exclusive=True)
    device.port = path
    # MicroPython's USB console sends only while DTR is set. With RTS set too, no board's reset circuit acts. At 1200
    # baud, and only there, an RP2040 would go into its boot loader.
    device.dtr = True
    device.rts = True
    try:
        device.open()
    except (OSError, termios.error) as error:
        raise PortError(_why(error)) from error
    return device


def _why(error: Exception) -> str:
    number = error.args[0] if error.args else None
    if not isinstance(number, int):
        # pyserial's own error: it could not make settings.
        return "it is no serial port"
    return _REASONS.get(number) or os.strerror(number)


def _close_when_opened(opening: asyncio.Future[serial.Serial]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        _close(opening.result())


def _close(device: serial.Serial) -> None:
    # What was not sent is thrown away first: closing would wait up to 30 s for a device that takes nothing.
    with suppress(OSError, termios.error):
        termios.tcflush(device.fileno(), termios.TCIOFLUSH)
    with suppress(OSError, termios.error):
        device.close()
