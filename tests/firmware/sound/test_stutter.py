"""Stutter dial tone: when the bursts come, and that they give way at once to whatever may be dialling."""

import gc
from array import array

import micropython
import signals
from star57.dsp.tones import DtmfSender, ToneSender
from star57.sound.player import Player, Signal
from star57.sound.regions import REGIONS
from star57.sound.stutter import Stutter

N = 160
BLOCK_MS = 20
QUIET_MS = 200


class Bursts:
    """A stutter and its player; `hear` lets the pair carry samples, the audio path under heap lock."""

    def __init__(self, country="US"):
        self.player = Player(("build/no-such-folder",), REGIONS[country])
        self.stutter = Stutter(self.player)
        self.out = array("h", bytes(2 * N))
        self.sounding = []  # one a block
        self.loud = []

    def hear(self, samples):
        for start in range(0, len(samples) - N + 1, N):
            self._block(samples[start : start + N])

    def _block(self, block):
        gc.collect()
        micropython.heap_lock()
        try:
            self.stutter.hear(block, N)
            self.player.fill(self.out, N)
            sounding = self.stutter.sounding
        finally:
            micropython.heap_unlock()
        self.sounding.append(sounding)
        self.loud.append(max(self.out) > 1000)
        self.stutter.go_on()
        self.player.prepare()


def tone(hz, dbm0, second_hz=0, second_dbm0=0, duration_ms=1000):
    sender = ToneSender()
    sender.start(hz, dbm0, second_hz, second_dbm0, 8 * duration_ms)
    samples = array("h", bytes(16 * duration_ms))
    sender.fill(samples, len(samples))
    return samples


def dial_tone(duration_ms):
    return tone(350, -10, 440, -10, duration_ms)


def digit(on_ms=50, low_dbm0=-10, high_dbm0=-8, key="5"):
    sender = DtmfSender(on_ms, 50, low_dbm0, high_dbm0)
    sender.send(key)
    samples = array("h", bytes(2 * 8 * 100))
    sender.fill(samples, 8 * on_ms)
    return samples


def added(first, second):
    return array("h", [a + b for a, b in zip(first, second)])


def dial_tones():
    """(country, first Hz, second Hz or 0) of each dial tone, in the middle and at the edges of what may be sent."""
    for country in REGIONS:
        tolerance = 5 if country == "GB" else 2  # percent: SIN 350; a register's filter
        first_hz, _, second_hz, _ = REGIONS[country]["dial"].sections[0][0]
        for percent in (100 - tolerance, 100, 100 + tolerance):
            yield country, first_hz * percent // 100, second_hz * percent // 100
    for first_hz, second_hz in ((330, 440), (400, 450), (415, 440), (400, 425)):
        yield "FR", first_hz, second_hz  # what else TELEPHONY 6 has


def begun(duration_ms=400):
    """Bursts that sound over dial tone."""
    bursts = Bursts()
    bursts.stutter.begin()
    bursts.hear(dial_tone(duration_ms))
    assert bursts.sounding[-1]
    return bursts


def test_nothing_sounds_before_the_phone_is_lifted():
    bursts = Bursts()
    bursts.hear(dial_tone(1000))
    assert not any(bursts.sounding + bursts.loud)


def test_ten_bursts_come_when_the_pair_was_quiet_and_then_no_more():
    bursts = Bursts()
    bursts.stutter.begin()
    bursts.hear(dial_tone(4000))
    first = bursts.sounding.index(True)
    assert first == QUIET_MS // BLOCK_MS
    assert sum(bursts.sounding) == 1990 // BLOCK_MS
    assert not any(bursts.loud[first + 100 :])
    starts = [i for i in range(1, len(bursts.loud)) if bursts.loud[i] and not bursts.loud[i - 1]]
    assert len(starts) == 10


def test_a_digit_ends_them_in_the_block_that_it_begins_in_or_the_next():
    for key in "1234567890*#":
        for low_dbm0, high_dbm0 in ((-10, -8), (-20, -18), (-25, -23)):
            bursts = begun()
            bursts.sounding.clear()
            bursts.hear(added(digit(40, low_dbm0, high_dbm0, key), dial_tone(100)))
            assert sum(bursts.sounding) <= 1, (key, low_dbm0)


def test_what_was_no_digit_lets_them_go_on():
    bursts = begun()
    bursts.hear(added(tone(1000, -15, duration_ms=60), dial_tone(60)))
    assert not bursts.sounding[-1]
    bursts.hear(dial_tone(QUIET_MS - BLOCK_MS))
    assert not bursts.sounding[-1]
    bursts.hear(dial_tone(3 * BLOCK_MS))
    assert bursts.sounding[-1]


def test_digits_in_a_row_meet_no_burst():
    bursts = begun()
    number = digit() + digit() + digit() + digit()
    bursts.hear(number)
    assert not any(bursts.sounding[-19:])


def test_they_are_over_in_time_also_where_the_pair_is_never_quiet():
    bursts = Bursts()
    bursts.stutter.begin()
    bursts.hear(tone(1000, -15, duration_ms=2600))
    bursts.hear(dial_tone(1000))
    assert not any(bursts.sounding)


def test_the_end_is_at_once_and_for_good():
    bursts = begun()
    bursts.stutter.end()
    assert not bursts.stutter.sounding
    bursts.hear(dial_tone(3000))
    assert not any(bursts.sounding[-140:])


def test_the_end_leaves_what_else_the_player_has():
    bursts = Bursts()
    bursts.player.play(())
    bursts.stutter.end()
    assert bursts.player.idle


def test_noise_of_a_room_and_hum_do_not_keep_them_away():
    for beside in (signals.noise(8000, 50, 57), tone(60, -20)):
        bursts = Bursts()
        bursts.stutter.begin()
        bursts.hear(added(dial_tone(1000), beside))
        assert bursts.sounding[-1]


def test_the_dial_tone_of_no_country_keeps_them_away():
    # Also where it is as loud as samples can be, with the bursts on it, 15 dB down.
    for country, first_hz, second_hz in dial_tones():
        loud = tone(first_hz, -5 if second_hz else 1, second_hz, -5, duration_ms=460)
        bursts = Bursts(country)
        bursts.stutter.begin()
        bursts.hear(loud[: 8 * 260])
        assert bursts.sounding[-1], (country, first_hz)
        bursts.hear(added(loud[8 * 260 :], _coupled(country)))
        assert bursts.sounding[-1], (country, first_hz)


def _coupled(country):
    """The first 200 ms of the bursts, as the pair has them."""
    player = Player((), REGIONS[country])
    player.play((Signal("stutter"),))
    samples = array("h", bytes(2 * 8 * 200))
    player.fill(samples, len(samples))
    return array("h", [x * 5 // 28 for x in samples])


def test_a_digit_ends_them_over_the_dial_tone_of_every_country():
    for country in REGIONS:
        first_hz, first_dbm0, second_hz, second_dbm0 = REGIONS[country]["dial"].sections[0][0]
        dial = tone(first_hz, first_dbm0, second_hz, second_dbm0, duration_ms=260)
        for key in "1#":
            bursts = Bursts(country)
            bursts.stutter.begin()
            bursts.hear(dial)
            assert bursts.sounding[-1], country
            bursts.sounding.clear()
            bursts.hear(added(digit(40, -25, -23, key), dial[: 8 * 100]))
            assert sum(bursts.sounding) <= 1, (country, key)


def test_the_largest_samples_there_are_make_the_loudest_sound():
    # Signs as those of the filter's seven taps: the sum is the largest that can be, and it must not wrap.
    signs = (1, -1, -1, 1, -1, -1, 1)
    for highest, lowest in ((32767, -32768), (-32768, 32767)):
        bursts = begun()
        bursts.sounding.clear()
        bursts.hear(array("h", [highest if signs[k % 7] > 0 else lowest for k in range(2 * N)]))
        assert sum(bursts.sounding) <= 1
