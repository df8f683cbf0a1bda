"""Asks what asks.json on the flash lists, over the board's serial port, each until it is answered, and logs all of it.

A line of JSON each: how long that took in line time, why it was asked again, each time, and the answer; null after
`most_tries`.
"""

import asyncio
import json
from asyncio import core

from board import Board
from star57.link.error import LinkError
from star57.link.frame import NUMBERS
from star57.link.serial import SerialLink

board = Board()


async def ask(link, body, most_tries):
    began = core.ticks()
    faults = []
    answer = None
    while answer is None and len(faults) < most_tries:
        try:
            status, received = await link.post(body.encode())
            answer = [status, received.decode()]
        except LinkError as fault:
            faults.append(fault.reason)
    took_ms = core.ticks_diff(core.ticks(), began)
    board.log(json.dumps({"took_ms": took_ms, "faults": faults, "answer": answer}))


async def ask_all(link):
    with open(board.flash + "/asks.json") as file:
        asks = json.load(file)
    for body in asks["bodies"]:
        await ask(link, body, asks["most_tries"])


async def main():
    link = SerialLink(board.serial, first_number=int.from_bytes(board.random_bytes(2), "big") % NUMBERS)
    reading = asyncio.create_task(link.run())
    asking = asyncio.create_task(ask_all(link))
    while not reading.done():
        if asking.done():
            await asking  # a fault of the link is one of this program
        await board.next_block()
        if link.checked_in():
            board.feed_watchdog()


asyncio.run(main())
