"""The hook: off-hook, pulses, flash and hang-up told apart, in every country, through bounce and in any block."""

import micropython
from star57.line.hook import COUNTRIES, HookDetector


class Sink:
    def __init__(self):
        self.facts = []

    def off_hook(self):
        self.facts.append("off")

    def on_hook(self):
        self.facts.append("on")

    def loop_opened(self):
        self.facts.append("opened")

    def flash(self):
        self.facts.append("flash")

    def pulsed_digit(self, code):
        self.facts.append(chr(code))


class Phone:
    """Closes and opens the loop for so many ms; its contacts bounce for so many."""

    def __init__(self, block=160, country="US", bounce_ms=0):
        self.sink = Sink()
        self.detector = HookDetector(self.sink, COUNTRIES[country])
        self.block = block
        self.bounce_ms = bounce_ms
        self.in_block = 0

    def loop(self, level, duration_ms):
        for k in range(self.bounce_ms):
            self._edge(1 - level if k % 2 else level)
            self._wait(8)
        self._edge(level)
        self._wait(round(8 * (duration_ms - self.bounce_ms)))

    def _edge(self, level):
        self.detector.edge(level, self.in_block)

    def _wait(self, samples):
        while samples:
            n = min(self.block - self.in_block, samples)
            self.in_block += n
            samples -= n
            if self.in_block == self.block:
                self.detector.advance(self.block)
                self.in_block = 0

    def dial(self, digit, pulses_per_second=10, break_ms=60, pause_ms=300):
        for _ in range(digit or 10):
            self.loop(0, break_ms)
            self.loop(1, 1000 / pulses_per_second - break_ms)
        self.loop(1, pause_ms)

    def facts(self):
        return [fact for fact in self.sink.facts if fact != "opened"]


# Breaks of 47 to 80 ms that are 33 to 72 % of the period.
SPEEDS = [
    (pulses_per_second, break_ms)
    for pulses_per_second in (8, 9, 10, 11, 12)
    for break_ms in (47, 55, 60, 67, 72, 80)
    if break_ms * pulses_per_second <= 720
]


def test_off_hook_and_hang_up():
    for block in (1, 33, 80, 160):
        phone = Phone(block)
        phone.loop(1, 500)
        phone.loop(0, 1500)
        assert phone.facts() == ["off", "on"]


def test_a_bounce_is_no_off_hook():
    phone = Phone()
    for _ in range(5):
        phone.loop(1, 5)
        phone.loop(0, 5)
    assert phone.sink.facts == []


def test_every_digit_at_every_speed_in_every_country():
    for country in COUNTRIES:
        for pulses_per_second, break_ms in SPEEDS:
            for bounce_ms in (0, 5):
                phone = Phone(160, country, bounce_ms)
                phone.loop(1, 500)
                for digit in (2, 3, 4, 5, 6, 7, 8, 9, 0, 1):
                    phone.dial(digit, pulses_per_second, break_ms)
                assert phone.facts() == ["off"] + list("2345678901"), (country, pulses_per_second, break_ms)


def test_the_digit_1_comes_first_where_no_flash_is_as_short():
    for country in ("US", "CA", "DE", "JP", "IN", "BR", "FR", "FI"):
        phone = Phone(160, country, 5)
        phone.loop(1, 500)
        for digit in (1, 1, 5, 7):
            phone.dial(digit)
        assert phone.facts() == ["off"] + list("1157"), country


FLASHES_MS = {
    "US": (300, 600, 1000),
    "CA": (300, 600, 1000),
    "GB": (50, 90, 130),
    "AU": (80, 110, 140),
    "FI": (90, 200, 500),
    "DE": (300, 1000),
    "JP": (300, 1000),
    "IN": (300, 1000),
    "BR": (300, 1000),
    "FR": (300, 1000),
}


def test_a_flash_is_neither_a_digit_nor_a_hang_up():
    for country in COUNTRIES:
        for duration_ms in FLASHES_MS[country]:
            for bounce_ms in (0, 5):
                phone = Phone(160, country, bounce_ms)
                phone.loop(1, 500)
                phone.loop(0, duration_ms)
                phone.loop(1, 500)
                assert phone.facts() == ["off", "flash"], (country, duration_ms)


def test_a_hang_up_is_told_past_any_flash():
    for country in COUNTRIES:
        phone = Phone(160, country)
        phone.loop(1, 500)
        phone.loop(0, COUNTRIES[country][6])
        assert phone.facts() == ["off"], country
        phone.loop(0, 40)
        assert phone.facts() == ["off", "on"], country


def test_a_single_break_is_a_flash_or_the_digit_1_by_what_came_before():
    phone = Phone(160, "GB")
    phone.loop(1, 500)
    phone.dial(1)
    assert phone.facts() == ["off", "flash"]
    phone.dial(5)
    phone.dial(1)
    phone.dial(1)
    assert phone.facts() == ["off", "flash", "5", "1", "1"]
    phone.loop(1, 6000)
    phone.dial(1)
    assert phone.facts() == ["off", "flash", "5", "1", "1", "flash"]


def test_the_facts_do_not_depend_on_the_block():
    heard = []
    for block in (1, 7, 80, 160, 1600):
        phone = Phone(block, "FI", 5)
        phone.loop(1, 500)
        phone.dial(3, 12, 47)
        phone.loop(0, 95)
        phone.loop(1, 800)
        phone.dial(0, 8, 80)
        phone.loop(0, 2000)
        heard.append(phone.sink.facts)
    assert [fact for fact in heard[0] if fact != "opened"] == ["off", "3", "flash", "0", "on"]
    assert heard == [heard[0]] * 5


def test_more_than_ten_pulses_are_no_digit():
    phone = Phone()
    phone.loop(1, 500)
    phone.dial(11)
    assert phone.facts() == ["off"]


def test_an_open_loop_is_told_at_once():
    phone = Phone()
    phone.loop(1, 500)
    phone.detector.edge(0, 17)
    assert phone.sink.facts == ["off", "opened"]


def test_nothing_is_allocated():
    detector = HookDetector(Quiet())
    micropython.heap_lock()
    try:
        for _ in range(50):
            detector.edge(1, 3)
            for _ in range(20):
                detector.advance(160)
            detector.edge(0, 3)
            detector.advance(480)
        for _ in range(100):
            detector.advance(160)
    finally:
        micropython.heap_unlock()


class Quiet:
    def off_hook(self):
        pass

    def on_hook(self):
        pass

    def loop_opened(self):
        pass

    def flash(self):
        pass

    def pulsed_digit(self, code):
        pass


def test_a_long_wait_is_counted_as_it_is():
    """While nothing can happen without an edge, time is noticed seldom."""
    for wait_ms in (9990, 10000, 10013, 15007.5, 61000):
        phone = Phone(country="AU", block=160)
        phone.loop(1, wait_ms)
        phone.loop(0, 60)
        phone.loop(1, wait_ms)
        phone.loop(0, 200)
        phone.loop(1, wait_ms)
        phone.loop(0, 300)
        phone.loop(0, wait_ms)
        phone.loop(1, 19)
        phone.loop(0, wait_ms)
        # A single break of 60 ms is the digit 1, long after any other; one of 200 ms is neither flash nor hang-up.
        assert phone.facts() == ["off", "1", "on"], (wait_ms, phone.facts())
