"""The gateway as it runs: every port that is wanted, served at once in one event loop, and its counts in the log."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass

from host_tools.gateway.forward import Forward
from host_tools.gateway.ports import PortFinder
from host_tools.gateway.served_port import Noticed, PortState, ServedPort

_LOOK_EVERY_S = 0.5
_LOG_EVERY_S = 60.0
# Threads only open and close ports, so they work for moments; a USB device that does not respond keeps one for seconds.
_THREADS = 16

logger = logging.getLogger(__name__)


@dataclass
class _Logged:
    """What the log said last about a port, and when in the loop's time."""

    state: PortState
    at_s: float


class Daemon:
    """Serves the ports that `finder` finds, now and later.

    Args:
        finder: which ports there are.
        forward: takes a question to the service; raises nothing.
        log_every_s: a port's counts are logged when they have changed, and no more often.
        noticed: is given the notices of adapters; None when nobody wants to know.
    """

    def __init__(
        self,
        finder: PortFinder,
        forward: Forward,
        log_every_s: float = _LOG_EVERY_S,
        noticed: Noticed | None = None,
    ) -> None:
        self._finder = finder
        self._forward = forward
        self._log_every_s = log_every_s
        self._noticed = noticed
        self._ports: dict[str, ServedPort] = {}
        self._logged: dict[str, _Logged] = {}

    @property
    def states(self) -> dict[str, PortState]:
        """How each port that was found so far is, by its name."""
        return {name: port.state for name, port in self._ports.items()}

    def press(self, name: str, payload: bytes) -> None:
        """Sends a press of the trace button to the adapter at the port of that name, which was found before."""
        self._ports[name].press(payload)

    async def run(self) -> None:
        """Serves until it is cancelled, and closes the ports then.

        A question under way is not waited for: its adapter asks again, and is answered alike.
        """
        executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="port")
        try:
            async with asyncio.TaskGroup() as tasks:
                while True:
                    await self._look(tasks, executor)
                    self._log_changes(self._log_every_s)
                    await asyncio.sleep(_LOOK_EVERY_S)
        finally:
            self._log_changes(0.0)
            executor.shutdown(wait=False)

    async def _look(self, tasks: asyncio.TaskGroup, executor: Executor) -> None:
        found = await asyncio.to_thread(self._finder.look)
        for name in found.keys() - self._ports.keys():
            self._ports[name] = ServedPort(name, self._forward, executor, self._noticed)
            tasks.create_task(self._ports[name].run())
        for name, port in self._ports.items():
            port.found_at(found.get(name))

    def _log_changes(self, every_s: float) -> None:
        now_s = asyncio.get_running_loop().time()
        for name, state in self.states.items():
            logged = self._logged.get(name, _Logged(PortState(), now_s - every_s))
            if state != logged.state and now_s - logged.at_s >= every_s:
                logger.info("port %s: %s", name, state)
                self._logged[name] = _Logged(state, now_s)
