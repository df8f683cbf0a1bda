"""What the recorder gives back: how near to what was heard, from where to where, and what it holds on to."""

import math
from array import array

import micropython
import signals
from star57.dsp.burst import BurstRecorder

HISTORY = 32
KEPT = 7168
BLOCK = 32


class Line:
    """Feeds a recorder as FskReceiver does: each chunk with the 32 samples before it, 32768 above their values."""

    def __init__(self):
        self.recorder = BurstRecorder()
        self.passed = array("H", [32768] * (HISTORY + 500))

    def feed(self, samples, lengths=(160,)):
        turn = start = 0
        while start < len(samples):
            count = min(lengths[turn % len(lengths)], len(samples) - start)
            for i in range(count):
                self.passed[HISTORY + i] = samples[start + i] + 32768
            self.recorder.keep(self.passed, HISTORY, count)
            for i in range(HISTORY):
                self.passed[i] = self.passed[i + count]
            start += count
            turn += 1

    def read(self, start, count):
        out = array("h", [77] * count)
        self.recorder.read(start, out, count)
        return out


def snr_db(samples, kept):
    power = sum(x * x for x in samples)
    return 10 * math.log10(power / max(1, sum((x - y) ** 2 for x, y in zip(samples, kept))))


def test_keeps_a_tone_at_any_level():
    for dbm0 in (3, -3, -9, -20, -31, -40, -48):
        for hz in (1200, 2200):
            # Behind the high-pass a sample is half of itself.
            samples = signals.sine(640, hz, dbm0 - 6)
            line = Line()
            line.feed(samples)
            assert snr_db(samples, line.read(0, 640)) > 26, (dbm0, hz)


def test_keeps_the_weaker_of_two_tones_10_db_apart():
    strong = signals.sine(400, 1200, -13)
    weak = signals.sine(400, 2200, -23)
    line = Line()
    line.feed(strong + weak)
    assert snr_db(strong, line.read(0, 400)) > 30
    assert snr_db(weak, line.read(400, 400)) > 30
    mixed = Line()
    samples = array("h", [weak[i] if i // 20 % 2 else strong[i] for i in range(384)])
    mixed.feed(samples)
    out = mixed.read(0, 384)
    weak_at = [i for i in range(384) if i // 20 % 2]
    assert snr_db([samples[i] for i in weak_at], [out[i] for i in weak_at]) > 20


def test_small_samples_are_kept_as_they_are():
    samples = array("h", [i - 31 for i in range(63)] + [0] * 33)
    line = Line()
    line.feed(samples)
    assert line.read(0, 63) == samples[:63]


def test_extremes():
    samples = array("h", [32767 if i // 7 % 2 else -32768 for i in range(320)])
    line = Line()
    line.feed(samples)
    out = line.read(0, 320)
    assert max(abs(out[i] - samples[i]) for i in range(320)) <= 512


def test_chunks_of_any_length_make_no_difference():
    samples = signals.noise(9000, 3000, 5)
    whole = Line()
    whole.feed(samples)
    expected = whole.read(2000, 7000)
    for lengths in ((1,), (31, 32, 33), (500, 3), (160, 0, 1)):
        line = Line()
        line.feed(samples, lengths)
        assert line.recorder.heard == 9000
        assert line.recorder.kept_to == 8992
        assert line.recorder.oldest == 8992 - KEPT
        assert line.read(2000, 7000) == expected, lengths


def test_what_is_not_kept_reads_as_0():
    samples = signals.noise(9000, 3000, 6)
    line = Line()
    assert line.read(-3, 5) == array("h", [0] * 5)
    line.feed(samples)
    oldest, kept_to = line.recorder.oldest, line.recorder.kept_to
    assert (oldest, kept_to) == (8992 - KEPT, 8992)
    out = line.read(oldest - 40, KEPT + 80)
    assert out[:40] == array("h", [0] * 40)
    assert out[KEPT + 40 :] == array("h", [0] * 40)
    assert snr_db(samples[oldest:kept_to], out[40 : KEPT + 40]) > 26


def test_holds_on_to_what_is_being_read():
    samples = signals.noise(20000, 3000, 7)
    line = Line()
    line.feed(samples[:3000])
    line.recorder.hold(1000)
    line.feed(samples[3000:15000])
    assert line.recorder.heard == 15000
    kept_to = line.recorder.kept_to
    assert 1000 + KEPT - 160 - BLOCK < kept_to <= 1000 + KEPT
    assert line.recorder.oldest <= 1000
    assert snr_db(samples[1000:kept_to], line.read(1000, kept_to - 1000)) > 26


def test_after_a_hold_what_came_meanwhile_is_lost():
    samples = signals.noise(20000, 3000, 8)
    line = Line()
    line.feed(samples[:3000])
    line.recorder.hold(1000)
    line.feed(samples[3000:15000])
    line.recorder.release()
    line.feed(samples[15000:])
    assert line.recorder.oldest == 15000
    assert line.recorder.kept_to == 20000 - (20000 - 15000) % BLOCK
    assert snr_db(samples[15000:19900], line.read(15000, 4900)) > 26
    assert line.read(14000, 1000) == array("h", [0] * 1000)


def test_a_hold_that_costs_nothing_leaves_no_gap():
    samples = signals.noise(9000, 3000, 9)
    line = Line()
    line.feed(samples[:3000], (70,))
    line.recorder.hold(2000)
    line.feed(samples[3000:5000], (70,))
    line.recorder.release()
    line.feed(samples[5000:], (70,))
    assert line.recorder.oldest == 8992 - KEPT
    assert snr_db(samples[2000:8900], line.read(2000, 6900)) > 26


def test_reset_is_as_new():
    line = Line()
    line.feed(signals.noise(9000, 3000, 10))
    line.recorder.mark_ended = 4000
    line.recorder.hold(1000)
    line.recorder.reset()
    assert (line.recorder.heard, line.recorder.kept_to, line.recorder.oldest) == (0, 0, 0)
    assert line.recorder.mark_ended == -1
    samples = signals.noise(9000, 3000, 11)
    line.feed(samples)
    assert snr_db(samples[2000:8900], line.read(2000, 6900)) > 26


def test_nothing_is_allocated():
    line = Line()
    out = array("h", bytes(2000))
    micropython.heap_lock()
    try:
        for _ in range(60):
            line.recorder.keep(line.passed, HISTORY, 160)
            line.recorder.keep(line.passed, HISTORY, 7)
        line.recorder.hold(line.recorder.oldest)
        line.recorder.keep(line.passed, HISTORY, 160)
        line.recorder.release()
        line.recorder.read(line.recorder.oldest - 5, out, 1000)
        line.recorder.reset()
    finally:
        micropython.heap_unlock()
    assert line.recorder.heard == 0
