"""Typing on a TTY: what is read of it, under noise, off pitch and off speed; and what is no typing."""

import gc
import math
from array import array

import micropython
import signals
from star57.dsp.baudot import BaudotSender, encode
from star57.dsp.baudot_receiver import BaudotReceiver
from star57.dsp.dtmf import DtmfReceiver
from star57.dsp.tones import DTMF_KEYS, DtmfSender
from star57.sound.player import Player
from star57.sound.regions import REGIONS

TEXT = "\nTHE QUICK BROWN FOX JUMPS OVER THE LAZY DOG.\n0123456789 $5.35 'A' (B) -,!:;/? GA"
READ = TEXT.replace("\n", "\r\n")


class Sink:
    def __init__(self):
        self.text = ""

    def character(self, code):
        self.text += chr(code)


def sent(text, dbm0=-11):
    sender = BaudotSender(dbm0)
    sender.start(text)
    samples = array("h", bytes(2 * sender.remaining))
    sender.fill(samples, len(samples))
    return samples


def read(samples, block=160):
    sink = Sink()
    receiver = BaudotReceiver(sink)
    for start in range(0, len(samples), block):
        part = samples[start : start + block]
        receiver.feed(part, len(part))
    return sink.text


def typed(text, mark_hz=1400, space_hz=1800, baud=45.4545, dbm0=-20, twist_db=0, stop_bits=1.5):
    """What another sender makes of a text: by floats, a bit at a time, whatever the pitch and the speed."""
    samples = array("h")
    phase = at = 0.0
    bits = [(True, 0.2 * baud)]
    for code in encode(text):
        bits.append((False, 1))
        bits.extend([(bool(code >> k & 1), 1) for k in range(5)])
        bits.append((True, stop_bits))
    bits.append((True, 0.3 * baud))
    for is_mark, length in bits:
        at += length * 8000 / baud
        amplitude = signals.peak(dbm0 + (0 if is_mark else twist_db))
        step = 2 * math.pi * (mark_hz if is_mark else space_hz) / 8000
        while len(samples) < at:
            samples.append(round(amplitude * math.sin(phase)))
            phase += step
    samples.extend(array("h", bytes(2 * 800)))
    return samples


def test_every_character_is_read():
    assert read(sent(TEXT)) == READ
    assert read(typed("DIAL 1 GA")) == "DIAL 1 GA"


def test_blocks_of_any_length_read_the_same():
    samples = sent("CALL 555 0123 GA")
    for block in (1, 21, 22, 147, 1000):
        assert read(samples, block) == "CALL 555 0123 GA"


def test_a_digit_typed_alone_is_that_digit():
    for digit in "0123456789":
        assert read(array("h", bytes(1600)) + typed(digit) + array("h", bytes(1600))) == digit


def test_levels_from_minus_45_to_0_dbm0():
    for dbm0 in (-45, -40, -30, 0):
        assert read(typed("TRACE 1 GA", dbm0=dbm0)) == "TRACE 1 GA", dbm0


def test_pitch_and_speed_and_twist_may_be_off():
    for hz in (-35, 35):
        assert read(typed("TRACE 1 GA", 1400 + hz, 1800 + hz)) == "TRACE 1 GA", hz
    for baud in (43.6, 47.6):
        assert read(typed("TRACE 1 GA", baud=baud)) == "TRACE 1 GA", baud
    for twist_db in (-6, 6):
        assert read(typed("TRACE 1 GA", twist_db=twist_db)) == "TRACE 1 GA", twist_db
    assert read(typed("TRACE 1 GA", stop_bits=1)) == "TRACE 1 GA"


def errors(snr_db, seed):
    """Characters of 100 that are not read as they were typed; noise is white from 0 to 4000 Hz."""
    text = "TRACE 1234567890 GA " * 5
    samples = typed(text, dbm0=-20)
    rms = round(signals.peak(-20 - snr_db) / math.sqrt(2))
    heard = read(signals.mix(samples, signals.noise(len(samples), rms, seed)))
    if len(heard) != len(text):
        return len(text)
    return sum(a != b for a, b in zip(heard, text))


def test_noise_2_db_below_the_tones_spoils_none_of_100_characters():
    assert [errors(2, seed) for seed in (1, 2)] == [0, 0]


def test_hum_and_dc_do_no_harm():
    samples = typed("TRACE 1 GA", dbm0=-25)
    assert read(signals.mix(samples, signals.sine(len(samples), 60, -25))) == "TRACE 1 GA"
    assert read(array("h", [x + 3000 for x in samples])) == "TRACE 1 GA"


def test_a_reset_forgets_the_carrier_the_character_and_the_shift():
    sink = Sink()
    receiver = BaudotReceiver(sink)
    samples = sent("1234")
    receiver.feed(samples, 1600 + 3 * 1408)
    assert sink.text == "1"
    receiver.reset()
    receiver.reset()
    rest = samples[1600 + 3 * 1408 :]
    receiver.feed(rest, len(rest) - 2400)
    assert sink.text == "1"
    receiver.reset()
    receiver.feed(sent("A"), 1600 + 2 * 1408 + 200)
    assert sink.text == "1A"


def test_lost_samples_cost_one_character_and_its_line_goes_on():
    samples = sent("AAAA BBBB CCCC")
    sink = Sink()
    receiver = BaudotReceiver(sink)
    receiver.feed(samples, 12000)
    receiver.skip(400)
    rest = samples[12400:]
    receiver.feed(rest, len(rest))
    assert sink.text.endswith("CCCC")


def test_speech_and_dial_tone_and_digits_type_nothing():
    player = Player(("firmware/prompts/en-US",), REGIONS["US"])
    player.play(("call_trace", "dial_1", "who_acts", "stored", "not_traceable", "danger", "three_traces"))
    speech = array("h", bytes(2 * 8000 * 40))
    block = array("h", bytes(2 * 1600))
    for start in range(0, len(speech), 1600):
        player.fill(block, 1600)
        player.prepare()
        speech[start : start + 1600] = block
    assert max(speech) > 3000
    assert read(speech) == ""
    keys = DtmfSender()
    keys.send(DTMF_KEYS)
    digits = array("h")
    while not keys.done:
        digits.extend(block[: keys.fill(block, 160)])
    assert read(digits) == ""
    assert read(signals.noise(80000, 2000, 57)) == ""
    assert read(signals.sine(16000, 440, -10)) == ""


class Digits:
    def __init__(self):
        self.digits = []

    def digit(self, code, _level_dbm0):
        self.digits.append(code)

    def digit_end(self, code, duration_samples):
        pass


def test_typing_dials_nothing():
    sink = Digits()
    receiver = DtmfReceiver(sink)
    samples = sent(TEXT)
    for start in range(0, len(samples), 160):
        part = samples[start : start + 160]
        receiver.feed(part, len(part))
    assert sink.digits == []


class Counter:
    def __init__(self):
        self.count = 0

    def character(self, code):
        self.count += code > 0


def test_nothing_is_allocated():
    sink = Counter()
    receiver = BaudotReceiver(sink)
    samples = sent("ABC 123")
    gc.collect()
    micropython.heap_lock()
    try:
        receiver.feed(samples, len(samples))
        receiver.reset()
    finally:
        micropython.heap_unlock()
    assert sink.count == 7
