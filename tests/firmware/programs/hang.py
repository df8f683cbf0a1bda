"""Takes the relay and then never answers again."""

import asyncio

from board import Board

board = Board()


async def main():
    board.log("started after " + board.reset_reason)
    while True:
        await board.next_block()
        board.energise(board.reset_reason == "power_on")
        if board.edges:
            while True:
                pass


asyncio.run(main())
