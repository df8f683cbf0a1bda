"""Answers every block with what the phone sent, and holds the relay for as long as the phone is off-hook."""

import asyncio

from board import Board

board = Board()


async def main():
    board.couple(True)
    while True:
        n = await board.next_block()
        for i in range(n):
            board.phone_out[i] = board.phone_in[i]
        for i in range(board.edges):
            board.energise(board.edge_level[i])
        board.feed_watchdog()


asyncio.run(main())
