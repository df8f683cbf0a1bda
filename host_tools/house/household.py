"""The household's telephones: what their adapters tell, put together, and handed to whoever wants to know."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Protocol

from host_tools.house import notices
from host_tools.house.notices import Alive, CallNotice, Line, Notice, NoticeError, Traced

ALIVE_WITHIN_S = 75.0
"""An adapter says every 30 s that it is alive: of two that are lost nobody speaks."""

MOST_ADAPTERS = 64

_MOST_CALLS = 4
_LOOK_EVERY_S = 1.0
_PRESSES = 3
_PRESS_AGAIN_AFTER_S = 2.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Call:
    """One incoming call, as far as it is known.

    Attributes:
        call_id: 16 hex digits.
        began: of its first ring, in UTC; by the clock of this computer where the adapter has none.
        rings: that are over.
        number, name: as presented; None where they are not.
        reason, name_reason: why they are not: "P" withheld by the caller, "O" out of area, None otherwise.
    """

    call_id: str
    began: datetime
    rings: int = 0
    answered: bool = False
    call_waiting: bool = False
    number: str | None = field(default=None, repr=False)
    name: str | None = field(default=None, repr=False)
    reason: str | None = None
    name_reason: str | None = None


class Source(Protocol):
    """What an adapter's notices come over, and presses go back."""

    @property
    def name(self) -> str:
        """For the log."""

    @property
    def may_press(self) -> bool:
        """Whether an adapter takes a press from here: nobody else can have sent it."""

    def press(self, payload: bytes) -> None:
        """Sends a press; nobody answers it."""


@dataclass
class Adapter:
    """A telephone line of the household.

    Attributes:
        alive: what the adapter said last of itself; None before it has.
        state: of the line.
        call: the call that began last, of those that this house has heard of.
        outcome: of the trace that was asked for last.
        online: whether the adapter has been heard lately.
    """

    adapter_id: str
    source: Source
    heard_at_s: float
    alive: Alive | None = None
    state: str = "idle"
    call: Call | None = None
    outcome: str | None = None
    online: bool = True
    _calls: dict[str, Call] = field(default_factory=dict)

    @property
    def has_button(self) -> bool:
        """Whether the household has switched the trace button on, and a press would reach the adapter."""
        return self.alive is not None and self.alive.trace_button and self.source.may_press

    @property
    def last_call_id(self) -> str | None:
        """The call that a press is for."""
        if self.call is not None:
            return self.call.call_id
        return None if self.alive is None else self.alive.last_call

    def take_call(self, notice: CallNotice, now_s: float) -> Call:
        """The call that `notice` is of, as it is now; `now_s` in Unix seconds, where its adapter has no clock."""
        known = self._calls.pop(notice.call_id, None)
        if known is None:
            began_s = notice.at if notice.time_source == "network" else now_s
            known = Call(notice.call_id, datetime.fromtimestamp(began_s, UTC))
        call = self._calls[notice.call_id] = replace(
            known,
            rings=notice.rings,
            answered=notice.answered,
            call_waiting=notice.call_waiting,
            number=notice.number,
            name=notice.name,
            reason=notice.reason,
            name_reason=notice.name_reason,
        )
        while len(self._calls) > _MOST_CALLS:
            del self._calls[next(iter(self._calls))]
        # What ends may have begun before another that waited behind it.
        if (
            self.call is None
            or self.call.call_id == call.call_id
            or notice.notice not in ("answered", "ended")
        ):
            self.call = call
        return call


class Listener(Protocol):
    """Somebody who wants to know; called in the event loop, and does not wait."""

    def heard(self, adapter: Adapter, notice: Notice, call: Call | None) -> None:
        """`adapter`, and the `call` that `notice` is of, if it is of one, are already as it says."""

    def online_changed(self, adapter: Adapter) -> None:
        """The adapter has not been heard for too long, or is heard again."""


class Household:
    """Every adapter that is heard, by its id.

    Args:
        listeners: are told in this order.
        clock: Unix seconds.
    """

    def __init__(self, listeners: list[Listener], clock: Callable[[], float] = time.time) -> None:
        self.listeners = listeners
        self.adapters: dict[str, Adapter] = {}
        self.passed_by = 0
        self._clock = clock
        self._traced: dict[str, asyncio.Event] = {}

    def heard(self, source: Source, payload: bytes) -> None:
        """An adapter has told something; what is no notice is counted in `passed_by`."""
        try:
            notice = notices.read(payload)
        except NoticeError:
            self.passed_by += 1
            return
        adapter = self._adapter(notice.adapter_id, source)
        if adapter is None:
            self.passed_by += 1
            return
        call = self._take(adapter, notice)
        for listener in self.listeners:
            listener.heard(adapter, notice, call)

    async def watch(self) -> None:
        """Notes which adapters are heard no more, until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            oldest_s = time.monotonic() - ALIVE_WITHIN_S
            for adapter in list(self.adapters.values()):
                if adapter.online and adapter.heard_at_s < oldest_s:
                    self._set_online(adapter, online=False)

    async def press(self, adapter_id: str) -> None:
        """Presses the trace button for the last call of this adapter, again when nothing comes back.

        A press for the same call is no second trace.
        """
        adapter = self.adapters.get(adapter_id)
        if adapter is None or not (adapter.online and adapter.has_button) or adapter.last_call_id is None:
            logger.warning("trace button: pressed, but there is nothing that it could do")
            return
        call_id = adapter.last_call_id
        if call_id in self._traced:
            return  # the press before is still under way
        logger.info("trace button: pressed, call %s", call_id)
        traced = self._traced[call_id] = asyncio.Event()
        try:
            for _ in range(_PRESSES):
                adapter.source.press(notices.press(call_id))
                with suppress(TimeoutError):
                    async with asyncio.timeout(_PRESS_AGAIN_AFTER_S):
                        await traced.wait()
                        return
            logger.warning("trace button: the adapter has not answered")
        finally:
            del self._traced[call_id]

    def _adapter(self, adapter_id: str, source: Source) -> Adapter | None:
        adapter = self.adapters.get(adapter_id)
        if adapter is None:
            if len(self.adapters) >= MOST_ADAPTERS:
                return None
            logger.info("adapter %s: heard over %s", adapter_id, source.name)
            adapter = self.adapters[adapter_id] = Adapter(adapter_id, source, time.monotonic())
        if adapter.online and adapter.source.may_press and not source.may_press:
            return None  # somebody who cannot show that it is this adapter does not take its place
        adapter.source = source
        adapter.heard_at_s = time.monotonic()
        if not adapter.online:
            self._set_online(adapter, online=True)
        return adapter

    def _set_online(self, adapter: Adapter, *, online: bool) -> None:
        adapter.online = online
        logger.info("adapter %s: %s", adapter.adapter_id, "heard again" if online else "not heard any more")
        for listener in self.listeners:
            listener.online_changed(adapter)

    def _take(self, adapter: Adapter, notice: Notice) -> Call | None:
        if isinstance(notice, CallNotice):
            logger.info("adapter %s: call %s: %s", adapter.adapter_id, notice.call_id, notice.notice)
            return adapter.take_call(notice, self._clock())
        if isinstance(notice, Alive):
            adapter.alive = notice
            adapter.state = notice.state
        elif isinstance(notice, Line):
            adapter.state = notice.state
        else:
            self._take_outcome(adapter, notice)
        return None

    def _take_outcome(self, adapter: Adapter, notice: Traced) -> None:
        logger.info("adapter %s: trace of call %s: %s", adapter.adapter_id, notice.call_id, notice.outcome)
        adapter.outcome = notice.outcome
        if (traced := self._traced.get(notice.call_id)) is not None:
            traced.set()
