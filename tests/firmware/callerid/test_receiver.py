"""Caller ID from samples: what is heard in the window, when it ends, and what is named when nothing came."""

import math
from array import array

import micropython
import signals
from star57.callerid.framing import CHECKSUM_WRONG, GARBAGE, MESSAGE, NO_CARRIER, TRUNCATED
from star57.callerid.receiver import CallerIdReceiver
from star57.callerid.standards import STANDARDS
from star57.dsp.modulator import FskModulator

MDMF = bytes.fromhex("802201083132303131373331020a35353535353530313233070a534d495448204a4f484ed0")
WINDOW = 8 * 4000


def sealed(data):
    return data + bytes([-sum(data) & 0xFF])


def silence(n):
    return array("h", bytes(2 * n))


def burst(standard, data, seizure=True, dbm0=-13.5, between_bits=0):
    modulator = FskModulator(standard.mark_hz, standard.space_hz, standard.baud, dbm0, dbm0)
    if seizure:
        modulator.start(data, standard.seizure_bits, standard.mark_bits, between_bits)
    else:
        modulator.start(data, 0, standard.off_hook_mark_bits, between_bits)
    samples = silence(len(data) * 70 * (3 if between_bits else 1) + 4000)
    n = modulator.fill(samples, len(samples))
    assert modulator.done
    return samples[:n]


def speech(n, seed):
    """Noise in syllables, through a resonance that wanders as vowels do."""
    source = signals.noise(n, 2500, seed)
    samples = silence(n)
    before = before_that = 0.0
    for i in range(n):
        hz = 700 + 500 * math.sin(i / 2100) + 400 * math.sin(i / 910)
        syllable = max(0, math.sin(i / 640)) * (0.4 + 0.6 * abs(math.sin(i / 9000)))
        now = (
            1.9 * math.cos(2 * math.pi * hz / 8000) * before - 0.9 * before_that + source[i] * 0.2 * syllable
        )
        before_that = before
        before = now
        samples[i] = max(-32768, min(32767, int(now)))
    return samples


def hear(receiver, samples, block=80):
    for start in range(0, len(samples), block):
        part = samples[start : start + block]
        receiver.feed(part, len(part))
        while receiver.work():
            pass


def listen(samples, seizure=True, window=WINDOW, block=80):
    receiver = CallerIdReceiver()
    receiver.listen(window, seizure)
    hear(receiver, samples, block)
    return receiver


def result_of(samples, **how):
    """The result once the window has ended in silence."""
    receiver = listen(samples, **how)
    hear(receiver, silence(WINDOW))
    return receiver.result


def test_every_standard_on_hook_and_off_hook():
    for name, standard in STANDARDS.items():
        for seizure in (True, False):
            samples = silence(4000) + burst(standard, MDMF, seizure) + silence(400)
            receiver = listen(samples, seizure=seizure)
            assert receiver.result == MESSAGE, (name, seizure)
            message = receiver.message()
            assert (message.number, message.name) == ("5555550123", "SMITH JOHN")
            assert receiver.quality["standard"] == ("bell_202" if name == "bell_202" else "v23")


def test_the_message_ends_the_window_at_once():
    standard = STANDARDS["bell_202"]
    samples = burst(standard, MDMF) + silence(100)
    receiver = listen(samples)
    assert receiver.result == MESSAGE
    receiver.clear()
    hear(receiver, samples)
    assert receiver.result is None


def test_deaf_outside_the_window():
    samples = burst(STANDARDS["bell_202"], MDMF)
    receiver = CallerIdReceiver()
    hear(receiver, samples)
    assert receiver.result is None
    receiver.listen(WINDOW)
    receiver.close()
    hear(receiver, samples)
    assert receiver.result is None


def test_longest_message():
    data = sealed(bytes([0x80, 255, 0x07, 200]) + b"N" * 200 + bytes([0x50, 51]) + b"D" * 51)
    assert len(data) == 258
    receiver = listen(burst(STANDARDS["bell_202"], data) + silence(200))
    assert receiver.result == MESSAGE
    assert receiver.message().name == "N" * 200


def test_twenty_mark_bits_between_bytes():
    assert listen(burst(STANDARDS["bell_202"], MDMF, between_bits=20) + silence(100)).result == MESSAGE


def test_a_second_listening_is_as_new():
    samples = burst(STANDARDS["bell_202"], MDMF)
    receiver = listen(samples[: len(samples) // 2])
    receiver.listen(WINDOW)
    hear(receiver, samples + silence(100))
    assert receiver.result == MESSAGE


def test_nothing_comes():
    assert result_of(silence(100)) == NO_CARRIER
    assert result_of(signals.noise(8000, 30, 4)) == NO_CARRIER
    receiver = CallerIdReceiver()
    receiver.listen(160)
    hear(receiver, silence(159))
    assert receiver.result is None
    receiver.skip(1)
    receiver.work()
    assert receiver.result == NO_CARRIER


def test_truncated_anywhere():
    samples = burst(STANDARDS["bell_202"], MDMF)
    data_starts = 480 * 8000 // 1200
    for cut in range(data_starts + 80, len(samples) - 150, 97):
        assert result_of(samples[:cut]) == TRUNCATED, cut
    for cut in (400, 2000, 3000):
        assert result_of(samples[:cut]) == GARBAGE, cut


def test_a_click_like_the_start_of_a_message_does_not_end_the_window():
    standard = STANDARDS["bell_202"]
    click = burst(standard, MDMF[:2], seizure=False)
    receiver = listen(click + silence(800) + burst(standard, MDMF) + silence(200))
    assert receiver.result == MESSAGE
    assert result_of(click) == TRUNCATED


def test_window_ends_within_the_message():
    samples = burst(STANDARDS["bell_202"], MDMF)
    assert listen(samples, window=len(samples) - 600).result == TRUNCATED


def test_corrupted():
    standard = STANDARDS["bell_202"]
    wrong = bytearray(MDMF)
    wrong[16] ^= 0x20
    receiver = listen(burst(standard, wrong) + silence(8000))
    assert receiver.result == CHECKSUM_WRONG
    assert receiver.data == bytes(wrong)
    assert receiver.quality["standard"] == "bell_202"
    samples = burst(standard, MDMF)
    click = len(samples) - 800
    samples[click : click + 30] = array("h", [20000, -20000] * 15)
    assert result_of(samples) in (CHECKSUM_WRONG, TRUNCATED)


def test_lost_samples():
    samples = burst(STANDARDS["bell_202"], MDMF)
    data_starts = 480 * 8000 // 1200
    for lost_at, expected in ((data_starts - 800, MESSAGE), (data_starts + 800, TRUNCATED)):
        receiver = CallerIdReceiver()
        receiver.listen(WINDOW)
        receiver.feed(samples, lost_at)
        receiver.skip(30)
        hear(receiver, samples[lost_at + 30 :] + silence(WINDOW))
        assert receiver.result == expected, lost_at


def test_speech_and_noise_are_no_message():
    for seed in (1, 2, 3):
        for seizure in (True, False):
            assert result_of(speech(16000, seed), seizure=seizure) != MESSAGE
    for rms in (300, 1000, 8000):
        assert result_of(signals.noise(WINDOW, rms, rms)) in (GARBAGE, TRUNCATED, CHECKSUM_WRONG)


def test_speech_before_the_burst():
    samples = speech(6000, 9) + burst(STANDARDS["bell_202"], MDMF, seizure=False) + silence(200)
    assert listen(samples, seizure=False).result == MESSAGE


def noisy(samples, snr_db, seed, dbm0=-13.5):
    """With white noise so far below in 300 to 3400 Hz."""
    rms = signals.peak(dbm0) / math.sqrt(2) / 10 ** (snr_db / 20) * math.sqrt(4000 / 3100)
    return signals.mix(samples, signals.noise(len(samples), round(rms), seed))


def test_a_burst_in_noise_is_read_a_second_time():
    for standard, snr_db in ((STANDARDS["bell_202"], 5), (STANDARDS["v23"], 6)):
        read = repaired = 0
        for seed in range(1, 11):
            receiver = listen(noisy(silence(800) + burst(standard, MDMF) + silence(6000), snr_db, seed))
            if receiver.result == MESSAGE:
                assert receiver.data == MDMF
                read += 1
                repaired += receiver.quality["repaired"]
        assert read >= 9, (standard.name, read)
        assert repaired < read


def test_nothing_is_made_up_from_a_burst_that_noise_hides():
    for seed in range(1, 11):
        samples = noisy(silence(800) + burst(STANDARDS["bell_202"], MDMF) + silence(6000), 1, seed)
        receiver = listen(samples)
        assert receiver.result != MESSAGE or receiver.data == MDMF


def test_quality():
    for name, twist_db, level_dbm0 in (("bell_202", 6, -20), ("v23", -6, -30), ("bell_202", 0, -9)):
        standard = STANDARDS[name]
        modulator = FskModulator(standard.mark_hz, standard.space_hz, 1200, level_dbm0, level_dbm0 - twist_db)
        modulator.start(MDMF, 300, 180, 0)
        samples = silence(8000)
        samples = noisy(samples[: modulator.fill(samples, 8000)] + silence(6000), 25, 3, level_dbm0)
        receiver = listen(samples)
        assert receiver.result == MESSAGE
        quality = receiver.quality
        assert quality["standard"] == name
        assert abs(quality["level_dbm0"] - level_dbm0) < 0.5, quality
        assert abs(quality["twist_db"] - twist_db) < 1.0, (quality, twist_db)
        assert abs(quality["snr_db"] - 25) < 2.5, quality
        assert abs(quality["baud"] - 1200) < 4, quality
        assert quality["framing_errors"] == 0
        assert quality["repaired"] is False


def test_a_second_message_in_the_same_burst():
    waiting = sealed(bytes.fromhex("82030b01ff"))
    data = MDMF + waiting
    receiver = CallerIdReceiver()
    receiver.listen(WINDOW)
    heard = []
    samples = burst(STANDARDS["v23"], data) + silence(400)
    for start in range(0, len(samples), 80):
        part = samples[start : start + 80]
        hear(receiver, part)
        if receiver.result is not None:
            heard.append(receiver.data)
            receiver.resume(WINDOW)
    assert heard == [MDMF, waiting]


def test_a_second_message_behind_a_checksum_that_begins_a_frame_of_ntt():
    data = sealed(MDMF[:-5] + b"JOhn")
    assert data[-1] == 0x90
    waiting = sealed(bytes.fromhex("82030b01ff"))
    receiver = CallerIdReceiver()
    receiver.listen(WINDOW)
    heard = []
    samples = burst(STANDARDS["bell_202"], data + waiting) + silence(400)
    for start in range(0, len(samples), 80):
        hear(receiver, samples[start : start + 80])
        if receiver.result is not None:
            heard.append(receiver.data)
            receiver.resume(WINDOW)
    assert heard == [data, waiting]


def test_ntt():
    frame = bytes.fromhex("9081879082c00c820a35353535353530b1b23390039af9")
    samples = silence(800) + burst(STANDARDS["v23"], frame, seizure=False) + silence(400)
    receiver = listen(samples, seizure=False)
    assert receiver.result == MESSAGE
    assert receiver.message().number == "5555550123"
    assert receiver.quality["standard"] == "ntt"
    assert abs(receiver.quality["level_dbm0"] + 13.5) < 0.5


def test_ntt_is_read_a_second_time():
    frame = bytes.fromhex("9081879082c00c820a35353535353530b1b23390039af9")
    for baud, shift_hz, dbm0, snr_db in (
        (1152, 0, -13, 20),
        (1260, 0, -13, 20),
        (1200, 150, -13, 20),
        (1200, 0, -46, 20),
        (1200, 0, -13, 8),
    ):
        modulator = FskModulator(1300 + shift_hz, 2100 + shift_hz, baud, dbm0, dbm0)
        modulator.start(frame, 0, 75, 3)
        samples = silence(8000)
        samples = silence(800) + samples[: modulator.fill(samples, 8000)] + silence(4000)
        receiver = CallerIdReceiver()
        receiver.listen(len(samples), False)
        hear(receiver, noisy(samples, snr_db, 7, dbm0))
        assert receiver.result == MESSAGE, (baud, shift_hz, dbm0, snr_db)
        assert receiver.message().number == "5555550123"
        assert receiver.quality["standard"] == "ntt"


def test_what_was_heard_is_read_when_the_window_is_finished():
    samples = silence(800) + noisy(burst(STANDARDS["bell_202"], MDMF), 6, 2)
    receiver = listen(samples)
    assert receiver.result is None
    receiver.finish()
    while receiver.work():
        pass
    assert receiver.result == MESSAGE
    assert receiver.data == MDMF


def test_what_comes_while_a_burst_is_read_spoils_nothing():
    """A step a block, as the adapter takes them: what the ring of samples has no room for is let go."""
    standard = STANDARDS["bell_202"]
    samples = silence(800) + noisy(burst(standard, MDMF, between_bits=20) + silence(16000), 12, 2)
    receiver = CallerIdReceiver()
    receiver.listen(len(samples))
    for start in range(0, len(samples), 160):
        part = samples[start : start + 160]
        receiver.feed(part, len(part))
        receiver.work()
    assert receiver.result == MESSAGE
    assert receiver.data == MDMF


def test_few_bytes_that_grammar_would_let_pass_are_no_message():
    for data in (bytes.fromhex("8004200240c1"), bytes.fromhex("800402022038")):
        heard = noisy(silence(800) + burst(STANDARDS["v23"], sealed(data)) + silence(6000), 3, 5)
        assert listen(heard).result != MESSAGE


def test_quality_of_the_burst_before_is_forgotten():
    receiver = listen(burst(STANDARDS["bell_202"], MDMF) + silence(100))
    assert receiver.quality["standard"] == "bell_202"
    receiver.listen(800)
    hear(receiver, silence(800))
    assert receiver.result == NO_CARRIER
    assert receiver.quality["standard"] is None


def test_feed_allocates_nothing():
    samples = burst(STANDARDS["bell_202"], MDMF) + silence(100)
    blocks = [samples[i : i + 100] for i in range(0, len(samples), 100)]
    receiver = CallerIdReceiver()
    micropython.heap_lock()
    try:
        receiver.listen(WINDOW)
        for block in blocks:
            receiver.feed(block, len(block))
        receiver.clear()
        receiver.listen(WINDOW, False)
        receiver.feed(samples, 1000)
        receiver.skip(500)
        receiver.reset()
    finally:
        micropython.heap_unlock()
    receiver.listen(WINDOW)
    hear(receiver, samples)
    assert receiver.result == MESSAGE
