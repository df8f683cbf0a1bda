"""A bad network: everything is delivered in the end, once, in order, and the receivers lose no sample."""

from __future__ import annotations

import pytest

from tests.host.faults.conftest import Place
from tests.host.faults.network_faults import (
    FAULTS,
    TLS_MICROPYTHON,
    deliver_by_name,
    deliver_over_tls,
    deliver_through,
)


# All at once takes half a minute, and is left to `make soak`.
@pytest.mark.parametrize("name", [name for name in FAULTS if name != "all of these"])
def test_a_bad_network_loses_nothing(place: Place, name: str) -> None:
    tally = deliver_through(name, 200 + list(FAULTS).index(name), place.service, place.folder, requests=3)
    assert tally.messages == 3
    assert tally.faults > 0
    assert tally.holds, tally


def test_a_dead_name_server_loses_nothing(place: Place) -> None:
    tally = deliver_by_name(250, place.service, place.folder, requests=3)
    assert tally.faults > 30
    assert tally.holds, tally


@pytest.mark.skipif(not TLS_MICROPYTHON.exists(), reason="no MicroPython with TLS: make tls")
def test_an_impostor_gets_nothing_and_loses_nothing(place: Place) -> None:
    tally = deliver_over_tls(251, place.service, place.folder, requests=6)
    assert tally.messages == 6
    assert tally.holds, tally
