"""Rings from the edges of the ring detector: a valid frequency, and the cadence of a call."""

from star57.line.passing import PassingTime

_SAMPLES_PER_MS = const(8)
# 80000 / frequency in tenths of hertz is the period in samples.
_SAMPLES_TIMES_TENTHS = const(80000)
# Fewer cycles are a polarity reversal, the clicks of a dial or a hook, or a ringer's last breath.
_VALID_CYCLES = const(3)
_NEVER = const(1 << 28)

# A gap is seen from the last whole cycle before it to the first one after it, so it looks longer than it is by up to
# two cycles: 400 ms of US distinctive ringing at 20 Hz by 100, the 200 of a double ring at 16 Hz by 125. It stays below
# the 500 ms of silence that come before caller ID, of which its seizure alone has 250 ms (TELEPHONY 1.2).
_LONG_GAP = const(520 * _SAMPLES_PER_MS)
_GAP = const(350 * _SAMPLES_PER_MS)

# country: longest gap within a ring, longest silence between two rings of a call with a margin of half (TELEPHONY 5).
CADENCES = {
    "US": (_LONG_GAP, 6500 * _SAMPLES_PER_MS),  # 2-4; distinctive 0.8-0.4-0.8-4
    "AU": (_LONG_GAP, 3900 * _SAMPLES_PER_MS),  # 0.4-0.2-0.4-2; distinctive 0.4-0.4-0.2-2, 0.4-2.6
    "BR": (_GAP, 6000 * _SAMPLES_PER_MS),  # 1-4
    "CA": (_LONG_GAP, 6500 * _SAMPLES_PER_MS),  # as in the US
    "DE": (_GAP, 7500 * _SAMPLES_PER_MS),  # 1-4, elsewhere 1-5
    "FI": (_GAP, 6000 * _SAMPLES_PER_MS),  # 1-4
    "FR": (_GAP, 5500 * _SAMPLES_PER_MS),  # 1.5-3.5
    "GB": (_GAP, 3000 * _SAMPLES_PER_MS),  # 0.4-0.2-0.4-2
    "IN": (_GAP, 3000 * _SAMPLES_PER_MS),  # 0.4-0.2-0.4-2
    "JP": (_GAP, 3000 * _SAMPLES_PER_MS),  # 1-2
}


class RingDetector(PassingTime):
    """Tells rings from everything else that makes the detector's output move.

    sink.ring_started()                          a ring has begun, after 3 cycles of a valid frequency
    sink.ring_ended(number, duration_samples)    number 1 is the first ring of the call
    sink.ringing_stopped(rings)                  no further ring has come for longer than the cadence's silence

    Frequencies are those that 47 CFR 68.312 has a telephone answer to: 15.3 to 68 Hz (ringer type B).
    The bursts of a double ring are one ring; its duration is from its first cycle to its last.
    """

    def __init__(self, sink, cadence=CADENCES["US"], lowest_tenths_hz=153, highest_tenths_hz=680):
        self._sink = sink
        self._longest_gap, self._longest_silence = cadence
        self._longest_period = _SAMPLES_TIMES_TENTHS // lowest_tenths_hz
        self._shortest_period = _SAMPLES_TIMES_TENTHS // highest_tenths_hz
        self.reset()

    def reset(self):
        """Forgets the call: the next ring is the first one."""
        self._level = 0
        self._reset_time()
        self._since_rise = _NEVER
        self._since_cycle = _NEVER
        self._cycles = 0
        self._ring_samples = 0
        self._ringing = False
        self._rings = 0

    def edge(self, level, offset):
        """The detector's output went to `level`, `offset` samples into the block that `advance` is about to end."""
        self._pass_to(offset)
        if level == self._level:
            return
        self._level = level
        if level:
            self._cycle(self._since_rise)
            self._since_rise = 0
            self._patience = 0

    def _is_steady(self):
        return not (self._ringing or self._rings)

    def _pass(self, samples):
        self._since_rise = min(self._since_rise + samples, _NEVER)
        self._since_cycle = min(self._since_cycle + samples, _NEVER)
        if self._ringing:
            self._ring_samples += samples
            if self._since_cycle > self._longest_gap:
                self._end_ring()
        if self._rings and not self._ringing and self._since_cycle > self._longest_silence:
            rings = self._rings
            self._rings = 0
            self._sink.ringing_stopped(rings)

    def _cycle(self, period):
        if not self._shortest_period <= period <= self._longest_period:
            if not self._ringing:
                self._cycles = 0
            return
        self._cycles += 1
        if self._ringing:
            self._since_cycle = 0
        elif self._cycles >= _VALID_CYCLES:
            self._ringing = True
            self._since_cycle = 0
            self._ring_samples = _VALID_CYCLES * period
            self._sink.ring_started()

    def _end_ring(self):
        self._ringing = False
        self._cycles = 0
        self._rings += 1
        self._sink.ring_ended(self._rings, self._ring_samples - self._since_cycle)
