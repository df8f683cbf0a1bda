"""Kept samples into decisions: what a whole bit of either tone reads, and what one tone's level is."""

import math
from array import array

from star57.dsp import fsk, slicing
from star57.dsp.burst import BurstRecorder
from star57.dsp.fsk import FskReceiver
from star57.dsp.modulator import FskModulator

BIT_SAMPLES = 8000 / 1200
BELL_202 = (1200, 2200)
V23 = (1300, 2100)
PEAK_0_DBM0 = 22748
NO_DECISION = 128


class NoSink:
    def carrier(self, present):
        pass

    def marks(self, bits):
        pass

    def byte(self, value, confidence):
        pass

    def framing_error(self):
        pass


def recorded(tones, mark_dbm0, space_dbm0, message=b"\x55\x0f\x00\xff\x33", before=400):
    """A recorder that has heard `before` samples of silence, 20 bits of mark and the message; and where mark began."""
    modulator = FskModulator(tones[0], tones[1], 1200, mark_dbm0, space_dbm0)
    modulator.start(message, seizure_bits=0, mark_bits=20)
    samples = array("h", bytes(2 * before))
    block = array("h", bytes(2 * 100))
    while not modulator.done:
        n = modulator.fill(block, 100)
        samples.extend(array("h", [block[i] for i in range(n)]))
    samples.extend(array("h", bytes(2 * 400)))
    recorder = BurstRecorder()
    FskReceiver(NoSink(), tones[0], tones[1], recorder=recorder).feed(samples, len(samples))
    return recorder, before


def magnitude(hz, dbm0):
    """Of a whole bit, behind the high-pass."""
    return PEAK_0_DBM0 * 10 ** (dbm0 / 20) * fsk.gain(hz) * BIT_SAMPLES / 2 / 4


def decisions(recorder, count, tones, mark_dbm0, space_dbm0):
    found = bytearray(count)
    slicing.BurstSlicer(recorder).slice(
        0,
        count,
        fsk.taps(tones[0], BIT_SAMPLES),
        fsk.taps(tones[1], BIT_SAMPLES),
        magnitude(tones[0], mark_dbm0),
        magnitude(tones[1], space_dbm0),
        memoryview(found),
    )
    return found


def bits_of(message):
    bits = [1] * 20
    for byte in message:
        bits += [0] + [(byte >> k) & 1 for k in range(8)] + [1]
    return bits


def test_whole_bits_are_decided():
    message = b"\x55\x0f\x00\xff\x33"
    # Either tone is also heard a little in place of the other; in V.23, whose tones are nearer, a third of it.
    for tones, least in ((BELL_202, 82), (V23, 58)):
        for mark_dbm0, space_dbm0 in ((-13, -13), (-3, -13), (-23, -13), (-40, -40), (3, 3)):
            recorder, start = recorded(tones, mark_dbm0, space_dbm0, message)
            found = decisions(recorder, 1000, tones, mark_dbm0, space_dbm0)
            bits = bits_of(message)
            for k in range(2, len(bits)):
                middle = found[round(start + (k + 0.5) * BIT_SAMPLES)]
                lead = middle - NO_DECISION if bits[k] else NO_DECISION - middle
                assert lead > 36, (tones, mark_dbm0, space_dbm0, k, middle)
                # Behind two bits and before two that are like it, it is whole.
                if bits[k - 2 : k + 3] == [bits[k]] * 5:
                    assert least < lead < 1.08 * slicing.WHOLE_BIT, (tones, mark_dbm0, space_dbm0, k, middle)


def test_a_transition_is_decided_halfway():
    for tones in (BELL_202, V23):
        for mark_dbm0, space_dbm0 in ((-13, -13), (-8, -18), (-18, -8)):
            recorder, start = recorded(tones, mark_dbm0, space_dbm0, b"\x00")
            found = decisions(recorder, 700, tones, mark_dbm0, space_dbm0)
            crossing = next(i for i in range(start + 100, 700) if found[i] < NO_DECISION)
            assert abs(crossing - 0.5 - start - 20 * BIT_SAMPLES) < 1, (tones, mark_dbm0, crossing)


def test_silence_is_no_decision_and_what_was_not_kept_neither():
    recorder, _ = recorded(BELL_202, -13, -13, before=800)
    # Levels at which either tone is as strong behind the high-pass, so that neither is nearer to nothing.
    space_dbm0 = -13 + 20 * math.log10(fsk.gain(1200) / fsk.gain(2200))
    found = decisions(recorder, 3000, BELL_202, -13, space_dbm0)
    for at in (50, 400, 700, 2500, 2999):
        assert abs(found[at] - NO_DECISION) <= 1


def test_decisions_stay_within_a_byte():
    recorder, start = recorded(BELL_202, 0, 0)
    found = decisions(recorder, 600, BELL_202, -10, -10)
    assert found[start + 60] == 255
    assert found[round(start + 20.5 * BIT_SAMPLES)] == 0


def test_space_is_measured_where_it_leads():
    for tones in (BELL_202, V23):
        for mark_dbm0, space_dbm0 in ((-13, -13), (-13, -23), (-23, -13), (-40, -42), (3, 3)):
            recorder, start = recorded(tones, mark_dbm0, space_dbm0, b"\x00\x00\x00\x00")
            whole = magnitude(tones[1], space_dbm0)
            heard = slicing.BurstSlicer(recorder).space_magnitude(
                start + 134,
                250,
                fsk.taps(tones[0], BIT_SAMPLES),
                fsk.taps(tones[1], BIT_SAMPLES),
                magnitude(tones[0], mark_dbm0),
            )
            assert 0.85 * whole < heard < 1.05 * whole, (tones, mark_dbm0, space_dbm0, heard / whole)


def test_no_space_measures_0():
    silent = BurstRecorder()
    taps = fsk.taps(1200, BIT_SAMPLES), fsk.taps(2200, BIT_SAMPLES)
    assert slicing.BurstSlicer(silent).space_magnitude(0, 500, taps[0], taps[1], 1000.0) == 0


def test_the_sums_stay_within_32_bits():
    assert 4096 * 511**2 < 2**30
    # The largest share of a magnitude in a decision, for any twist: M and S as cosine and sine of an angle.
    for k in range(91):
        mark, space = math.cos(math.radians(k)), math.sin(math.radians(k))
        scale = 65536 * 2 * slicing.WHOLE_BIT / (mark * mark + space * space)
        assert scale * max(mark * 4 * mark, space * 4 * space) <= 65536 * 800
        assert scale * (4 * mark * mark + 4 * space * space + 0.5) < 2**31
