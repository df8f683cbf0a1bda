"""DTMF to the limits of ITU-T Q.24, through noise, dial tone, DC and speech."""

from array import array

import micropython
import signals
from star57.dsp.dtmf import DtmfReceiver
from star57.dsp.tones import DTMF_HIGH_HZ, DTMF_KEYS, DTMF_LOW_HZ


class Sink:
    def __init__(self):
        self.digits = ""
        self.levels = []
        self.durations = []

    def digit(self, code, level_dbm0):
        self.digits += chr(code)
        self.levels.append(level_dbm0)

    def digit_end(self, code, duration_samples):
        self.durations.append(duration_samples)


class Quiet:
    def digit(self, code, level_dbm0):
        pass

    def digit_end(self, code, duration_samples):
        pass


def silence(ms):
    return array("h", bytes(16 * ms))


def key(name, ms=50, low_dbm0=-10, high_dbm0=-10, off=1.0, shift_hz=0):
    """A key's two tones; `off` and `shift_hz` move both frequencies."""
    index = DTMF_KEYS.index(name)
    low = DTMF_LOW_HZ[index // 4]
    high = DTMF_HIGH_HZ[index % 4]
    return signals.mix(
        signals.sine(8 * ms, low * off + shift_hz, low_dbm0),
        signals.sine(8 * ms, high * off + shift_hz, high_dbm0),
    )


def joined(*parts):
    samples = array("h")
    for part in parts:
        samples.extend(part)
    return samples


def heard(samples, block=160):
    sink = Sink()
    receiver = DtmfReceiver(sink)
    for start in range(0, len(samples), block):
        part = samples[start : start + block]
        receiver.feed(part, len(part))
    return sink


def all_keys(**kinds):
    samples = silence(30)
    for name in DTMF_KEYS:
        samples = joined(samples, key(name, **kinds), silence(50))
    return samples


def test_every_key_once_at_every_level():
    for dbm0 in (0, -10, -20, -30, -45):
        sink = heard(all_keys(low_dbm0=dbm0, high_dbm0=dbm0))
        assert sink.digits == DTMF_KEYS, (dbm0, sink.digits)
        assert len(sink.durations) == 16


def test_the_level_is_told_within_2_db():
    for level in heard(all_keys(low_dbm0=-10, high_dbm0=-10)).levels:
        assert -9 <= level <= -5, level


def test_twist():
    for low_dbm0, high_dbm0 in ((-14, -10), (-10, -18)):
        assert heard(all_keys(low_dbm0=low_dbm0, high_dbm0=high_dbm0)).digits == DTMF_KEYS
    for low_dbm0, high_dbm0 in ((-20, -10), (-6, -20)):
        assert heard(all_keys(low_dbm0=low_dbm0, high_dbm0=high_dbm0)).digits == ""


def shifted(low, high, hz):
    """Every key, the tones off by these factors, and `hz` further from nominal."""
    samples = silence(30)
    for name in DTMF_KEYS:
        index = DTMF_KEYS.index(name)
        tone = signals.mix(
            signals.sine(400, DTMF_LOW_HZ[index // 4] * low + (hz if low > 1 else -hz), -10),
            signals.sine(400, DTMF_HIGH_HZ[index % 4] * high + (hz if high > 1 else -hz), -10),
        )
        samples = joined(samples, tone, silence(50))
    return samples


def test_frequencies_off_by_one_and_a_half_percent_and_2_hz_are_digits():
    for low in (0.985, 1.015):
        for high in (0.985, 1.015):
            assert heard(shifted(low, high, 2)).digits == DTMF_KEYS, (low, high)


def test_frequencies_off_by_three_and_a_half_percent_are_none():
    for low in (0.965, 1.035):
        for high in (0.965, 1.035):
            assert heard(shifted(low, high, 0)).digits == "", (low, high)


def in_noise(snr_db, seed):
    """Every key of 50 ms in white noise, its power taken in 300 to 3400 Hz."""
    samples = all_keys()
    rms = round((7193**2 / 10 ** (snr_db / 10) * 4000 / 3100) ** 0.5)
    return signals.mix(samples, signals.noise(len(samples), rms, seed))


def test_half_of_the_digits_at_3_db_snr_and_all_at_6_db():
    found = 0
    for seed in range(1, 5):
        found += len(heard(in_noise(3, seed)).digits)
        assert heard(in_noise(6, seed)).digits == DTMF_KEYS, seed
    assert found >= 32


def test_digits_clipped_by_12_db():
    gain = 10 ** (12 / 20)
    loud = array("h", [max(-32768, min(32767, round(x * gain))) for x in all_keys(low_dbm0=-3, high_dbm0=-3)])
    assert heard(loud).digits == DTMF_KEYS


def test_a_gap_of_10_ms_is_bridged_in_every_key_at_any_place():
    for start, name in enumerate(DTMF_KEYS):
        for dbm0 in (-6, -40):
            lead = array("h", bytes(2 * (start * 7 % 40)))
            half = key(name, 40, dbm0, dbm0)
            sink = heard(joined(lead, half, silence(10), half, silence(60)))
            assert sink.digits == name
            assert abs(sink.durations[0] - 720) <= 80, sink.durations


def test_dial_tone_6_db_above_the_digits_hides_nothing():
    samples = joined(silence(50), all_keys(low_dbm0=-15, high_dbm0=-15))
    dial = signals.mix(signals.sine(len(samples), 350, -9), signals.sine(len(samples), 440, -9))
    assert heard(signals.mix(samples, dial)).digits == DTMF_KEYS


class Quality:
    def __init__(self):
        self.receiver = DtmfReceiver(self)
        self.told = []

    def digit(self, code, level_dbm0):
        self.told.append((level_dbm0, self.receiver.level_dbm0, self.receiver.twist_db, self.receiver.snr_db))

    def digit_end(self, code, duration_samples):
        assert abs(duration_samples - 400) <= 80


def test_quality():
    sink = Quality()
    samples = all_keys(low_dbm0=-10, high_dbm0=-14)
    sink.receiver.feed(samples, len(samples))
    assert len(sink.told) == 16
    for told, level_dbm0, twist_db, snr_db in sink.told:
        assert told == level_dbm0
        assert abs(level_dbm0 - -8.5) <= 1.5
        assert abs(twist_db - -4) <= 1
        assert 8 <= snr_db <= 20


def test_a_short_loss_inside_a_digit_leaves_one_digit():
    sink = Sink()
    receiver = DtmfReceiver(sink)
    digit = joined(key("5", 120), silence(60))
    receiver.feed(digit, 480)
    receiver.skip(160)
    rest = digit[640:]
    receiver.feed(rest, len(rest))
    assert sink.digits == "5"
    assert abs(sink.durations[0] - 960) <= 120


def test_a_loss_that_may_hold_a_pause_joins_nothing():
    for lost in (320, 400, 4000):
        sink = Sink()
        receiver = DtmfReceiver(sink)
        digit = key("5", 60)
        receiver.feed(digit, len(digit))
        receiver.skip(lost)
        receiver.feed(joined(digit, silence(60)), len(digit) + 480)
        assert sink.digits == "55", lost
        assert all(duration <= 560 for duration in sink.durations), sink.durations


def test_40_ms_are_a_digit_and_23_ms_are_none():
    for start in range(0, 104, 8):
        for name in "159D":
            lead = array("h", bytes(2 * start))
            assert heard(joined(lead, key(name, 40), silence(60))).digits == name
            assert heard(joined(lead, key(name, 23), silence(60))).digits == ""


def test_a_gap_of_10_ms_is_bridged_and_a_pause_of_40_ms_parts_two_digits():
    for start in range(0, 104, 8):
        lead = array("h", bytes(2 * start))
        assert heard(joined(lead, key("5", 60), silence(10), key("5", 60), silence(60))).digits == "5"
        assert heard(joined(lead, key("5", 60), silence(40), key("5", 60), silence(60))).digits == "55"


def test_dial_tone_at_the_digits_level_hides_nothing():
    samples = all_keys(low_dbm0=-13, high_dbm0=-13)
    dial = signals.mix(signals.sine(len(samples), 350, -13), signals.sine(len(samples), 440, -13))
    assert heard(signals.mix(samples, dial)).digits == DTMF_KEYS


def test_direct_current_changes_nothing():
    samples = all_keys()
    assert heard(array("h", [x + 3000 for x in samples])).digits == DTMF_KEYS


def test_noise_15_db_below_hides_nothing():
    samples = all_keys()
    # The two tones of -10 dBm0 have an rms of 7193; 15 dB below is 1279.
    assert heard(signals.mix(samples, signals.noise(len(samples), 1279, 57))).digits == DTMF_KEYS


def test_minutes_of_noise_are_no_digit():
    for seed in range(1, 13):
        assert heard(signals.noise(80000, 3000, seed)).digits == ""


def test_other_tones_are_no_digit():
    for first_hz, second_hz in (
        (350, 440),
        (480, 620),
        (440, 480),
        (2130, 2750),
        (697, 770),
        (1209, 1336),
        (941, 2200),
    ):
        tone = signals.mix(signals.sine(8000, first_hz, -13), signals.sine(8000, second_hz, -13))
        assert heard(tone).digits == "", (first_hz, second_hz)


def test_blocks_of_any_length_hear_the_same():
    samples = all_keys()
    for block in (1, 7, 101, 102, 103, 160, 4000):
        assert heard(samples, block).durations == heard(samples).durations
        assert heard(samples, block).digits == DTMF_KEYS


def test_lost_samples_cost_nothing_after_them():
    sink = Sink()
    receiver = DtmfReceiver(sink)
    digit = key("5", 100)
    receiver.feed(digit, 400)
    receiver.skip(8000)
    pause = silence(60)
    receiver.feed(pause, len(pause))
    after = key("7", 60)
    receiver.feed(after, len(after))
    assert sink.digits == "57"


def test_a_reset_forgets_a_digit_that_sounds():
    sink = Sink()
    receiver = DtmfReceiver(sink)
    digit = key("5", 100)
    receiver.feed(digit, len(digit))
    receiver.reset()
    receiver.feed(digit, len(digit))
    assert sink.digits == "55"


def test_extremes_and_full_scale_digits_allocate_nothing():
    square = array("h", [32767 if k // 6 & 1 else -32768 for k in range(8000)])
    fastest = array("h", [32767 if k & 1 else -32768 for k in range(8000)])
    third = array("h", [32767 if k // 3 & 1 else -32768 for k in range(8000)])
    steady = array("h", [-32768] * 8000)
    digit = key("8", 100, 0, 0)
    receiver = DtmfReceiver(Quiet())
    micropython.heap_lock()
    try:
        receiver.feed(square, 8000)
        receiver.feed(steady, 8000)
        receiver.feed(fastest, 8000)
        receiver.feed(third, 8000)
        receiver.skip(77)
        receiver.reset()
        receiver.feed(digit, 800)
    finally:
        micropython.heap_unlock()
