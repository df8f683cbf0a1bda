"""The console beside the link: what a technician types is run, and what is the link's is left alone."""

import sys

if "boards" not in sys.path:
    sys.path.append("boards")

from rp2040.console import Console


class Terminal:
    def __init__(self):
        self.shown = b""
        self.console = Console(self._show)
        self.console.names["board"] = "a board"

    def types(self, data):
        """Types `data`; answers what of it is the link's."""
        return bytes(byte for byte in data if not self.console.takes(byte))

    def _show(self, data):
        self.shown += data


def test_a_line_is_run_and_what_came_of_it_is_shown():
    terminal = Terminal()
    assert terminal.types(b"board\r") == b""
    assert terminal.shown == b"board\r\n'a board'\r\n"


def test_a_statement_is_run_too():
    terminal = Terminal()
    terminal.types(b"import gc\r\nx = 6 * 7\nx + 1\n")
    assert terminal.shown == b"import gc\r\nx = 6 * 7\r\nx + 1\r\n43\r\n"
    assert terminal.console.names["gc"].mem_free() > 0


def test_frames_are_the_links():
    terminal = Terminal()
    frames = b"\n*57 g 7 01234567 512\n\n*57 w 7 01234567 \r\n"
    assert terminal.types(frames) == b"*57 g 7 01234567 512\n*57 w 7 01234567 \r"
    assert terminal.shown == b""
    assert terminal.types(b"1+1\n*57 x 7 0 \n2+2\n") == b"*57 x 7 0 \n"
    assert terminal.shown == b"1+1\r\n2\r\n2+2\r\n4\r\n"


def test_a_fault_is_the_technicians_and_the_console_goes_on():
    terminal = Terminal()
    terminal.types(b"1/0\n")
    assert b"ZeroDivisionError" in terminal.shown
    terminal.types(b"for\n(\nnothing\n")
    assert terminal.shown.count(b"SyntaxError") == 2
    assert b"NameError" in terminal.shown
    terminal.shown = b""
    terminal.types(b"1+1\n")
    assert terminal.shown == b"1+1\r\n2\r\n"


def test_a_typing_error_can_be_taken_back():
    terminal = Terminal()
    terminal.types(b"\x7f1+2\x7f\x081*8\n")
    assert terminal.shown == b"1+2\b \b\b \b1*8\r\n88\r\n"


def test_what_is_no_text_and_what_is_too_long_is_passed_by():
    terminal = Terminal()
    terminal.types(bytes(range(0x80, 0x100)) + b"\x00\x1b1+1\n")
    assert terminal.shown == b"1+1\r\n2\r\n"
    terminal.shown = b""
    terminal.types(b"'" + b"x" * 10000 + b"\n")
    assert len(terminal.shown) < 600
