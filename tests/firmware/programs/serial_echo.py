"""Sends back what comes over the serial port, and logs what the board has of ports and networks."""

import asyncio

from board import Board

board = Board()


def tell():
    network = board.network
    name_server = network.name_server if network and network.connected() else "none"
    board.log(f"serial {board.serial is not None}, network {network is not None}, name server {name_server}")


async def main():
    tell()
    piece = bytearray(4096)
    waiting = b""
    while True:
        await board.next_block()
        if board.serial:
            count = board.serial.readinto(piece)
            waiting += piece[: count or 0]
            waiting = waiting[board.serial.write(waiting) or 0 :]
        board.feed_watchdog()


asyncio.run(main())
