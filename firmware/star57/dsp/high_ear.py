"""The high ear of the call-progress receiver: single tones from 850 to 1900 Hz, and howlers."""

from micropython import const

from star57.dsp import goertzel, level
from star57.dsp.cadence import SILENT
from star57.dsp.ear import Ear
from star57.dsp.tone_plans import HOWLER_LINES, LINES

_HALF_SAMPLES = const(80)
# Tones of a SIT are up to 30 ms apart.
_HANG_CELLS = const(25)
# -52 dBm0.
_LEAST = const(96)

# Of all that sounds this is the tone, in parts of 4096: noise 10 dB below it takes 5 %.
_PURE = const(2950)
# Frequencies are a little off in noise.
_OFF_DECIHERTZ = const(20)
_LOWEST_DECIHERTZ = const(8500)
_HIGHEST_DECIHERTZ = const(19200)
# From the power of 10 ms over 2^5 to the mean square of samples at 8 kHz.
_TO_SQUARE_HUNDREDTHS = const(1996)
# Autocorrelation of white noise over one and two samples, of the taps 1 2 1 and the high-pass: in parts of 1024.
_NOISE_ONE = const(165)
_NOISE_TWO = const(-20)
# Sums of a run, and its power, as in ear.py.
_TOTALS = const(56)
_POWER = const(60)
# Words behind those of every ear. What `_tone_in_noise` finds:
_TONE = const(61)  # power, in the units of the sums; of a howler its mean square
_HALF_COSINE = const(62)  # of half the angle between two samples at 4 kHz, Q12
# Then the frequency of the tone that was measured last, in tenths of a hertz: 0 if that was a howler.
_DECIHERTZ = const(63)
# And whether a howler is expected; of the rest progress.py knows.
EXPECTS_HOWLER = const(64)
_WORDS = const(73)

# A howler is looked for after so many beeps of its cadence, and in a beep after 30 ms of it.
_HOWLER_BIT = const(1 << 29)
_HOWLER_COEFFICIENTS = (7438, -772, -5671, -7438)  # 2 cos w of its lines, Q13
_BEEPS_BEFORE_HOWLER = const(2)
_SHORTEST_BEEP_CELLS = const(35)
_LONGEST_BEEP_CELLS = const(68)
_SETTLED_CELLS = const(15)


@micropython.viper
def _tone_in_noise(words: ptr32) -> int:
    """One tone from autocorrelations over 0, 1 and 2 samples, by Pisarenko's method: most of the noise is in the first.

    Answers 0 if there is no tone. |sums| < 2^13: squares add up to less than 2^29.2.
    """
    sums = ptr32(int(words) + 4 * _TOTALS)
    power = int(sums[0])
    noise = 0
    cosine = 0
    tone = 0
    for _ in range(3):
        one = int(sums[1])
        one -= ((one & 0x20000000) << 3) + ((noise * _NOISE_ONE) >> 10)
        two = int(sums[2])
        two -= ((two & 0x20000000) << 3) + ((noise * _NOISE_TWO) >> 10)
        x = two * two + 8 * one * one
        if x == 0:
            return 0
        root = 1
        while root * root < x:
            root <<= 1
        for _ in range(4):
            root = (root + x // root) >> 1
        if root == two:
            return 0
        cosine = (one << 13) // (root - two)
        # The tone's part of the power, from the correlation that is the larger.
        x = one << 12
        y = cosine
        if cosine > -2048 and cosine < 2048:
            x = two << 12
            y = ((cosine * cosine) >> 11) - 4096
        tone = x // y
        if tone << 1 < power or tone > power << 1:
            return 0
        noise = power - tone
        if noise < 0:
            noise = 0
    x = (4096 + cosine) << 11
    if x <= 0:
        return 0
    words[_TONE] = tone
    root = 1
    while root * root < x:
        root <<= 1
    for _ in range(4):
        root = (root + x // root) >> 1
    words[_HALF_COSINE] = root
    return 1


def _decihertz(half_cosine):
    """The frequency at 8 kHz whose angle between two samples has this cosine, Q12: the series of the arc's sine."""
    x = half_cosine
    square = x * x >> 12
    series = 124 + (92 * square >> 12)
    series = 183 + (series * square >> 12)
    series = 307 + (series * square >> 12)
    series = 683 + (series * square >> 12)
    series = 4096 + (series * square >> 12)
    return 20000 - ((x * series >> 12) * 12732 >> 12)


class HighEar(Ear):
    """Hears single tones from 850 to 1900 Hz; and, where its beeps let it be expected, a howler.

    While EXPECTS_HOWLER, every 10 ms of samples are put at the start of `lines`, where the low ear has them not before
    the block is over.
    """

    def __init__(self, listener, rows, lines):
        super().__init__(listener, rows, lines, _WORDS, _HANG_CELLS, _LEAST, 1)

    def reset(self):
        super().reset()
        self._beeps = 0
        self._paused = False
        self._howls = 0
        self.words[_DECIHERTZ] = 0
        self.words[EXPECTS_HOWLER] = 0

    def look_for_howler(self):
        """Notes whether the last 10 ms are a howler's four lines: their share, in parts of 4096, to `_howls`.

        And the mean square of these 10 ms in place of a tone's power.
        """
        if self.settled_cells() < _SETTLED_CELLS:
            return
        samples = self.lines
        shift = goertzel.scale(samples, _HALF_SAMPLES)
        energy = goertzel.energy(samples, _HALF_SAMPLES)
        near = 0
        for coefficient in _HOWLER_COEFFICIENTS:
            # Of a pure tone the power is energy * 40 / 2^10.
            power = goertzel.power(samples, _HALF_SAMPLES, coefficient) * 25
            if power < energy >> 5:
                return
            near += power
        share = (near >> 10) * 4096 // ((energy >> 10) + 1)
        if share >= _PURE:
            self._howls = min(share, 4096)
            self.words[_TONE] = energy // _HALF_SAMPLES << 2 * shift

    def _ended(self, kind, cells):
        beeps = _SHORTEST_BEEP_CELLS <= cells <= _LONGEST_BEEP_CELLS
        if kind == SILENT:
            self._paused = beeps
        else:
            if not beeps or not self.cadence.lines & _HOWLER_BIT:
                self._beeps = 0
            else:
                self._beeps = self._beeps + 1 if self._paused else 1
            self._paused = False
        self.words[EXPECTS_HOWLER] = self._beeps >= _BEEPS_BEFORE_HOWLER
        super()._ended(kind, cells)

    def _is_one_sound(self, cells):
        """A howler's beep is: at 4 kHz 2600 Hz is 1400 Hz, and what is off in frequency beats with that."""
        return self._paused and cells <= _LONGEST_BEEP_CELLS and self.cadence.lines & _HOWLER_BIT

    def _tone(self, ago, cells, ended):
        if not self._howls:
            return super()._tone(ago, cells, ended)
        share = self._howls
        self._howls = 0
        # Its mean square as it was found: below 2 kHz the level of a howler is any.
        self.words[_POWER] = self.words[_TONE]
        self.words[_DECIHERTZ] = 0
        self._tell_quality(0, share, 0)
        return _HOWLER_BIT

    def _is_noise(self):
        """Whether samples are hardly like those one and two before them."""
        words = self.words
        return 2 * (abs(words[_TOTALS + 1]) + abs(words[_TOTALS + 2])) < words[_TOTALS]

    def _measure(self, _ago, _cells):
        words = self.words
        if not _tone_in_noise(words):
            return 0
        share = min(words[_TONE] * 4096 // max(1, words[_TOTALS]), 4096)
        if share < _PURE:
            return 0
        found = _decihertz(words[_HALF_COSINE])
        if not _LOWEST_DECIHERTZ <= found <= _HIGHEST_DECIHERTZ:
            return 0
        words[_DECIHERTZ] = found
        # What the taps 1 2 1 take: 1 / gain^2 in Q8.
        tap = (4096 + words[_HALF_COSINE]) >> 3
        gain = level.hundredths_dbm0((1 << 28) // (tap * tap)) - level.hundredths_dbm0(256)
        self._tell_quality(_TO_SQUARE_HUNDREDTHS, share, gain)
        return 1

    def _fits(self, wanted):
        if len(wanted) != 2:
            return False
        off = abs(self.words[_DECIHERTZ] - 10 * wanted[1])
        return off <= wanted[0] * wanted[1] // 100 + _OFF_DECIHERTZ

    def decihertz(self, k):
        """The k-th frequency, ascending, of what was measured last, in tenths of a hertz; 0 behind the last."""
        found = self.words[_DECIHERTZ]
        if found:
            return 0 if k else found
        howler = LINES[HOWLER_LINES]
        return 10 * howler[k + 1] if k + 1 < len(howler) else 0

    def off_permille(self, index):
        """How far from the line what was measured last is, in thousandths of it."""
        return abs(self.decihertz(0) - 10 * LINES[index][1]) * 100 // LINES[index][1]
