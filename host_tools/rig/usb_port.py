"""A pseudo terminal in the place of a board's USB port: named as udev names one, and gone when the board is."""

from __future__ import annotations

import os
import select
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_AT_ONCE_BYTES = 4096


class UsbPort:
    """One port; it is plugged in and pulled out, and keeps its name.

    Args:
        folder: stands for /dev/serial/by-id.
        serial_number: of the board, as its USB descriptor has it.

    Attributes:
        name: what a program opens, as long as the board is plugged in.
    """

    def __init__(self, folder: Path, serial_number: str) -> None:
        self.name = str(folder / f"usb-MicroPython_Board_in_FS_mode_{serial_number}-if00")
        self._own: int | None = None
        self._unsent = b""

    @property
    def is_plugged_in(self) -> bool:
        """Whether a program can open it."""
        return self._own is not None

    @property
    def is_open(self) -> bool:
        """Whether a program has it open."""
        if self._own is None:
            return False
        poll = select.poll()
        poll.register(self._own, 0)
        return not any(events & select.POLLHUP for _, events in poll.poll(0))

    def plug_in(self) -> None:
        """Makes it anew."""
        self.pull_out()
        own, other = os.openpty()
        tty.setraw(other)
        os.set_blocking(own, False)
        link = Path(self.name)
        beside = link.with_name(f".{link.name}")
        beside.symlink_to(os.ttyname(other))
        beside.replace(link)
        # Nobody holds the other end: so the port tells when a program has it open.
        os.close(other)
        self._own = own
        self._unsent = b""

    def pull_out(self) -> None:
        """Whoever has it open finds that it is gone."""
        if self._own is not None:
            Path(self.name).unlink()
            own, self._own = self._own, None
            os.close(own)

    @contextmanager
    def lent(self) -> Iterator[int]:
        """The board's end, for a process that is to be the board: its reads and writes wait."""
        if self._own is None:
            raise ValueError("the port is not plugged in")
        os.set_blocking(self._own, True)
        yield self._own

    def received(self) -> bytes:
        """What a program has written, without waiting."""
        if self._own is None:
            return b""
        # EIO: no program has it open.
        with suppress(OSError):
            return os.read(self._own, _AT_ONCE_BYTES)
        return b""

    def send(self, data: bytes) -> None:
        """Sends what the program that has it open takes, keeps the rest for it, and forgets all when there is none."""
        if self._own is None or not self.is_open:
            self._unsent = b""
            return
        self._unsent += data
        with suppress(OSError):
            while self._unsent:
                self._unsent = self._unsent[os.write(self._own, self._unsent) :]
