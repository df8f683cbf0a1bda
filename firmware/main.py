"""Finds the board and runs the adapter on it; whatever ends the adapter, the phone is back on the exchange first."""

import asyncio
import io
import sys

from board import Board


def main():
    # The board first: the sooner it samples the better, and its DMA rings want a heap in one piece.
    board = Board()
    try:
        from star57.adapter import Adapter  # noqa: PLC0415

        asyncio.run(Adapter(board).run())
    except KeyboardInterrupt:
        board.release()
        return
    except Exception as fault:  # noqa: BLE001 - whatever it is, the technician is told, and the board begins anew
        board.energise(False)
        board.log(_traceback(fault))
    board.energise(False)
    board.reset()


def _traceback(fault):
    text = io.StringIO()
    sys.print_exception(fault, text)
    return text.getvalue()


main()
