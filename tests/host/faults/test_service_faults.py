"""A service that is killed, has no room, or is two: everything is accepted in the end, once."""

from __future__ import annotations

from tests.host.faults.conftest import Place
from tests.host.faults.service_faults import (
    deliver_to_a_full_disk,
    deliver_to_a_killed_service,
    deliver_to_replicas,
    second_replica,
)


def test_a_service_that_is_killed_about_its_commit_loses_nothing(place: Place) -> None:
    tally = deliver_to_a_killed_service(300, place.service, place.folder, requests=6)
    assert tally.faults > 3
    assert tally.holds, tally


def test_a_full_disk_refuses_and_loses_nothing(place: Place) -> None:
    tally = deliver_to_a_full_disk(301, place.service, place.folder, requests=6)
    assert tally.faults > 3
    assert tally.holds, tally


def test_two_replicas_accept_once(place: Place) -> None:
    with second_replica(place.folder, place.records) as other:
        tally = deliver_to_replicas(302, (place.service, other), place.folder, requests=6)
    assert tally.faults > 3
    assert tally.holds, tally
