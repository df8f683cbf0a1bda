"""Caller ID by FSK from samples: a first reading bit by bit, a second of the whole burst, and what the two agree on."""

from array import array

from micropython import const

from star57.callerid import message
from star57.callerid.framing import (
    CHECKSUM_WRONG,
    GARBAGE,
    MESSAGE,
    NO_CARRIER,
    NTT_LONGEST,
    TRUNCATED,
    Framer,
    NttFramer,
)
from star57.callerid.second_reading import SecondReader
from star57.dsp.burst import BurstRecorder
from star57.dsp.fsk import FskReceiver

# Between Bell 202 (1200 and 2200 Hz) and V.23 (1300 and 2100 Hz): either loses 0.1 dB.
_MARK_HZ = const(1250)
_SPACE_HZ = const(2150)

# Message waiting, 82 03 0B 01 FF 70. Fewer bytes than that may be a click: the message may be yet to come.
_SHORTEST_MESSAGE = const(6)

# A second reading is believed from here on. One that was repaired has had its choice among all messages that hold.
_LEAST_MARGIN_NATS = 9.0
_MOST_COST_NATS = 40.0
_LEAST_MARGIN_AGREED_NATS = 5.0
_LEAST_MARGIN_REPAIRED_NATS = 12.0
_MOST_COST_REPAIRED_NATS = 30.0
# A first reading that the second could not read is believed if every bit was this clear (255: no noise).
_CLEAR_CONFIDENCE = const(96)

_SETTLED_SAMPLES = const(90)  # behind the last stop bit, by which its character can be read again
_READABLE_SAMPLES = const(1500)  # a burst whose carrier drops earlier than this is none
_WHOLE_SAMPLES = const(4790)  # all that a second reading reads
_MOST_BURSTS = const(4)
_SHORTEST_CHARACTER_SAMPLES = const(63)  # at 1260 baud
_NONE = const(-1)


class _Bytes:
    """The sink of the FSK receiver: both framings hear every byte, and the first whole message is kept."""

    def __init__(self, framer, ntt):
        self._framer = framer
        self._ntt = ntt
        self._data = bytearray(NTT_LONGEST)
        self.confidence = 0
        self.is_ntt = False
        self.forget()

    def forget(self):
        """No message is kept any more."""
        self.length = 0

    @property
    def data(self):
        """The message that is kept. Allocates."""
        return bytes(self._data[: self.length])

    def carrier(self, present):
        self._framer.carrier(present)
        self._ntt.carrier(present)

    def marks(self, bits):
        self._framer.marks(bits)
        self._ntt.marks(bits)

    def byte(self, value, confidence):
        self._framer.byte(value, confidence)
        self._ntt.byte(value, confidence)
        if self._framer.result == MESSAGE:
            self._keep(self._framer, False)
        elif self._ntt.result == MESSAGE:
            self._keep(self._ntt, True)

    def framing_error(self):
        self._framer.framing_error()
        self._ntt.framing_error()

    def _keep(self, framer, is_ntt):
        """Before the next message overwrites it: that may come at once."""
        framer.result = None
        if self.length:
            return
        for i in range(framer.length):
            self._data[i] = framer.data[i]
        self.length = framer.length
        self.confidence = framer.confidence
        self.is_ntt = is_ntt


class CallerIdReceiver:
    """Hears one caller-ID message in a window of samples; deaf outside it, for speech and tones are no FSK.

    Bell 202 and V.23, SDMF, MDMF and NTT's frames are told apart by what comes. `feed` and `skip` are the audio path
    and allocate nothing; `work` does the rest, some 20 ms of it on an RP2040, and ought to be called after each block.

    `result` is None until the window ends. A good message ends it (MESSAGE), a bad one when it has been read twice
    (CHECKSUM_WRONG, TRUNCATED). When the window runs out it is TRUNCATED if a message was under way, GARBAGE if there
    was a carrier but no message, NO_CARRIER if there was none.

    `quality`, with a result: what was measured; None for what could not be:
        standard: "bell_202", "v23" or "ntt"        level_dbm0, snr_db (300 to 3400 Hz): of mark
        baud        twist_db: mark over space       framing_errors: bytes that the first reading lost
        repaired: whether grammar and checksum had to decide what a byte is
    `weakest_byte`: where in the message the first reading was least certain.
    """

    def __init__(self):
        self._framer = Framer()
        self._ntt = NttFramer()
        self._recorder = BurstRecorder()
        self._whole = _Bytes(self._framer, self._ntt)
        self._fsk = FskReceiver(self._whole, _MARK_HZ, _SPACE_HZ, recorder=self._recorder)
        self._reader = SecondReader(self._recorder)
        self._bursts = array("i", [_NONE] * _MOST_BURSTS)  # samples heard when mark ended, the newest first
        self.reset()

    def listen(self, window_samples, seizure=True):
        """Opens the window. `seizure`: one may come, as it does on-hook; without it more mark has to come."""
        self.reset()
        self._framer.reset(seizure)
        self._window_samples = window_samples
        self._listening = window_samples > 0

    def resume(self, window_samples):
        """Opens the window again behind a result: what follows in the same burst is heard too."""
        self.clear()
        self._window_samples = window_samples
        self._listening = window_samples > 0

    def close(self):
        """Ends the window without a result of its own."""
        self._window_samples = 0
        self._listening = False
        self._steps = None

    def clear(self):
        """Forgets the result, once it has been taken."""
        self.result = None
        self.quality = None
        self.weakest_byte = 0
        self._data = None

    def reset(self):
        """As new: deaf, without a result."""
        self._fsk.reset()
        self._framer.reset()
        self._ntt.reset()
        self._forget_burst()
        self.close()
        self.clear()

    def feed(self, samples, n):
        """Hears the first `n` of `samples`, an array("h"), as far as they lie in the window."""
        n = min(n, self._window_samples)
        if not n:
            return
        had_carrier = self._framer.carrier_present
        ended = self._recorder.mark_ended
        self._fsk.feed(samples, n)
        if self._recorder.mark_ended != ended:
            self._note_burst()
        if had_carrier and not self._framer.carrier_present:
            self._dropped_at = self._recorder.heard
        if self._whole.length and self._whole_at == _NONE:
            self._whole_at = self._recorder.heard
        self._window_samples -= n

    def skip(self, n):
        """`n` samples were lost, and with them the message that was under way."""
        n = min(n, self._window_samples)
        if n:
            self._fsk.skip(n)
            if self._whole_at == _NONE:
                self._forget_burst()
                self._steps = None
            self._window_samples -= n

    def work(self):
        """Goes on with what has been heard; whether there is more to do at once. Allocates."""
        if not self._listening:
            return False
        if self._steps is None:
            self._steps = self._next_steps()
            if self._steps is None:
                self._end_if_over()
                return False
        try:
            next(self._steps)
        except StopIteration:
            self._steps = None
        return self._listening

    def message(self):
        """The message, when `result` is MESSAGE. Allocates. Raises message.MessageError."""
        return (
            message.parse_ntt(self._data) if self.quality["standard"] == "ntt" else message.parse(self._data)
        )

    @property
    def data(self):
        """The message's bytes: as they were read at last, or as far as they were read at first. Allocates."""
        return bytes(self._framer.data[: self._framer.length]) if self._data is None else self._data

    def _forget_burst(self):
        self._recorder.reset()
        self._whole.forget()
        self._whole_at = _NONE
        self._dropped_at = _NONE
        self._read_to = 0
        for i in range(_MOST_BURSTS):
            self._bursts[i] = _NONE

    def _note_burst(self):
        for i in range(_MOST_BURSTS - 1, 0, -1):
            self._bursts[i] = self._bursts[i - 1]
        self._bursts[0] = self._recorder.mark_ended

    def _next_steps(self):
        """What is to be read next, or None."""
        heard = self._recorder.heard
        is_over = self._window_samples == 0
        if self._whole_at != _NONE:
            settled = heard - self._whole_at >= _SETTLED_SAMPLES or not self._framer.carrier_present
            return self._confirm() if settled or is_over else None
        for i in range(_MOST_BURSTS - 1, -1, -1):
            burst = self._bursts[i]
            if burst == _NONE:
                continue
            is_last = is_over or heard - burst >= _WHOLE_SAMPLES
            if is_last or self._read_to < self._dropped_at >= burst + _READABLE_SAMPLES:
                if is_last:
                    self._bursts[i] = _NONE
                return self._rescue(burst)
        return None

    def _confirm(self):
        """Steps: a message whose checksum holds is read a second time, for it holds by chance in 1 of 256."""
        whole = self._whole
        data = whole.data
        burst = self._burst_of(len(data))
        reading = None
        if burst != _NONE:
            for reading in self._reader.steps(burst):
                if reading is None:
                    yield
        whole.forget()
        self._whole_at = _NONE
        if whole.is_ntt:
            self._end_with(data, False, "ntt")
        elif reading is not None and (_is_sure(reading) or _agrees(reading, data)):
            self._end_with(reading.data, reading.repaired)
        elif whole.confidence >= _CLEAR_CONFIDENCE:
            self._end_with(data, False)
        elif self._framer.result is None and not self._framer.receiving:
            self._framer.result = CHECKSUM_WRONG

    def _rescue(self, burst):
        """Steps: a burst that the first reading could not read."""
        self._read_to = self._recorder.heard
        for reading in self._reader.steps(burst):
            if reading is None:
                yield
            elif _is_sure(reading):
                self._end_with(reading.data, reading.repaired)

    def _burst_of(self, length):
        """Where the mark ended before a message of so many bytes, which has just come."""
        latest = self._whole_at - length * _SHORTEST_CHARACTER_SAMPLES
        for i in range(_MOST_BURSTS):
            burst = self._bursts[i]
            if burst != _NONE and burst <= latest + _SETTLED_SAMPLES:
                for k in range(i, _MOST_BURSTS):
                    self._bursts[k] = _NONE
                return burst
        return _NONE

    def _end_with(self, data, repaired, standard=None):
        self._end(MESSAGE)
        self._data = data
        self.quality["repaired"] = repaired
        if standard is not None:
            self.quality["standard"] = standard

    def _end_if_over(self):
        framer = self._framer
        is_over = self._window_samples == 0
        if is_over and framer.receiving:
            self._end(TRUNCATED)
        elif framer.result is not None and (is_over or self._failed()):
            self._end(framer.result)
        elif is_over:
            self._end(GARBAGE if framer.carrier_seen else NO_CARRIER)

    def _failed(self):
        framer = self._framer
        if framer.carrier_present or framer.length < _SHORTEST_MESSAGE or self._whole_at != _NONE:
            return False
        for i in range(_MOST_BURSTS):
            if self._bursts[i] != _NONE:
                return False
        return True

    def _end(self, result):
        self.close()
        self.result = result
        self.quality = dict(self._reader.quality)
        self.quality["framing_errors"] = self._framer.framing_errors
        self.quality["repaired"] = False
        self.weakest_byte = self._framer.weakest_byte


def _agrees(reading, data):
    return reading.data == data and reading.margin_nats >= _LEAST_MARGIN_AGREED_NATS


def _is_sure(reading):
    if reading.repaired:
        return (
            reading.margin_nats >= _LEAST_MARGIN_REPAIRED_NATS
            and reading.cost_nats <= _MOST_COST_REPAIRED_NATS
        )
    return reading.margin_nats >= _LEAST_MARGIN_NATS and reading.cost_nats <= _MOST_COST_NATS
