"""The last second of what the FSK receiver heard, kept to be read again, and where mark ended in it."""

from array import array

from micropython import const

_KEPT = const(8192)  # 1.024 s: 100 bytes and the mark before them, or 34 with 20 bits of mark between any two
_BIAS = const(132)
_CLIP = const(32635)

# The words of the state.
_NEXT = const(0)  # place in the ring
_LEAD = const(1)  # votes for mark less those for space, smoothed over 8 ms; may be negative
_RUN = const(2)  # samples for which mark has led
_ENDED = const(3)  # samples since a run of mark ended, within this chunk; 0 if none did
_STATE_WORDS = const(4)

# 55 bits of mark are the fewest that announce a message (SIN 227): 367 samples, of which smoothing takes a few more
# than it adds. Between two bytes there may be 29 (20 of GR-30, and ones of the byte), which are 193 samples.
_SHORTEST_RUN = const(240)


def _expansion():
    table = array("h", bytes(512))
    for code in range(128):
        magnitude = (((code & 15) << 3) + _BIAS << (code >> 4)) - _BIAS
        table[code] = magnitude
        table[code + 128] = 0 - magnitude
    return table


_EXPANDED = _expansion()


@micropython.viper
def _keep(state: ptr32, passed: ptr16, ring: ptr8, count: int):
    """Companded to 8 bits as in ITU-T G.711 (mu-law, not inverted): 38 dB of SNR at any level."""
    place = int(state[_NEXT])
    for i in range(count):
        x = int(passed[i]) - 32768
        code = 0
        if x < 0:
            x = 0 - x
            code = 128
        x += _BIAS
        if x > _CLIP:
            x = _CLIP
        segment = 0
        if x >= 4096:
            segment = 5
        elif x >= 1024:
            segment = 3
        elif x >= 256:
            segment = 1
        while (x >> segment) >= 256:
            segment += 1
        ring[place] = code + (segment << 4) + ((x >> (segment + 3)) & 15)
        place += 1
        if place == _KEPT:
            place = 0
    state[_NEXT] = place


@micropython.viper
def _watch(state: ptr32, mark: ptr16, space: ptr16, count: int):
    """Each sample has a vote, whichever tone is the stronger, whatever the twist.

    Smoothed over 64 samples the votes are within +-2^14. Mark leads while they are above 0.6 of that, and has ended
    when they are below 0.5: some 5 ms late.
    """
    lead = int(state[_LEAD])
    lead -= (lead & 0x20000000) << 3
    run = int(state[_RUN])
    ended = 0
    for i in range(count):
        m = int(mark[i])
        s = int(space[i])
        lead -= lead >> 6
        if m > s:
            lead += 256
        elif m < s:
            lead -= 256
        if lead > 9830:
            run += 1
        elif lead < 8192:
            if run >= _SHORTEST_RUN:
                ended = count - i
            run = 0
    state[_LEAD] = lead
    state[_RUN] = run if run < 0x10000000 else 0x10000000
    state[_ENDED] = ended


@micropython.viper
def _expand(ring: ptr8, place: int, table: ptr16, out: ptr16, first: int, end: int):
    for i in range(first, end):
        out[i] = table[int(ring[place])]
        place += 1
        if place == _KEPT:
            place = 0


class BurstRecorder:
    """Keeps what an FskReceiver has heard, behind its high-pass.

    heard: samples since reset
    kept_to: value of `heard` up to which samples are kept; less while there is no room for more
    mark_ended: value of `heard` where the newest run of mark ended, or -1; some 5 ms late
    """

    def __init__(self):
        self._ring = bytearray(_KEPT)
        self._state = array("i", bytes(4 * _STATE_WORDS))
        self.reset()

    def reset(self):
        """As new."""
        for i in range(_STATE_WORDS):
            self._state[i] = 0
        self.heard = 0
        self.kept_to = 0
        self.mark_ended = -1
        self._kept_from = 0
        self.release()

    def hold(self, start):
        """From now on no sample from the `start`-th on is given up for a new one, which is lost without room."""
        self._held = start

    def release(self):
        """Nothing is held any more."""
        self._held = -1

    def keep(self, passed, mark, space, count):
        """`count` samples, each 32768 above its value, with the magnitudes of the two tones."""
        if self._held < 0 or self.heard + count <= self._held + _KEPT:
            if self.kept_to != self.heard:
                self._kept_from = self.heard
            _keep(self._state, passed, self._ring, count)
            self.kept_to = self.heard + count
        _watch(self._state, mark, space, count)
        self.heard += count
        if self._state[_ENDED]:
            self.mark_ended = self.heard - self._state[_ENDED]

    @property
    def oldest(self):
        """The first sample, counted as `heard` counts, that is still kept."""
        return max(self._kept_from, self.kept_to - _KEPT)

    def read(self, start, out, count):
        """Writes `count` samples from the `start`-th on into `out`, an array("h"). Those that are not kept are 0."""
        first = max(0, min(count, self.oldest - start))
        end = max(first, min(count, self.kept_to - start))
        for i in range(first):
            out[i] = 0
        for i in range(end, count):
            out[i] = 0
        place = (self._state[_NEXT] - (self.kept_to - start - first)) % _KEPT
        _expand(self._ring, place, _EXPANDED, out, first, end)
