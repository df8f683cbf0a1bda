"""Telephone cable: the two-port of a loop from the primary constants of its pair."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from host_tools.exchange.spectrum import Frequencies, Response

TERMINATION_OHM = 600.0


@dataclass(frozen=True)
class Cable:
    """One row of the table of cables: constants of a pair, per km.

    R(f) = (r_ohm^4 + skin * f^2)^(1/4); L(f) = (l_h + l_far_h * x) / (1 + x) with x = (f / bend_hz)^bend;
    C is constant; G(f) = g_s * f^g_power.
    """

    name: str
    r_ohm: float
    skin: float
    l_h: float
    l_far_h: float
    bend_hz: float
    bend: float
    c_f: float
    g_s: float
    g_power: float

    def series_ohm(self, frequencies_hz: Frequencies) -> Response:
        """R + jwL of one km."""
        resistance = (self.r_ohm**4 + self.skin * frequencies_hz**2) ** 0.25
        far = (frequencies_hz / self.bend_hz) ** self.bend
        inductance = (self.l_h + self.l_far_h * far) / (1 + far)
        series: Response = resistance + 2j * np.pi * frequencies_hz * inductance
        return series

    def shunt_s(self, frequencies_hz: Frequencies) -> Response:
        """G + jwC of one km."""
        shunt: Response = self.g_s * frequencies_hz**self.g_power + 2j * np.pi * frequencies_hz * self.c_f
        return shunt

    def propagation(self, frequencies_hz: Frequencies) -> Response:
        """Propagation constant of one km: nepers and, imaginary, radians."""
        constant: Response = np.sqrt(self.series_ohm(frequencies_hz) * self.shunt_s(frequencies_hz))
        return constant

    def attenuation_db(self, frequencies_hz: Frequencies) -> Frequencies:
        """Of one km of a line without reflections."""
        attenuation: Frequencies = self.propagation(frequencies_hz).real * (20 / np.log(10))
        return attenuation

    def insertion(
        self,
        length_km: float,
        frequencies_hz: Frequencies,
        source_ohm: float = TERMINATION_OHM,
        load_ohm: float = TERMINATION_OHM,
    ) -> Response:
        """What `length_km` between the two terminations leave of the load's voltage (1 without a cable).

        The ABCD two-port: A = D = cosh(gl), B = Zc sinh(gl), C = sinh(gl) / Zc.
        """
        series, shunt = self.series_ohm(frequencies_hz), self.shunt_s(frequencies_hz)
        angle = np.sqrt(series * shunt) * length_km
        # sinh(x)/x is 1 where x is 0: B and C need no characteristic impedance, which has no limit at 0 Hz.
        spread = np.sinh(angle) / np.where(angle == 0, 1, angle)
        spread = np.where(angle == 0, 1, spread)
        a = np.cosh(angle)
        b = series * length_km * spread
        c = shunt * length_km * spread
        insertion: Response = (source_ohm + load_ohm) / (
            a * (source_ohm + load_ohm) + b + c * source_ohm * load_ohm
        )
        return insertion


# fmt: off
AWG_26 = Cable(  # 0.4 mm: T1.417 and G.996.1, the parametric model of ADSL's test loops
    "26 AWG", 286.17578, 0.14769620, 675.36888e-6, 488.95186e-6, 806.33863e3, 0.92930728, 49e-9, 43e-9, 0.70,
)
AWG_24 = Cable(  # 0.5 mm: the same
    "24 AWG", 174.55888, 0.053073481, 617.29539e-6, 478.97099e-6, 553.760e3, 1.1529766, 50e-9, 234.87476e-15, 1.38,
)
# fmt: on

CABLES = {cable.name: cable for cable in (AWG_26, AWG_24)}
