"""The adapter, with a fault that strikes in the middle of the dialogue: where, is in `sabotage.txt` on the flash."""

import asyncio

from board import Board
from star57.adapter import Adapter


class Sabotage(Exception):
    """The fault."""


def main():
    board = Board()
    adapter = Adapter(board)
    with open(board.flash + "/sabotage.txt") as file:
        room, method = file.read().split(".")

    def struck(*arguments):
        if adapter._handset is not None:
            raise Sabotage
        return kept(*arguments)

    kept = getattr(getattr(adapter, room), method)
    if board.reset_reason == "power_on":
        setattr(getattr(adapter, room), method, struck)
    try:
        asyncio.run(adapter.run())
    finally:
        board.energise(False)
        board.reset()


main()
