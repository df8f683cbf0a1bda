"""Waiting for what another task, a thread or a process brings about."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

_LOOK_EVERY_S = 0.005


async def until(condition: Callable[[], bool], within_s: float = 10.0) -> None:
    """Waits for it. Raises TimeoutError when that takes too long."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - what is looked at sets no event
            await asyncio.sleep(_LOOK_EVERY_S)
