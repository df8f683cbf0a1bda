"""Caller ID by FSK from samples: a first reading bit by bit, a second of the whole burst, and what the two agree on."""

from array import array

from micropython import const

from star57.callerid import message
from star57.callerid.framing import (
    ANNOUNCING_MARKS,
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
_LEAST_EVIDENCE_NATS = 17.0
_LEAST_MARGIN_NATS = 10.0
_MOST_COST_NATS = 25.0
_LEAST_MARGIN_AGREED_NATS = 4.0
_LEAST_MARGIN_REPAIRED_NATS = 11.0
_MOST_COST_REPAIRED_NATS = 15.0
# A first reading that the second could not read is believed if every bit was this clear (255: no noise), or somewhat
# less clear in a message that says something and nothing unknown. Of two bits that are wrong and leave the checksum
# right, both are seldom as clear.
_CLEAR_CONFIDENCE = const(96)
_FAIR_CONFIDENCE = const(48)

_SETTLED_SAMPLES = const(90)  # behind the last stop bit, by which its character can be read again
_READABLE_SAMPLES = const(1500)  # a burst whose carrier drops earlier than this is none
_USUAL_SAMPLES = const(4790)  # after the mark: 70 characters, few messages have more
_WHOLE_SAMPLES = const(6600)  # what is kept of a burst, less the mark that is read with it, and 20 ms
_LONGEST_WINDOW_SAMPLES = const((1 << 30) - 1)  # 37 hours
_MOST_BURSTS = const(4)
_FIRST_BYTE_SAMPLES = const(80)  # from its start until it is known to have come, less what mark is late
_NEAR_SAMPLES = const(120)
_NONE = const(-1)


class _Bytes:
    """The sink of the FSK receiver: keeps the first whole message of either framing.

    Both hear the bytes until one of them receives; neither hears what cannot be a message.

    began, ended: samples heard when its first and its last byte had come, within 20 ms
    dropped_at: samples heard when the carrier dropped last, or -1
    """

    def __init__(self, framer, ntt, recorder):
        self._framer = framer
        self._ntt = ntt
        self._recorder = recorder
        self._data = bytearray(NTT_LONGEST)
        self._begins = array("i", (0, 0))  # of what either framer receives
        self._expecting = False  # a byte may matter: the bytes of a seizure do not
        self.confidence = 0
        self.framing_errors = 0
        self.weakest_byte = 0
        self.is_ntt = False
        self.began = 0
        self.ended = 0
        self.reset()

    def reset(self):
        """As new."""
        self._expecting = False
        self.dropped_at = _NONE
        self.forget()

    def forget(self):
        """No message is kept any more."""
        self.length = 0

    def message(self):
        """The bytes of the message that is kept. Allocates."""
        return bytes(self._data[: self.length])

    def carrier(self, present):
        if not present:
            self.dropped_at = self._recorder.heard
        self._expecting = False
        self._framer.carrier(present)
        self._ntt.carrier(present)

    def marks(self, bits):
        self._framer.marks(bits)
        self._ntt.marks(bits)
        self._expecting = self._expecting or bits >= ANNOUNCING_MARKS

    def byte(self, value, confidence):
        if self._expecting:
            self._expecting = False
            in_message = self._framer.receiving
            if not self._ntt.receiving:
                self._hear(self._framer, value, confidence, False)
            if not in_message:
                self._hear(self._ntt, value, confidence, True)
        return 0 if self._expecting else ANNOUNCING_MARKS

    def framing_error(self):
        if self._expecting:
            self._framer.framing_error()
            self._ntt.framing_error()
            self._expecting = self._framer.receiving or self._ntt.receiving
        return 0 if self._expecting else ANNOUNCING_MARKS

    def _hear(self, framer, value, confidence, is_ntt):
        framer.byte(value, confidence)
        if framer.receiving:
            self._expecting = True
            if framer.length == 1:
                self._begins[is_ntt] = self._recorder.heard
        elif framer.result == MESSAGE:
            self._expecting = True  # another message may follow at once
            self._keep(framer, is_ntt)

    def _keep(self, framer, is_ntt):
        """Before the next message overwrites it: that may come at once."""
        framer.result = None
        if self.length:
            return
        for i in range(framer.length):
            self._data[i] = framer.data[i]
        self.length = framer.length
        self.confidence = framer.confidence
        self.framing_errors = framer.framing_errors
        self.weakest_byte = framer.weakest_byte
        self.is_ntt = is_ntt
        self.began = self._begins[is_ntt]
        self.ended = self._recorder.heard


class CallerIdReceiver:
    """Hears one caller-ID message in a window of samples; deaf outside it, for speech and tones are no FSK.

    Bell 202 and V.23, SDMF, MDMF and NTT's frames are told apart by what comes. `feed` and `skip` are the audio path
    and allocate nothing; `work` does the rest, in steps of some 25 ms on an RP2040, which the board's
    buffer has to bridge, and is to be called after each block, of 20 ms at most.

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
        self._whole = _Bytes(self._framer, self._ntt, self._recorder)
        self._fsk = FskReceiver(self._whole, _MARK_HZ, _SPACE_HZ, recorder=self._recorder)
        self._reader = SecondReader(self._recorder)
        # In an array, for a class with a property is slow to set an attribute.
        self._window = array("i", (0,))  # samples that are still to be heard
        self._bursts = array("i", [_NONE] * _MOST_BURSTS)  # samples heard when mark ended, the newest first
        # Samples heard when each of these was last read a second time.
        self._read_at = array("i", bytes(4 * _MOST_BURSTS))
        self.reset()

    def listen(self, window_samples, seizure=True):
        """Opens the window. `seizure`: one may come, as it does on-hook; without it more mark has to come."""
        self.reset()
        self._framer.reset(seizure)
        self._window[0] = min(window_samples, _LONGEST_WINDOW_SAMPLES)
        self._listening = window_samples > 0

    def resume(self, window_samples):
        """Opens the window again behind a result: what follows in the same burst is heard too."""
        self.clear()
        self._framer.result = None
        self._window[0] = min(window_samples, _LONGEST_WINDOW_SAMPLES)
        self._listening = window_samples > 0

    def finish(self):
        """Ends the window now: its result follows from what has been heard, when `work` has done its part."""
        self._window[0] = 0

    def close(self):
        """Ends the window without a result of its own."""
        self._window[0] = 0
        self._listening = False
        self._stop_reading()

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
        self._whole.reset()
        self._forget_burst()
        self._reader.forget()
        self.close()
        self.clear()

    def feed(self, samples, n):
        """Hears the first `n` of `samples`, an array("h"), as far as they lie in the window."""
        left = self._window[0]
        if n > left:
            n = left
        if not n:
            return
        recorder = self._recorder
        ended = recorder.mark_ended
        self._fsk.feed(samples, n)
        if recorder.mark_ended != ended:
            self._note_burst()
        self._window[0] = left - n

    def skip(self, n):
        """`n` samples were lost, and with them the message that was under way."""
        n = min(n, self._window[0])
        if n:
            self._fsk.skip(n)
            if not self._whole.length:
                self._forget_burst()
                self._stop_reading()
            self._window[0] -= n

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
            self._stop_reading()
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

    def _stop_reading(self):
        self._steps = None
        self._recorder.release()

    def _forget_burst(self):
        self._recorder.reset()
        self._whole.forget()
        self._whole.dropped_at = _NONE
        for i in range(_MOST_BURSTS):
            self._bursts[i] = _NONE

    def _note_burst(self):
        bursts = self._bursts
        read_at = self._read_at
        for i in range(_MOST_BURSTS - 1, 0, -1):
            bursts[i] = bursts[i - 1]
            read_at[i] = read_at[i - 1]
        bursts[0] = read_at[0] = self._recorder.mark_ended

    def _next_steps(self):
        """What is to be read next, or None."""
        heard = self._recorder.heard
        is_over = self._window[0] == 0
        if self._whole.length:
            settled = heard - self._whole.ended >= _SETTLED_SAMPLES or not self._framer.carrier_present
            return self._confirm() if settled or is_over else None
        for i in range(_MOST_BURSTS - 1, -1, -1):
            burst = self._bursts[i]
            if burst == _NONE:
                continue
            is_last = is_over or heard - burst >= _WHOLE_SAMPLES
            if is_last or self._is_due(burst, self._read_at[i]):
                self._read_at[i] = heard
                if is_last:
                    self._bursts[i] = _NONE
                return self._rescue(burst)
        return None

    def _is_due(self, burst, read_at):
        """Whether as much of it has come as a message usually has, or all, since it was last read."""
        is_usual = read_at < burst + _USUAL_SAMPLES <= self._recorder.heard
        # Noise may take the carrier for a moment only.
        is_silent = not self._framer.carrier_present
        return is_usual or (is_silent and read_at < self._whole.dropped_at >= burst + _READABLE_SAMPLES)

    def _confirm(self):
        """Steps: a message whose checksum holds is read a second time, for it holds by chance in 1 of 256."""
        whole = self._whole
        data = whole.message()
        reading = None
        for reading in self._reader.steps(self._mark_before(whole.began)):
            if reading is None:
                yield
            elif _confirms(reading, data):
                break
        whole.forget()
        if whole.is_ntt:
            self._end_with(data, False, True)
        elif reading is not None and _confirms(reading, data):
            self._end_with(reading.data, reading.repaired, reading.is_ntt)
        elif _is_clear(whole.confidence, data):
            self._end_with(data, False, False)
        else:
            if self._framer.result is None and not self._framer.receiving:
                self._framer.result = CHECKSUM_WRONG
            return
        self.quality["framing_errors"] = whole.framing_errors
        self.weakest_byte = whole.weakest_byte
        self._forget_bursts_before(whole.ended)

    def _rescue(self, burst):
        """Steps: a burst that the first reading could not read."""
        for reading in self._reader.steps(burst):
            if reading is None:
                yield
            elif _is_sure(reading):
                self._forget_bursts_before(reading.ended)
                self._end_with(reading.data, reading.repaired, reading.is_ntt)
                break
        if self._reader.is_whole:
            for i in range(_MOST_BURSTS):
                if self._bursts[i] == burst:
                    self._bursts[i] = _NONE

    def _mark_before(self, began):
        """Where the mark ended before a message whose first byte had come by then."""
        expected = began - _FIRST_BYTE_SAMPLES
        for i in range(_MOST_BURSTS):
            if self._bursts[i] != _NONE and abs(self._bursts[i] - expected) < _NEAR_SAMPLES:
                return self._bursts[i]
        return expected

    def _forget_bursts_before(self, heard):
        for i in range(_MOST_BURSTS):
            if self._bursts[i] <= heard:
                self._bursts[i] = _NONE

    def _end_with(self, data, repaired, is_ntt):
        self._end(MESSAGE)
        self._data = data
        self.quality["repaired"] = repaired
        if is_ntt:
            self.quality["standard"] = "ntt"

    def _end_if_over(self):
        framer = self._framer
        is_over = self._window[0] == 0
        if is_over and framer.receiving:
            self._end(TRUNCATED)
        elif framer.result is not None and (is_over or self._failed()):
            self._end(framer.result)
        elif is_over:
            self._end(GARBAGE if framer.carrier_seen else NO_CARRIER)

    def _failed(self):
        framer = self._framer
        if framer.carrier_present or framer.length < _SHORTEST_MESSAGE or self._whole.length:
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


def _is_clear(confidence, data):
    return confidence >= _CLEAR_CONFIDENCE or (confidence >= _FAIR_CONFIDENCE and _says_something(data))


def _says_something(data):
    try:
        told = message.parse(data)
    except message.MessageError:
        return False
    is_told = told.number or told.reason or told.name or told.message_waiting is not None
    return bool(is_told) and not told.unknown


def _confirms(reading, data):
    """Whether that is the message after a first reading of `data`, whose checksum holds.

    Two messages that both hold cannot both be right: a repaired one is not believed against one that needed no repair.
    """
    if reading.data == data:
        return reading.margin_nats >= _LEAST_MARGIN_AGREED_NATS
    return not reading.repaired and _is_sure(reading)


def _is_sure(reading):
    if reading.evidence_nats < _LEAST_EVIDENCE_NATS:
        return False
    if reading.repaired:
        return (
            reading.margin_nats >= _LEAST_MARGIN_REPAIRED_NATS
            and reading.cost_nats <= _MOST_COST_REPAIRED_NATS
        )
    return reading.margin_nats >= _LEAST_MARGIN_NATS and reading.cost_nats <= _MOST_COST_NATS
