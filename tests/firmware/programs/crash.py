"""Takes the relay, and raises when the phone is hung up."""

import asyncio

from board import Board

board = Board()


async def main():
    board.log("started after " + board.reset_reason)
    while True:
        await board.next_block()
        board.feed_watchdog()
        for i in range(board.edges):
            board.energise(board.edge_level[i])
            if not board.edge_level[i]:
                board.energise(True)
                raise ValueError("a fault of the firmware")


asyncio.run(main())
