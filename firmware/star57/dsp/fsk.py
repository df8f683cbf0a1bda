"""FSK receiver for caller ID: Bell 202 and ITU-T V.23 at 1200 baud, 8 kHz samples.

A high-pass; two quadrature correlators, which look only where something is to be decided; a slicer that knows the power
of either tone; a start-stop clock. See TIA-777 (level, twist, hum) and EN 300 659-2 for what it has to withstand.
"""

import math
from array import array

from micropython import const

WINDOW = const(9)  # samples that a correlator takes in

_SAMPLE_HZ = const(8000)
_PEAK_0_DBM0 = const(22748)  # ITU-T G.711: a sine of peak 32767 is +3.17 dBm0
_CHUNK = const(160)
_HISTORY = const(32)  # samples before a chunk: for its first looks, and for the recorder's blocks
_COEFFICIENT_ONE = const(2048)
_CORRELATION_SHIFT = const(13)

# Samples from one look to the next.
_HOP_WITHOUT_CARRIER = const(8)
_HOP_BETWEEN_CHARACTERS = const(2)

# Each look is a vote for the stronger tone, whatever the twist. The votes for mark, smoothed over 64 samples, lie
# between 0 and _ALL. Mark leads while it has 80 % of them, and has ended when it has less than 75 %: some 3 ms late.
_ALL = const(32768)
_LEADS = const(26214)
_LEADS_NO_MORE = const(24576)
# 55 bits of mark are the fewest that announce a message (SIN 227): 367 samples, of which smoothing takes a few more
# than it adds. Between two bytes there may be 29 (20 of GR-30, and ones of the byte), which are 193 samples.
_SHORTEST_RUN = const(240)
_LONGEST_RUN = const(131072)  # 16 s; times the most bits a sample, 0.2 in 16.16, it stays below 2^31

_STOP_BIT = const(10)  # its number in a character, from 1 on
_MARK_BIT = const(512)  # start bit, eight data bits, stop bit: the newest comes in here and moves right
_HALF_SAMPLE = const(32768)

_CARRIER_ON = const(1)
_CARRIER_OFF = const(2)
_CHARACTER = const(3)

# The state that the viper loops share, one 32-bit word each. ptr32 reads are signed on the target and unsigned on a
# 64-bit port: a word that may be negative is kept with _ZERO added, and so are the taps.
_ZERO = const(0x20000000)
_COUNT = const(0)  # samples in this chunk
_SLOW_MEAN = const(1)  # of the high-pass, Q8
_FAST_MEAN = const(2)  # likewise, + _ZERO
_PLACE = const(3)  # of the next look, from the start of the history
_HOP = const(4)  # samples from the look before
_LEVEL = const(5)  # power of both tones over 2 ms
_LEVEL_ON = const(6)
_LEVEL_OFF = const(7)
_CARRIER = const(8)
_LEAD = const(9)  # votes for mark
_RUN = const(10)  # samples for which mark has led
_RUN_ENDED = const(11)  # samples since a run of mark ended, within this chunk; 0 if none did
_WHOLE_MARK = const(12)  # power of a whole mark bit
_WHOLE_SPACE = const(13)
_DECISION = const(14)  # of the look before: mark above zero, space below; + _ZERO
_BIT_SAMPLES = const(15)  # 16.16
_BITS_A_SAMPLE = const(16)  # 16.16
_BIT = const(17)  # of a character, from 1 on; 0 between characters
_REST = const(18)  # samples until the middle of that bit, 16.16; 0 between characters
_BITS = const(19)  # of the character so far
_WEAKEST = const(20)  # decision among them, without its sign
_CONFIDENCE = const(21)  # the same, 255 being a whole bit's
_IDLE = const(22)  # samples of mark since the last stop bit
_MARKS_BEFORE = const(23)  # the last character, in bits
_FEWEST_MARKS = const(24)  # before a character, in bits, for it to be told
_STATE_WORDS = const(25)


@micropython.viper
def _high_pass(samples: ptr16, passed: ptr16, state: ptr32, start: int, count: int):
    """Two one-pole high-passes, 170 and 370 Hz: mains hum may be 18 dB above the signal (TIA-777).

    Writes halves of samples, +32768, so that they can be read without a sign, behind what is left of the chunk before.
    The magnitudes of the impulse response sum to 1.51: no half exceeds 24750.
    """
    last = int(state[_COUNT])
    end = int(passed) + (_HISTORY << 1)
    while int(passed) < end:
        passed[0] = passed[last]
        passed = ptr16(int(passed) + 2)
    state[_PLACE] = int(state[_PLACE]) - last
    state[_COUNT] = count
    state[_RUN_ENDED] = 0
    slow = int(state[_SLOW_MEAN])
    fast = int(state[_FAST_MEAN]) - _ZERO
    samples = ptr16(int(samples) + (start << 1))
    end = int(samples) + (count << 1)
    # A mean stays within its input: 0 <= slow < 2^24, then |x| < 2^24 and |fast| < 2^24. Of x are left 7/8 behind the
    # first and 3/4 behind the second, 21/32: 2^25 * 21 < 2^30. Four samples a turn of the loop, for a turn costs as
    # much as a sample.
    while int(samples) < end - 6:
        x = ((int(samples[0]) ^ 0x8000) << 8) - slow
        slow += x >> 3
        x -= fast
        fast += x >> 2
        passed[0] = ((x * 21) >> 14) + 32768
        x = ((int(samples[1]) ^ 0x8000) << 8) - slow
        slow += x >> 3
        x -= fast
        fast += x >> 2
        passed[1] = ((x * 21) >> 14) + 32768
        x = ((int(samples[2]) ^ 0x8000) << 8) - slow
        slow += x >> 3
        x -= fast
        fast += x >> 2
        passed[2] = ((x * 21) >> 14) + 32768
        x = ((int(samples[3]) ^ 0x8000) << 8) - slow
        slow += x >> 3
        x -= fast
        fast += x >> 2
        passed[3] = ((x * 21) >> 14) + 32768
        samples = ptr16(int(samples) + 8)
        passed = ptr16(int(passed) + 8)
    while int(samples) < end:
        x = ((int(samples[0]) ^ 0x8000) << 8) - slow
        slow += x >> 3
        x -= fast
        fast += x >> 2
        passed[0] = ((x * 21) >> 14) + 32768
        samples = ptr16(int(samples) + 2)
        passed = ptr16(int(passed) + 2)
    state[_SLOW_MEAN] = slow
    state[_FAST_MEAN] = fast + _ZERO


@micropython.viper
def _look(window: ptr16, state: ptr32, taps: ptr32, ahead: ptr32) -> int:
    """Looks on from where the last look was, to the next event, which it answers, or the end of the chunk: 0.

    Writes how many samples of the chunk are still ahead.

    A look takes the power of either tone in a window of one bit. Without a carrier there is one every 8 samples,
    between characters one every 2, in a character one in the middle of each bit. It counts for the time since the last.

    The decision is m - s - 3/16 (M - S), m and s being the powers now, M and S those of a whole bit: zero in the middle
    of a transition, whatever the twist. Behind the high-pass no power exceeds 0.55 * 2^29: a decision stays below
    0.66 * 2^29, the difference of two below 2^30.
    """
    c0 = int(taps[0]) - _ZERO
    mark_c1 = int(taps[1]) - _ZERO
    mark_c2 = int(taps[2]) - _ZERO
    mark_c3 = int(taps[3]) - _ZERO
    mark_c4 = int(taps[4]) - _ZERO
    mark_s1 = int(taps[5]) - _ZERO
    mark_s2 = int(taps[6]) - _ZERO
    mark_s3 = int(taps[7]) - _ZERO
    mark_s4 = int(taps[8]) - _ZERO
    mark_bias = int(taps[9]) - _ZERO
    space_c1 = int(taps[11]) - _ZERO
    space_c2 = int(taps[12]) - _ZERO
    space_c3 = int(taps[13]) - _ZERO
    space_c4 = int(taps[14]) - _ZERO
    space_s1 = int(taps[15]) - _ZERO
    space_s2 = int(taps[16]) - _ZERO
    space_s3 = int(taps[17]) - _ZERO
    space_s4 = int(taps[18]) - _ZERO
    space_bias = int(taps[19]) - _ZERO
    hop = int(state[_HOP])
    level = int(state[_LEVEL])
    lead = int(state[_LEAD])
    run = int(state[_RUN])
    whole_mark = int(state[_WHOLE_MARK])
    whole_space = int(state[_WHOLE_SPACE])
    decision = int(state[_DECISION]) - _ZERO
    bit = int(state[_BIT])
    rest = int(state[_REST])
    bits = int(state[_BITS])
    weakest = int(state[_WEAKEST])
    idle = int(state[_IDLE])
    start = int(window)
    end = start + ((_HISTORY + int(state[_COUNT]) - WINDOW + 1) << 1)
    window = ptr16(start + (int(state[_PLACE]) << 1))
    event = 0
    while int(window) < end:
        # As in `correlate`.
        centre = int(window[4]) * c0
        even1 = int(window[3]) + int(window[5])
        even2 = int(window[2]) + int(window[6])
        even3 = int(window[1]) + int(window[7])
        even4 = int(window[0]) + int(window[8])
        odd1 = int(window[5]) - int(window[3])
        odd2 = int(window[6]) - int(window[2])
        odd3 = int(window[7]) - int(window[1])
        odd4 = int(window[8]) - int(window[0])
        a = even1 * mark_c1 + even2 * mark_c2 + even3 * mark_c3 + even4 * mark_c4 + centre - mark_bias
        b = odd1 * mark_s1 + odd2 * mark_s2 + odd3 * mark_s3 + odd4 * mark_s4
        a = a >> _CORRELATION_SHIFT
        b = b >> _CORRELATION_SHIFT
        mark = a * a + b * b
        a = even1 * space_c1 + even2 * space_c2 + even3 * space_c3 + even4 * space_c4 + centre - space_bias
        b = odd1 * space_s1 + odd2 * space_s2 + odd3 * space_s3 + odd4 * space_s4
        a = a >> _CORRELATION_SHIFT
        b = b >> _CORRELATION_SHIFT
        space = a * a + b * b

        level += (((mark + space) >> 4) - (level >> 4)) * hop
        vote = _ALL if mark > space else 0
        lead += ((vote - lead) * hop) >> 6
        if lead > _LEADS:
            run += hop
        elif lead < _LEADS_NO_MORE:
            if run >= _SHORTEST_RUN:
                state[_RUN_ENDED] = (end - int(window)) >> 1
            run = 0

        if int(state[_CARRIER]) == 0:
            hop = _HOP_WITHOUT_CARRIER
            if level > int(state[_LEVEL_ON]):
                event = _CARRIER_ON
                hop = _HOP_BETWEEN_CHARACTERS
                # Only one tone has been heard: the other is taken to be 6 dB below it until it is.
                whole_mark = mark if vote else space >> 2
                whole_space = mark >> 2 if vote else space
                decision = 0
                bit = 0
                rest = 0
                idle = 0
        elif level < int(state[_LEVEL_OFF]):
            event = _CARRIER_OFF
            hop = _HOP_WITHOUT_CARRIER
        else:
            before = decision
            decision = mark - space - ((whole_mark - whole_space) >> 4) * 3
            if bit:
                rest -= hop << 16
            elif decision >= 0:
                idle += hop
            if decision < 0 and before >= 0 and bit < 2:
                # A start bit has begun: when, in 64ths of a hop, by a line through the last two decisions.
                bit = 1
                rest = (0 - decision) // (((before - decision) >> 6) + 1)
                rest = (int(state[_BIT_SAMPLES]) >> 1) - ((rest * hop) << 10)
            if rest < _HALF_SAMPLE:
                # The power of the tone just heard. That of the other is slowly forgotten, towards 6 dB below, and is
                # at most 12 dB above, so that a wrong one cannot last.
                if decision < 0:
                    whole_space += ((space >> 5) - (whole_space >> 5)) * hop
                    whole_mark += ((whole_space >> 12) - (whole_mark >> 10)) * hop
                    if whole_mark >> 4 > whole_space:
                        whole_mark = whole_space << 4
                else:
                    whole_mark += ((mark >> 5) - (whole_mark >> 5)) * hop
                    whole_space += ((whole_mark >> 12) - (whole_space >> 10)) * hop
                    if whole_space >> 4 > whole_mark:
                        whole_space = whole_mark << 4
                if bit:
                    # The middle of a bit.
                    margin = decision ^ (decision >> 31)
                    if bit == 1 or margin < weakest:
                        weakest = margin
                    bits = bits >> 1
                    if decision >= 0:
                        bits += _MARK_BIT
                    rest += int(state[_BIT_SAMPLES])
                    bit += 1
                    if bit > _STOP_BIT:
                        if (idle * int(state[_BITS_A_SAMPLE])) >> 16 >= int(state[_FEWEST_MARKS]):
                            event = _CHARACTER
                        else:
                            idle = 0
                    if bit > _STOP_BIT or (bit == 2 and decision >= 0):
                        # Between characters: this one is whole, or mark where its start bit should be.
                        bit = 0
                        rest = 0
            hop = _HOP_BETWEEN_CHARACTERS
            if bit:
                hop = (rest + _HALF_SAMPLE) >> 16
                if bit == 1 and hop > _HOP_BETWEEN_CHARACTERS:
                    hop = _HOP_BETWEEN_CHARACTERS
        window = ptr16(int(window) + (hop << 1))
        if event:
            break

    ahead[0] = ((end - int(window)) >> 1) + hop - 1 if event else 0
    if event == _CARRIER_ON:
        state[_CARRIER] = 1
    elif event == _CARRIER_OFF:
        state[_CARRIER] = 0
    elif event == _CHARACTER:
        confidence = weakest // (((whole_mark + whole_space) >> 9) + 1)
        state[_CONFIDENCE] = confidence if confidence < 255 else 255
        state[_MARKS_BEFORE] = (idle * int(state[_BITS_A_SAMPLE])) >> 16
        idle = 0
    state[_PLACE] = (int(window) - start) >> 1
    state[_HOP] = hop
    state[_LEVEL] = level
    state[_LEAD] = lead
    state[_RUN] = run if run < _LONGEST_RUN else _LONGEST_RUN
    state[_WHOLE_MARK] = whole_mark
    state[_WHOLE_SPACE] = whole_space
    state[_DECISION] = decision + _ZERO
    state[_BIT] = bit
    state[_REST] = rest
    state[_BITS] = bits
    state[_WEAKEST] = weakest
    state[_IDLE] = idle if idle < _LONGEST_RUN else _LONGEST_RUN
    return event


@micropython.viper
def correlate(passed: ptr16, mark: ptr16, space: ptr16, mark_taps: ptr32, space_taps: ptr32, count: int):
    """Magnitude of the correlation with either tone over one bit, for each of `count` windows from the first sample on.

    The +32768 of `passed` cancels in the sines' differences; the last tap takes it out of the cosines' sums. The taps'
    magnitudes sum to at most 7 * 2048, so that no sum exceeds 7 * 2048 * 65535 < 2^30. What is written is sqrt(a*a +
    b*b) within 3 %: the larger, or 7/8 of it and 1/2 of the smaller.
    """
    c0 = int(mark_taps[0]) - _ZERO
    mark_c1 = int(mark_taps[1]) - _ZERO
    mark_c2 = int(mark_taps[2]) - _ZERO
    mark_c3 = int(mark_taps[3]) - _ZERO
    mark_c4 = int(mark_taps[4]) - _ZERO
    mark_s1 = int(mark_taps[5]) - _ZERO
    mark_s2 = int(mark_taps[6]) - _ZERO
    mark_s3 = int(mark_taps[7]) - _ZERO
    mark_s4 = int(mark_taps[8]) - _ZERO
    mark_bias = int(mark_taps[9]) - _ZERO
    space_c1 = int(space_taps[1]) - _ZERO
    space_c2 = int(space_taps[2]) - _ZERO
    space_c3 = int(space_taps[3]) - _ZERO
    space_c4 = int(space_taps[4]) - _ZERO
    space_s1 = int(space_taps[5]) - _ZERO
    space_s2 = int(space_taps[6]) - _ZERO
    space_s3 = int(space_taps[7]) - _ZERO
    space_s4 = int(space_taps[8]) - _ZERO
    space_bias = int(space_taps[9]) - _ZERO
    end = int(passed) + (count << 1)
    while int(passed) < end:
        centre = int(passed[4]) * c0
        even1 = int(passed[3]) + int(passed[5])
        even2 = int(passed[2]) + int(passed[6])
        even3 = int(passed[1]) + int(passed[7])
        even4 = int(passed[0]) + int(passed[8])
        odd1 = int(passed[5]) - int(passed[3])
        odd2 = int(passed[6]) - int(passed[2])
        odd3 = int(passed[7]) - int(passed[1])
        odd4 = int(passed[8]) - int(passed[0])
        a = even1 * mark_c1 + even2 * mark_c2 + even3 * mark_c3 + even4 * mark_c4 + centre - mark_bias
        b = odd1 * mark_s1 + odd2 * mark_s2 + odd3 * mark_s3 + odd4 * mark_s4
        a = a >> _CORRELATION_SHIFT
        b = b >> _CORRELATION_SHIFT
        if a < 0:
            a = 0 - a
        if b < 0:
            b = 0 - b
        if a > b:
            b = a - (a >> 3) + (b >> 1)
            mark[0] = b if b > a else a
        else:
            a = b - (b >> 3) + (a >> 1)
            mark[0] = a if a > b else b
        a = even1 * space_c1 + even2 * space_c2 + even3 * space_c3 + even4 * space_c4 + centre - space_bias
        b = odd1 * space_s1 + odd2 * space_s2 + odd3 * space_s3 + odd4 * space_s4
        a = a >> _CORRELATION_SHIFT
        b = b >> _CORRELATION_SHIFT
        if a < 0:
            a = 0 - a
        if b < 0:
            b = 0 - b
        if a > b:
            b = a - (a >> 3) + (b >> 1)
            space[0] = b if b > a else a
        else:
            a = b - (b >> 3) + (a >> 1)
            space[0] = a if a > b else b
        passed = ptr16(int(passed) + 2)
        mark = ptr16(int(mark) + 2)
        space = ptr16(int(space) + 2)


@micropython.viper
def lift(samples: ptr16, count: int):
    """Makes samples of less than 2^15 what `correlate` takes."""
    end = int(samples) + (count << 1)
    while int(samples) < end:
        samples[0] = int(samples[0]) ^ 0x8000
        samples = ptr16(int(samples) + 2)


@micropython.viper
def shift_right(samples: ptr16, count: int, bits: int):
    """Divides by 2 to the power of `bits`, and clips to +-2047: a click may be far louder than a faint burst."""
    for i in range(count):
        x = int(samples[i])
        x -= (x & 0x8000) << 1
        x >>= bits
        if x > 2047:
            x = 2047
        elif x < -2047:
            x = -2047
        samples[i] = x


def taps(tone_hz, bit_samples):
    """Cosine and sine taps of one tone, folded about the middle, and what cancels the +32768 of the samples.

    The window has soft edges and is a little wider than a bit, but weighs as much as one. Hard edges around one bit
    stand 1 dB less noise with Bell 202, 2 dB less with V.23.
    """
    weights = [max(0, min(1, (bit_samples / 2 + 1.4 - k) / 2)) for k in range(WINDOW // 2 + 1)]
    one = _COEFFICIENT_ONE * bit_samples / (2 * sum(weights) - 1)
    cosine = []
    sine = []
    for k in range(WINDOW // 2 + 1):
        angle = 2 * math.pi * tone_hz * k / _SAMPLE_HZ
        cosine.append(round(one * weights[k] * math.cos(angle)))
        sine.append(round(one * weights[k] * math.sin(angle)))
    bias = 32768 * (2 * sum(cosine) - cosine[0])
    return array("i", [tap + _ZERO for tap in cosine + sine[1:] + [bias]])


def gain(hz):
    """What `_high_pass` leaves of a tone, as a ratio."""
    angle = 2 * math.pi * hz / _SAMPLE_HZ
    power = 1 / 4
    for share in (1 / 8, 1 / 4):
        rest = 1 - share
        power *= rest * rest * (2 - 2 * math.cos(angle)) / (1 + rest * rest - 2 * rest * math.cos(angle))
    return math.sqrt(power)


def _level(dbm0, bit_samples):
    """The power that a tone of `dbm0` reads: half its peak, halved, over a bit, divided by 4, and squared."""
    return round((_PEAK_0_DBM0 * 10 ** (dbm0 / 20) / 2 / 2 * bit_samples / 4) ** 2)


class FskReceiver:
    """Asynchronous FSK, 8 data bits, from 8 kHz samples.

    sink.carrier(present)           1 when a carrier appears, 0 when it drops
    sink.marks(bits)                1..26214 bits of mark stood before the byte that is told next
    sink.byte(value, confidence)    0..255 each; the confidence is that of the least certain of its ten bits
    sink.framing_error()            its stop bit was not mark: the byte is lost

    The last two may answer how many bits of mark have to stand before the next character for it to be told. Each takes
    0.1 ms on an RP2040 to be told, and a seizure, a dial tone or speech is full of what looks like characters.

    `recorder`, a BurstRecorder, keeps what is heard, and where a run of mark ended.

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
        self._ahead = array("i", (0,)) if recorder is None else recorder.ahead
        self._keep = None if recorder is None else recorder.keep
        self._taps = taps(mark_hz, bit_samples) + taps(space_hz, bit_samples)
        self._passed = array("H", bytes(2 * (_HISTORY + _CHUNK)))
        self._state = array("i", bytes(4 * _STATE_WORDS))
        self._state[_BIT_SAMPLES] = round(65536 * bit_samples)
        self._state[_BITS_A_SAMPLE] = round(65536 / bit_samples)
        self._state[_LEVEL_ON] = _level(carrier_on_dbm0, bit_samples)
        self._state[_LEVEL_OFF] = _level(carrier_off_dbm0, bit_samples)
        self.reset()

    def reset(self):
        """As new."""
        state = self._state
        state[_COUNT] = 0
        state[_SLOW_MEAN] = 32768 << 8
        state[_FAST_MEAN] = _ZERO
        state[_PLACE] = _HISTORY - WINDOW + 1
        state[_HOP] = _HOP_WITHOUT_CARRIER
        state[_LEVEL] = 0
        state[_CARRIER] = 0
        state[_FEWEST_MARKS] = 0
        state[_LEAD] = 0
        state[_RUN] = 0
        state[_DECISION] = _ZERO
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
        passed = self._passed
        state = self._state
        recorder = self._recorder
        start = 0
        while start < n:
            count = n - start
            if count > _CHUNK:
                count = _CHUNK
            _high_pass(samples, passed, state, start, count)
            if recorder is not None:
                self._keep(passed, _HISTORY, count)
            while True:
                event = _look(passed, state, self._taps, self._ahead)
                if event == 0:
                    break
                self._tell(event)
            if state[_RUN_ENDED] and recorder is not None:
                recorder.mark_ended = recorder.heard - state[_RUN_ENDED]
            start += count

    def _tell(self, event):
        sink = self._sink
        state = self._state
        if event != _CHARACTER:
            state[_FEWEST_MARKS] = 0
            sink.carrier(1 if event == _CARRIER_ON else 0)
            return
        if state[_MARKS_BEFORE]:
            sink.marks(state[_MARKS_BEFORE])
        bits = state[_BITS]
        is_whole = bits & _MARK_BIT
        fewest_marks = sink.byte((bits >> 1) & 255, state[_CONFIDENCE]) if is_whole else sink.framing_error()
        state[_FEWEST_MARKS] = fewest_marks or 0
