"""Senders of one or two tones: phase continuous, in dBm0, without a click at either end."""

from array import array

from micropython import const

from star57.dsp.level import peak

_RAMP_SAMPLES = const(32)  # 4 ms: the click of a keyed tone is then 30 dB down

# A quarter of a sine of 1024 steps, in the middle of each, in Q14, two bytes each: as a literal it stays in flash.
QUARTER_SINE = (
    b"\x32\x00\x97\x00\xfb\x00\x60\x01\xc4\x01\x29\x02\x8d\x02\xf2\x02\x56\x03\xbb\x03\x1f\x04\x83\x04"
    b"\xe7\x04\x4c\x05\xb0\x05\x14\x06\x78\x06\xdc\x06\x40\x07\xa4\x07\x07\x08\x6b\x08\xcf\x08\x32\x09"
    b"\x96\x09\xf9\x09\x5c\x0a\xc0\x0a\x23\x0b\x85\x0b\xe8\x0b\x4b\x0c\xae\x0c\x10\x0d\x72\x0d\xd5\x0d"
    b"\x37\x0e\x99\x0e\xfb\x0e\x5c\x0f\xbe\x0f\x1f\x10\x80\x10\xe1\x10\x42\x11\xa3\x11\x04\x12\x64\x12"
    b"\xc4\x12\x24\x13\x84\x13\xe4\x13\x43\x14\xa2\x14\x01\x15\x60\x15\xbf\x15\x1d\x16\x7c\x16\xda\x16"
    b"\x37\x17\x95\x17\xf2\x17\x4f\x18\xac\x18\x09\x19\x65\x19\xc1\x19\x1d\x1a\x79\x1a\xd4\x1a\x30\x1b"
    b"\x8a\x1b\xe5\x1b\x3f\x1c\x99\x1c\xf3\x1c\x4d\x1d\xa6\x1d\xff\x1d\x58\x1e\xb0\x1e\x08\x1f\x60\x1f"
    b"\xb7\x1f\x0f\x20\x65\x20\xbc\x20\x12\x21\x68\x21\xbe\x21\x13\x22\x68\x22\xbc\x22\x11\x23\x65\x23"
    b"\xb8\x23\x0b\x24\x5e\x24\xb1\x24\x03\x25\x55\x25\xa6\x25\xf8\x25\x48\x26\x99\x26\xe9\x26\x38\x27"
    b"\x88\x27\xd6\x27\x25\x28\x73\x28\xc1\x28\x0e\x29\x5b\x29\xa7\x29\xf4\x29\x3f\x2a\x8b\x2a\xd6\x2a"
    b"\x20\x2b\x6a\x2b\xb4\x2b\xfd\x2b\x46\x2c\x8e\x2c\xd6\x2c\x1e\x2d\x65\x2d\xab\x2d\xf2\x2d\x37\x2e"
    b"\x7d\x2e\xc2\x2e\x06\x2f\x4a\x2f\x8d\x2f\xd0\x2f\x13\x30\x55\x30\x97\x30\xd8\x30\x19\x31\x59\x31"
    b"\x99\x31\xd8\x31\x17\x32\x55\x32\x93\x32\xd0\x32\x0d\x33\x4a\x33\x86\x33\xc1\x33\xfc\x33\x36\x34"
    b"\x70\x34\xaa\x34\xe2\x34\x1b\x35\x53\x35\x8a\x35\xc1\x35\xf7\x35\x2d\x36\x62\x36\x97\x36\xcb\x36"
    b"\xff\x36\x32\x37\x65\x37\x97\x37\xc8\x37\xf9\x37\x2a\x38\x5a\x38\x89\x38\xb8\x38\xe6\x38\x14\x39"
    b"\x41\x39\x6e\x39\x9a\x39\xc5\x39\xf0\x39\x1b\x3a\x45\x3a\x6e\x3a\x97\x3a\xbf\x3a\xe6\x3a\x0e\x3b"
    b"\x34\x3b\x5a\x3b\x7f\x3b\xa4\x3b\xc8\x3b\xec\x3b\x0f\x3c\x31\x3c\x53\x3c\x74\x3c\x95\x3c\xb5\x3c"
    b"\xd5\x3c\xf4\x3c\x12\x3d\x30\x3d\x4d\x3d\x6a\x3d\x86\x3d\xa1\x3d\xbc\x3d\xd6\x3d\xf0\x3d\x09\x3e"
    b"\x21\x3e\x39\x3e\x50\x3e\x67\x3e\x7d\x3e\x92\x3e\xa7\x3e\xbb\x3e\xcf\x3e\xe2\x3e\xf4\x3e\x06\x3f"
    b"\x17\x3f\x28\x3f\x38\x3f\x47\x3f\x56\x3f\x64\x3f\x72\x3f\x7f\x3f\x8b\x3f\x97\x3f\xa2\x3f\xac\x3f"
    b"\xb6\x3f\xbf\x3f\xc8\x3f\xd0\x3f\xd7\x3f\xde\x3f\xe4\x3f\xea\x3f\xef\x3f\xf3\x3f\xf7\x3f\xfa\x3f"
    b"\xfc\x3f\xfe\x3f\xff\x3f\x00\x40"
)

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
def _send(state: ptr32, sine: ptr8, out: ptr16, count: int):
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
        place = (first >> 13) & 510
        if first & 0x400000:
            place = 510 - place
        x = ((int(sine[place]) + (int(sine[place + 1]) << 8)) * first_peak) >> 14
        if first & 0x800000:
            x = 0 - x
        place = (second >> 13) & 510
        if second & 0x400000:
            place = 510 - place
        y = ((int(sine[place]) + (int(sine[place + 1]) << 8)) * second_peak) >> 14
        if second & 0x800000:
            y = 0 - y
        x += y
        ramp = duration - sent
        if sent < ramp:
            ramp = sent
        if ramp < _RAMP_SAMPLES:
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
        _send(self._state, QUARTER_SINE, buffer, count)
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
