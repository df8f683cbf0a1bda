"""The noisy wire: as bad as it is told to be, and alike for each seed."""

from __future__ import annotations

import numpy as np
import pytest

from host_tools.rig.noisy_wire import Noise, NoisyWire

DATA = bytes(range(256)) * 400


def heard(noise: Noise, seed: int = 57) -> bytes:
    """What comes back of DATA through a wire to an echo that only listens."""
    received: list[bytes] = []

    def receive(data: bytes) -> bytes:
        received.append(data)
        return b""

    NoisyWire(receive, noise, seed)(DATA)
    return received[0]


def wrong_bits(data: bytes) -> int:
    return int(np.unpackbits(np.frombuffer(data, np.uint8) ^ np.frombuffer(DATA, np.uint8)).sum())


def test_a_quiet_wire_changes_nothing() -> None:
    wire = NoisyWire(bytes.upper, Noise(), seed=1)
    assert wire(b"abc") == b"ABC"
    assert wire(b"") == b""
    assert wire.bytes_sent == 6


@pytest.mark.parametrize("rate", [1e-4, 1e-3, 1e-2])
def test_as_many_bits_are_wrong_as_are_asked_for(rate: float) -> None:
    assert wrong_bits(heard(Noise(bit_error_rate=rate))) / (8 * len(DATA)) == pytest.approx(rate, rel=0.2)


def test_as_many_bytes_are_lost_or_come_twice_as_are_asked_for() -> None:
    assert len(DATA) - len(heard(Noise(dropped_per_byte=0.01))) == pytest.approx(0.01 * len(DATA), rel=0.2)
    assert len(heard(Noise(doubled_per_byte=0.01))) - len(DATA) == pytest.approx(0.01 * len(DATA), rel=0.2)


def test_a_seed_has_its_noise() -> None:
    noise = Noise(1e-2, 1e-2, 1e-2)
    assert heard(noise, 1) == heard(noise, 1) != heard(noise, 2)


def test_both_ways_are_noisy() -> None:
    wire = NoisyWire(lambda _: DATA, Noise(bit_error_rate=1e-2), seed=57)
    assert wrong_bits(wire(b"")) > 0


def test_what_is_sent_while_the_wire_stalls_comes_behind() -> None:
    wire = NoisyWire(bytes.upper, Noise(stalls=[range(1, 3)]), seed=57)
    assert [wire(data) for data in (b"a", b"b", b"c", b"d")] == [b"A", b"", b"", b"BCD"]


def test_what_is_sent_without_a_cable_is_lost() -> None:
    wire = NoisyWire(lambda data: data + b"!", Noise(unplugged=[range(1, 3)]), seed=57)
    assert [wire(data) for data in (b"a", b"b", b"c", b"d")] == [b"a!", b"", b"", b"d!"]


def test_periods_are_counted_when_they_begin() -> None:
    wire = NoisyWire(bytes.upper, Noise(stalls=[range(1, 2), range(3, 5)], unplugged=[range(3, 4)]), seed=57)
    counts = []
    for _ in range(5):
        wire(b"")
        counts.append(wire.periods)
    assert counts == [0, 1, 1, 3, 3]
