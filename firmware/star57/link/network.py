"""The network carrier: signed messages posted by HTTP over TCP, with TLS or without, bounded in bytes and in time."""

import asyncio
from asyncio import core

from micropython import const

from star57.link.connection import Connection
from star57.link.error import LinkError
from star57.link.http import LONGEST_BODY_BYTES, post, receive
from star57.link.names import Names, is_address, split_port

__all__ = ("LinkError", "NetworkLink")

_TIMEOUT_MS = const(5000)
# A Pico computes 1.3 s for a handshake, and rests as long meanwhile (docs/tls_on_pico.md); each of two hosts has half.
_TIMEOUT_WITH_TLS_MS = const(12_000)


class NetworkLink:
    """The service that `settings` name, reached over `network` (docs/seams.md). A post may take `timeout_ms` in all;
    where none is given, 5 s without TLS and 12 s with it.

    Read at each connect: `service_hosts`, `service_port` where a host has no own, `service_path`, and `service_ca`, the
    name of a file in the folder `flash` with the certificate (DER) that is trusted; empty for no TLS. A connection is
    kept open for the next post. One post at a time.
    """

    name = "network"

    def __init__(self, network, settings, timeout_ms=None, flash=""):
        self._network = network
        self._settings = settings
        self._flash = flash
        self.timeout_ms = timeout_ms or (_TIMEOUT_WITH_TLS_MS if settings.service_ca else _TIMEOUT_MS)
        self._names = Names()
        self._kept = None
        self._worked = None
        self._distrusted = None

    async def post(self, body):
        """Posts the signed message `body`, at most 3000 bytes; answers status and body of the response, at most 3000.

        The hosts are tried in turn, that which answered last first, each for its share of the time that is left. What
        went out over the kept connection goes out once more when nothing came back, so the service may get it twice.
        Raises LinkError, of the host tried last.
        """
        if len(body) > LONGEST_BODY_BYTES:
            raise LinkError("too_large")
        if not self._network.connected():
            self.close()
            raise LinkError("unconnected")
        until = core.ticks_add(core.ticks(), self.timeout_ms)
        places = self._places()
        kept = self._take_kept()
        if kept is not None:
            share_ms = _share_ms(until, 1 + len(places))
            try:
                return await _within(share_ms, self._exchange(kept, self._worked, body))
            except LinkError:
                if kept.has_answered:
                    raise
            finally:
                self._close_unless_kept(kept)
        return await self._post_in_turn(places, body, until)

    def distrust(self):
        """What came last was no answer of the service's: all other places are tried before that one."""
        self.close()
        self._distrusted, self._worked = self._worked, None

    def close(self):
        """Ends the kept connection."""
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    def _take_kept(self):
        kept, self._kept = self._kept, None
        if kept is not None and not kept.is_idle():
            kept.close()
            return None
        return kept

    def _places(self):
        """Where the service may be: (host, port, address), the address None while it is not known."""
        places = []
        for text in self._settings.service_hosts.split(","):
            try:
                host, port = split_port(text, self._settings.service_port)
            except LinkError:
                continue  # one that is none keeps nobody from the others
            places.append((host, port, host if is_address(host) else None))
        if not places:
            raise LinkError("no_name")
        return self._best_first(places)

    def _best_first(self, places):
        """That which answered last first, that which is not to be trusted last."""
        first = [place for place in places if _is_at(place, self._worked)]
        last = [place for place in places if _is_at(place, self._distrusted) and place not in first]
        return first + [place for place in places if place not in first + last] + last

    async def _post_in_turn(self, places, body, until):
        failed = LinkError("timeout")
        while places and core.ticks_diff(until, core.ticks()) > 0:
            place, places = places[0], places[1:]
            share_ms = _share_ms(until, 1 + len(places))
            try:
                if place[2] is None:
                    places = await self._found(place, share_ms // 2) + places
                else:
                    return await _within(share_ms, self._post_to(place, body))
            except LinkError as fault:
                failed = fault
                self._names.doubt(place[0])
        raise failed

    async def _found(self, place, timeout_ms):
        host, port, _ = place
        addresses = await self._names.look_up(host, self._network.name_server, timeout_ms)
        return self._best_first([(host, port, address) for address in addresses])

    async def _post_to(self, place, body):
        host, port, address = place
        connection = Connection()
        try:
            await connection.open(address, port, host, self._certificate())
            answer = await self._exchange(connection, place, body)
        finally:
            self._close_unless_kept(connection)
        self._worked = place
        return answer

    async def _exchange(self, connection, place, body):
        await connection.send(post(self._settings.service_path, "{}:{}".format(place[0], place[1]), body))
        status, answer, keeps = await receive(connection)
        if keeps:
            self._kept = connection
        return status, answer

    def _close_unless_kept(self, connection):
        if connection is not self._kept:
            connection.close()

    def _certificate(self):
        if not self._settings.service_ca:
            return None
        try:
            with open("{}/{}".format(self._flash, self._settings.service_ca), "rb") as file:
                return file.read()
        except OSError:
            raise LinkError("untrusted") from None


def _is_at(place, known):
    """Whether `place`, of which the address may not be known, may be the `known` one, which may be None."""
    return known is not None and place[:2] == known[:2] and place[2] in (None, known[2])


def _share_ms(until, parts):
    return max(1, core.ticks_diff(until, core.ticks()) // parts)


async def _within(timeout_ms, exchange):
    try:
        return await asyncio.wait_for_ms(exchange, timeout_ms)
    except asyncio.TimeoutError:
        raise LinkError("timeout") from None
