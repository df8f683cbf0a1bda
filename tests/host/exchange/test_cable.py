"""The loop: against published attenuation, and against a ladder of lumped sections."""

from __future__ import annotations

import numpy as np
import pytest

from host_tools.exchange.cable import AWG_24, AWG_26, CABLES, Cable
from host_tools.exchange.spectrum import Response

VOICE_HZ = np.array([100.0, 300.0, 1000.0, 2200.0, 3400.0])


def ladder(cable: Cable, length_km: float, sections: int, termination_ohm: float) -> Response:
    """What is left of the load's voltage behind this many T sections, one frequency after the other."""
    series = cable.series_ohm(VOICE_HZ) * length_km / sections
    shunt = cable.shunt_s(VOICE_HZ) * length_km / sections
    left = np.zeros(len(VOICE_HZ), np.complex128)
    for index, (ohm, siemens) in enumerate(zip(series, shunt, strict=True)):
        half = np.array([[1, ohm / 2], [0, 1]])
        section = half @ np.array([[1, 0], [siemens, 1]]) @ half
        (a, b), (c, d) = np.linalg.matrix_power(section, sections)
        sent = (a * termination_ohm + b) + termination_ohm * (c * termination_ohm + d)
        left[index] = 2 * termination_ohm / sent
    return left


@pytest.mark.parametrize(
    ("cable", "frequency_hz", "db_a_km"),
    [
        (AWG_26, 1000, 1.8),  # tables of exchange cable
        (AWG_26, 1600, 2.2),  # BT's cable of 0.4 mm, 275 ohm a km
        (AWG_24, 1600, 1.7),  # BT SIN 351: 0.5 mm, 168 ohm and 50 nF a km
    ],
)
def test_attenuation_as_published(cable: Cable, frequency_hz: float, db_a_km: float) -> None:
    assert cable.attenuation_db(np.array([frequency_hz]))[0] == pytest.approx(db_a_km, abs=0.1)


@pytest.mark.parametrize("cable", CABLES.values(), ids=CABLES)
def test_attenuation_grows_with_the_root_of_the_frequency_as_rc_lines_do(cable: Cable) -> None:
    """sqrt(pi f R C) nepers, where wL is far below R and G is far below wC."""
    frequencies_hz = np.array([300.0, 1000.0, 3000.0])
    rc_db = np.sqrt(np.pi * frequencies_hz * cable.r_ohm * cable.c_f) * 20 / np.log(10)
    assert cable.attenuation_db(frequencies_hz) == pytest.approx(rc_db, rel=0.04)


@pytest.mark.parametrize("cable", CABLES.values(), ids=CABLES)
@pytest.mark.parametrize("length_km", [0.5, 9.0])
def test_the_two_port_is_the_limit_of_a_ladder(cable: Cable, length_km: float) -> None:
    assert cable.insertion(length_km, VOICE_HZ) == pytest.approx(
        ladder(cable, length_km, 1 << 12, 600.0), rel=1e-5
    )


def test_direct_current_meets_the_wire_alone() -> None:
    left = AWG_26.insertion(9.0, np.array([0.0]))[0]
    assert left == pytest.approx(1200 / (1200 + 9 * 286.17578))


def test_no_cable_is_no_loss() -> None:
    assert AWG_26.insertion(0.0, VOICE_HZ) == pytest.approx(np.ones(len(VOICE_HZ)))


def test_other_terminations() -> None:
    left = AWG_26.insertion(3.0, np.array([0.0]), source_ohm=100.0, load_ohm=900.0)[0]
    assert left == pytest.approx(1000 / (1000 + 3 * 286.17578))
