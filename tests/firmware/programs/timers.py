"""Uses asyncio in all its ways and logs the line time at which each came to its end."""

import asyncio
from asyncio import core

from board import Board

board = Board()


def log(what):
    board.log(f"{what} at {core.ticks()}")


async def nap(duration_ms):
    await asyncio.sleep_ms(duration_ms)
    return duration_ms


async def main():
    try:
        await asyncio.wait_for_ms(nap(5000), 200)
    except asyncio.TimeoutError:
        log("timeout")
    log(f"in time {await asyncio.wait_for_ms(nap(100), 200)}")
    task = asyncio.create_task(nap(100_000))
    await asyncio.sleep_ms(60)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        log("cancelled")
    log(f"gathered {sum(await asyncio.gather(nap(40), nap(80)))}")
    event = asyncio.Event()
    asyncio.create_task(set_later(event))
    await event.wait()
    log("event")
    while True:
        await board.next_block()
        board.feed_watchdog()


async def set_later(event):
    await asyncio.sleep_ms(120)
    event.set()


asyncio.run(main())
