"""Senders of one or two tones: phase continuous, in dBm0, without a click at either end."""

import math
from array import array

from star57.dsp.level import peak

_TABLE_BITS = const(10)
_PHASE_BITS = const(24)
_RAMP_SAMPLES = const(32)  # 4 ms: the click of a keyed tone is then 30 dB down
_SHORTEST_PAUSE_SAMPLES = const(1)

# Sine in Q14; kept unsigned by an offset, as viper reads 16 bits without a sign.
_SINE_ONE = const(16384)
_sine = array("H", [_SINE_ONE + round(_SINE_ONE * math.sin(2 * math.pi * k / 1024)) for k in range(1024)])

# The words that the viper loop works with.
_FIRST_PHASE = const(0)
_FIRST_STEP = const(1)
_FIRST_PEAK = const(2)
_SECOND_PHASE = const(3)
_SECOND_STEP = const(4)
_SECOND_PEAK = const(5)
_SENT = const(6)
_DURATION = const(7)
_STATE_WORDS = const(8)

# Hz into 2^-24 of a turn a sample: 2^24 / 8000, in thousandths.
_STEP_THOUSANDTHS = const(2097152)

DTMF_LOW_HZ = (697, 770, 852, 941)  # ITU-T Q.23
DTMF_HIGH_HZ = (1209, 1336, 1477, 1633)
DTMF_KEYS = "123A456B789C*0#D"


@micropython.viper
def _send(state: ptr32, sine: ptr16, out: ptr16, count: int):
    """A peak is below 2^15, the sine at most 2^14: a product is below 2^29; times the ramp, after its shift, 2^22."""
    first = int(state[_FIRST_PHASE])
    first_step = int(state[_FIRST_STEP])
    first_peak = int(state[_FIRST_PEAK])
    second = int(state[_SECOND_PHASE])
    second_step = int(state[_SECOND_STEP])
    second_peak = int(state[_SECOND_PEAK])
    sent = int(state[_SENT])
    duration = int(state[_DURATION])
    for i in range(count):
        x = ((int(sine[first >> 14]) - 16384) * first_peak) >> 14
        x += ((int(sine[second >> 14]) - 16384) * second_peak) >> 14
        ramp = duration - sent
        if sent < ramp:
            ramp = sent
        if ramp < 32:
            x = (x * ramp) >> 5
        if x > 32767:
            x = 32767
        elif x < -32768:
            x = -32768
        out[i] = x
        first += first_step
        first -= (first >> 24) << 24
        second += second_step
        second -= (second >> 24) << 24
        sent += 1
    state[_FIRST_PHASE] = first
    state[_SECOND_PHASE] = second
    state[_SENT] = sent


def _step(hz):
    return hz * _STEP_THOUSANDTHS // 1000


class ToneSender:
    """Sends one or two tones for a time. `done` when all of it was sent."""

    def __init__(self):
        self._state = array("i", bytes(4 * _STATE_WORDS))

    @property
    def done(self):
        return self._state[_SENT] >= self._state[_DURATION]

    def start(self, first_hz, first_dbm0, second_hz, second_dbm0, duration_samples):
        """Begins a tone; 0 Hz is no tone. Levels are whole dBm0 of each frequency, -60 to +3."""
        state = self._state
        state[_FIRST_PHASE] = 0
        state[_FIRST_STEP] = _step(first_hz)
        state[_FIRST_PEAK] = peak(first_dbm0) if first_hz else 0
        state[_SECOND_PHASE] = 0
        state[_SECOND_STEP] = _step(second_hz)
        state[_SECOND_PEAK] = peak(second_dbm0) if second_hz else 0
        state[_SENT] = 0
        state[_DURATION] = duration_samples

    def fill(self, buffer, n):
        """Writes up to `n` samples into `buffer`, array("h"), and answers how many; 0 when done."""
        count = max(0, min(n, self._state[_DURATION] - self._state[_SENT]))
        _send(self._state, _sine, buffer, count)
        return count


class DtmfSender:
    """Sends digits as DTMF, each for `on_ms` with `off_ms` of silence after it (ITU-T Q.23, Q.24)."""

    def __init__(self, on_ms=80, off_ms=80, low_dbm0=-10, high_dbm0=-8):
        self._tone = ToneSender()
        self._on_samples = 8 * on_ms
        self._off_samples = 8 * off_ms
        self._low_dbm0 = low_dbm0
        self._high_dbm0 = high_dbm0
        self._digits = ()
        self._next = 0
        self._pause = True

    @property
    def done(self):
        return self._tone.done and self._pause and self._next == len(self._digits)

    def send(self, digits):
        """Begins to send `digits`, a text of DTMF_KEYS. Raises ValueError for any other key."""
        self._digits = tuple(DTMF_KEYS.index(digit) for digit in digits)
        self._next = 0
        self._pause = True

    def fill(self, buffer, n):
        """Writes up to `n` samples, at most the rest of one tone or pause, and answers how many; 0 when done."""
        if self._tone.done:
            self._go_on()
        return self._tone.fill(buffer, n)

    def _go_on(self):
        self._pause = not self._pause
        if self._pause:
            self._tone.start(0, 0, 0, 0, self._off_samples)
        elif self._next < len(self._digits):
            key = self._digits[self._next]
            self._next += 1
            low_hz = DTMF_LOW_HZ[key // 4]
            self._tone.start(low_hz, self._low_dbm0, DTMF_HIGH_HZ[key % 4], self._high_dbm0, self._on_samples)
        else:
            self._pause = True
