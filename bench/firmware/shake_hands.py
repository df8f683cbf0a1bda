"""Shakes hands as a TLS client on a Pico, and tells how long each call into tls took.

main.py of an image with TLS; bench.tls_handshake is the other end of UART0. Frames go both ways: what it is, the length
(16 bits, little endian), and so many bytes. b"D" is bytes of TLS, b"P" from the Pico that it has to wait, b"R" from it
what was measured, as JSON.
"""

import gc
import io
import json
import select
import time

import machine
import tls
from star57.link.tls import PacedSocket

_CPU_HZ = 128_000_000  # as boards/rp2040 sets it
_BAUD = 921_600
_HEAD_BYTES = 5  # of a TLS record
_HANDSHAKE = 22
_REQUEST = b"GET /health HTTP/1.0\r\n\r\n"
_ANSWER_BYTES = 256
_BALLAST_BYTES = 1024
_BALLAST_TAKES_BYTES = 1040  # with the object that owns them
_POLL = 3  # of MicroPython's stream protocol


class _Link:
    """Frames over UART0."""

    def __init__(self):
        self._uart = machine.UART(0, _BAUD, tx=machine.Pin(0), rx=machine.Pin(1), rxbuf=8192)

    def send(self, kind, data):
        for part in (kind + len(data).to_bytes(2, "little"), data):
            view = memoryview(part)
            while view:
                view = view[self._uart.write(view) or 0 :]

    def receive(self):
        length = int.from_bytes(self._exactly(3)[1:], "little")
        return self._exactly(length)

    def _exactly(self, count):
        data = b""
        while len(data) < count:
            data += self._uart.read(count - len(data)) or b""
        return data


class _Records(io.IOBase):
    """A socket in memory. `seen` are the messages that passed: direction, kind of record, kind of handshake message."""

    def __init__(self):
        self.received = b""
        self.to_send = b""
        self.seen = []
        self._body_bytes = 0

    def readinto(self, buffer):
        # mbedtls asks for the head of a record, and then for its body.
        if not self.received:
            return None
        count = min(len(buffer), len(self.received))
        if self._body_bytes:
            self.seen.append(["<", self._kind, self.received[0]])
            self._body_bytes -= count
        else:
            self._kind = self.received[0]
            self._body_bytes = int.from_bytes(self.received[3:_HEAD_BYTES], "big")
        buffer[:count] = self.received[:count]
        self.received = self.received[count:]
        return count

    def write(self, data):
        self.seen.append([">", data[0], data[_HEAD_BYTES]])
        self.to_send += bytes(data)
        return len(data)

    def ioctl(self, request, flags):
        return flags if request == _POLL else 0


class _Measured:
    """Times calls; `steps` are what each was, its microseconds, and the heap that was free behind it."""

    def __init__(self):
        self.steps = []

    def call(self, what, function, *arguments, **options):
        """Answers what the call answers."""
        start = time.ticks_us()
        try:
            return function(*arguments, **options)
        finally:
            took_us = time.ticks_diff(time.ticks_us(), start)
            self.steps.append([what, took_us, gc.mem_free()])


def _shake_hands(link, settings, authority, leave_free):
    gc.collect()
    excess = gc.mem_free() - leave_free if leave_free else 0
    ballast = [None] * (excess // _BALLAST_TAKES_BYTES)
    for i in range(len(ballast)):
        ballast[i] = bytearray(_BALLAST_BYTES)
    gc.collect()
    free = gc.mem_free()
    measured, records = _Measured(), _Records()
    context = measured.call("context", tls.SSLContext, tls.PROTOCOL_TLS_CLIENT)
    context.verify_mode = tls.CERT_REQUIRED
    if settings["ciphers"]:
        context.set_ciphers(settings["ciphers"])
    measured.call("authority", context.load_verify_locations, authority)
    paced = PacedSocket(records)
    if not settings["paced"]:
        paced.at_once()
    options = {"server_hostname": settings["name"], "do_handshake_on_connect": False}
    stream = measured.call("wrap", context.wrap_socket, paced, **options)
    poller = select.poll()
    poller.register(stream, select.POLLOUT)
    _call_until_done(link, records, measured, poller, lambda: stream.write(_REQUEST))
    poller.modify(stream, select.POLLIN)
    answer = _call_until_done(link, records, measured, poller, lambda: stream.read(_ANSWER_BYTES))
    report = {"cipher": stream.cipher()[0], "answer": answer.decode(), "free": free, "steps": measured.steps}
    stream.close()
    del ballast
    return report


def _call_until_done(link, records, measured, poller, function):
    """Calls whenever the stream is ready, until there is an answer; carries bytes between the calls."""
    while True:
        records.seen = []
        answer = measured.call(records.seen, function)
        if records.to_send:
            link.send(b"D", records.to_send)
            records.to_send = b""
        if answer is not None:
            return answer
        if not records.received:
            link.send(b"P", b"")
            records.received = link.receive()
        poller.poll()


def main():
    """A handshake for each size in "leave_free", of the heap that it finds; 0 for all that there is."""
    machine.freq(_CPU_HZ)
    link = _Link()
    with open("handshakes.json") as file:
        settings = json.load(file)
    with open("authority.der", "rb") as file:
        authority = file.read()
    for leave_free in settings["leave_free"]:
        try:
            report = _shake_hands(link, settings, authority, leave_free)
        except (OSError, ValueError, MemoryError) as fault:
            report = {"fault": repr(fault)}
        link.send(b"R", json.dumps(report).encode())


main()
