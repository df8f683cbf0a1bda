"""Network interfaces as a Board's `network` (docs/seams.md): they come and go, and nobody has to start anew for it."""

from time import ticks_diff, ticks_ms

from micropython import const

# The states of a join that goes on: CYW43_LINK_JOIN, and CYW43_LINK_NOIP, which waits for an address.
_JOINING = (1, 2)
_AGAIN_MS = const(10_000)
# DHCP asks after 1, 2, 4, 8, 16 and 32 s: whoever got nothing by then has joined in vain.
_IN_VAIN_MS = const(60_000)
_LINK_UP = const(2)
_NO_ADDRESS = "0.0.0.0"  # noqa: S104 - nothing is bound to it


class _Interface:
    """What both kinds have: `network` is MicroPython's module of that name."""

    def __init__(self, network):
        self._network = network

    @property
    def name_server(self):
        """The name server that DHCP told of; None when it has told of none."""
        address = self._network.ipconfig("dns")
        return None if address == _NO_ADDRESS else address


class Wifi(_Interface):
    """Wi-Fi by a CYW43 chip: joins the network `name` with `key` (empty for an open one), and joins again.

    The chip's driver does not try again by itself when the access point was away, or refused.
    """

    def __init__(self, network, name, key):
        super().__init__(network)
        self._name = name
        self._key = key
        self._wlan = network.WLAN(network.STA_IF)
        self._wlan.active(True)
        self._join()

    def connected(self):
        """Whether there is a way into the network; when joining has failed, it is begun again, and not waited for."""
        if self._wlan.isconnected():
            return True
        waited_ms = ticks_diff(ticks_ms(), self._joined_at)
        if waited_ms >= (_IN_VAIN_MS if self._wlan.status() in _JOINING else _AGAIN_MS):
            self._join()
        return False

    def _join(self):
        self._joined_at = ticks_ms()
        try:
            self._wlan.connect(self._name, self._key)
        except OSError:
            pass  # the chip is busy: in 10 s again


class Ethernet(_Interface):
    """Ethernet by a WIZnet chip, with an address by DHCP."""

    def __init__(self, network):
        super().__init__(network)
        self._nic = network.WIZNET5K()
        self._nic.active(True)
        self._had_link = False

    def connected(self):
        """Whether there is a way into the network; a cable that was plugged in may lead to another one."""
        has_link = self._nic.status() == _LINK_UP
        if has_link and not self._had_link:
            # Asks for an address, or whether the one that it has still holds, and does not wait for either.
            self._nic.ipconfig(dhcp4=True)
        self._had_link = has_link
        return self._nic.isconnected()
