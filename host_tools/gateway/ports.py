"""Which serial ports are served: named by path, by glob or by USB serial number, and there or not there yet."""

from __future__ import annotations

import glob
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase

from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo

USB_PREFIX = "usb:"

_PATTERN = re.compile(f"(/|{USB_PREFIX}).+")
# The device chooses it, and it stands in the log.
_SERIAL_NUMBER = re.compile("[!-~]{1,64}")


def port_pattern(text: str) -> str:
    """`text` without the spaces around it: an absolute path, a glob, or `usb:` and a serial number, globs too.

    Raises:
        ValueError: it is none of these.
    """
    pattern = text.strip()
    if not _PATTERN.fullmatch(pattern):
        raise ValueError(f"{pattern!r} is neither a path such as /dev/ttyACM0 or /dev/ttyACM* nor usb:SERIAL")
    return pattern


class PortFinder:
    """Looks which of the ports that are wanted are there.

    A port is named by its device's USB serial number, or, without one, by the path that was asked for. A device that
    was found once is found again by that name, whatever path it comes back under.

    Args:
        patterns: what is served, see `port_pattern`; any number of them may mean the same port.
        listed: the serial ports of this machine.
    """

    def __init__(
        self,
        patterns: Sequence[str],
        listed: Callable[[], Iterable[ListPortInfo]] = list_ports.comports,
    ) -> None:
        self._usb_patterns = [
            pattern.removeprefix(USB_PREFIX) for pattern in patterns if pattern.startswith(USB_PREFIX)
        ]
        self._path_patterns = [pattern for pattern in patterns if not pattern.startswith(USB_PREFIX)]
        self._listed = listed
        self._known: set[str] = set()
        self._usb: dict[str, ListPortInfo] = {}

    def look(self) -> dict[str, str]:
        """The ports that are there now: their names, and the paths to open. It reads file systems, and may wait."""
        # Paths first: a device that appears in between would be known by its path, and later by its number as well.
        paths = [path for pattern in self._path_patterns for path in sorted(glob.glob(pattern))]
        self._list_usb()
        found = {
            name: port.device
            for name, port in self._usb.items()
            if name in self._known or self._is_wanted(port.serial_number)
        }
        names = {port.device: name for name, port in self._usb.items()}
        for path in paths:
            found.setdefault(names.get(os.path.realpath(path), path), path)
        self._known.update(name for name in found if name.startswith(USB_PREFIX))
        return found

    def _list_usb(self) -> None:
        # pyserial converts what it reads of a device unchecked, and that is nothing when it is unplugged meanwhile.
        # What was there before stands until the next look.
        with suppress(OSError, TypeError, ValueError):
            self._usb = _told_apart(self._listed())

    def _is_wanted(self, serial_number: str) -> bool:
        return any(fnmatchcase(serial_number, pattern) for pattern in self._usb_patterns)


def _told_apart(ports: Iterable[ListPortInfo]) -> dict[str, ListPortInfo]:
    """By their names, the USB ports whose serial numbers tell them apart."""
    named = [(_usb_name(port), port) for port in ports if _SERIAL_NUMBER.fullmatch(port.serial_number or "")]
    # Some converters have the same number in each copy: those are known by their paths.
    times = Counter(name for name, _ in named)
    return {name: port for name, port in named if times[name] == 1}


def _usb_name(port: ListPortInfo) -> str:
    # A device with two ports has one number; its location ends in the interface's, as in "1-1.4:1.2".
    _, _, interface = (port.location or "").partition(":")
    return f"{USB_PREFIX}{port.serial_number}" + (f":{interface}" if interface else "")
