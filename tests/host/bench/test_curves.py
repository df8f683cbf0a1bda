"""Where a curve crosses a share, and the picture of it."""

from pathlib import Path

import numpy as np
import pytest

from bench.curves import Curve, crossing_db, draw


def test_between_two_points_the_crossing_is_interpolated() -> None:
    assert crossing_db({2.0: 0.2, 3.0: 0.6, 4.0: 1.0}, 0.5) == pytest.approx(2.75)


def test_a_later_point_below_moves_the_crossing_behind_it() -> None:
    assert crossing_db({1.0: 1.0, 2.0: 0.9, 3.0: 1.0, 4.0: 1.0}, 0.95) == pytest.approx(2.5)


def test_never_below_is_the_first_point_and_never_above_is_infinity() -> None:
    assert crossing_db({1.0: 1.0, 2.0: 1.0}, 1) == 1.0
    assert crossing_db({1.0: 0.1, 2.0: 0.4}, 0.5) == np.inf


def test_the_same_curves_give_the_same_file(tmp_path: Path) -> None:
    curves = [
        Curve("Star57", {0: 0.1, 1: 0.9}),
        Curve("spandsp", {0: 0.0, 1: 0.2}),
        Curve("limit, one bit", {-1: 0.1, 1: 1.0}, is_limit=True),
    ]
    for name in ("first.svg", "second.svg"):
        draw(tmp_path / "pictures" / name, "Caller ID", "messages read", curves)
    first, second = ((tmp_path / "pictures" / name).read_bytes() for name in ("first.svg", "second.svg"))
    assert first == second
    assert first.startswith(b"<?xml")
