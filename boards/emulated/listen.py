"""Runs the firmware's own receivers over samples on standard input, and prints each fact as a line of JSON.

    listen.py callers               caller ID by FSK: `message`, and `failure` of a burst
    listen.py digits [SCHEME ...]   `digit`, and `caller` by DTMF in these schemes
    listen.py tones [COUNTRY ...]   `alert`, `subscriber_alert`, and `progress` of these countries, or of all
    listen.py countries             hears nothing: their names, one a line

Samples: 8 kHz, signed, 16 bit, little endian. A fact has its name in `fact`, and in `heard` the number of samples that
had been heard when it came.
"""

import json
import sys
from array import array

from star57.callerid.dtmf_clip import ALL, SCHEMES, DtmfCallerId
from star57.callerid.framing import CHECKSUM_WRONG, GARBAGE, MESSAGE, TRUNCATED
from star57.callerid.message import MessageError
from star57.callerid.receiver import CallerIdReceiver
from star57.dsp.alert import AlertReceiver
from star57.dsp.dtmf import DtmfReceiver
from star57.dsp.progress import ProgressReceiver
from star57.dsp.tone_plans import COUNTRIES, TONE_NAMES, plan

_WINDOW_SAMPLES = 1 << 40
# A digit is known by the 10 ms in which it was heard; caller ID is not timed by its block.
_TONES_BLOCK_SAMPLES = 80
_CALLERS_BLOCK_SAMPLES = 160
# What was under way at the end of the recording ends in silence after it: a tone with pauses of 15 s takes longest.
_SILENCE_AFTER_SAMPLES = 8 * 18000

_FAILURES = {CHECKSUM_WRONG: "checksum_wrong", TRUNCATED: "truncated", GARBAGE: "garbage"}


def _tell(fact, heard, **fields):
    fields["fact"] = fact
    fields["heard"] = heard
    print(json.dumps(fields))


def _blocks(block):
    """Fills the block again and again; yields how many samples are in it."""
    view = memoryview(block)
    while True:
        count = sys.stdin.buffer.readinto(view) // 2
        if not count:
            break
        yield count
    for i in range(len(block)):
        block[i] = 0
    for _ in range(0, _SILENCE_AFTER_SAMPLES, len(block)):
        yield len(block)


def hear_callers():
    """Tells what becomes of each burst."""
    receiver = CallerIdReceiver()
    receiver.listen(_WINDOW_SAMPLES)
    block = array("h", bytes(2 * _CALLERS_BLOCK_SAMPLES))
    heard = 0
    for count in _blocks(block):
        receiver.feed(block, count)
        heard += count
        while receiver.work():
            pass
        if receiver.result is not None:
            _tell_result(receiver, heard)


def _tell_result(receiver, heard):
    known = {
        "data": bytes(receiver.data).hex(),
        "weakest_byte": receiver.weakest_byte,
        "quality": dict(receiver.quality),
    }
    if receiver.result == MESSAGE:
        try:
            _tell("message", heard, message=receiver.message().as_dict(), **known)
        except MessageError as fault:
            _tell("failure", heard, reason=fault.reason, **known)
        # Another message may follow in the same burst.
        receiver.resume(_WINDOW_SAMPLES)
    else:
        if receiver.result in _FAILURES:
            _tell("failure", heard, reason=_FAILURES[receiver.result], **known)
        receiver.listen(_WINDOW_SAMPLES)


class _Digits:
    """The sink of the digits, and of the caller ID that is made of them."""

    def __init__(self, schemes):
        self.heard = 0
        self._receiver = DtmfReceiver(self)
        self._caller_id = DtmfCallerId(None, schemes)
        self._caller_id.listen(_WINDOW_SAMPLES)
        self._known = None

    def feed(self, block, count):
        self._receiver.feed(block, count)
        self._caller_id.advance(count)
        self.heard += count
        if self._caller_id.result is not None:
            if self._caller_id.result == MESSAGE:
                _tell("caller", self.heard, message=self._caller_id.message().as_dict())
            self._caller_id.listen(_WINDOW_SAMPLES)

    def digit(self, code, level_dbm0):
        receiver = self._receiver
        self._known = {
            "digit": chr(code),
            "level_dbm0": level_dbm0,
            "twist_db": receiver.twist_db,
            "snr_db": receiver.snr_db,
        }
        self._caller_id.digit(code, level_dbm0)

    def digit_end(self, code, duration_samples):
        _tell("digit", self.heard, duration_samples=duration_samples, **self._known)
        self._caller_id.digit_end(code, duration_samples)


class _Tones:
    """The sink of alert tones and of call progress."""

    def __init__(self, rows):
        self.heard = 0
        self._alert = AlertReceiver(self)
        self._progress = ProgressReceiver(self, rows)
        self._sounding = {}

    def feed(self, block, count):
        self._alert.feed(block, count)
        self._progress.feed(block, count)
        self.heard += count

    def alert(self, duration_samples):
        self._tell_alert("alert", duration_samples)

    def subscriber_alert(self, duration_samples):
        self._tell_alert("subscriber_alert", duration_samples)

    def _tell_alert(self, fact, duration_samples):
        alert = self._alert
        _tell(
            fact,
            self.heard,
            duration_samples=duration_samples,
            level_dbm0=alert.level_dbm0,
            twist_db=alert.twist_db,
            snr_db=alert.snr_db,
        )

    def call_progress(self, index):
        self._sounding[index] = self._known()

    def call_progress_end(self, index, duration_samples):
        known = self._sounding.pop(index, None) or self._known()
        # The silence that ends the first cycle of a ring is not over when it is told.
        if known["on_ms"] is not None:
            known["off_ms"] = known["off_ms"] or self._progress.off_ms or None
        _tell("progress", self.heard, tone=TONE_NAMES[index], duration_samples=duration_samples, **known)

    def _known(self):
        progress = self._progress
        return {
            "level_dbm0": progress.level_dbm0,
            "snr_db": progress.snr_db,
            "frequencies_hz": progress.frequencies,
            "countries": progress.countries,
            "on_ms": progress.on_ms or None,
            "off_ms": progress.off_ms or None,
        }


def hear(sink):
    """Feeds a sink that tells for itself."""
    block = array("h", bytes(2 * _TONES_BLOCK_SAMPLES))
    for count in _blocks(block):
        sink.feed(block, count)


def main(what, *names):
    if what == "callers":
        hear_callers()
    elif what == "digits":
        hear(_Digits(tuple([SCHEMES[name] for name in names]) or ALL))
    elif what == "tones":
        hear(_Tones(plan(*names)))
    else:
        print("\n".join(COUNTRIES))


main(*sys.argv[1:])
