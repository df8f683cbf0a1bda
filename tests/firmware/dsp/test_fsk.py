"""The FSK receiver against the modulator: levels, twist, noise, rates, hum, and what is no signal at all."""

import math
from array import array

import micropython
import signals
from star57.dsp import fsk
from star57.dsp.burst import BurstRecorder
from star57.dsp.fsk import FskReceiver
from star57.dsp.modulator import FskModulator

MESSAGE = bytes.fromhex("801c01083132303131373331020a3535353535353031323307044a4f484ed0")
BELL_202 = (1200, 2200)
V23 = (1300, 2100)


class Sink:
    """Keeps what it is told in places that exist beforehand."""

    def __init__(self):
        self.bytes = bytearray(2048)
        self.length = 0
        self.weakest = 255
        self.longest_mark = 0
        self.framing_errors = 0
        self.carriers = 0
        self.present = 0

    def carrier(self, present):
        assert present != self.present
        self.present = present
        self.carriers += present

    def marks(self, bits):
        self.longest_mark = max(self.longest_mark, bits)

    def byte(self, value, confidence):
        assert 0 <= value <= 255
        assert 0 <= confidence <= 255
        if self.length < len(self.bytes):
            self.bytes[self.length] = value
            self.length += 1
        self.weakest = min(self.weakest, confidence)

    def framing_error(self):
        self.framing_errors += 1

    def heard(self, message=MESSAGE):
        return message in bytes(self.bytes[: self.length])


def silence(n):
    return array("h", bytes(2 * n))


def burst(tones=BELL_202, baud=1200, mark_dbm0=-13, space_dbm0=-13, message=MESSAGE, **bits):
    modulator = FskModulator(tones[0], tones[1], baud, mark_dbm0, space_dbm0)
    modulator.start(message, **bits)
    samples = array("h")
    block = silence(160)
    while not modulator.done:
        n = modulator.fill(block, 160)
        samples.extend(block if n == 160 else array("h", [block[i] for i in range(n)]))
    return samples


def framed(samples, k=0):
    """The burst between silences, at another fraction of the receiver's chunk for every k."""
    return silence(200 + 7 * k % 97) + samples + silence(240)


def receive(samples, tones=BELL_202):
    sink = Sink()
    FskReceiver(sink, tones[0], tones[1]).feed(samples, len(samples))
    return sink


def decoded_in_noise(tones, snr_db, trials, **bits):
    clean = burst(tones, **bits)
    # The signal-to-noise ratio counts noise from 300 to 3400 Hz; white noise here goes to 4000 Hz.
    rms = round(signals.peak(-13) / math.sqrt(2) * 10 ** (-snr_db / 20) * math.sqrt(4000 / 3100))
    decoded = 0
    for k in range(trials):
        samples = framed(clean, k)
        noisy = signals.mix(samples, signals.noise(len(samples), rms, 104729 * k + 1))
        decoded += receive(noisy, tones).heard()
    return decoded


def test_levels():
    for tones in (BELL_202, V23):
        for dbm0 in (3, 0, -13, -20, -30, -36, -40, -42):
            sink = receive(framed(burst(tones, mark_dbm0=dbm0, space_dbm0=dbm0)), tones)
            assert sink.heard(), (tones, dbm0)
            assert sink.carriers == 1
            assert sink.present == 0


def test_rejects_below_48_dbm():
    for dbm0 in (-48.3, -55):
        assert receive(framed(burst(mark_dbm0=dbm0, space_dbm0=dbm0))).carriers == 0, dbm0


def test_twist():
    for twist_db in (-10, -6, 6, 10):
        for loudest_dbm0 in (-3, -28):
            levels = {
                "mark_dbm0": loudest_dbm0 + min(0, twist_db),
                "space_dbm0": loudest_dbm0 - max(0, twist_db),
            }
            for seizure_bits in (0, 300):
                for tones in (BELL_202, V23):
                    samples = framed(burst(tones, seizure_bits=seizure_bits, mark_bits=80, **levels))
                    assert receive(samples, tones).heard(), (twist_db, loudest_dbm0, seizure_bits, tones)


def test_rate_and_mark_between_bytes():
    for baud in (1152, 1188, 1212, 1248):
        for between_bits in (0, 1, 10, 20):
            for seizure_bits in (0, 300):
                for tones in (BELL_202, V23):
                    samples = burst(tones, baud, seizure_bits=seizure_bits, between_bits=between_bits)
                    assert receive(framed(samples), tones).heard(), (baud, between_bits, seizure_bits, tones)


def test_every_phase_of_the_bit():
    for k in range(97):
        assert receive(framed(burst(seizure_bits=0, mark_bits=55), k)).heard(), k


def test_noise():
    assert decoded_in_noise(BELL_202, 10, 100) == 100
    assert decoded_in_noise(BELL_202, 8, 100) >= 97
    assert decoded_in_noise(V23, 10, 100) == 100
    assert decoded_in_noise(V23, 8, 100) >= 93
    assert decoded_in_noise(BELL_202, 9, 100, seizure_bits=0, mark_bits=80, between_bits=20) >= 98


def test_hum_and_dc():
    clean = framed(burst(mark_dbm0=-25, space_dbm0=-25))
    # TIA-777: a tone up to 60 Hz 18 dB above the signal, to 120 Hz 12 dB, to 200 Hz 6 dB.
    for hz, above_db in ((50, 18), (60, 18), (100, 12), (120, 12), (180, 6)):
        assert receive(signals.mix(clean, signals.sine(len(clean), hz, -25 + above_db))).heard(), hz
    for offset in (-20000, -300, 300, 20000):
        assert receive(signals.mix(clean, array("h", [offset] * len(clean)))).heard(), offset


def test_marks_are_counted():
    class Marks(Sink):
        def marks(self, bits):
            counts.append(bits)

    for between_bits in (0, 1, 2, 7, 20):
        counts = []
        sink = Marks()
        samples = framed(burst(seizure_bits=0, mark_bits=60, between_bits=between_bits))
        FskReceiver(sink).feed(samples, len(samples))
        assert sink.heard()
        # Finding the carrier takes a few bits.
        assert 56 <= counts[0] <= 60
        assert counts[1 : len(MESSAGE)] == [between_bits] * (len(MESSAGE) - 1 if between_bits else 0)


def test_minutes_of_mark_overflow_nothing():
    mark = signals.sine(8000, 1200, -13)
    sink = Sink()
    receiver = FskReceiver(sink)
    for _ in range(60):
        receiver.feed(mark, 8000)
    receiver.feed(burst(seizure_bits=0, mark_bits=0) + silence(240), 2300)
    assert sink.longest_mark == 19660  # of 131072 samples, where the count ends
    assert sink.heard()


def test_a_recorder_learns_where_mark_ended_and_when_the_sink_is_told():
    class Times(Sink):
        def byte(self, value, confidence):
            if self.length == 0:
                self.first = recorder.heard
            super().byte(value, confidence)

    samples = burst(seizure_bits=0, mark_bits=100)
    mark_ends = 777 + 100 * 8000 / 1200
    for length in (1, 80, 160, 1000):
        recorder = BurstRecorder()
        sink = Times()
        receiver = FskReceiver(sink, recorder=recorder)
        line = silence(777) + samples + silence(240)
        for i in range(0, len(line), length):
            block = line[i : i + length]
            receiver.feed(block, len(block))
        assert sink.heard()
        assert recorder.heard == len(line)
        assert recorder.kept_to == len(line) // 32 * 32
        assert 5 < recorder.mark_ended - mark_ends < 40
        byte_ends = mark_ends + 9.5 * 8000 / 1200
        assert 0 < sink.first - byte_ends < 8


def test_a_recorder_finds_no_mark_in_data():
    recorder = BurstRecorder()
    samples = framed(burst(mark_bits=30, between_bits=20))
    FskReceiver(Sink(), recorder=recorder).feed(samples, len(samples))
    assert recorder.mark_ended == -1


def test_confidence_falls_with_noise():
    clean = burst(seizure_bits=0) + silence(160)
    good = Sink()
    FskReceiver(good).feed(clean, len(clean) - 240)
    noisy = signals.mix(clean, signals.noise(len(clean), 1800, 77))
    poor = Sink()
    FskReceiver(poor).feed(noisy, len(noisy) - 240)
    assert good.weakest > 120
    assert poor.weakest < good.weakest * 3 // 4


def test_stop_bit_is_checked():
    # Continuous space after one byte: the next start bit finds no stop bit.
    clean = burst(message=b"\x55")
    space = signals.sine(400, 2200, -13)
    assert receive(clean + space + clean).framing_errors >= 1


def test_recovers_from_a_louder_signal():
    # DTMF digit D at 0 dBm0, then the burst at -33 without a seizure: the levels learnt have to be unlearnt.
    digit = signals.mix(signals.sine(480, 941, -3), signals.sine(480, 1633, -3))
    quiet = burst(mark_dbm0=-33, space_dbm0=-33, seizure_bits=0, mark_bits=80)
    for gap in (0, 8, 80, 800):
        assert receive(digit + silence(gap) + quiet + silence(200)).heard(), gap


def test_blocks_of_any_length_make_no_difference():
    samples = framed(signals.mix(burst(), signals.noise(6000, 300, 5)))
    whole = receive(samples)
    for lengths in ((1,), (79, 80, 81), (0, 3, 160, 7), (500,)):
        sink = Sink()
        receiver = FskReceiver(sink)
        start = turn = 0
        while start < len(samples):
            n = min(lengths[turn % len(lengths)], len(samples) - start)
            receiver.feed(samples[start : start + n], n)
            start += n
            turn += 1
        assert sink.bytes == whole.bytes
        assert sink.weakest == whole.weakest
        assert sink.framing_errors == whole.framing_errors


def test_feed_allocates_nothing():
    samples = framed(burst()) + signals.noise(8000, 3000, 9)
    sink = Sink()
    receiver = FskReceiver(sink)
    blocks = [samples[i : i + 20 + i % 300] for i in range(0, len(samples), 200)]
    micropython.heap_lock()
    try:
        for block in blocks:
            receiver.feed(block, len(block))
            receiver.skip(0)
        receiver.skip(40)
        receiver.reset()
    finally:
        micropython.heap_unlock()
    assert sink.length > 0


def test_fill_allocates_nothing():
    modulator = FskModulator()
    modulator.start(MESSAGE)
    block = silence(80)
    micropython.heap_lock()
    try:
        while not modulator.done:
            modulator.fill(block, 80)
    finally:
        micropython.heap_unlock()


def test_reset_is_as_new():
    samples = framed(burst())
    sink = Sink()
    receiver = FskReceiver(sink)
    receiver.feed(signals.noise(1000, 5000, 3), 1000)
    receiver.reset()
    sink.__init__()
    receiver.feed(samples, len(samples))
    fresh = receive(samples)
    assert sink.bytes == fresh.bytes
    assert sink.weakest == fresh.weakest


def test_skip_drops_the_carrier_and_finds_it_again():
    samples = burst(mark_bits=180)
    cut = 2400
    sink = Sink()
    receiver = FskReceiver(sink)
    receiver.feed(samples, cut)
    receiver.skip(100)
    assert sink.present == 0
    rest = samples[cut + 100 :]
    receiver.feed(rest, len(rest))
    assert sink.heard()
    assert sink.carriers == 2


def test_extremes():
    """Square waves and noise of full scale: nothing is raised, and a clipped burst is still read."""
    for half_period in range(1, 12):
        for high, low in ((32767, -32767), (32767, -32768), (-32768, -32768), (32767, 32767)):
            square = array("h", [high if i // half_period % 2 == 0 else low for i in range(1200)])
            receive(square)
    loud = signals.noise(16000, 8000, 11)
    receive(array("h", [32767 if x > 0 else -32768 for x in loud]))
    clipped = array("h", [32767 if x > 0 else -32767 for x in framed(burst())])
    assert receive(clipped).heard()


def impulse_response():
    slow = fast = 0.0
    response = []
    for k in range(200):
        x = 1.0 if k == 0 else 0.0
        slow += (x - slow) / 8
        x -= slow
        fast += (x - fast) / 4
        response.append((x - fast) / 2)
    return response


def test_full_scale_stays_within_32_bits():
    """The bounds claimed in fsk.py, by the sums of magnitudes: no input can do worse."""
    passes = impulse_response()
    assert 32768 * sum(abs(x) for x in passes) + 1 < 24750
    for baud in (1143, 1200, 1260, 1599):
        bit_samples = 8000 / baud
        for hz in (1000, 1200, 1300, 2100, 2200, 2400):
            lifted = [tap - 0x20000000 for tap in fsk.taps(hz, bit_samples)]
            cosine, sine, bias = lifted[:5], [0] + lifted[5:9], lifted[9]
            for half in (cosine, sine):
                assert (abs(half[0]) + 2 * sum(abs(x) for x in half[1:])) * 65535 < 2**30
            assert abs(bias) < 2**29
            loudest = heard = 0.0
            for phase in range(24):
                c, s = math.cos(math.pi * phase / 24), math.sin(math.pi * phase / 24)
                window = [c * cosine[abs(k)] + (s if k > 0 else -s) * sine[abs(k)] for k in range(-4, 5)]
                loudest = max(loudest, sum(abs(x) for x in window))
                heard = max(heard, sum(abs(x) for x in convolved(window, passes)))
            # The phase that was not tried is less than 1/48 of a turn away.
            closest = math.cos(math.pi / 48)
            assert loudest * 32768 / 8192 * 1.03 / closest < 42500
            power = (heard * 32768 / 8192 / closest) ** 2
            assert power < 0.55 * 2**29
            assert power * (1 + 3 / 16) < 0.66 * 2**29 < 2**30 / 2


def convolved(window, response):
    out = [0.0] * (len(window) + len(response) - 1)
    for i in range(len(window)):
        for k in range(len(response)):
            out[i + k] += window[i] * response[k]
    return out


def test_the_loudest_input_is_passed_without_wrapping():
    """The input that drives the high-pass furthest: the sign of its impulse response, backwards."""

    class Peak:
        ahead = array("i", (0,))

        def __init__(self):
            self.peak = 0

        def keep(self, passed, first, count):
            self.peak = max([self.peak] + [abs(passed[first + i] - 32768) for i in range(count)])

    worst = [-32768 if x < 0 else 32767 for x in impulse_response()]
    worst.reverse()
    recorder = Peak()
    receiver = FskReceiver(Sink(), recorder=recorder)
    receiver.feed(array("h", worst), len(worst))
    assert 24500 < recorder.peak < 24750


def test_correlate_measures_magnitudes():
    for hz, other_hz in ((1200, 2200), (2200, 1200)):
        for amplitude in (100, 5000, 30000):
            for phase in range(0, 100, 9):
                samples = array("H", bytes(2 * (fsk.WINDOW + 1)))
                for k in range(len(samples)):
                    samples[k] = round(amplitude * math.sin(2 * math.pi * hz * k / 8000 + phase)) & 0xFFFF
                fsk.lift(samples, len(samples))
                own = array("H", (0, 0))
                other = array("H", (0, 0))
                own_taps, other_taps = fsk.taps(hz, 8000 / 1200), fsk.taps(other_hz, 8000 / 1200)
                fsk.correlate(samples, own, other, own_taps, other_taps, 2)
                whole = amplitude / 2 * 8000 / 1200 / 4
                assert all(abs(magnitude - whole) < 0.1 * whole + 1 for magnitude in own), (
                    hz,
                    amplitude,
                    phase,
                )
                assert all(magnitude < 0.25 * whole + 1 for magnitude in other), (hz, amplitude, phase)


def test_refuses_a_bit_of_another_length():
    for baud in (300, 2400):
        try:
            FskReceiver(Sink(), baud=baud)
        except ValueError:
            continue
        raise AssertionError(baud)


def test_modulator_writes_what_it_says():
    modulator = FskModulator(mark_dbm0=0, space_dbm0=-6)
    modulator.start(b"\x00\xff", seizure_bits=30, mark_bits=30)
    block = silence(50)
    total = 0
    peak = 0
    while not modulator.done:
        n = modulator.fill(block, 33)
        total += n
        peak = max([peak] + [abs(block[i]) for i in range(n)])
        assert n == 33 or modulator.done
    assert block[33] == 0
    assert modulator.fill(block, 33) == 0
    assert abs(total - 90 * 8000 / 1200) <= 1
    assert 22000 < peak <= 22748


def test_modulator_is_phase_continuous():
    samples = burst(mark_dbm0=0, space_dbm0=0)
    # The steepest step of 2200 Hz at peak 22748, and one entry of the sine table.
    steepest = 22748 * (2 * math.sin(math.pi * 2200 / 8000) + 2 * math.pi / 512)
    assert max(abs(samples[i + 1] - samples[i]) for i in range(len(samples) - 1)) <= steepest


def test_shifted_samples_are_clipped():
    samples = array("h", [32767, -32768, 4000, -4000, 8, -8, 0])
    fsk.shift_right(samples, 7, 2)
    assert list(samples) == [2047, -2047, 1000, -1000, 2, -2, 0]


class Choosy(Sink):
    """Wants no character before which fewer bits of mark stand than these."""

    fewest_marks = 11

    def byte(self, value, confidence):
        super().byte(value, confidence)
        return self.fewest_marks

    def framing_error(self):
        super().framing_error()
        return self.fewest_marks


def test_tells_no_character_that_is_not_wanted():
    for between_bits, told in ((0, 1), (9, 1), (14, len(MESSAGE))):
        sink = Choosy()
        receiver = FskReceiver(sink)
        samples = framed(burst(seizure_bits=0, mark_bits=100, between_bits=between_bits))
        receiver.feed(samples, len(samples))
        assert bytes(sink.bytes[: sink.length]) == MESSAGE[:told], between_bits
        # Another carrier, another first character.
        receiver.feed(samples, len(samples))
        assert sink.length == 2 * told
        assert sink.carriers == 2
