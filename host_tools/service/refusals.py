"""Refusals: counted each, logged by reason, and no more often than once a second, whoever sends how many."""

from __future__ import annotations

import logging
import time
from collections import Counter

from host_tools.service.messages import RefusalReason

_LOG_EVERY_S = 1.0

logger = logging.getLogger(__name__)


class Refusals:
    """`counts` is how many there were of each reason, since the service started."""

    def __init__(self) -> None:
        self.counts: Counter[RefusalReason] = Counter()
        self._logged: Counter[RefusalReason] = Counter()
        self._logged_at: dict[RefusalReason, float] = {}

    def note(self, reason: RefusalReason, adapter_id: str | None = None) -> None:
        """One more. `adapter_id`: only of an adapter that is known; its line in the log names it."""
        self.counts[reason] += 1
        now = time.monotonic()
        if now - self._logged_at.get(reason, -_LOG_EVERY_S) < _LOG_EVERY_S:
            return
        times = self.counts[reason] - self._logged[reason]
        self._logged[reason] = self.counts[reason]
        self._logged_at[reason] = now
        which = f", adapter {adapter_id}" if adapter_id else ""
        many = f", {times} of them" if times > 1 else ""
        told = {"reason": reason.value, "adapter_id": adapter_id, "times": times}
        logger.warning("refused: %s%s%s", reason, which, many, extra=told)
