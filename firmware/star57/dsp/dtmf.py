"""DTMF receiver: ITU-T Q.23 digits to the limits of Q.24 (AT&T column of TELEPHONY 4)."""

from array import array

from micropython import const

from star57.dsp import goertzel, level
from star57.dsp.tones import DTMF_HIGH_HZ, DTMF_KEYS, DTMF_LOW_HZ

_BLOCK = const(102)  # 12.75 ms, judged every 6.375 ms
_HOP = const(51)
# A block shows a digit when some 70 % of it do: 40 ms show in 5 blocks at least, 23 ms in 3 at most.
_HITS_TO_START = const(5)
# A gap of 10 ms spoils 3 blocks at most and is bridged; a pause of 40 ms spoils 6 at least.
_MISSES_TO_END = const(5)
_LOWEST_DBM0 = const(-42)
_NONE = const(-1)

_KEYS = bytes(ord(key) for key in DTMF_KEYS)


# The words that the filter works with; see fsk.py for how a word that may be negative is read.
_MEAN = const(0)  # Q8
_A1 = const(1)
_A2 = const(2)
_B1 = const(3)
_B2 = const(4)
_Y1 = const(5)
_Y2 = const(6)
_START = const(7)
_PLACE = const(8)
_STATE_WORDS = const(9)


@micropython.viper
def _filter(state: ptr32, samples: ptr16, block: ptr16, count: int):
    """Takes DC and dial tone out: a high-pass at 40 Hz, notches at 350 and 440 Hz with poles at radius 0.9.

    Each notch is y = x - c x1 + x2 + 0.9 c y1 - 0.81 y2, c in Q13. The input is halved: |a| <= 2^15. The sum
    of the magnitudes of the impulse response is 2.30 after the first notch and 2.76 after both, so |b| < 75400 and
    |y| < 90300, and the largest product, 15415 * 75400, is below 2^31.
    """
    mean = int(state[_MEAN])
    mean -= (mean & 0x20000000) << 3
    a1 = int(state[_A1])
    a1 -= (a1 & 0x20000000) << 3
    a2 = int(state[_A2])
    a2 -= (a2 & 0x20000000) << 3
    b1 = int(state[_B1])
    b1 -= (b1 & 0x20000000) << 3
    b2 = int(state[_B2])
    b2 -= (b2 & 0x20000000) << 3
    y1 = int(state[_Y1])
    y1 -= (y1 & 0x20000000) << 3
    y2 = int(state[_Y2])
    y2 -= (y2 & 0x20000000) << 3
    start = int(state[_START])
    place = int(state[_PLACE])
    for i in range(count):
        x = int(samples[start + i])
        x -= (x & 0x8000) << 1
        mean += ((x << 8) - mean) >> 5
        a0 = (x - (mean >> 8)) >> 1
        b0 = a0 - ((15769 * a1) >> 13) + a2 + ((14192 * b1) >> 13) - ((6636 * b2) >> 13)
        y0 = b0 - ((15415 * b1) >> 13) + b2 + ((13874 * y1) >> 13) - ((6636 * y2) >> 13)
        a2 = a1
        a1 = a0
        b2 = b1
        b1 = b0
        y2 = y1
        y1 = y0
        x = y0
        if x > 32767:
            x = 32767
        elif x < -32768:
            x = -32768
        block[place + i] = x
    state[_MEAN] = mean
    state[_A1] = a1
    state[_A2] = a2
    state[_B1] = b1
    state[_B2] = b2
    state[_Y1] = y1
    state[_Y2] = y2


@micropython.viper
def _take(recent: ptr16, block: ptr16):
    """Copies the recent samples for judging, and makes room for the next hop of them."""
    for i in range(102):
        block[i] = recent[i]
    for i in range(51):
        recent[i] = recent[51 + i]


class DtmfReceiver:
    """Hears DTMF digits, through dial tone, DC and speech that is well below them.

    sink.digit(code, level_dbm0)            when a digit is accepted; code is ord() of its key
    sink.digit_end(code, duration_samples)  when it is over

    Q.24: 40 ms are accepted and 23 ms are not, a gap of 10 ms is bridged and 40 ms part two digits; the high group may
    be 4 dB above the low one, or 8 dB below it (each taken with 2 dB of margin); down to -42 dBm0 in all.
    """

    def __init__(self, sink):
        self._sink = sink
        self._coefficients = goertzel.coefficients(DTMF_LOW_HZ + DTMF_HIGH_HZ)
        self._powers = array("i", [8] + 8 * [0])
        self._recent = array("h", bytes(2 * _BLOCK))
        self._block = array("h", bytes(2 * _BLOCK))
        self._state = array("i", bytes(4 * _STATE_WORDS))
        self.reset()

    def reset(self):
        """As new."""
        for i in range(_STATE_WORDS):
            self._state[i] = 0
        for i in range(_BLOCK):
            self._recent[i] = 0
        self._place = _HOP
        self._heard = _NONE
        self._hits = 0
        self._digit = _NONE
        self._misses = 0
        self._duration = 0

    def skip(self, n):
        """`n` samples were lost: a digit that sounds goes on, if it does after them."""
        self._duration += n
        self._place = _HOP

    def feed(self, samples, n):
        """Hears the first `n` of `samples`, an array("h")."""
        start = 0
        while start < n:
            count = min(n - start, _BLOCK - self._place)
            self._state[_START] = start
            self._state[_PLACE] = self._place
            _filter(self._state, samples, self._recent, count)
            self._place += count
            start += count
            if self._place == _BLOCK:
                self._place = _HOP
                _take(self._recent, self._block)
                self._judge()

    def _judge(self):
        shift = goertzel.scale(self._block, _BLOCK)
        energy = goertzel.energy(self._block, _BLOCK)
        # The filter has halved the samples, and the block was shifted: the mean square grows by 2 bits for each.
        level_dbm0 = level.dbm0((energy // _BLOCK) << (2 * shift + 2))
        key = _NONE
        if level_dbm0 >= _LOWEST_DBM0:
            goertzel.powers(self._block, _BLOCK, self._coefficients, self._powers)
            key = self._key(energy)
        self._follow(key, level_dbm0)

    def _key(self, energy):
        """The key that the block's powers show, 0 to 15, or _NONE."""
        powers = self._powers
        low = self._strongest(1)
        high = self._strongest(5)
        if low == 0 or high == 0:
            return _NONE
        low_power = powers[low]
        high_power = powers[high]
        # The high group at most 8 dB above the low one, at most 10 dB below it; the filter raises it by up to 1.6 dB.
        if high_power > 6 * low_power or low_power > 10 * high_power:
            return _NONE
        # Of a pure pair the two powers make up energy * 51 / 2^10; half of that leaves room for +-1.5 % and speech.
        if (low_power + high_power) * 40 < energy:
            return _NONE
        return 4 * (low - 1) + high - 5

    def _strongest(self, first):
        """Index of the strongest of the four powers from `first` on; 0 unless it is 6 dB above the others."""
        powers = self._powers
        best = first
        for i in range(first + 1, first + 4):
            if powers[i] > powers[best]:
                best = i
        for i in range(first, first + 4):
            if i != best and powers[i] * 4 > powers[best]:
                return 0
        return best

    def _follow(self, key, level_dbm0):
        self._hits = self._hits + 1 if key == self._heard else 1
        self._heard = key
        if self._digit != _NONE:
            self._duration += _HOP
            if key == self._digit:
                self._misses = 0
                return
            self._misses += 1
            if self._misses < _MISSES_TO_END and (key == _NONE or self._hits < _HITS_TO_START):
                return
            self._end()
        if key != _NONE and self._hits >= _HITS_TO_START:
            self._digit = key
            self._misses = 0
            self._duration = (self._hits + 1) * _HOP
            self._sink.digit(_KEYS[key], level_dbm0)

    def _end(self):
        digit = self._digit
        self._digit = _NONE
        self._sink.digit_end(_KEYS[digit], self._duration - self._misses * _HOP)
