"""Sound at random: bursts of caller ID by FSK and DTMF, whole and damaged, on lines that spoil them; and no bursts."""

import math

from random_callers import (
    KEYS,
    damaged,
    dtmf_string,
    fsk_message,
    ntt_frame,
    ntt_sealed,
    plain_message,
    sealed,
)
from star57.dsp.modulator import FskModulator
from star57.dsp.tones import DtmfSender

MOST_SAMPLES = const(64000)  # 258 bytes with 20 bits of mark between any two: 6.5 s
_MOST_LEAD_SAMPLES = const(4000)
_MOST_TAIL_SAMPLES = const(6000)
_PEAK_0_DBM0 = const(22748)  # ITU-T G.711: a sine of peak 32767 is +3.17 dBm0
_MODEMS = ((1200, 2200), (1300, 2100))

MESSAGE = "message"
LONG_MESSAGE = "message of any length"
TWO_MESSAGES = "two messages in a burst"
NTT_FRAME = "NTT frame"
DAMAGED_MESSAGE = "damaged message"
DAMAGED_NTT_FRAME = "damaged NTT frame"
BYTES = "bytes at random"
DIGITS = "digits"
NO_BURST = "noise, square waves, DC, tones"
KINDS = (
    MESSAGE,
    LONG_MESSAGE,
    TWO_MESSAGES,
    NTT_FRAME,
    DAMAGED_MESSAGE,
    DAMAGED_NTT_FRAME,
    BYTES,
    DIGITS,
    NO_BURST,
)
_DRAWN = (
    (MESSAGE,) * 6
    + (LONG_MESSAGE, TWO_MESSAGES, NTT_FRAME, DAMAGED_NTT_FRAME, BYTES, DIGITS)
    + (DAMAGED_MESSAGE,) * 4
    + (NO_BURST,) * 2
)


class Burst:
    """What is on the line.

    kind: one of KINDS
    data: the bytes that were sent; whole: the message that they were before they were damaged
    keys: the digits that were sent
    samples, count: the sound
    """

    def __init__(self, chance, samples):
        self.kind = chance.one_of(_DRAWN)
        self.data = self.whole = self.keys = b""
        self.samples = samples
        _silence(samples, 0, MOST_SAMPLES)
        lead = chance.below(_MOST_LEAD_SAMPLES)
        dbm0 = chance.between(-48, 3) if chance.once_in(4) else chance.between(-30, -6)
        place = memoryview(samples)[lead : MOST_SAMPLES - _MOST_TAIL_SAMPLES]
        if self.kind == NO_BURST:
            count = _no_burst(chance, place)
        elif self.kind == DIGITS:
            count = self._digits(chance, place, dbm0)
        else:
            count = self._fsk(chance, place, dbm0)
        self.count = lead + count + chance.below(_MOST_TAIL_SAMPLES)
        _spoil(chance, samples, lead, count, self.count, dbm0)

    def holds(self, message):
        """Whether a receiver may report the bytes: they were sent, or would have been but for the damage."""
        return self.data.find(message) >= 0 or message == self.whole

    def _fsk(self, chance, place, dbm0):
        self.data = self._data(chance)
        mark_hz, space_hz = chance.one_of(_MODEMS)
        shift_hz = chance.between(-200, 200) if chance.once_in(4) else 0
        baud = chance.between(1152, 1260) if chance.once_in(4) else 1200
        space_dbm0 = min(3, dbm0 + chance.between(-10, 10)) if chance.once_in(3) else dbm0
        modulator = FskModulator(mark_hz + shift_hz, space_hz + shift_hz, baud, dbm0, space_dbm0)
        modulator.start(
            self.data,
            seizure_bits=0 if chance.once_in(3) else chance.between(0, 315),
            mark_bits=chance.below(40) if chance.once_in(8) else chance.between(55, 205),
            between_bits=chance.below(21) if chance.once_in(4) else 0,
            after_bits=chance.below(20),
        )
        return modulator.fill(place, len(place))

    def _data(self, chance):
        if self.kind == BYTES:
            return chance.octets(chance.between(1, 120))
        if self.kind in (NTT_FRAME, DAMAGED_NTT_FRAME):
            self.whole = ntt_sealed(ntt_frame(chance))
            return self.whole if self.kind == NTT_FRAME else damaged(chance, self.whole)
        self.whole = sealed(fsk_message(chance) if self.kind == LONG_MESSAGE else plain_message(chance))
        if self.kind == TWO_MESSAGES:
            return self.whole + sealed(plain_message(chance))
        if self.kind == DAMAGED_MESSAGE:
            return self._damaged(chance)
        return self.whole

    def _damaged(self, chance):
        """The message damaged; one time in four with a checksum that holds, so that nothing tells of the damage."""
        data = damaged(chance, self.whole)
        if data and chance.once_in(4):
            self.whole = b""
            data = sealed(data[:-1])
        return data

    def _digits(self, chance, place, dbm0):
        keys = dtmf_string(chance)
        if chance.once_in(3):
            keys = bytes([key if key in KEYS else KEYS[key & 15] for key in damaged(chance, keys)])[:40]
        self.keys = keys
        sender = DtmfSender(
            chance.between(40, 90),
            chance.between(40, 90),
            min(dbm0, 0),
            min(dbm0, 0) + (chance.between(-8, 4) if chance.once_in(2) else 0),
        )
        sender.send(keys.decode())
        count = 0
        while not sender.done and count < len(place):
            count += sender.fill(place[count:], len(place) - count)
        return count


def _no_burst(chance, place):
    """Silence, a square wave, a tone in the band of FSK or a modem that says nothing; noise and DC come later."""
    count = chance.between(0, 12000)
    how = chance.below(4)
    if how == 1:
        _square(place, count, chance.between(1, 60), chance.one_of((32767, 8000, 300)))
    elif how == 2:
        hz = chance.one_of((1200, 1300, 1250, 2100, 2130, 2200, 2750, 440, chance.between(50, 3900)))
        step = 2 * math.pi * hz / 8000
        peak = chance.one_of((32767, 8000, 300))
        for i in range(count):
            place[i] = int(peak * math.sin(step * i))
    elif how == 3:
        # A modem that never ceases its seizure, or its mark.
        modulator = FskModulator()
        modulator.start(b"", *chance.one_of(((2000, 0), (0, 2000), (300, 1500))))
        return modulator.fill(place, count)
    return count


def _spoil(chance, samples, first, count, all_count, dbm0):
    """Impairments at random: cuts, clicks, clipping, DC offset, noise."""
    if chance.once_in(8):
        _silence(samples, first, first + chance.below(count + 1))  # its beginning was not heard
    for _ in range(chance.between(1, 2) if chance.once_in(8) else 0):
        cut = first + chance.below(count + 1)
        _silence(samples, cut, min(MOST_SAMPLES, cut + chance.below(800)))
    for _ in range(chance.between(1, 5) if chance.once_in(6) else 0):
        _square(
            memoryview(samples)[chance.below(all_count) :],
            chance.between(1, 60),
            chance.between(1, 8),
            chance.between(500, 32767),
        )
    gain = 4 if chance.once_in(8) else 1
    offset = 0
    if chance.once_in(8):
        offset = chance.one_of((32767, -32768, chance.between(-12000, 12000), chance.between(-12000, 12000)))
    rms = 0
    how = chance.below(4)
    if how < 2:
        rms = _noise_rms(dbm0, chance.below(120) / 10)
    elif how == 2:
        rms = _noise_rms(dbm0, chance.between(12, 30))
    _disturb(samples, all_count, gain, offset, min(30000, rms), chance.between(1, 0xFFFFFF))


def _noise_rms(dbm0, snr_db):
    """Of white noise, so far below a tone in 300 to 3400 Hz."""
    return round(_PEAK_0_DBM0 * 10 ** ((dbm0 - snr_db) / 20) / math.sqrt(2) * math.sqrt(4000 / 3100))


@micropython.viper
def _silence(samples: ptr16, first: int, end: int):
    for i in range(first, end):
        samples[i] = 0


@micropython.viper
def _square(samples: ptr16, count: int, half_period: int, peak: int):
    for i in range(count):
        samples[i] = peak if (i // half_period) & 1 else 0 - peak


@micropython.viper
def _disturb(samples: ptr16, count: int, gain: int, offset: int, rms: int, seed: int):
    """Gain, DC offset and white noise, nearly Gaussian, made as in signals.noise; clipped to 16 bits."""
    state = seed
    for i in range(count):
        x = int(samples[i])
        x = (x - ((x & 0x8000) << 1)) * gain + offset
        if rms != 0:
            total = 0
            for _ in range(4):
                state ^= (state << 13) & 0xFFFFFFFF
                state ^= state >> 17
                state ^= (state << 5) & 0xFFFFFFFF
                total += (state & 0xFFFF) + (state >> 16) - 65535
            x += (total >> 2) * rms // 13378
        if x > 32767:
            x = 32767
        elif x < -32768:
            x = -32768
        samples[i] = x
