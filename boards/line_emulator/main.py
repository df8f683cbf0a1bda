"""The line emulator: a second Pico, which is exchange and household for a board under test."""

from console import Console
from line import Line


def main():
    line = Line()
    try:
        Console(line).run()
    finally:
        line.close()


main()
