"""CAS and SAS: by frequency and length."""

from array import array

import micropython
import signals
from star57.dsp.alert import AlertReceiver


class Sink:
    def __init__(self):
        self.facts = []

    def alert(self, duration_samples):
        self.facts.append("CAS")

    def subscriber_alert(self, duration_samples):
        self.facts.append("SAS")


def cas(ms=80, low_dbm0=-20, high_dbm0=-20, off=1.0):
    return signals.mix(
        signals.sine(8 * ms, 2130 * off, low_dbm0), signals.sine(8 * ms, 2750 * off, high_dbm0)
    )


def heard(*parts, lead=0):
    sink = Sink()
    receiver = AlertReceiver(sink)
    for part in (array("h", bytes(2 * lead)),) + parts + (array("h", bytes(1600)),):
        receiver.feed(part, len(part))
    return sink.facts


def test_a_cas_of_every_valid_length_and_level():
    for lead in range(0, 80, 16):
        for ms in (75, 80, 85):
            for dbm0 in (-14, -32):
                assert heard(cas(ms, dbm0, dbm0), lead=lead) == ["CAS"], (lead, ms, dbm0)


def test_frequency_and_twist():
    for off in (0.995, 1.005):
        assert heard(cas(off=off)) == ["CAS"]
    assert heard(cas(low_dbm0=-20, high_dbm0=-26)) == ["CAS"]
    assert heard(cas(low_dbm0=-26, high_dbm0=-20)) == ["CAS"]


def test_what_is_too_short_too_long_or_too_faint_is_none():
    for ms in (40, 50, 120, 300):
        assert heard(cas(ms)) == [], ms
    assert heard(cas(80, -45, -45)) == []


def test_one_tone_alone_is_none():
    for hz in (2130, 2750):
        assert heard(signals.sine(640, hz, -17)) == []


def test_call_waiting_tone():
    assert heard(signals.sine(2400, 440, -13)) == ["SAS"]
    for ms in (100, 500, 2000):
        assert heard(signals.sine(8 * ms, 440, -13)) == [], ms


def test_the_two_in_their_order():
    gap = array("h", bytes(320))
    assert heard(signals.sine(2400, 440, -13), gap, cas()) == ["SAS", "CAS"]


def test_dial_tone_and_noise_are_none():
    dial = signals.mix(signals.sine(2400, 350, -13), signals.sine(2400, 440, -13))
    assert heard(dial) == []
    for seed in range(1, 7):
        assert heard(signals.noise(80000, 3000, seed)) == []


def test_extremes_allocate_nothing():
    square = array("h", [32767 if k // 2 & 1 else -32768 for k in range(8000)])
    receiver = AlertReceiver(Sink())
    micropython.heap_lock()
    try:
        receiver.feed(square, 8000)
        receiver.skip(100)
        receiver.reset()
    finally:
        micropython.heap_unlock()
