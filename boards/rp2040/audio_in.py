"""Audio in: the ADC reads line and phone in turn, 8 kHz each, and DMA keeps the last 1.024 s of them.

Why 8 kHz, and no faster: docs/pico.md has the noise that was measured. DMA needs no processor, so that a flash erase
(400 ms at most, W25Q16JV data sheet, tSE) or a garbage collection loses nothing.
"""

import time
from array import array

import machine
from machine import mem32
from micropython import const

from rp2040.dma_ring import RUN_TRANSFERS, DmaRing

RING_SAMPLES = const(8192)
# What the reader may be behind before the oldest is given up: the rest is being overwritten while it is read.
_MOST_BEHIND_SAMPLES = const(8192 - 320)

_RING_BITS = const(15)  # 8192 samples of two inputs of two bytes
_SAMPLE_US = const(125)
_MID_CODE = const(2048)

# RP2040 data sheet 4.9.
_ADC_CS = const(0x4004C000)
_ADC_FCS = const(0x4004C008)
_ADC_FIFO = const(0x4004C00C)
_ADC_DIV = const(0x4004C010)
_CS_START_MANY = const(1 << 3)
_CS_ENABLE = const(1)
_CS_BOTH_IN_TURN = const(0b11 << 16)
_FCS_EMPTY = const(1 << 8)
_FCS_THRESHOLD_DMA_ENABLE = const((1 << 24) | (1 << 3) | 1)
# 48 MHz by 3000 is 16 kHz: 8 kHz for each of two inputs.
_DIVIDER = const(2999 << 8)
_DREQ_ADC = const(36)

# Places in the state of an input, array('i').
_DC = const(0)  # what the input reads in silence, in 1/16 of a sample's unit
_SUM = const(1)
_STATE_LENGTH = const(2)
# A block moves the DC by 1/16 of what it found: a time constant of 0.3 s, which leaves 10 Hz and more alone.
_DC_SHIFT = const(4)
_BLOCK_SAMPLES = const(160)


@micropython.viper
def take(ring: ptr16, at: int, out: ptr16, n: int, state: ptr32):
    """Converts `n` samples of one input, from place `at` of the ring (its input's place in the pair added), into `out`.

    12-bit codes become signed 16-bit samples without DC. Codes 512, 1536, 2560 and 3584 are some 9 too wide
    (RP2040-E11): what lies beyond one is moved out by as much, what is in one to its middle. |code| <= 2066, times 16
    is 33056, less the DC: clipped to 16 bits. The sum of 160 is below 2^24.
    """
    dc = state[_DC] >> 4
    total = 0
    for i in range(n):
        code = ring[at] - _MID_CODE
        if code >= 512:
            if code >= 1536:
                code += 13 if code == 1536 else 18
            else:
                code += 4 if code == 512 else 9
        elif code <= -512:
            if code <= -1536:
                code -= 13 if code == -1536 else 18
            else:
                code -= 4 if code == -512 else 9
        at = (at + 2) & (2 * RING_SAMPLES - 1)
        sample = (code << 4) - dc
        total += sample
        if sample > 32767:
            sample = 32767
        elif sample < -32768:
            sample = -32768
        out[i] = sample
    state[_SUM] = total


class AudioIn:
    """Both inputs. `lost` counts the samples that came too early to be taken, since the start."""

    def __init__(self, run_transfers=RUN_TRANSFERS):
        self._states = (array("i", bytes(4 * _STATE_LENGTH)), array("i", bytes(4 * _STATE_LENGTH)))
        self._settled = [False, False]
        self.lost = 0
        self.taken = 0
        self._behind = 0
        self._seen = 0
        self._start(run_transfers)
        self._seen_us = time.ticks_us()

    def _start(self, run_transfers):
        machine.ADC(26)
        machine.ADC(27)
        mem32[_ADC_CS] = _CS_ENABLE | _CS_BOTH_IN_TURN
        mem32[_ADC_DIV] = _DIVIDER
        mem32[_ADC_FCS] = _FCS_THRESHOLD_DMA_ENABLE
        while not mem32[_ADC_FCS] & _FCS_EMPTY:
            mem32[_ADC_FIFO]
        self._dma = DmaRing(_RING_BITS, _ADC_FIFO, _DREQ_ADC, into_ring=True, run_transfers=run_transfers)
        mem32[_ADC_CS] = _CS_ENABLE | _CS_BOTH_IN_TURN | _CS_START_MANY

    def place(self):
        """The place in the ring, 0 to 8191, of the sample that comes next. Allocates nothing: for interrupts too."""
        return self._dma.offset() >> 2

    def behind(self):
        """How many samples have come and were not taken. What is too old to be whole is given up, and counted."""
        place = self.place()
        now_us = time.ticks_us()
        new = (place - self._seen) & (RING_SAMPLES - 1)
        passed = time.ticks_diff(now_us, self._seen_us) // _SAMPLE_US
        # The clock tells how often the ring has gone round unseen.
        new += (passed - new + RING_SAMPLES // 2) // RING_SAMPLES * RING_SAMPLES
        self._seen = place
        self._seen_us = now_us
        self._behind += new
        if self._behind > _MOST_BEHIND_SAMPLES:
            given_up = self._behind - _MOST_BEHIND_SAMPLES
            self.lost += given_up
            self._move(given_up)
        return self._behind

    def take(self, line, phone, n):
        """Takes the oldest `n` samples, which have come, into `line` and `phone`; None: these are not wanted."""
        self._take(0, line, n)
        if phone is not None:
            self._take(1, phone, n)
        self._move(n)

    def drop(self):
        """Gives up all that has come, uncounted: it is not wanted."""
        self._move(self.behind())

    def stop(self):
        """Stops converter and DMA for good."""
        mem32[_ADC_CS] = _CS_ENABLE
        self._dma.close()

    def _take(self, which, out, n):
        state = self._states[which]
        if not self._settled[which]:
            self._settle(which, out, n)
        take(self._dma.memory, 2 * self.taken + which, out, n, state)
        state[_DC] += (state[_SUM] * 16 // n) >> _DC_SHIFT

    def _settle(self, which, out, n):
        # The first block tells where the DC lies: to come there by sixteenths would be a second of rumble.
        state = self._states[which]
        take(self._dma.memory, 2 * self.taken + which, out, n, state)
        state[_DC] = state[_SUM] * 16 // n
        self._settled[which] = True

    def _move(self, n):
        self.taken = (self.taken + n) & (RING_SAMPLES - 1)
        self._behind -= n
