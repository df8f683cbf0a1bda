"""Stutter dial tone: at the next off-hook, the household hears that something waits to be told.

The phone stays on the exchange. Bursts are added to the exchange's own dial tone, through the coupling that the board
has for them, and give way at once to whatever may be a digit: they are no reason to dial later, or again.
"""

from array import array

import micropython
from micropython import const

from star57.sound.player import Signal

# The pair has been quiet for so long before the bursts begin, or go on: a handset that is lifted rattles. Digits of one
# number follow each other more closely (Q.24 takes 50 ms of tone and as much pause), so none is met by a burst.
_QUIET_SAMPLES = const(8 * 200)
# Ten bursts are 2 s; then they are over, also where the pair was never quiet.
_LONGEST_SAMPLES = const(8 * 2500)

_SUB_BLOCK = const(40)  # 5 ms
# -33 dBm0 behind the filter, which is a key's tones at -25 dBm0 each (Q.24): the energy of a sub-block, see `_is_loud`.
_LOUD = const(5062)
# Six samples of before, lifted: a word is read without its sign where integers have 64 bits.
_ZERO = const(8192)
_ENERGY = const(6)
_COUNT = const(7)


@micropython.viper
def _is_loud(state: ptr32, samples: ptr16, n: int) -> int:
    """1 if any 5 ms that end in these samples hold more than dial tone.

    Zeros at 352 and 442 Hz and two at 4 kHz: what dial tones of all countries are made of, 330 to 450 Hz, comes out
    66 dB down or more, 60 dB down 5 % beside that, and so do the bursts; DTMF's high tones by 7 dB at most.

    Coefficients are Q10, samples quarters: the coefficients' magnitudes sum to 11489, so that sums stay below 2^27, an
    output below 2^15, its square over 2^6 below 2^24, and 40 of them below 2^30.
    """
    loud = 0
    x1 = int(state[0]) - _ZERO
    x2 = int(state[1]) - _ZERO
    x3 = int(state[2]) - _ZERO
    x4 = int(state[3]) - _ZERO
    x5 = int(state[4]) - _ZERO
    x6 = int(state[5]) - _ZERO
    energy = int(state[_ENERGY])
    count = int(state[_COUNT])
    for i in range(n):
        x = int(samples[i])
        if x & 0x8000:
            x -= 65536
        x >>= 2
        y = ((x + x6) << 10) - (x1 + x5) * 1848 - (x2 + x4) * 1015 + x3 * 3715
        y >>= 12
        energy += y * y >> 6
        x6 = x5
        x5 = x4
        x4 = x3
        x3 = x2
        x2 = x1
        x1 = x
        count += 1
        if count == _SUB_BLOCK:
            if energy > _LOUD:
                loud = 1
            energy = 0
            count = 0
    state[0] = x1 + _ZERO
    state[1] = x2 + _ZERO
    state[2] = x3 + _ZERO
    state[3] = x4 + _ZERO
    state[4] = x5 + _ZERO
    state[5] = x6 + _ZERO
    state[_ENERGY] = energy
    state[_COUNT] = count
    return loud


class Stutter:
    """The bursts of one off-hook, played by `player`, which must have nothing else to play while they may come."""

    def __init__(self, player):
        self._player = player
        self._line = array("i", (_ZERO,) * 6 + (0, 0))
        self._left = 0
        self._quiet = 0
        self._plays = False

    @property
    def sounding(self):
        """Whether what the player gives out is to be heard on the pair."""
        return self._plays and not self._player.idle

    def begin(self):
        """The phone was lifted: the bursts may come as soon as the pair is quiet."""
        self._left = _LONGEST_SAMPLES
        self._quiet = 0

    def end(self):
        """The household dials, or has hung up: no more of them. Allocates nothing."""
        self._left = 0
        self._fall_silent()

    def hear(self, samples, n):
        """What the pair carries, before the player is asked for its next samples. Allocates nothing."""
        if not self._left:
            return
        self._left = max(0, self._left - n)
        self._quiet += n
        if _is_loud(self._line, samples, n):
            self._quiet = 0
            self._fall_silent()
        elif not self._left:
            self._fall_silent()

    def go_on(self):
        """Begins the bursts when it is time; to be called once a block, outside the audio path."""
        if self._plays and self._player.idle:
            self.end()
        elif self._left and not self._plays and self._quiet >= _QUIET_SAMPLES:
            self._plays = True
            self._player.play((Signal("stutter"),))

    def _fall_silent(self):
        if self._plays:
            self._plays = False
            self._player.stop()
