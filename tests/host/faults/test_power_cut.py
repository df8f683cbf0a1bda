"""The power is cut at any write: nothing that was promised is lost, nothing is accepted twice, nothing is garbled."""

from __future__ import annotations

from tests.host.faults.conftest import Place
from tests.host.faults.power_cut import cut_power


def test_cuts_from_write_to_write_and_anywhere_lose_nothing(place: Place) -> None:
    swept = cut_power(1, 90, place.service, place.folder, sweep=True)
    drawn = cut_power(2, 60, place.service, place.folder)
    assert (swept.faults, drawn.faults) == (90, 60)
    assert min(swept.messages, drawn.messages) > 10
    assert swept.holds, swept
    assert drawn.holds, drawn
