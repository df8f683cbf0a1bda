"""Both carriers: the better one is used, the other takes over, and the better one is used again when it is back."""

from __future__ import annotations

import json

from host_tools.gateway.forward import blocking_forward
from host_tools.gateway.gateway import Gateway
from host_tools.rig.faulty_network import FaultyProxy
from tests.host.faults.accepted import last_heartbeat
from tests.host.faults.conftest import Place
from tests.host.faults.delivery import Delivery


def _carrier(place: Place, delivery: Delivery) -> str:
    return str(json.loads(last_heartbeat(place.service.database, delivery.adapter_id))["carrier"])


def test_the_network_is_used_while_it_works(place: Place) -> None:
    gateway = Gateway(blocking_forward(place.service.url))
    delivery = Delivery(500, place.service, 4, serial=gateway.receive)
    assert delivery.run(place.folder, "both carriers", lambda: 0).holds
    assert _carrier(place, delivery) == "network"
    assert gateway.questions == 0


def test_the_serial_line_takes_over(place: Place) -> None:
    gateway = Gateway(blocking_forward(place.service.url))
    with FaultyProxy(("127.0.0.1", place.service.port), 501, {}) as proxy:
        proxy.refuse()
        delivery = Delivery(501, place.service, 4, {"service_port": proxy.port}, serial=gateway.receive)
        assert delivery.run(place.folder, "no network", lambda: 0).holds
        assert proxy.requests == 0
    assert _carrier(place, delivery) == "serial"
    assert gateway.questions >= 5


def test_the_network_is_used_again_when_it_is_back(place: Place) -> None:
    """It comes back when the serial line has carried two questions; a minute later the heartbeat goes over it."""
    forward = blocking_forward(place.service.url)
    with FaultyProxy(("127.0.0.1", place.service.port), 502, {}) as proxy:
        proxy.refuse()

        def until_the_network_is_back(body: bytes) -> tuple[int, bytes]:
            if gateway.questions == 2:
                proxy.accept()
            return forward(body)

        gateway = Gateway(until_the_network_is_back)
        delivery = Delivery(
            502, place.service, 4, {"service_port": proxy.port}, serial=gateway.receive, more_s=130.0
        )
        assert delivery.run(place.folder, "network back", lambda: 0).holds
        assert proxy.requests > 0
    assert gateway.questions >= 2
    assert _carrier(place, delivery) == "network"
