"""Finds the board and runs the adapter on it; whatever ends the adapter, the phone is back on the exchange first."""

import asyncio

from board import Board
from star57.adapter import Adapter


def main():
    board = Board()
    try:
        asyncio.run(Adapter(board).run())
    finally:
        board.energise(False)
        board.reset()


main()
