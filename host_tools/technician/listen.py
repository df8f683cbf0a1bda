"""Records a live line for a while: what comes goes into a recording, and to whoever looks on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from host_tools.technician.faults import NoAnswer
from host_tools.technician.live_line import Heard, LiveLine, Sound, Unheard, Unplugged
from host_tools.technician.ports import Port, Usb
from host_tools.technician.recording import LineRecording


async def record(
    usb: Usb, port: Port, recording: LineRecording, seconds: float, look: Callable[[Heard], None]
) -> None:
    """Records until so many seconds are in the recording, or until cancelled.

    Args:
        usb: where the board is plugged in.
        port: of the board; one that is unplugged later is waited for.
        recording: takes what comes.
        seconds: of line time, gaps included.
        look: is told of everything that comes.

    Raises:
        NoAnswer: the port cannot be opened, or what is behind it cannot be listened to.
    """
    ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    has_heard = False

    def take(heard: Heard) -> None:
        nonlocal has_heard
        recording.take(heard)
        look(heard)
        has_heard = has_heard or isinstance(heard, Sound)
        if ended.done():
            return
        if isinstance(heard, Unheard) or (isinstance(heard, Unplugged) and not has_heard):
            ended.set_exception(NoAnswer(f"{port.name}: {heard.why}"))
        elif recording.duration_s >= seconds:
            ended.set_result(None)

    listening = asyncio.create_task(LiveLine(usb, port, take).run())
    try:
        await ended
    finally:
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening
