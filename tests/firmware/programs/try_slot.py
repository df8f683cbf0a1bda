"""Says in which slot it runs. A phone that is lifted: writes the idle slot and tries it; put down: confirms."""

import asyncio

from board import Board

FIRMWARE = b"star57 9.8.7\n" + bytes(range(256)) * 20

board = Board()
slots = board.slots


def install():
    slots.begin()
    for start in range(0, len(FIRMWARE), 4096):
        slots.write(start, FIRMWARE[start : start + 4096])
    for digest in slots.sha256(len(FIRMWARE)):
        pass
    board.log("sha256 " + digest.hex())
    slots.try_other()


async def main():
    tells = (board.reset_reason, slots.running, slots.trial, slots.returned, board.version)
    board.log("{} {} {} {} {}".format(*tells))
    while True:
        await board.next_block()
        board.feed_watchdog()
        for i in range(board.edges):
            if board.edge_level[i]:
                install()
            else:
                slots.confirm()


asyncio.run(main())
