"""DTMF to the limits of ITU-T Q.24, through noise, dial tone, hum and DC; and its filters at their limits."""

import math
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


def told_of(samples):
    """Level, twist and SNR of every digit."""
    sink = Quality()
    sink.receiver.feed(samples, len(samples))
    assert len(sink.told) == 16
    return [told[1:] for told in sink.told]


def test_level_and_twist_are_told_in_whole_db_within_1_db():
    for low_dbm0, high_dbm0 in ((-3, -3), (-10, -10), (-14, -10), (-10, -18), (-30, -33), (-44, -42)):
        both_dbm0 = 10 * math.log10(10 ** (low_dbm0 / 10) + 10 ** (high_dbm0 / 10))
        for level_dbm0, twist_db, snr_db in told_of(all_keys(low_dbm0=low_dbm0, high_dbm0=high_dbm0)):
            assert abs(level_dbm0 - both_dbm0) <= 1.5, (both_dbm0, level_dbm0)
            assert abs(twist_db - (high_dbm0 - low_dbm0)) <= 1, (low_dbm0, high_dbm0, twist_db)
            assert snr_db >= 8


def test_the_snr_is_told_within_3_db():
    for snr_db in (5, 8):
        told = [told_db for _, _, told_db in told_of(in_noise(snr_db, 5))]
        assert all(abs(told_db - snr_db) <= 3 for told_db in told), (snr_db, told)
        assert abs(sum(told) / 16 - snr_db) <= 1, (snr_db, told)


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


def test_mains_hum_10_db_below_hides_nothing():
    samples = all_keys(low_dbm0=-15, high_dbm0=-15)
    for hz in (50, 60):
        assert heard(signals.mix(samples, signals.sine(len(samples), hz, -22))).digits == DTMF_KEYS, hz


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


class Log:
    def __init__(self):
        self.receiver = DtmfReceiver(self)
        self.facts = []

    def digit(self, code, level_dbm0):
        self.facts.append((code, level_dbm0, self.receiver.twist_db, self.receiver.snr_db))

    def digit_end(self, code, duration_samples):
        self.facts.append((code, duration_samples))


def test_no_split_changes_a_fact():
    samples = in_noise(4, 9)
    whole = Log()
    whole.receiver.feed(samples, len(samples))
    assert len(whole.facts) >= 30
    state = 57
    for _ in range(6):
        split = Log()
        start = 0
        while start < len(samples):
            state = (state * 1103515245 + 12345) & 0x7FFFFFFF
            part = samples[start : start + (state >> 16) % 333]
            split.receiver.feed(part, len(part))
            start += len(part)
        assert split.facts == whole.facts


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


class Resetting:
    """Wants no more of a digit than that it has begun."""

    def __init__(self):
        self.receiver = DtmfReceiver(self)
        self.digits = 0

    def digit(self, code, level_dbm0):
        self.digits += 1
        self.receiver.reset()

    def digit_end(self, code, duration_samples):
        raise AssertionError("it was forgotten")


def test_a_sink_may_reset_the_receiver():
    sink = Resetting()
    samples = all_keys()
    sink.receiver.feed(samples, len(samples))
    assert sink.digits == 16


def square(half_period, n):
    return array("h", [32767 if k // half_period & 1 else -32768 for k in range(n)])


def test_extremes_and_full_scale_digits_allocate_nothing():
    extremes = [square(half_period, 4000) for half_period in (1, 3, 6, 4000)]
    digits = all_keys(low_dbm0=0, high_dbm0=0)
    noisy = in_noise(3, 2)
    receiver = DtmfReceiver(Quiet())
    micropython.heap_lock()
    try:
        for samples in extremes:
            receiver.feed(samples, 4000)
        receiver.skip(77)
        receiver.feed(digits, len(digits))
        receiver.reset()
        receiver.feed(noisy, len(noisy))
    finally:
        micropython.heap_unlock()


# Where the receiver's words hold the slot of the newest row; the powers of the window; the rows of powers and energies;
# and the phasors of what was heard last.
SLOT = 8
SUMS = 29
POWERS = 131
PHASORS = 323 + 6 * 16
FREQUENCIES_HZ = DTMF_LOW_HZ + DTMF_HIGH_HZ


def fits(value, bits=31):
    assert -(1 << bits) <= value < 1 << bits, value
    return value


class Reference:
    """The receiver's filters in integers without an end; no product and no sum may be beyond what 32 bits take.

    `notched` are the samples after the notches, of the last that were heard.
    """

    def __init__(self):
        self.line = [8192] * 6
        self.mean = 8192 << 6
        self.a = [0] * 4
        self.b = [0, 0]
        self.y = [0, 0]
        self.notched = []

    def hear(self, samples):
        """Of 40 samples: the four energies, and the phasors, as the receiver has them."""
        self.line.extend([(x + 32768) >> 2 for x in samples])
        mean = self.mean >> 6
        energies = [0, 0, 0, 0]
        total = 0
        self.notched = []
        for k in range(0, 40, 2):
            e3, _, e2, o, e1, _, e0 = [x - mean for x in self.line[k : k + 7]]
            energies[0] += fits(e2 * e2 + o * o) >> 6
            energies[1] += fits((e2 + e1) * o) >> 6
            a = (16 * o + 9 * (e2 + e1) - e3 - e0 + 32) >> 6
            total += a
            energies[2] += fits(a * a) >> 4
            y = self.notch(fits(a, 14))
            energies[3] += fits(y * y) >> 4
            self.notched.append(y)
        self.line = self.line[40:]
        self.mean += total
        own = min(energies[0], fits((fits((total >> 3) ** 2) >> 4) * 13) >> 1)
        energies[0] -= own
        energies[1] += energies[0] - own + (1 << 23)
        return [fits(energy) for energy in energies], self.phasors()

    def notch(self, a):
        lifted = [10240 + x for x in self.a]
        zeros = (fits(lifted[2] * 18956) - fits((lifted[1] + lifted[3]) * 13297) - 5668864) >> 12
        b = zeros + 10240 + a + lifted[0] + ((2 * self.b[0] - self.b[1]) * 21 >> 5)
        y = b + ((2 * self.y[0] - self.y[1]) * 21 >> 5)
        self.a = self.a[1:] + [a]
        self.b = [fits(b, 15), self.b[0]]
        self.y = [fits(y, 15), self.y[0]]
        return y

    def phasors(self):
        parts = []
        for hz in FREQUENCIES_HZ:
            w = 2 * math.pi * hz / 4000
            cosine = round(4096 * math.cos(w))
            sine = round(2048 * math.sin(w))
            steady = round(24064 / (2 - cosine / 2048))
            now = before = steady
            for y in self.notched:
                now, before = fits((fits(now * cosine) >> 11) + y + 24064 - before), now
            parts.append(now - (fits(before * cosine) >> 12) + (1 << 20) - steady + (steady * cosine >> 12))
            parts.append((fits(before * sine) >> 11) + (1 << 20) - (steady * sine >> 11))
        return parts


def worst_for_the_notches():
    """After a second at one rail, the samples that add up to the most behind the notches."""
    responses = []
    for impulse in ([0, 64, 0], [0, 0, 64]):
        reference = Reference()
        line = [0] * 5 + impulse + [0] * 80
        response = []
        for k in range(0, 76, 2):
            e3, _, e2, o, e1, _, e0 = line[k : k + 7]
            response.append(reference.notch((16 * o + 9 * (e2 + e1) - e3 - e0) << 4))
        responses.append(response)
    samples = [-32768] * 8000
    for even, odd in zip(reversed(responses[0]), reversed(responses[1])):
        samples.append(32767 if even > 0 else -32768)
        samples.append(32767 if odd > 0 else -32768)
    return array("h", samples + [-32768] * 4)


def test_at_the_extremes_everything_fits_into_32_bits():
    largest = 0
    inputs = [square(half_period, 1600) for half_period in (1, 2, 3, 5, 6, 13, 40, 60, 160, 1000)]
    for samples in inputs + [signals.noise(4000, 20000, 3), worst_for_the_notches()]:
        receiver = DtmfReceiver(Quiet())
        reference = Reference()
        for start in range(0, len(samples) - 39, 40):
            part = samples[start : start + 40]
            energies, phasors = reference.hear(part)
            receiver.feed(part, 40)
            words = receiver._words
            row = POWERS + 12 * words[SLOT] + 8
            assert list(words[row : row + 4]) == energies, start
            assert list(words[PHASORS : PHASORS + 16]) == phasors, start
            assert all(power >= 0 for power in words[SUMS : SUMS + 12])
            largest = max([largest] + [abs(y) for y in reference.notched])
    assert 14000 <= largest < 22600, largest


def test_phasors_are_fourier_sums():
    receiver = DtmfReceiver(Quiet())
    reference = Reference()
    samples = signals.mix(signals.noise(1600, 3000, 8), key("6", 200))
    for start in range(0, 1600, 40):
        part = samples[start : start + 40]
        receiver.feed(part, 40)
        reference.hear(part)
        for k, hz in enumerate(FREQUENCIES_HZ):
            w = 2 * math.pi * hz / 4000
            real = sum([y * math.cos(w * (19 - n)) for n, y in enumerate(reference.notched)])
            imaginary = sum([y * math.sin(w * (19 - n)) for n, y in enumerate(reference.notched)])
            assert abs(receiver._words[PHASORS + 2 * k] - 1048576 - real) < 30, (start, hz)
            assert abs(receiver._words[PHASORS + 2 * k + 1] - 1048576 - imaginary) < 30, (start, hz)
