"""FSK sender for caller ID, phase continuous: the mirror of the receiver, for self-tests and loop-back."""

import math
from array import array

_SAMPLE_HZ = const(8000)
_PEAK_0_DBM0 = const(22748)  # ITU-T G.711: a sine of peak 32767 is +3.17 dBm0
_SINE = array("h", [round(32767 * math.sin(2 * math.pi * k / 512)) for k in range(512)])

# The state that the viper loop shares; no word is ever negative.
_POSITION = const(0)  # in the buffer
_END = const(1)
_PHASE = const(2)  # of the tone: 2^24 is one cycle
_TONE_STEP = const(3)
_PEAK = const(4)
_BIT_PHASE = const(5)  # 16.16: a bit ends when it reaches 1
_BIT_STEP = const(6)
_STATE_WORDS = const(7)


@micropython.viper
def _render(state: ptr32, buffer: ptr16, sine: ptr16):
    """Writes samples to the end of the bit or of the buffer. |sine * peak| < 2^15 * 2^15 = 2^30."""
    i = int(state[_POSITION])
    end = int(state[_END])
    phase = int(state[_PHASE])
    tone_step = int(state[_TONE_STEP])
    peak = int(state[_PEAK])
    bit_phase = int(state[_BIT_PHASE])
    bit_step = int(state[_BIT_STEP])
    while i < end and bit_phase < 65536:
        x = int(sine[phase >> 15])
        x -= (x & 0x8000) << 1
        buffer[i] = (x * peak + 16384) >> 15
        phase += tone_step
        phase -= (phase >> 24) << 24
        bit_phase += bit_step
        i += 1
    state[_POSITION] = i
    state[_PHASE] = phase
    state[_BIT_PHASE] = bit_phase


def _peak(dbm0):
    return min(32767, round(_PEAK_0_DBM0 * 10 ** (dbm0 / 20)))


class FskModulator:
    """Sends bytes as asynchronous FSK, 1 start, 8 data, 1 stop bit, least significant bit first.

    `mark_dbm0` and `space_dbm0` are the levels of the two tones, up to +3.17; GR-30 has both at -13.5.
    """

    def __init__(self, mark_hz=1200, space_hz=2200, baud=1200, mark_dbm0=-13.5, space_dbm0=-13.5):
        self._tone_steps = (round(space_hz * 16777216 / _SAMPLE_HZ), round(mark_hz * 16777216 / _SAMPLE_HZ))
        self._peaks = (_peak(space_dbm0), _peak(mark_dbm0))
        self._state = array("i", bytes(4 * _STATE_WORDS))
        self._state[_BIT_STEP] = round(65536 * baud / _SAMPLE_HZ)
        self._data = b""
        self._bits = self._sent = 0

    def start(self, data, seizure_bits=300, mark_bits=180, between_bits=0, after_bits=10):
        """Sends `data` after `seizure_bits` alternating bits and `mark_bits` of mark.

        `between_bits` of mark come between bytes, up to 20 (GR-30), and `after_bits` after the last.
        """
        self._data = data
        self._lead_bits = seizure_bits + mark_bits
        self._seizure_bits = seizure_bits
        self._byte_bits = 10 + between_bits
        self._bits = self._lead_bits + len(data) * self._byte_bits + after_bits
        self._sent = 0
        self._state[_PHASE] = 0
        self._state[_BIT_PHASE] = 65536

    @property
    def done(self):
        """All has been sent."""
        return self._sent == self._bits and self._state[_BIT_PHASE] >= 65536

    def fill(self, buffer, n):
        """Writes the next samples to `buffer`, an array("h"), `n` at most; answers how many."""
        state = self._state
        state[_POSITION] = 0
        state[_END] = n
        while not self.done and state[_POSITION] < n:
            if state[_BIT_PHASE] >= 65536:
                self._next_bit()
            _render(state, buffer, _SINE)
        return state[_POSITION]

    def _next_bit(self):
        state = self._state
        bit = self._bit(self._sent)
        self._sent += 1
        tone_step = self._tone_steps[bit]
        state[_BIT_PHASE] -= 65536
        # The last sample ran on into this bit: what it ran over belongs to the new tone.
        over = state[_BIT_PHASE] * 256 // state[_BIT_STEP]
        if self._sent > 1:
            state[_PHASE] = (state[_PHASE] + ((tone_step - state[_TONE_STEP]) * over >> 8)) & 0xFFFFFF
        state[_TONE_STEP] = tone_step
        state[_PEAK] = self._peaks[bit]

    def _bit(self, number):
        if number < self._seizure_bits:
            return number & 1
        if number < self._lead_bits:
            return 1
        byte = (number - self._lead_bits) // self._byte_bits
        place = (number - self._lead_bits) % self._byte_bits
        if byte >= len(self._data) or place > 8:
            return 1
        return 0 if place == 0 else self._data[byte] >> (place - 1) & 1
