"""A line in a box for a technician at a terminal: rings, callers, digits and tones by the firmware's own senders."""

import sys
from array import array

from line import BLOCK_SAMPLES, HOOK_EDGE, RING_EDGE
from micropython import const
from star57.dsp.modulator import FskModulator
from star57.dsp.tones import DtmfSender, ToneSender
from streaming import Streaming

HELP = """\
  call NUMBER [NAME]   a call: a ring, caller ID (Bell 202, MDMF), a second ring
  ring                 one ring of 2 s, 20 Hz
  lift, hang           the household's phone
  dial DIGITS          by DTMF, 80 ms each
  pulse DIGITS         by the dial, 10 pulses a second
  tone                 dial tone for 2 s
  relay                whether the board under test has taken the phone
  stream               what a host computer plays (pytest --line)
  quit                 to MicroPython's prompt
"""

_SAMPLES_PER_MS = const(8)
_MDMF_CALL = const(0x80)  # ETSI EN 300 659-3, 5.2.1; TELEPHONY 2
_DATE_TIME = const(0x01)
_NUMBER = const(0x02)
_NAME = const(0x07)
_NO_CLOCK = b"01010000"
_RING_HALF_SAMPLES = const(200)  # of 20 Hz
_RING_MS = const(2000)
_BEFORE_CALLER_ID_MS = const(600)  # at least 500 behind the ring (TELEPHONY 1.2)
_RING_EVERY_MS = const(6000)
_BREAK_MS = const(60)
_MAKE_MS = const(40)
_BETWEEN_DIGITS_MS = const(700)


def caller_message(number, name):
    """The MDMF message of a call: type, length, parameters, checksum (TELEPHONY 2)."""
    parameters = bytearray()
    for kind, text in ((_DATE_TIME, _NO_CLOCK), (_NUMBER, number.encode()), (_NAME, name.encode()[:15])):
        if text:
            parameters += bytes((kind, len(text))) + text
    message = bytes((_MDMF_CALL, len(parameters))) + parameters
    return message + bytes((-sum(message) & 0xFF,))


class Console:
    """Reads commands, one a line, and does them on `line`, in sample time."""

    def __init__(self, line):
        self._line = line
        self._block = array("h", bytes(2 * BLOCK_SAMPLES))
        self._silence = array("h", bytes(2 * BLOCK_SAMPLES))
        self._heard = array("h", bytes(2 * BLOCK_SAMPLES))
        self._commands = {
            "call": self._call,
            "ring": self._ring,
            "lift": lambda: self._hook(1),
            "hang": lambda: self._hook(0),
            "dial": self._dial,
            "pulse": self._pulse,
            "tone": self._tone,
            "relay": self._relay,
            "stream": lambda: Streaming(line).run(),
        }

    def run(self):
        """Until `quit`."""
        while True:
            words = sys.stdin.readline().split()
            if words == ["quit"]:
                return
            if words:
                print(self._done(words))

    def _done(self, words):
        command = self._commands.get(words[0])
        if command is None:
            return HELP
        self._line.begin()
        try:
            return command(*words[1:]) or "done"
        except (TypeError, ValueError):
            return HELP
        finally:
            self._line.end()

    def _call(self, number, *name):
        self._ring()
        self._wait(_BEFORE_CALLER_ID_MS)
        modulator = FskModulator()
        modulator.start(caller_message(number, " ".join(name)))
        sent_samples = self._send(modulator)
        sent_ms = sent_samples // _SAMPLES_PER_MS
        self._wait(_RING_EVERY_MS - _RING_MS - _BEFORE_CALLER_ID_MS - sent_ms)
        self._ring()

    def _ring(self):
        level = 0
        for place in range(0, _SAMPLES_PER_MS * _RING_MS, BLOCK_SAMPLES):
            for offset in range(BLOCK_SAMPLES):
                if (place + offset) % _RING_HALF_SAMPLES == 0:
                    self._line.edge(offset, RING_EDGE, level)
                    level = 1 - level
            self._play(self._silence)
        self._line.edge(0, RING_EDGE, 1)
        self._play(self._silence)

    def _hook(self, level):
        self._line.edge(0, HOOK_EDGE, level)
        self._wait(100)

    def _dial(self, digits):
        sender = DtmfSender()
        sender.send(digits)
        self._send(sender)

    def _pulse(self, digits):
        for digit in digits:
            for _ in range(int(digit) or 10):
                self._line.edge(0, HOOK_EDGE, 0)
                self._wait(_BREAK_MS)
                self._line.edge(0, HOOK_EDGE, 1)
                self._wait(_MAKE_MS)
            self._wait(_BETWEEN_DIGITS_MS)

    def _tone(self):
        sender = ToneSender()
        sender.start(350, -13, 440, -13, _SAMPLES_PER_MS * 2000)
        self._send(sender)

    def _relay(self):
        return "energised" if self._line.relay_energised else "at rest"

    def _send(self, sender):
        """Plays a sender to its end; answers the samples that it took."""
        sent = 0
        while not sender.done:
            written = 0
            while written < BLOCK_SAMPLES and not sender.done:
                written += self._fill(sender, written)
            self._block[written:] = self._silence[written:]
            self._play(self._block)
            sent += BLOCK_SAMPLES
        return sent

    def _fill(self, sender, written):
        part = array("h", bytes(2 * (BLOCK_SAMPLES - written)))
        count = sender.fill(part, len(part))
        self._block[written : written + count] = part[:count]
        return count

    def _wait(self, duration_ms):
        for _ in range(0, _SAMPLES_PER_MS * duration_ms, BLOCK_SAMPLES):
            self._play(self._silence)

    def _play(self, samples):
        # The phone's side carries the same while the relay of the board under test is at rest.
        self._line.play(samples, samples, BLOCK_SAMPLES)
        self._line.heard(self._heard, BLOCK_SAMPLES)
