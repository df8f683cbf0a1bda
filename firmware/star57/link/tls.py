"""TLS over a socket that does not wait, for whoever the pinned certificate stands for.

What MicroPython 1.25 with its Mbed TLS 3.6 checks of the service's certificate: that the pinned one, a CA's or its own,
has signed it; that a subject alternative name is the host's name or, for an address, has it as an IP address (the
common name counts only where there is no alternative name at all); and its dates, and the CA's
(MBEDTLS_HAVE_TIME_DATE), by the port's clock. That clock is the machine's on unix; on the RP2040 it is the RTC, which
begins at 2021-01-01 after each start, and which the first heartbeat sets. So there a certificate must have been valid
on that day, and that it has expired since is found out at the handshakes that follow.
"""

import gc
import io
import select
from asyncio import core

from micropython import const

from star57.link.error import LinkError

_STREAM_POLL = const(3)


def secure(socket, certificate, host):
    """TLS on `socket`, which does not wait; answers it as a stream, and what paces the handshake.

    `certificate` is the pinned one in DER, `host` the name or address that the service is known by. Raises
    LinkError: "untrusted" when `certificate` is none, or this build has no TLS; "refused" when memory is short.
    """
    try:
        # It takes memory, and is not in each image; `ssl`, which stands before it elsewhere, is in fewer.
        import tls  # noqa: PLC0415

        gc.collect()  # it wants 16 KB in one piece, and its numbers are found sooner in a tidy heap
        context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
        context.verify_mode = tls.CERT_REQUIRED
        context.load_verify_locations(certificate)
        paced = PacedSocket(socket)
        return context.wrap_socket(paced, server_hostname=host, do_handshake_on_connect=False), paced
    except (ImportError, ValueError):
        raise LinkError("untrusted") from None
    except OSError:
        raise LinkError("refused") from None  # there is no memory for it at present


class PacedSocket(io.IOBase):
    """A socket that rests behind each message that was read, until at_once().

    The service's messages of a handshake come together, and Mbed TLS works on all that is there, up to half a second of
    computing each (docs/tls_on_pico.md). All of them together are longer than the ring of samples, so a rest is as long
    as the computing before it was: enough for the receivers to catch up when they take less than half of the core.
    """

    def __init__(self, socket):
        self._socket = socket
        self._poller = select.poll()
        self._poller.register(socket, select.POLLIN)
        self._is_paced = True
        self._given = None  # when what is being worked on was read
        self._rests_until = core.ticks()

    def at_once(self):
        """The handshake is over: no rests from now on."""
        self._is_paced = False

    def _is_resting(self):
        now = core.ticks()
        if self._given is not None:
            self._rests_until = core.ticks_add(now, core.ticks_diff(now, self._given))
            self._given = None
        return self._is_paced and core.ticks_diff(self._rests_until, now) > 0

    def readinto(self, buffer):
        """How many bytes were read; None when there are none at present, and -errno when the socket has failed."""
        if self._is_resting():
            return None
        try:
            count = self._socket.readinto(buffer)
        except OSError as fault:
            return -fault.errno
        if count:
            self._given = core.ticks()
        return count

    def write(self, buffer):
        """How many bytes were taken, or as readinto()."""
        try:
            return self._socket.write(buffer)
        except OSError as fault:
            return -fault.errno

    def ioctl(self, request, flags):
        """Whether the socket is ready for reading or writing; whoever has the socket closes it."""
        if request != _STREAM_POLL or self._is_resting():
            return 0
        self._poller.modify(self._socket, flags)
        for _, ready in self._poller.ipoll(0):
            return ready
        return 0
