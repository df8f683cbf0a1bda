"""Theory's limits, against what is known of them."""

import numpy as np
import pytest

from bench import limits
from host_tools.exchange.fsk import BELL_202, V23, FskStandard

ORTHOGONAL = FskStandard("orthogonal", 1200, 2400, 1200, 300, 180, 80)


def test_one_bit_of_orthogonal_tones_fails_as_the_textbook_says() -> None:
    for snr_db in (5.0, 6.0, 7.0):
        error = 0.5 * np.exp(-limits.energy_over_noise(snr_db, ORTHOGONAL) / 2)
        assert limits.one_bit(snr_db, ORTHOGONAL) == pytest.approx((1 - error) ** 300, abs=1e-4)


@pytest.mark.parametrize(("standard", "half_db"), [(BELL_202, 6.5), (V23, 7.6)])
def test_half_of_the_messages_are_read_bit_by_bit_where_it_was_measured(
    standard: FskStandard, half_db: float
) -> None:
    assert limits.one_bit(half_db - 0.1, standard) < 0.5 < limits.one_bit(half_db + 0.1, standard)


@pytest.mark.parametrize("standard", [BELL_202, V23])
def test_a_simulated_single_bit_agrees_with_the_formula(standard: FskStandard) -> None:
    rng = np.random.default_rng(57)
    simulated = limits.several_bits(7.0, standard, 1, 1500, rng)
    assert simulated == pytest.approx(limits.one_bit(7.0, standard), abs=0.05)


@pytest.mark.parametrize("standard", [BELL_202, V23])
def test_each_limit_is_above_the_one_that_knows_less(standard: FskStandard) -> None:
    rng = np.random.default_rng(57)
    shares = [limits.several_bits(3.0, standard, bits, 300, rng) for bits in (1, 3, 5)]
    shares.append(limits.whole_message(3.0, standard, 300, rng))
    assert shares == sorted(shares)
    assert shares[0] < 0.1
    assert shares[-1] > 0.9


def test_digits_are_certain_in_little_noise_and_lost_in_much() -> None:
    rng = np.random.default_rng(57)
    assert limits.digits(0.0, 1000, rng) == 1
    assert limits.digits(-20.0, 1000, rng) < 0.01
