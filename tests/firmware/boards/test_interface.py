"""Network interfaces that come and go, with a `network` module that the test makes."""

import sys

if "boards" not in sys.path:
    sys.path.append("boards")

from rp2040 import interface
from rp2040.interface import Ethernet, Wifi

JOINING = 1
WAITS_FOR_ADDRESS = 2
UP = 3
REFUSALS = (-3, -2, -1, 0)  # key, no access point, failed, link lost


class Clock:
    """Stands in for the machine's milliseconds."""

    def __init__(self):
        self.now_ms = 0
        interface.ticks_ms = lambda: self.now_ms

    def advance(self, ms):
        self.now_ms += ms


class Wlan:
    def __init__(self):
        self.is_active = False
        self.state = JOINING
        self.joins = []
        self.is_broken = False

    def active(self, is_active):
        self.is_active = is_active

    def connect(self, name, key):
        self.joins.append((name, key))
        if self.is_broken:
            raise OSError(5)
        self.state = JOINING

    def isconnected(self):
        return self.state == UP

    def status(self):
        return self.state


class Nic:
    def __init__(self):
        self.is_active = False
        self.has_link = False
        self.has_address = False
        self.asked = 0

    def active(self, is_active):
        self.is_active = is_active

    def status(self):
        return 2 if self.has_link else 0

    def isconnected(self):
        return self.has_link and self.has_address

    def ipconfig(self, dhcp4):
        assert dhcp4
        self.asked += 1


class Network:
    """MicroPython's module, with one interface of each kind."""

    STA_IF = 0

    def __init__(self):
        self.dns = "0.0.0.0"
        self.wlan = Wlan()
        self.nic = Nic()

    def WLAN(self, kind):  # noqa: N802 - the module's own name
        assert kind == self.STA_IF
        return self.wlan

    def WIZNET5K(self):  # noqa: N802 - the module's own name
        return self.nic

    def ipconfig(self, name):
        assert name == "dns"
        return self.dns


def wifi():
    clock, network = Clock(), Network()
    return clock, network.wlan, Wifi(network, "home", "secret")


def test_wifi_joins_at_once():
    _, wlan, network = wifi()
    assert wlan.is_active
    assert wlan.joins == [("home", "secret")]
    assert not network.connected()
    wlan.state = UP
    assert network.connected()
    assert len(wlan.joins) == 1


def test_wifi_joins_again_when_it_failed_and_not_more_than_once_in_10_s():
    for state in REFUSALS:
        clock, wlan, network = wifi()
        for _ in range(100):
            wlan.state = state
            assert not network.connected()
            clock.advance(1000)
        assert len(wlan.joins) == 10, state


def test_wifi_joins_again_after_the_access_point_was_away():
    clock, wlan, network = wifi()
    wlan.state = UP
    clock.advance(3_600_000)
    assert network.connected()
    wlan.state = 0
    assert not network.connected()
    assert len(wlan.joins) == 2
    wlan.state = UP
    assert network.connected()


def test_a_join_that_goes_on_is_left_alone_for_a_minute():
    for state in (JOINING, WAITS_FOR_ADDRESS):
        clock, wlan, network = wifi()
        wlan.state = state
        clock.advance(59_999)
        assert not network.connected()
        assert len(wlan.joins) == 1
        clock.advance(1)
        assert not network.connected()
        assert len(wlan.joins) == 2


def test_a_chip_that_fails_is_tried_again():
    clock, wlan, network = wifi()
    wlan.is_broken = True
    for _ in range(3):
        wlan.state = -1
        clock.advance(10_000)
        assert not network.connected()
    assert len(wlan.joins) == 4


def test_ethernet_asks_for_an_address_whenever_a_cable_was_plugged_in():
    module = Network()
    nic, network = module.nic, Ethernet(module)
    assert nic.is_active
    assert not network.connected()
    assert nic.asked == 0
    nic.has_link = True
    assert not network.connected()
    nic.has_address = True
    assert network.connected()
    assert nic.asked == 1
    nic.has_link = False
    assert not network.connected()
    nic.has_link = True
    assert network.connected()
    assert nic.asked == 2


def test_the_name_server_that_dhcp_told_of():
    module = Network()
    for network in (Wifi(module, "home", ""), Ethernet(module)):
        module.dns = "0.0.0.0"
        assert network.name_server is None
        module.dns = "192.0.2.53"
        assert network.name_server == "192.0.2.53"
