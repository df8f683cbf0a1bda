"""A bad network: everything is delivered in the end, once, in order, and the receivers lose no sample."""

from __future__ import annotations

import pytest

from tests.host.faults.conftest import Place
from tests.host.faults.network_faults import FAULTS, deliver_through


@pytest.mark.parametrize("name", FAULTS)
def test_a_bad_network_loses_nothing(place: Place, name: str) -> None:
    tally = deliver_through(name, 200 + list(FAULTS).index(name), place.service, place.folder, requests=4)
    assert tally.messages == 4
    assert tally.faults > 0
    assert tally.holds, tally
