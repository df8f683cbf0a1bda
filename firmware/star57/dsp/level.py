"""Levels: dBm0 into peaks and powers into dBm0, in integers. Peak 32767 is +3.17 dBm0 (ITU-T G.711)."""

LOWEST_DBM0 = const(-60)
HIGHEST_DBM0 = const(3)

_SAMPLES_20_MS = const(160)
# Of a mean square over 2^8, so that times 2^8 it is below 2^30: 160 samples of -32768 have one more.
_LARGEST_MEAN = const((1 << 22) - 1)
# 10 log10 of 2 to the n-th, and of the 32nds between, in hundredths of a decibel.
_HUNDREDTHS_PER_OCTAVE = const(301)
_BETWEEN = (
    7, 20, 33, 45, 57, 69, 80, 91, 102, 113, 123, 133, 143, 153, 162, 172, 181, 189, 198, 207, 215, 223,
    231, 239, 247, 255, 262, 269, 277, 284, 291, 298,
)  # fmt: skip
# Mean square of a sine at 0 dBm0: 22748 squared, halved: 84.128 dB.
_MEAN_SQUARE_0_DBM0 = const(8413)

# Of a sine, from -60 dBm0 on, a decibel each. As constants both tables stay in flash.
_PEAKS = (
    23, 26, 29, 32, 36, 40, 45, 51, 57, 64, 72, 81, 91, 102, 114, 128, 144, 161, 181, 203, 227, 255,
    286, 321, 361, 405, 454, 509, 571, 641, 719, 807, 906, 1016, 1140, 1279, 1435, 1610, 1807, 2027,
    2275, 2552, 2864, 3213, 3605, 4045, 4539, 5093, 5714, 6411, 7194, 8071, 9056, 10161, 11401, 12792,
    14353, 16104, 18069, 20274, 22748, 25524, 28638, 32132,
)  # fmt: skip


def peak(dbm0):
    """The peak of a sine of `dbm0`, an integer from -60 to +3; levels beyond are the nearest of these."""
    return _PEAKS[max(LOWEST_DBM0, min(HIGHEST_DBM0, dbm0)) - LOWEST_DBM0]


@micropython.viper
def _octave(mean_square: int) -> int:
    """32 to 63 of its octave, and above six bits which octave that is."""
    octave = 5
    while mean_square >= 64:
        mean_square >>= 1
        octave += 1
    while mean_square < 32:
        mean_square <<= 1
        octave -= 1
    return (octave << 6) + mean_square


def hundredths_dbm0(mean_square):
    """The level of samples whose mean square (below 2^30) this is, in hundredths of dBm0; of silence LOWEST_DBM0."""
    if mean_square <= 0:
        return 100 * LOWEST_DBM0
    found = _octave(mean_square)
    return (found >> 6) * _HUNDREDTHS_PER_OCTAVE + _BETWEEN[(found & 63) - 32] - _MEAN_SQUARE_0_DBM0


def dbm0(mean_square):
    """The level of samples whose mean square this is, in whole dBm0; LOWEST_DBM0 for silence."""
    return max(LOWEST_DBM0, (hundredths_dbm0(mean_square) + 50) // 100)


@micropython.viper
def sum_of_squares(samples: ptr16, start: int, n: int) -> int:
    """Sum of squares divided by 2^8: |x| <= 2^15, so each term is at most 2^22 and 256 of them stay below 2^30."""
    total = 0
    for i in range(start, start + n):
        x = int(samples[i])
        x -= (x & 0x8000) << 1
        total += (x * x) >> 8
    return total


class LevelMeter:
    """The level of every 20 ms. `level_dbm0` is that of the last whole 20 ms."""

    def __init__(self):
        self.reset()

    def reset(self):
        """As new: silence."""
        self.level_dbm0 = LOWEST_DBM0
        self._sum = 0
        self._count = 0

    def skip(self, _n):
        """Samples were lost: the 20 ms that they fell in begin anew."""
        self._sum = 0
        self._count = 0

    def feed(self, samples, n):
        """Hears the first `n` of `samples`, an array("h")."""
        start = 0
        while start < n:
            count = min(n - start, _SAMPLES_20_MS - self._count)
            self._sum += sum_of_squares(samples, start, count)
            self._count += count
            start += count
            if self._count == _SAMPLES_20_MS:
                # From 2^30 on an integer of a 32-bit target is allocated.
                self.level_dbm0 = dbm0(min(self._sum // _SAMPLES_20_MS, _LARGEST_MEAN) << 8)
                self._sum = 0
                self._count = 0
