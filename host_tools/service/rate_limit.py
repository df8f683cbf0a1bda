"""Rate limits: how often one address, one name or one person may ask, in this process."""

from __future__ import annotations

import math
import time
from ipaddress import IPv6Address, ip_address

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter


class TooMany(Exception):
    """Asked too often; `retry_after_s` is when it may be asked again."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(retry_after_s)
        self.retry_after_s = retry_after_s


class RateLimit:
    """So many a minute of each who asks, in any 60 s."""

    def __init__(self, per_minute: int) -> None:
        self._limit = RateLimitItemPerMinute(per_minute)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def take(self, who: str) -> None:
        """Counts one more of `who`.

        Raises:
            TooMany: there were as many already; this one is not counted.
        """
        if not self._limiter.hit(self._limit, who):
            window = self._limiter.get_window_stats(self._limit, who)
            raise TooMany(max(1, math.ceil(window.reset_time - time.time())))


def network_of(address: str) -> str:
    """Whom an address is counted with: itself, or all of its /64, which is one customer's (RFC 6177)."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or parsed.packed[:8].hex())
    return str(parsed)
