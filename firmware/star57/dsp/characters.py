"""FSK characters read from kept samples: how likely each of the 256 values is, and where the bits lie.

A caller-ID character is a start bit (space), eight data bits, the lowest first, and a stop bit (mark). Its carrier runs
on without a break, so that one phase holds for all ten bits: each of the 256 waveforms is compared with the whole
character, whatever that phase is. This needs some 4 dB less than deciding one bit at a time.

Some senders change bits at whole samples only (spandsp, Asterisk): theirs are 6 or 7 samples long at 8 kHz, and what
the phase gains in each differs. Which of the two a sender does, `fit` tells.
"""

from array import array

from micropython import const

from star57.dsp.carrier import SINE, energy

ALTERNATIVES = const(10)
NAT = const(8)  # costs are in eighths of a nat
MOST_COST = const(255)

_SAMPLE_HZ = const(8000)
_BITS = const(10)
_TURN = const(1 << 16)

# The words that the loops work with.
_START = const(0)  # sample that the character starts at, Q8
_BIT_SAMPLES = const(1)  # Q8
_MARK_STEP = const(2)  # phase a sample, 2^16 a turn
_SPACE_EXCESS = const(3)  # space less mark, phase a sample
_WHOLE_SAMPLES = const(4)  # whether bits change at whole samples only
_MARK_WEIGHT = const(5)  # amplitudes, 256 for the stronger of the two
_SPACE_WEIGHT = const(6)
_SPACE_ENERGY = const(7)  # what a space bit's template has more than a mark bit's, in units of the likelihood
_COST = const(8)  # of one unit of the likelihood, in 1/256 of a cost
_WINDOW = const(9)  # of likelihoods below the greatest that cost less than MOST_COST, and 1
_WORDS = const(10)

# How many of the four bits of 0 to 15 are space; then 0 to 15 by how many are.
_SPACES_AND_VALUES = (
    b"\x04\x03\x03\x02\x03\x02\x02\x01\x03\x02\x02\x01\x02\x01\x01\x00"
    b"\x00\x01\x02\x04\x08\x03\x05\x06\x09\x0a\x0c\x07\x0b\x0d\x0e\x0f"
)


@micropython.viper
def _correlate(state: ptr32, samples: ptr16, sine: ptr16, sums: ptr32):
    """Correlation of each bit with either tone: sums[4 k] mark cosine, sine, [4 k + 2] space cosine, sine.

    sums[40 + k] is the phase that the bit gains if it is space. A position is below 80 * 256, times a step of 2^15.1.
    |x| <= 2047 and |sine| <= 256: 8 samples of a bit sum to less than 2^22.
    """
    start = int(state[_START])
    width = int(state[_BIT_SAMPLES])
    step = int(state[_MARK_STEP])
    excess_step = int(state[_SPACE_EXCESS])
    whole_samples = int(state[_WHOLE_SAMPLES])
    origin = 0
    if whole_samples:
        origin = (((start + 128) >> 8) << 8) - start
    i = (start + origin + 255) >> 8
    position = (i << 8) - start
    phase = (position * step) >> 8
    excess = ((position - origin) * excess_step) >> 8
    exact_end = 0
    end = 0
    k = 0
    while k < 40:
        a = 0
        b = 0
        c = 0
        d = 0
        exact_end += width
        end = exact_end
        if whole_samples:
            end = (((start + end + 128) >> 8) << 8) - start
        while position < end:
            x = int(samples[i])
            x -= (x & 0x8000) << 1
            place = phase >> 8
            y = int(sine[(place + 64) & 255])
            y -= (y & 0x8000) << 1
            a += x * y
            y = int(sine[place & 255])
            y -= (y & 0x8000) << 1
            b += x * y
            place = (phase + excess) >> 8
            y = int(sine[(place + 64) & 255])
            y -= (y & 0x8000) << 1
            c += x * y
            y = int(sine[place & 255])
            y -= (y & 0x8000) << 1
            d += x * y
            phase += step
            excess += excess_step
            position += 256
            i += 1
        gained = ((end - origin) * excess_step) >> 8
        excess -= gained
        origin = end
        sums[40 + (k >> 2)] = gained
        sums[k] = a >> 6
        sums[k + 1] = b >> 6
        sums[k + 2] = c >> 6
        sums[k + 3] = d >> 6
        k += 4


@micropython.viper
def _weigh(state: ptr32, sums: ptr32):
    """Each correlation by the amplitude of its tone. A sum is below 2^16, a weight at most 256."""
    k = 0
    while k < 40:
        weight = int(state[_SPACE_WEIGHT]) if k & 2 else int(state[_MARK_WEIGHT])
        a = int(sums[k])
        a -= (a & 0x20000000) << 3
        sums[k] = (a * weight) >> 8
        k += 1


@micropython.viper
def _half(sums: ptr32, sine: ptr16, first: int, half: ptr32):
    """The sums of bits `first` to `first + 3` under each of their 16 values: half[2 v], half[2 v + 1].

    half[0] and [1] hold the sum of what comes before: of one space if `first` is 1, of nothing if it is 5; half[32] the
    phase gained in it. half[32 + v] is the phase gained with v: the correlation is turned by it. Five bits sum to less
    than 2^18.4, times 256 twice.
    """
    count = 1
    k = 0
    while k < 4:
        at = 4 * (first + k)
        a = int(sums[at])
        a -= (a & 0x20000000) << 3
        b = int(sums[at + 1])
        b -= (b & 0x20000000) << 3
        e = int(sums[at + 2])
        e -= (e & 0x20000000) << 3
        f = int(sums[at + 3])
        f -= (f & 0x20000000) << 3
        gained = int(sums[40 + first + k])
        v = 0
        while v < count:
            phase = int(half[32 + v])
            place = phase >> 8
            s = int(sine[place & 255])
            s -= (s & 0x8000) << 1
            c = int(sine[(place + 64) & 255])
            c -= (c & 0x8000) << 1
            p = int(half[2 * v])
            p -= (p & 0x20000000) << 3
            q = int(half[2 * v + 1])
            q -= (q & 0x20000000) << 3
            half[2 * (v + count)] = p + ((a * c - b * s) >> 8)
            half[2 * (v + count) + 1] = q + ((a * s + b * c) >> 8)
            half[32 + v + count] = phase
            half[2 * v] = p + ((e * c - f * s) >> 8)
            half[2 * v + 1] = q + ((e * s + f * c) >> 8)
            half[32 + v] = phase + gained
            v += 1
        count += count
        k += 1


@micropython.viper
def _end(sums: ptr32, sine: ptr16, half: ptr32):
    """Adds the stop bit to the upper half's sums. Bounds as in `_half`."""
    a = int(sums[36])
    a -= (a & 0x20000000) << 3
    b = int(sums[37])
    b -= (b & 0x20000000) << 3
    for v in range(16):
        place = int(half[32 + v]) >> 8
        s = int(sine[place & 255])
        s -= (s & 0x8000) << 1
        c = int(sine[(place + 64) & 255])
        c -= (c & 0x8000) << 1
        half[2 * v] += (a * c - b * s) >> 8
        half[2 * v + 1] += (a * s + b * c) >> 8


@micropython.viper
def _combine(
    state: ptr32,
    low: ptr32,
    high: ptr32,
    turned: ptr32,
    sine: ptr16,
    spaces: ptr8,
    likelihood: ptr16,
    window: int,
) -> int:
    """Likelihoods of all 256 values: magnitude of both halves, less their energy. Answers the greatest.

    What is less than it by `window` or more may be 0 instead. `spaces`: how many bits of 0 to 15 are space, and behind
    them those values, with as many spaces together: the upper half's 16 sums need not be turned anew for each value of
    the lower half, for its bits are mostly as long as each other. `turned` holds the turned sums, and 2^20 more to have
    no sign.

    The magnitude is the greatest projection on four directions of the octant, 0.5 % low at most, and at most the larger
    component and 0.42 of the smaller: few values need more than that bound. Sums are below 2^19.4, times 256; a
    sixteenth is kept.
    """
    energy = int(state[_SPACE_ENERGY])
    energy -= (energy & 0x20000000) << 3
    greatest = 0
    last_place = -1
    k = 16
    while k < 32:
        value = int(spaces[k])
        k += 1
        place = (int(low[32 + value]) >> 8) & 255
        if place != last_place:
            last_place = place
            s = int(sine[place])
            s -= (s & 0x8000) << 1
            c = int(sine[(place + 64) & 255])
            c -= (c & 0x8000) << 1
            v = 0
            while v < 32:
                p = int(high[v])
                p -= (p & 0x20000000) << 3
                q = int(high[v + 1])
                q -= (q & 0x20000000) << 3
                turned[v] = ((p * c - q * s) >> 8) + 0x100000
                turned[v + 1] = ((p * s + q * c) >> 8) + 0x100000
                v += 2
        x = int(low[2 * value])
        x -= ((x & 0x20000000) << 3) + 0x100000
        y = int(low[2 * value + 1])
        y -= ((y & 0x20000000) << 3) + 0x100000
        lower_spaces = int(spaces[value])
        v = 0
        while v < 16:
            p = int(turned[2 * v]) + x
            if p < 0:
                p = 0 - p
            q = int(turned[2 * v + 1]) + y
            if q < 0:
                q = 0 - q
            if p < q:
                r = p
                p = q
                q = r
            less = (lower_spaces + int(spaces[v])) * energy
            r = ((256 * p + 108 * q) >> 12) - less
            if r > greatest - window:
                r = 255 * p + 25 * q
                s = 245 * p + 74 * q
                if s > r:
                    r = s
                s = 226 * p + 121 * q
                if s > r:
                    r = s
                s = 198 * p + 163 * q
                if s > r:
                    r = s
                r = (r >> 12) - less
                if r > greatest:
                    greatest = r
            else:
                r = 0
            likelihood[value + (v << 4)] = r if r > 0 else 0
            v += 1
    return greatest


@micropython.viper
def _pick(state: ptr32, likelihood: ptr16, values: ptr8, costs: ptr8, at: int, most: int):
    """The likeliest values, from values[at] on, and their costs: likeliest first, MOST_COST where there is no more.

    `most`: the greatest likelihood. It is below 2^16 and the cost of its unit below 2^15: where that is high,
    likelihoods are low.
    """
    unit = int(state[_COST])
    least = most - int(state[_WINDOW])
    end = at
    v = 0
    while v < 256:
        if int(likelihood[v]) > least:
            cost = ((most - int(likelihood[v])) * unit) >> 8
            k = end
            while k > at and int(costs[k - 1]) > cost:
                if k < at + ALTERNATIVES:
                    costs[k] = int(costs[k - 1])
                    values[k] = int(values[k - 1])
                k -= 1
            if k < at + ALTERNATIVES:
                costs[k] = cost
                values[k] = v
                if end < at + ALTERNATIVES:
                    end += 1
        v += 1
    while end < at + ALTERNATIVES:
        costs[end] = MOST_COST
        values[end] = 0
        end += 1


@micropython.viper
def _strength(sums: ptr32, tones: ptr32) -> int:
    """Sum over the bits of the stronger tone's magnitude, 0.5 % low at most. Sums are below 2^16, times 256 twice.

    Adds the magnitudes of mark where it is the stronger to tones[0] and their number to tones[1]; of space to [2], [3].
    """
    total = 0
    k = 0
    while k < 40:
        best = 0
        stronger = 0
        tone = 0
        while tone < 4:
            p = int(sums[k + tone])
            p -= (p & 0x20000000) << 3
            q = int(sums[k + tone + 1])
            q -= (q & 0x20000000) << 3
            if p < 0:
                p = 0 - p
            if q < 0:
                q = 0 - q
            if p < q:
                r = p
                p = q
                q = r
            r = 255 * p + 25 * q
            s = 245 * p + 74 * q
            if s > r:
                r = s
            s = 226 * p + 121 * q
            if s > r:
                r = s
            s = 198 * p + 163 * q
            if s > r:
                r = s
            if r > best:
                best = r
                stronger = tone
            tone += 2
        best = best >> 8
        tones[stronger] += best
        tones[stronger + 1] += 1
        total += best
        k += 4
    return total


class CharacterReader:
    """Compares whole characters with all 256 values.

    Samples are an array("h") of at most +-2047, in which the stronger tone has an amplitude of 256 or less; a
    character at `start` (a float, in samples) must lie within them. likelihood: 512 bytes that it may use.
    """

    def __init__(self, likelihood):
        self._state = array("i", bytes(4 * _WORDS))
        self._sums = array("i", bytes(4 * 5 * _BITS))
        self._low = array("i", bytes(4 * 3 * 16))
        self._high = array("i", bytes(4 * 3 * 16))
        self._turned = array("i", bytes(4 * 2 * 16))
        self._tones = array("i", bytes(4 * 4))
        self._likelihood = likelihood

    def tune(
        self,
        mark_hz,
        space_hz,
        bit_samples,
        mark_amplitude,
        space_amplitude,
        noise_power,
        whole_samples=False,
    ):
        """What the modem sends: frequencies, samples a bit, the amplitude of either tone; and the noise's power.

        whole_samples: bits change at whole samples only.
        """
        state = self._state
        self._bit_samples = bit_samples
        self._mark_power = mark_amplitude * mark_amplitude / 2
        self._strongest = max(mark_amplitude, space_amplitude)
        state[_BIT_SAMPLES] = round(256 * bit_samples)
        state[_MARK_STEP] = round(_TURN * mark_hz / _SAMPLE_HZ)
        state[_SPACE_EXCESS] = round(_TURN * (space_hz - mark_hz) / _SAMPLE_HZ)
        state[_WHOLE_SAMPLES] = 1 if whole_samples else 0
        strongest = max(mark_amplitude, space_amplitude)
        state[_MARK_WEIGHT] = round(256 * mark_amplitude / strongest)
        state[_SPACE_WEIGHT] = round(256 * space_amplitude / strongest)
        # Half the energy of each template, in units of the likelihood: sums are shifted by 6 and 4, of a sine of 256.
        state[_SPACE_ENERGY] = round(
            (space_amplitude**2 - mark_amplitude**2) * bit_samples / 4 / strongest * 256 / 1024
        )
        state[_COST] = min(0x7FFF, round(256 * NAT * strongest * 4 / noise_power))
        state[_WINDOW] = (MOST_COST << 8) // (state[_COST] + 1) + 1

    def fit(self, samples, start):
        """(how well the likeliest value fits, the energy of what it leaves, in how many samples)."""
        fit = self._compare(samples, start, 0)
        first = int(start + 0.99)
        count = int(_BITS * self._bit_samples)
        # A unit of the likelihood is four times the stronger amplitude; half of what mark bits take is not in it.
        left = energy(samples, first, count) - 8 * self._strongest * fit + count * self._mark_power
        return fit, left, count

    def alternatives(self, samples, start, values, costs, at):
        """Writes the ALTERNATIVES likeliest values into values[at:] and their costs, from 0, into costs[at:]."""
        most = self._compare(samples, start, self._state[_WINDOW])
        _pick(self._state, self._likelihood, values, costs, at, most)

    def strength(self, samples, start):
        """How much of the tones is in the ten bits, each alone: the most where the bits are in their places."""
        self._state[_START] = round(256 * start)
        _correlate(self._state, samples, SINE, self._sums)
        return _strength(self._sums, self._tones)

    def twist(self, samples, starts):
        """Space over mark, as a ratio of amplitudes, in the characters that begin at `starts`; None if one is missing.

        samples(start) reads the samples of a character and answers where in them it starts.
        """
        tones = self._tones
        for k in range(4):
            tones[k] = 0
        for start in starts:
            self.strength(*samples(start))
        if not (tones[1] and tones[3] and tones[0]):
            return None
        return tones[2] / tones[3] / (tones[0] / tones[1])

    def _compare(self, samples, start, window):
        state = self._state
        sums = self._sums
        low = self._low
        high = self._high
        state[_START] = round(256 * start)
        _correlate(state, samples, SINE, sums)
        _weigh(state, sums)
        low[0] = sums[2]
        low[1] = sums[3]
        low[32] = sums[40]
        high[0] = 0
        high[1] = 0
        high[32] = 0
        _half(sums, SINE, 1, low)
        _half(sums, SINE, 5, high)
        _end(sums, SINE, high)
        return _combine(state, low, high, self._turned, SINE, _SPACES_AND_VALUES, self._likelihood, window)
