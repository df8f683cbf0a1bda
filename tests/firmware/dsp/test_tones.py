"""Tones: level, frequency, length, and no click."""

import math
from array import array

import micropython
from star57.dsp import tones
from star57.dsp.tones import DTMF_KEYS, DtmfSender, ToneSender


def test_the_quarter_of_a_sine():
    table = tones.QUARTER_SINE
    for k in range(256):
        assert table[2 * k] + (table[2 * k + 1] << 8) == round(16384 * math.sin(math.pi / 512 * (k + 0.5))), k


def sent(first_hz, first_dbm0, second_hz=0, second_dbm0=0, n=8000, block=160):
    sender = ToneSender()
    sender.start(first_hz, first_dbm0, second_hz, second_dbm0, n)
    samples = array("h")
    buffer = array("h", bytes(2 * block))
    while not sender.done:
        count = sender.fill(buffer, block)
        samples.extend(buffer[:count])
    return samples


def level_dbm0(samples, hz):
    """The level of one frequency in the samples, by correlation."""
    step = 2 * math.pi * hz / 8000
    real = sum(x * math.cos(step * k) for k, x in enumerate(samples))
    imaginary = sum(x * math.sin(step * k) for k, x in enumerate(samples))
    peak = 2 * math.sqrt(real * real + imaginary * imaginary) / len(samples)
    return 20 * math.log10(peak / 22748)


def test_level_and_frequency():
    for dbm0 in (0, -13, -24, -40):
        samples = sent(440, dbm0)[100:7900]
        assert abs(level_dbm0(samples, 440) - dbm0) < 0.5
        assert level_dbm0(samples, 450) < dbm0 - 20


def test_a_tone_is_pure():
    samples = sent(1000, 0)[800:4000]
    power = sum(x * x for x in samples) / len(samples)
    tone = 22748**2 / 2 * 10 ** (level_dbm0(samples, 1000) / 10)
    assert power - tone < tone / 50000
    assert max(level_dbm0(samples, hz) for hz in (2000, 3000, 3900)) < -60


def test_two_tones_have_their_own_levels():
    samples = sent(350, -13, 440, -16)[100:7900]
    assert abs(level_dbm0(samples, 350) + 13) < 0.5
    assert abs(level_dbm0(samples, 440) + 16) < 0.5


def test_a_tone_has_its_length_to_the_sample():
    for n in (1, 79, 160, 2001):
        for block in (1, 33, 160):
            assert len(sent(1000, -10, n=n, block=block)) == n


def test_nothing_clicks_at_either_end():
    samples = sent(1000, 0, n=800)
    middle = max(abs(samples[k + 1] - samples[k]) for k in range(100, 700))
    for k in list(range(8)) + list(range(790, 799)):
        assert abs(samples[k + 1] - samples[k]) < middle // 2
    assert abs(samples[0]) < 100
    assert abs(samples[799]) < 1000


def test_blocks_of_any_length_send_the_same():
    assert sent(697, -10, 1209, -8, block=7) == sent(697, -10, 1209, -8)


def test_two_full_tones_are_limited_and_do_not_wrap():
    samples = sent(350, 3, 440, 3)
    assert max(samples) == 32767
    assert max(abs(samples[k + 1] - samples[k]) for k in range(len(samples) - 1)) < 24000


def test_digits_have_their_times_and_a_key_that_is_none_is_refused():
    sender = DtmfSender(on_ms=50, off_ms=45)
    sender.send(DTMF_KEYS)
    buffer = array("h", bytes(320))
    total = 0
    while not sender.done:
        total += sender.fill(buffer, 160)
    assert total == 16 * 95 * 8
    try:
        sender.send("E")
    except ValueError:
        return
    raise AssertionError("no ValueError")


def test_nothing_is_allocated():
    sender = ToneSender()
    buffer = array("h", bytes(320))
    micropython.heap_lock()
    try:
        sender.start(350, -13, 440, -13, 1 << 29)
        for _ in range(100):
            sender.fill(buffer, 160)
    finally:
        micropython.heap_unlock()
