"""The hook: off-hook, pulses, flash and hang-up told apart."""

import micropython
from star57.line.hook import HookDetector


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
    """Closes and opens the loop for so many ms."""

    def __init__(self, block=160):
        self.sink = Sink()
        self.detector = HookDetector(self.sink)
        self.block = block

    def loop(self, level, duration_ms):
        self.detector.edge(level, 0)
        left = 8 * duration_ms
        while left:
            n = min(self.block, left)
            self.detector.advance(n)
            left -= n

    def dial(self, digit, pulses_per_second=10, break_ms=60):
        for _ in range(digit or 10):
            self.loop(0, break_ms)
            self.loop(1, 1000 // pulses_per_second - break_ms)
        self.loop(1, 300)

    def facts(self):
        return [fact for fact in self.sink.facts if fact != "opened"]


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


def test_every_digit_at_every_speed():
    for pulses_per_second, breaks_ms in ((8, (60, 80)), (10, (47, 60, 67)), (12, (47, 55))):
        for break_ms in breaks_ms:
            phone = Phone()
            phone.loop(1, 500)
            for digit in range(10):
                phone.dial(digit, pulses_per_second, break_ms)
            assert phone.facts() == ["off"] + list("0123456789"), (pulses_per_second, break_ms)


def test_a_flash_is_neither_a_digit_nor_a_hang_up():
    for duration_ms in (300, 600, 1000):
        phone = Phone()
        phone.loop(1, 500)
        phone.loop(0, duration_ms)
        phone.loop(1, 500)
        assert phone.facts() == ["off", "flash"]


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
