"""FSK receiver for caller ID: Bell 202 and ITU-T V.23 at 1200 baud, 8 kHz samples.

High-pass, two quadrature correlators over one bit time, a slicer that knows the level of either tone, a
fractional bit clock. See TIA-777 (level, twist, hum) and EN 300 659-2 for what it has to withstand.
"""

import math
from array import array

_SAMPLE_HZ = const(8000)
_CHUNK = const(80)
_HISTORY = const(6)  # the correlators have 7 taps
_PEAK_0_DBM0 = const(22748)  # ITU-T G.711: a sine of peak 32767 is +3.17 dBm0

# A coefficient of 1.0 is 2048. Correlations are shifted by 11 for it and by 2 to keep a magnitude below 2^16.
_COEFFICIENT_ONE = const(2048)
_CORRELATION_SHIFT = const(13)

_CARRIER_ON = const(1)
_CARRIER_OFF = const(2)
_BIT_DUE = const(3)
_MARKS = const(4)
_BYTE = const(5)
_FRAMING_ERROR = const(6)

# The state that the viper loops share, one 32-bit word each. ptr32 reads are signed on the target,
# unsigned on a 64-bit port. A word that may be negative is kept within +-2^29, and
# v - ((v & 0x20000000) << 3) is right on both.
_START = const(0)  # of this chunk in the caller's samples
_COUNT = const(1)  # samples in this chunk
_LAST_COUNT = const(2)
_SLOW_MEAN = const(3)  # of the high-pass, Q8, may be negative
_FAST_MEAN = const(4)  # likewise
_POSITION = const(5)  # of the slicer in this chunk
_CARRIER = const(6)
_LEVEL = const(7)  # magnitude of the stronger correlation over 2 ms, Q4
_LEVEL_ON = const(8)
_LEVEL_OFF = const(9)
_MARK_LEVEL = const(10)  # magnitude of a whole mark bit, Q4
_SPACE_LEVEL = const(11)
_BIT_STEP = const(12)  # bits per sample, 16.16
_PHASE = const(13)  # 16.16: a bit is sampled when it reaches 1; its start is due at one half
_DECISION = const(14)  # of the last sample: mark above zero, space below; may be negative
_BIT_DECISION = const(15)  # in the middle of the bit; may be negative
_BIT_MARK = const(16)
_BIT_SPACE = const(17)
_BIT = const(18)  # 0 between bytes, 1 start bit, 2..9 data, 10 stop bit
_BYTE_SO_FAR = const(19)
_WEAKEST = const(20)
_IDLE_BITS = const(21)
_MARKS_BEFORE = const(22)
_STATE_WORDS = const(23)


@micropython.viper
def _high_pass(state: ptr32, samples: ptr16, passed: ptr16):
    """Two one-pole high-passes, 170 and 370 Hz: mains hum may be 18 dB above the signal (TIA-777).

    Writes samples +32768, so that they can be read without a sign.
    """
    last = int(state[_LAST_COUNT])
    for k in range(_HISTORY):
        passed[k] = passed[k + last]
    start = int(state[_START])
    count = int(state[_COUNT])
    state[_LAST_COUNT] = count
    slow = int(state[_SLOW_MEAN])
    slow -= (slow & 0x20000000) << 3
    fast = int(state[_FAST_MEAN])
    fast -= (fast & 0x20000000) << 3
    for i in range(count):
        x = int(samples[start + i])
        x -= (x & 0x8000) << 1
        # |x| <= 2^15 and a mean stays within its input: |slow| <= 2^23, then |x| <= 2^16 and |fast| <= 2^24.
        slow += ((x << 8) - slow) >> 3
        x -= slow >> 8
        fast += ((x << 8) - fast) >> 2
        x -= fast >> 8
        if x > 32767:
            x = 32767
        elif x < -32767:
            x = -32767
        passed[_HISTORY + i] = x + 32768
    state[_SLOW_MEAN] = slow
    state[_FAST_MEAN] = fast


@micropython.viper
def correlate(passed: ptr16, taps: ptr32, magnitude: ptr16, count: int):
    """Magnitude of the correlation with one tone over one bit, for each of `count` samples.

    The +32768 of `passed` cancels in the sine's differences; taps[7] takes it out of the cosine's sums.
    The taps' magnitudes sum to at most 7 * 2048, so that no sum exceeds 7 * 2048 * 65535 < 2^30.
    """
    c0 = int(taps[0])
    c1 = int(taps[1])
    c1 -= (c1 & 0x20000000) << 3
    c2 = int(taps[2])
    c2 -= (c2 & 0x20000000) << 3
    c3 = int(taps[3])
    c3 -= (c3 & 0x20000000) << 3
    s1 = int(taps[4])
    s1 -= (s1 & 0x20000000) << 3
    s2 = int(taps[5])
    s2 -= (s2 & 0x20000000) << 3
    s3 = int(taps[6])
    s3 -= (s3 & 0x20000000) << 3
    bias = int(taps[7])
    bias -= (bias & 0x20000000) << 3
    for i in range(count):
        p0 = int(passed[i])
        p1 = int(passed[i + 1])
        p2 = int(passed[i + 2])
        p4 = int(passed[i + 4])
        p5 = int(passed[i + 5])
        p6 = int(passed[i + 6])
        a = c0 * int(passed[i + 3]) + c1 * (p2 + p4) + c2 * (p1 + p5) + c3 * (p0 + p6)
        a = (a - bias) >> _CORRELATION_SHIFT
        b = (s1 * (p4 - p2) + s2 * (p5 - p1) + s3 * (p6 - p0)) >> _CORRELATION_SHIFT
        if a < 0:
            a = 0 - a
        if b < 0:
            b = 0 - b
        if a < b:
            p0 = a
            a = b
            b = p0
        # sqrt(a*a + b*b) within 3 %: the larger of a and 7/8 a + 1/2 b.
        b = a - (a >> 3) + (b >> 1)
        magnitude[i] = b if b > a else a


@micropython.viper
def lift(samples: ptr16, passed: ptr16, count: int):
    """Writes each sample, of less than 2^15, as `correlate` takes it."""
    for i in range(count):
        passed[i] = int(samples[i]) ^ 0x8000


@micropython.viper
def shift_right(samples: ptr16, count: int, bits: int):
    for i in range(count):
        x = int(samples[i])
        x -= (x & 0x8000) << 1
        samples[i] = x >> bits


@micropython.viper
def _await_carrier(state: ptr32, mark: ptr16, space: ptr16) -> int:
    """Advances to where a carrier appears, or to the end of the chunk; answers the event or 0."""
    i = int(state[_POSITION])
    count = int(state[_COUNT])
    level = int(state[_LEVEL])
    level_on = int(state[_LEVEL_ON])
    event = 0
    while i < count and event == 0:
        m = int(mark[i])
        s = int(space[i])
        i += 1
        level += (m if m > s else s) - (level >> 4)
        if level > level_on:
            event = _CARRIER_ON
            state[_CARRIER] = 1
            # Only one tone has been heard: the other is taken to be 6 dB below it until it is.
            state[_MARK_LEVEL] = (m << 4) if m > s else (s << 3)
            state[_SPACE_LEVEL] = (m << 3) if m > s else (s << 4)
            state[_PHASE] = 0
            state[_BIT] = 0
            state[_IDLE_BITS] = 0
            state[_DECISION] = 0
    state[_POSITION] = i
    state[_LEVEL] = level
    return event


@micropython.viper
def _follow(state: ptr32, mark: ptr16, space: ptr16) -> int:
    """Advances to the middle of the next bit, or to where the carrier drops, or to the end of the chunk.

    The decision value is M(m - M/2) - S(s - S/2), m and s being the magnitudes now, M and S those of a whole
    bit: it weighs the two tones as noise demands, and is zero in the middle of a transition whatever the
    twist. Seven taps of a full-scale phase give a magnitude below 42000, so no term exceeds 42000^2 / 2 and
    the difference stays below 1.8e9 < 2^31; a quarter of it is kept, below 2^29.
    """
    i = int(state[_POSITION])
    count = int(state[_COUNT])
    level = int(state[_LEVEL])
    level_off = int(state[_LEVEL_OFF])
    big_m = int(state[_MARK_LEVEL]) >> 4
    big_s = int(state[_SPACE_LEVEL]) >> 4
    step = int(state[_BIT_STEP])
    phase = int(state[_PHASE])
    decision = int(state[_DECISION])
    decision -= (decision & 0x20000000) << 3
    event = 0
    while i < count and event == 0:
        m = int(mark[i])
        s = int(space[i])
        i += 1
        level += (m if m > s else s) - (level >> 4)
        change = 0 - decision
        decision = (big_m * (m - (big_m >> 1)) - big_s * (s - (big_s >> 1))) >> 2
        change += decision
        phase += step
        if decision < 0 and decision >= change and int(state[_BIT]) < 2:
            # A start bit has begun: when, in 64ths of a sample, by a line through the last two values.
            state[_BIT] = 1
            phase = 32768 + (((0 - decision) // (((0 - change) >> 6) + 1) * step) >> 6)
        if phase >= 65536:
            phase -= 65536
            # The bit's middle was a fraction of a sample ago.
            state[_BIT_DECISION] = decision - (change >> 4) * ((phase << 4) // step)
            state[_BIT_MARK] = m
            state[_BIT_SPACE] = s
            event = _BIT_DUE
        if level < level_off:
            state[_CARRIER] = 0
            event = _CARRIER_OFF
    state[_POSITION] = i
    state[_LEVEL] = level
    state[_PHASE] = phase
    state[_DECISION] = decision
    return event


@micropython.viper
def _learn(state: ptr32):
    """Brings the level of the tone just heard up to date.

    That of the other is slowly forgotten, towards 6 dB below, and the two are kept within 12 dB, so that a
    wrong one cannot last.
    """
    mark_level = int(state[_MARK_LEVEL])
    space_level = int(state[_SPACE_LEVEL])
    if int(state[_BIT_DECISION]) & 0x20000000:
        space_level += ((int(state[_BIT_SPACE]) << 4) - space_level) >> 2
        mark_level += ((space_level >> 1) - mark_level) >> 6
    else:
        mark_level += ((int(state[_BIT_MARK]) << 4) - mark_level) >> 2
        space_level += ((mark_level >> 1) - space_level) >> 6
    if space_level > (mark_level << 2):
        space_level = mark_level << 2
    elif mark_level > (space_level << 2):
        mark_level = space_level << 2
    state[_MARK_LEVEL] = mark_level
    state[_SPACE_LEVEL] = space_level


@micropython.viper
def _confidence(state: ptr32) -> int:
    """How far the decision is from zero: 255 for a whole bit without noise. Bounds as in `_follow`."""
    big_m = int(state[_MARK_LEVEL]) >> 4
    big_s = int(state[_SPACE_LEVEL]) >> 4
    decision = int(state[_BIT_DECISION])
    decision -= (decision & 0x20000000) << 3
    if decision < 0:
        decision = 0 - decision
    confidence = decision // (((big_m * big_m) >> 11) + ((big_s * big_s) >> 11) + 1)
    return confidence if confidence < 255 else 255


@micropython.viper
def _assemble(state: ptr32, confidence: int) -> int:
    """Puts the bit in its place in the byte; answers the event that this makes, or 0."""
    bit = int(state[_BIT])
    is_mark = 1 - ((int(state[_BIT_DECISION]) >> 29) & 1)
    if bit < 2:
        if is_mark:
            # Still idle, or a glitch that was no start bit.
            state[_BIT] = 0
            if int(state[_IDLE_BITS]) < 65535:
                state[_IDLE_BITS] += 1
            return 0
        if bit == 0:
            return 0
        state[_BIT] = 2
        state[_WEAKEST] = 255
        state[_MARKS_BEFORE] = state[_IDLE_BITS]
        state[_IDLE_BITS] = 0
        return _MARKS if int(state[_MARKS_BEFORE]) else 0
    if bit == 10:
        state[_BIT] = 0
        return _BYTE if is_mark else _FRAMING_ERROR
    state[_BIT] = bit + 1
    state[_BYTE_SO_FAR] = (int(state[_BYTE_SO_FAR]) >> 1) | (is_mark << 7)
    if confidence < int(state[_WEAKEST]):
        state[_WEAKEST] = confidence
    return 0


def taps(tone_hz, bit_samples):
    """Cosine and sine taps of one tone, folded about the middle; the outermost carry the fraction."""
    outermost = (bit_samples - 5) / 2
    cosine = [0] * 4
    sine = [0] * 4
    for k in range(4):
        weight = _COEFFICIENT_ONE * (outermost if k == 3 else 1)
        angle = 2 * math.pi * tone_hz * k / _SAMPLE_HZ
        cosine[k] = round(weight * math.cos(angle))
        sine[k] = round(weight * math.sin(angle))
    bias = 32768 * (cosine[0] + 2 * (cosine[1] + cosine[2] + cosine[3]))
    return array("i", cosine + sine[1:] + [bias])


def gain(hz):
    """What `_high_pass` leaves of a tone, as a ratio."""
    angle = 2 * math.pi * hz / _SAMPLE_HZ
    power = 1.0
    for share in (1 / 8, 1 / 4):
        rest = 1 - share
        power *= rest * rest * (2 - 2 * math.cos(angle)) / (1 + rest * rest - 2 * rest * math.cos(angle))
    return math.sqrt(power)


def _level(dbm0, bit_samples):
    """What a tone of `dbm0` reads in the slicer, Q4: half its peak over a bit, divided by 4."""
    return round(16 * _PEAK_0_DBM0 * 10 ** (dbm0 / 20) * bit_samples / 2 / 4)


class FskReceiver:
    """Asynchronous FSK, 8 data bits, from 8 kHz samples.

    sink.carrier(present)           1 when a carrier appears, 0 when it drops
    sink.marks(bits)                a start bit has come, 1..65535 bits of mark after a stop bit
    sink.byte(value, confidence)    0..255 each; the confidence is that of the least certain bit
    sink.framing_error()            a stop bit was not mark: the byte is lost

    Frequencies: TIA-777 or EN 300 659-1. The carrier's levels lie between the least to be received, -37.8
    dBm, and the greatest to be rejected, -47.8 dBm (BT SIN 227); the seizure, which alternates, reads 2.5 dB
    low. Raises ValueError unless a bit is 5 to 7 samples long.
    """

    def __init__(
        self,
        sink,
        mark_hz=1200,
        space_hz=2200,
        baud=1200,
        *,
        carrier_on_dbm0=-46,
        carrier_off_dbm0=-49,
        recorder=None,
    ):
        bit_samples = _SAMPLE_HZ / baud
        if not 5 < bit_samples <= 7:
            raise ValueError("baud")
        self._sink = sink
        self._recorder = recorder
        self._mark_taps = taps(mark_hz, bit_samples)
        self._space_taps = taps(space_hz, bit_samples)
        self._passed = array("H", bytes(2 * (_HISTORY + _CHUNK)))
        self._mark = array("H", bytes(2 * _CHUNK))
        self._space = array("H", bytes(2 * _CHUNK))
        self._state = array("i", bytes(4 * _STATE_WORDS))
        self._state[_BIT_STEP] = round(65536 / bit_samples)
        self._state[_LEVEL_ON] = _level(carrier_on_dbm0, bit_samples)
        self._state[_LEVEL_OFF] = _level(carrier_off_dbm0, bit_samples)
        self.reset()

    def reset(self):
        """As new."""
        state = self._state
        state[_SLOW_MEAN] = 0
        state[_FAST_MEAN] = 0
        state[_LAST_COUNT] = 0
        state[_CARRIER] = 0
        state[_LEVEL] = 0
        for i in range(_HISTORY):
            self._passed[i] = 32768

    def skip(self, n):
        """`n` samples were lost: the bits' rhythm went with them, so the carrier has to be found anew."""
        if n == 0:
            return
        had_carrier = self._state[_CARRIER]
        self.reset()
        if had_carrier:
            self._sink.carrier(0)

    def feed(self, samples, n):
        """Hears the first `n` of `samples`, an array("h")."""
        state = self._state
        start = 0
        while start < n:
            count = min(n - start, _CHUNK)
            state[_START] = start
            state[_COUNT] = count
            _high_pass(state, samples, self._passed)
            correlate(self._passed, self._mark_taps, self._mark, count)
            correlate(self._passed, self._space_taps, self._space, count)
            if self._recorder is not None:
                self._recorder.keep(self._passed, self._mark, self._space, count)
            self._slice()
            start += count

    def _slice(self):
        state = self._state
        state[_POSITION] = 0
        event = 1
        while event:
            if not state[_CARRIER]:
                event = _await_carrier(state, self._mark, self._space)
            else:
                event = _follow(state, self._mark, self._space)
            if event == _BIT_DUE:
                _learn(state)
                self._tell(_assemble(state, _confidence(state)))
            else:
                self._tell(event)

    def _tell(self, event):
        state = self._state
        if event == _BYTE:
            self._sink.byte(state[_BYTE_SO_FAR], state[_WEAKEST])
        elif event == _MARKS:
            self._sink.marks(state[_MARKS_BEFORE])
        elif event == _FRAMING_ERROR:
            self._sink.framing_error()
        elif event:
            self._sink.carrier(1 if event == _CARRIER_ON else 0)
