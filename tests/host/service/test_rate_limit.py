"""Rate limits, of each who asks alone."""

from __future__ import annotations

import pytest

from host_tools.service.rate_limit import RateLimit, TooMany, network_of


def test_so_many_are_taken_and_no_more() -> None:
    limit = RateLimit(3)
    for _ in range(3):
        limit.take("jane")
    for _ in range(3):
        with pytest.raises(TooMany) as refused:
            limit.take("jane")
        assert 1 <= refused.value.retry_after_s <= 60
    limit.take("sam")


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2::1", "20010db800010002"),
        ("2001:db8:1:2:ffff::9", "20010db800010002"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", ""),
        ("no address", "no address"),
    ],
)
def test_one_customers_addresses_count_together(address: str, network: str) -> None:
    assert network_of(address) == network
