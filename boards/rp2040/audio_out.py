"""Audio out: PWM of 64 kHz, its duty set by DMA 8000 times a second, from a ring that is silent behind the reader.

A sample is eight whole periods of the carrier: a duty counts from the next period on, and where sample and carrier are
not in step that is now sooner, now later, and costs 40 dB (WIRING.md).

What has been played is made silent again, so that a processor that comes too late is heard as a short silence, not as
what was said half a second ago. The carrier never stops: silence is its middle, and nothing clicks where sound begins.
"""

import time

from machine import PWM, Pin, mem32
from micropython import const

from rp2040.dma_ring import RUN_TRANSFERS, DmaRing

# What the processor must run at: 8 kHz by 8 by 2000, and within the RP2040's 133 MHz.
CLOCK_HZ = const(128_000_000)
# 120 ms: a garbage collection, and what a dialogue writes to flash (two sectors of 45 ms; W25Q16JV, tSE typical).
LEAD_SAMPLES = const(960)

_RING_SAMPLES = const(4096)
_SAMPLE_US = const(125)
_RING_BITS = const(13)
_DUTIES = const(2000)  # 128 MHz by 2000 is 64 kHz
_MIDDLE = const(1000)

# RP2040 data sheet 4.5.
_PWM = const(0x40050000)
_PWM_SLICE_BYTES = const(0x14)
_PWM_DIVIDER = const(0x04)
_PWM_COMPARE = const(0x0C)
_PWM_TOP = const(0x10)
_PWM_COUNTER = const(0x08)
_PWM_ENABLE = const(0x400500A0)
# A slice without pins sets the pace: 128 MHz by 16000 is 8 kHz, and the converter's 48 MHz come from the same crystal.
_PACE_CLOCKS = const(16000)
# Its sample is written in the middle of a period of the carrier, far from where the duty is taken over.
_PACE_AHEAD = const(1000)
_DREQ_WRAP = const(24)


@micropython.viper
def _write(samples: ptr16, ring: ptr16, at: int, n: int):
    # A half-word is read unsigned; its sign bit turned over, it is 0 to 65535. Times 2000 is below 2^27.
    for i in range(n):
        ring[at] = (samples[i] ^ 0x8000) * _DUTIES >> 16
        at = (at + 1) & (_RING_SAMPLES - 1)


@micropython.viper
def _silence(ring: ptr16, at: int, n: int):
    for _ in range(n):
        ring[at] = _MIDDLE
        at = (at + 1) & (_RING_SAMPLES - 1)


def _registers(number):
    return _PWM + _PWM_SLICE_BYTES * number


class AudioOut:
    """The output at `pin`, which is the A of its slice; `pace_slice` is another one, of which no pin is used.

    `late` counts the samples that were not there in time.
    """

    def __init__(self, pin, pace_slice=7, run_transfers=RUN_TRANSFERS):
        self.late = 0
        self._playing = False
        self._origin = self._played = self._queued = self._seen_us = 0
        self._slice = (pin >> 1) & 7
        self._pace_slice = pace_slice
        self._start(pin, run_transfers)

    def _start(self, pin, run_transfers):
        self._pwm = PWM(Pin(pin), freq=64_000, duty_u16=32768)
        compare = _registers(self._slice) + _PWM_COMPARE
        request = _DREQ_WRAP + self._pace_slice
        self._dma = DmaRing(_RING_BITS, compare, request, into_ring=False, run_transfers=run_transfers)
        _silence(self._dma.memory, 0, _RING_SAMPLES)
        both = (1 << self._slice) | (1 << self._pace_slice)
        mem32[_PWM_ENABLE] = mem32[_PWM_ENABLE] & ~both
        self._set_slice(self._slice, _DUTIES, 0)
        mem32[compare] = _MIDDLE
        self._set_slice(self._pace_slice, _PACE_CLOCKS, _PACE_AHEAD)
        # At once, so that they stay in step.
        mem32[_PWM_ENABLE] = mem32[_PWM_ENABLE] | both

    def _set_slice(self, number, clocks, counter):
        registers = _registers(number)
        mem32[registers + _PWM_DIVIDER] = 1 << 4
        mem32[registers + _PWM_TOP] = clocks - 1
        mem32[registers + _PWM_COUNTER] = counter

    def put(self, samples, n):
        """Queues `n` samples, array('h'), behind what is still to be played; the first of all after 120 ms.

        What comes too late to be played is left out, and the rest keeps its time: nothing is put off for good.
        """
        if self._playing:
            self._follow()
        else:
            self._begin()
        late = min(n, max(0, self._played - self._queued))
        self.late += late
        on_time = memoryview(samples)[late:] if late else samples
        _write(on_time, self._dma.memory, self._at(self._queued + late), n - late)
        self._queued += n

    def coming(self, offset):
        """The place of the sample `offset` of the block that is put next; for `is_played`."""
        if not self._playing:
            return (self._place() + LEAD_SAMPLES + offset) & (_RING_SAMPLES - 1)
        return self._at(self._queued + offset)

    def is_played(self, place):
        """Whether the sample of that place, within a quarter of a second of now, has been played. Allocates nothing."""
        return (self._place() - place) & (_RING_SAMPLES - 1) < _RING_SAMPLES // 2

    def stop(self):
        """Drops what is queued; the output falls silent."""
        if self._playing:
            self._playing = False
            _silence(self._dma.memory, 0, _RING_SAMPLES)

    def close(self):
        """Stops output and DMA for good."""
        mem32[_PWM_ENABLE] = mem32[_PWM_ENABLE] & ~(1 << self._pace_slice)
        self._dma.close()
        self._pwm.deinit()

    def _place(self):
        return self._dma.offset() >> 1

    def _at(self, count):
        return (self._origin + count) & (_RING_SAMPLES - 1)

    def _begin(self):
        """Counts what is played and what is queued from here."""
        self._playing = True
        self._origin = self._place()
        self._seen_us = time.ticks_us()
        self._played = 0
        self._queued = LEAD_SAMPLES

    def _follow(self):
        """Counts what has been played, and makes it silent."""
        place = self._place()
        now_us = time.ticks_us()
        new = (place - self._at(self._played)) & (_RING_SAMPLES - 1)
        passed = time.ticks_diff(now_us, self._seen_us) // _SAMPLE_US
        # The clock tells how often the ring has gone round unseen.
        new += (passed - new + _RING_SAMPLES // 2) // _RING_SAMPLES * _RING_SAMPLES
        _silence(self._dma.memory, self._at(self._played), min(new, _RING_SAMPLES))
        self._seen_us = now_us
        self._played += new
