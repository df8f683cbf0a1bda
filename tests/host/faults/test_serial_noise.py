"""A bad serial line: everything is delivered in the end, once, and no wrong byte is believed."""

from __future__ import annotations

import pytest

from tests.host.faults.conftest import Place
from tests.host.faults.serial_noise import NOISES, deliver_through


@pytest.mark.parametrize("name", NOISES)
def test_noise_loses_nothing(place: Place, name: str) -> None:
    tally = deliver_through(name, 100 + list(NOISES).index(name), place.service, place.folder, requests=6)
    assert tally.messages == 6
    assert tally.faults > 0 or name == "bit error rate 1e-5"
    assert tally.holds, tally
