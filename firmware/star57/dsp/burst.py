"""The last 0.9 s of what the FSK receiver heard, kept to be read again, and where mark ended in it."""

from array import array

from micropython import const

_BLOCK = const(32)  # samples that share a scale
_BLOCKS = const(224)
_KEPT = const(7168)  # 0.896 s: 100 bytes and the mark before them, or 33 with 20 bits of mark between any two
_BLOCK_BYTES = const(24)  # 6 bits a sample, four samples in three bytes

# The words of the state.
_HEARD = const(0)  # samples since reset
_KEPT_FROM = const(1)  # of those, the first and the last of the newest run without a gap
_KEPT_TO = const(2)
_ROOM_TO = const(3)  # what comes later has no room while something is held
_NEXT = const(4)  # block of the ring
_STATE_WORDS = const(5)

_WITHOUT_END = const(0x3FFFFFFF)


@micropython.viper
def _keep(passed: ptr16, ring: ptr8, state: ptr32, scales: ptr8, first: int, count: int):
    """Whole blocks, each shifted to 6 bits as its peak needs: 32 dB of SNR at least for the strongest tone in it.

    A burst that is read a second time has some 10 dB: what 2 bits more would tell of it is not worth their memory.

    Four samples a turn: a loop's turn costs as much as two of them.
    """
    heard = int(state[_HEARD])
    state[_HEARD] = heard + count
    if heard + count > int(state[_ROOM_TO]):
        return
    left = heard - int(state[_KEPT_TO])
    if left >= _BLOCK:
        # There is a gap.
        left = 0
        state[_KEPT_FROM] = heard
        state[_KEPT_TO] = heard
    passed = ptr16(int(passed) + ((first - left) << 1))
    ring_start = int(ring)
    blocks = (left + count) >> 5
    while blocks:
        end = int(passed) + (_BLOCK << 1)
        peak = 0
        while int(passed) < end:
            x = int(passed[0]) - 32768
            peak = (x ^ (x >> 31)) | peak
            x = int(passed[1]) - 32768
            peak = (x ^ (x >> 31)) | peak
            x = int(passed[2]) - 32768
            peak = (x ^ (x >> 31)) | peak
            x = int(passed[3]) - 32768
            peak = (x ^ (x >> 31)) | peak
            passed = ptr16(int(passed) + 8)
        scale = 0
        while peak >> scale > 31:
            scale += 1
        block = int(state[_NEXT])
        scales[block] = scale
        ring = ptr8(ring_start + block * _BLOCK_BYTES)
        passed = ptr16(int(passed) - (_BLOCK << 1))
        while int(passed) < end:
            x = int(passed[1]) >> scale
            ring[0] = ((int(passed[0]) >> scale) & 63) | (x << 6)
            y = int(passed[2]) >> scale
            ring[1] = ((x >> 2) & 15) | (y << 4)
            ring[2] = ((y >> 4) & 3) | ((int(passed[3]) >> scale) << 2)
            passed = ptr16(int(passed) + 8)
            ring = ptr8(int(ring) + 3)
        block += 1
        state[_NEXT] = block if block < _BLOCKS else 0
        state[_KEPT_TO] = int(state[_KEPT_TO]) + _BLOCK
        blocks -= 1


@micropython.viper
def _read(out: ptr16, ring: ptr8, state: ptr32, scales: ptr8, start: int, count: int):
    kept_to = int(state[_KEPT_TO])
    oldest = int(state[_KEPT_FROM])
    if oldest < kept_to - _KEPT:
        oldest = kept_to - _KEPT
    ring_start = int(ring)
    end = start + count
    while start < end:
        if start < oldest or start >= kept_to:
            out[0] = 0
            out = ptr16(int(out) + 2)
            start += 1
        else:
            place = (int(state[_NEXT]) << 5) + start - kept_to
            if place < 0:
                place += _KEPT
            run = _BLOCK - (place & (_BLOCK - 1))
            if run > end - start:
                run = end - start
            start += run
            scale = int(scales[place >> 5])
            turn = 32 - (32768 >> scale)
            # Six bits are the low end of the sample + 32768, shifted, and stand for the middle of what it can be.
            middle = ((1 << scale) >> 1) - (32 << scale)
            ring = ptr8(ring_start + (place >> 2) * 3)
            four = (int(ring[0]) | (int(ring[1]) << 8) | (int(ring[2]) << 16)) >> ((place & 3) * 6)
            if place & 3:
                ring = ptr8(int(ring) + 3)
            while run:
                if place & 3 == 0:
                    four = int(ring[0]) | (int(ring[1]) << 8) | (int(ring[2]) << 16)
                    ring = ptr8(int(ring) + 3)
                out[0] = (((four + turn) & 63) << scale) + middle
                out = ptr16(int(out) + 2)
                run -= 1
                place += 1
                four >>= 6


class BurstRecorder:
    """Keeps what an FskReceiver has heard, behind its high-pass.

    mark_ended: value of `heard` where the newest run of mark ended, or -1; some 3 ms late
    ahead: an array of one word, for the receiver: how many of the samples kept it has yet to look at
    """

    def __init__(self):
        self._ring = bytearray(_BLOCKS * _BLOCK_BYTES)
        self._scales = bytearray(_BLOCKS)
        self._state = array("i", bytes(4 * _STATE_WORDS))
        self.ahead = array("i", (0,))
        self.reset()

    def reset(self):
        """As new."""
        for i in range(_STATE_WORDS):
            self._state[i] = 0
        self.mark_ended = -1
        self.ahead[0] = 0
        self.release()

    def hold(self, start):
        """From now on no sample from the `start`-th on is given up for a new one: what has no room is lost."""
        self._state[_ROOM_TO] = start + _KEPT

    def release(self):
        """Nothing is held any more."""
        self._state[_ROOM_TO] = _WITHOUT_END

    def keep(self, passed, first, count):
        """`count` samples, each 32768 above its value, from passed[first] on; before it stand the 31 that came before.

        They are kept in blocks of 32: what does not fill one is kept with the next samples.
        """
        _keep(passed, self._ring, self._state, self._scales, first, count)

    @property
    def heard(self):
        """Samples since reset, as far as the receiver has looked at them."""
        return self._state[_HEARD] - self.ahead[0]

    @property
    def kept_to(self):
        """Value of `heard` up to which samples are kept; less while there is no room for more."""
        return self._state[_KEPT_TO]

    @property
    def oldest(self):
        """The first sample, counted as `heard` counts, that is still kept."""
        return max(self._state[_KEPT_FROM], self.kept_to - _KEPT)

    def read(self, start, out, count):
        """Writes `count` samples from the `start`-th on into `out`, an array("h"). Those that are not kept are 0."""
        _read(out, self._ring, self._state, self._scales, start, count)
