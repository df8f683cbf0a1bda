"""Rings: a valid frequency and the cadence of a call, and nothing else that moves the detector."""

import micropython
from star57.line.ring import CADENCES, RingDetector


class Sink:
    def __init__(self):
        self.facts = []

    def ring_started(self):
        self.facts.append("started")

    def ring_ended(self, number, duration_samples):
        self.facts.append((number, duration_samples))

    def ringing_stopped(self, rings):
        self.facts.append(("stopped", rings))


class Line:
    """Edges at sample times, given to the detector in blocks."""

    def __init__(self, cadence="US", block=160):
        self.sink = Sink()
        self.detector = RingDetector(self.sink, CADENCES[cadence])
        self.block = block
        self.now = 0
        self.edges = []

    def ring(self, tenths_hz, samples):
        half = 40000 / tenths_hz
        for k in range(int(samples / half)):
            self.edges.append((self.now + round(k * half), (k + 1) & 1))
        self.edges.append((self.now + samples, 0))
        self.pass_by(samples)

    def pass_by(self, samples):
        end = self.now + samples
        while self.now < end:
            n = min(self.block, end - self.now)
            while self.edges and self.edges[0][0] < self.now + n:
                at, level = self.edges.pop(0)
                self.detector.edge(level, at - self.now)
            self.detector.advance(n)
            self.now += n


def test_a_us_call_of_two_rings():
    for block in (1, 7, 80, 160, 1000):
        line = Line(block=block)
        for _ in range(2):
            line.ring(200, 16000)
            line.pass_by(32000)
        line.pass_by(24000)
        assert [fact for fact in line.sink.facts if fact == "started"] == ["started"] * 2
        numbers = [fact for fact in line.sink.facts if fact != "started"]
        assert [fact[0] for fact in numbers] == [1, 2, "stopped"]
        assert all(15000 <= fact[1] <= 16400 for fact in numbers[:2]), numbers
        assert numbers[2] == ("stopped", 2)


def test_the_next_call_begins_with_its_first_ring():
    line = Line()
    for _ in range(2):
        line.ring(200, 16000)
        line.pass_by(80000)
    assert [fact[0] for fact in line.sink.facts if fact != "started"] == [1, "stopped", 1, "stopped"]


def test_only_valid_frequencies_are_rings():
    for tenths_hz, is_ring in (
        (100, 0),
        (140, 0),
        (160, 1),
        (200, 1),
        (250, 1),
        (500, 1),
        (670, 1),
        (750, 0),
        (1000, 0),
    ):
        line = Line()
        line.ring(tenths_hz, 16000)
        assert ("started" in line.sink.facts) == is_ring, tenths_hz


def test_dial_pulses_and_a_reversal_are_no_rings():
    line = Line()
    line.ring(100, 8000)
    line.pass_by(4000)
    line.edges = [(line.now + 10, 1), (line.now + 18, 0)]
    line.pass_by(80000)
    assert line.sink.facts == []


def test_a_double_ring_is_one_ring():
    line = Line("GB")
    for _ in range(3):
        line.ring(250, 3200)
        line.pass_by(1600)
        line.ring(250, 3200)
        line.pass_by(16000)
    line.pass_by(40000)
    assert [fact[0] for fact in line.sink.facts if fact != "started"] == [1, 2, 3, "stopped"]


def test_nothing_is_allocated():
    detector = RingDetector(Quiet())
    micropython.heap_lock()
    try:
        for _ in range(100):
            detector.edge(1, 40)
            detector.advance(200)
            detector.edge(0, 40)
            detector.advance(200)
        for _ in range(500):
            detector.advance(160)
    finally:
        micropython.heap_unlock()


class Quiet:
    def ring_started(self):
        pass

    def ring_ended(self, number, duration_samples):
        pass

    def ringing_stopped(self, rings):
        pass


def test_a_ring_after_a_long_wait():
    """While nothing can happen without an edge, time is noticed seldom."""
    for wait in (79990, 80000, 80161, 123457):
        line = Line()
        for _ in range(2):
            line.pass_by(wait)
            line.ring(200, 16000)
            line.pass_by(60000)
        kinds = [fact if fact == "started" else fact[0] for fact in line.sink.facts]
        assert kinds == ["started", 1, "stopped"] * 2, (wait, line.sink.facts)
        assert all(15000 <= fact[1] <= 16400 for fact in line.sink.facts if fact[0] == 1)
