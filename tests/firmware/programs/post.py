"""Reads from the service on the port that settings.json names, and logs how long, in line time, that took."""

import asyncio
import json
from asyncio import core

from board import Board

board = Board()


async def fetch():
    with open(board.flash + "/settings.json") as file:
        port = json.load(file)["service_port"]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"ping\n")
    await writer.drain()
    return await reader.readline()


async def main():
    before = core.ticks()
    try:
        answer = await asyncio.wait_for_ms(fetch(), 3000)
    except asyncio.TimeoutError:
        answer = "nothing"
    board.log(f"{answer} after {core.ticks() - before} ms")
    while True:
        await board.next_block()
        board.feed_watchdog()


asyncio.run(main())
