"""A console beside the link: what a technician types on USB is run line by line, while the firmware goes on."""

import io
import sys

from micropython import const

_LONGEST_LINE = const(160)
_FRAME_BEGINS = const(0x2A)  # the asterisk of docs/protocol.md
_LINE_FEED = const(0x0A)
_CARRIAGE_RETURN = const(0x0D)
_BACKSPACES = (0x08, 0x7F)


class Console:
    """Runs each line typed as Python, with `names` to use, and says on `say(bytes)` what came of it, and what is typed.

    A line that begins with an asterisk is the link's. As long as a line runs, nothing else does.
    """

    def __init__(self, say):
        self.names = {}
        self._say = say
        self._line = bytearray()
        self._is_links = False
        self._is_new = True

    def takes(self, byte):
        """Whether `byte`, which came on USB, is the console's; the link's it leaves alone."""
        if self._is_new:
            self._is_links = byte == _FRAME_BEGINS
        self._is_new = byte in (_LINE_FEED, _CARRIAGE_RETURN)
        if not self._is_links:
            self._typed(byte)
        return not self._is_links

    def _typed(self, byte):
        line = self._line
        if byte in (_LINE_FEED, _CARRIAGE_RETURN):
            text = bytes(line).decode()
            line[:] = b""
            if text.strip():
                self._say(b"\r\n" + self._outcome(text).encode())
        elif byte in _BACKSPACES:
            if line:
                line[:] = line[:-1]
                self._say(b"\b \b")
        elif 0x20 <= byte < 0x7F and len(line) < _LONGEST_LINE:
            line.append(byte)
            self._say(bytes((byte,)))

    def _outcome(self, text):
        try:
            try:
                value = eval(text, self.names)  # noqa: S307 - whoever is at the USB port has MicroPython's own prompt too
            except SyntaxError:
                exec(text, self.names)  # noqa: S102
                return ""
        except Exception as fault:  # noqa: BLE001 - whatever was typed is the technician's to mend
            traceback = io.StringIO()
            sys.print_exception(fault, traceback)
            return traceback.getvalue()
        return "" if value is None else "{!r}\r\n".format(value)
