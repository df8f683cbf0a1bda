"""Alert tones of call waiting: SAS for the household, CAS (DT-AS) for its terminal (TELEPHONY 3)."""

from array import array

from micropython import const

from star57.dsp import goertzel, level

_BLOCK = const(80)  # 10 ms
_FREQUENCIES_HZ = (2130, 2750, 440)  # CAS low and high, SAS

# In blocks: CAS 75 to 85 ms, which holds 6 whole blocks at least and touches 10 at most; SAS about 300 ms.
_SHORTEST_CAS = const(6)
_LONGEST_CAS = const(10)
_SHORTEST_SAS = const(24)
_LONGEST_SAS = const(36)
# CAS is -14 to -32 dBm each, so -29 dBm0 in all at the least; below -45 it must be refused.
_LOWEST_DBM0 = const(-38)

_NOTHING = const(0)
_CAS = const(1)
_SAS = const(2)


class AlertReceiver:
    """Hears alert tones in a conversation.

    sink.alert(duration_samples)               at the end of a CAS
    sink.subscriber_alert(duration_samples)    at the end of a SAS, 440 Hz

    Frequencies within 0.5 %, twist of CAS within 6 dB; its length is what tells a CAS from speech.
    """

    def __init__(self, sink):
        self._sink = sink
        self._coefficients = goertzel.coefficients(_FREQUENCIES_HZ)
        self._powers = array("i", [3] + 3 * [0])
        self._block = array("h", bytes(2 * _BLOCK))
        self.reset()

    def reset(self):
        """As new."""
        self._place = 0
        self._sounding = _NOTHING
        self._blocks = 0

    def skip(self, _n):
        """Samples were lost: the length of what sounds is not known, so it is not counted."""
        self.reset()

    def feed(self, samples, n):
        """Hears the first `n` of `samples`, an array("h")."""
        for i in range(n):
            self._block[self._place] = samples[i]
            self._place += 1
            if self._place == _BLOCK:
                self._place = 0
                self._judge()

    def _judge(self):
        shift = goertzel.scale(self._block, _BLOCK)
        energy = goertzel.energy(self._block, _BLOCK)
        sounds = _NOTHING
        if level.dbm0((energy // _BLOCK) << (2 * shift)) >= _LOWEST_DBM0:
            goertzel.powers(self._block, _BLOCK, self._coefficients, self._powers)
            sounds = self._what_sounds(energy)
        if sounds == self._sounding:
            self._blocks += 1
            return
        self._ended()
        self._sounding = sounds
        self._blocks = 1

    def _what_sounds(self, energy):
        # Of a pure tone the power is energy * 40 / 2^10, so 25 times it is 0.98 of the energy.
        low = self._powers[1]
        high = self._powers[2]
        if (low + high) * 25 > energy - (energy >> 2) and low < 5 * high and high < 5 * low:
            return _CAS
        if self._powers[3] * 25 > energy - (energy >> 2):
            return _SAS
        return _NOTHING

    def _ended(self):
        blocks = self._blocks
        if self._sounding == _CAS and _SHORTEST_CAS <= blocks <= _LONGEST_CAS:
            self._sink.alert(blocks * _BLOCK)
        elif self._sounding == _SAS and _SHORTEST_SAS <= blocks <= _LONGEST_SAS:
            self._sink.subscriber_alert(blocks * _BLOCK)
