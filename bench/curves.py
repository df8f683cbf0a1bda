"""Success against SNR: where a curve crosses a share, and pictures of curves over theory's limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator

mpl.use("Agg")

_METADATA = {"Date": None, "Creator": None}


@dataclass(frozen=True)
class Curve:
    """A receiver's share, 0 to 1, by SNR or another ratio in dB; a limit is theory's, and drawn as such."""

    name: str
    shares: Mapping[float, float]
    is_limit: bool = False


# Ours first, then the peers, by their names: the same colour in every picture.
_COLOURS = {"Star57": "#c1272d", "spandsp": "#0072b2", "multimon-ng": "#e69f00", "minimodem": "#009e73"}
_LIMIT_STYLES = ((0, (1, 1)), (0, (4, 2)), (0, (6, 2, 1, 2)), (0, (9, 3)))


def crossing_db(shares: Mapping[float, float], share: float) -> float:
    """The SNR from which on no point is below `share`, interpolated between two points; infinity if there is none."""
    points = sorted(shares.items())
    below = [place for place, (_, reached) in enumerate(points) if reached < share]
    if not below:
        return points[0][0]
    last = below[-1]
    if last + 1 == len(points):
        return float(np.inf)
    (low_db, low), (high_db, high) = points[last], points[last + 1]
    return low_db + (high_db - low_db) * (share - low) / (high - low)


def draw(
    out: Path,
    title: str,
    share_of: str,
    curves: Sequence[Curve],
    over: str = "SNR over 300 to 3400 Hz, dB",
) -> None:
    """Draws the curves as SVG.

    Args:
        out: the file; its folder is made.
        title: what was measured.
        share_of: what the share is of.
        curves: ours first; limits in the order in which they get closer to what is possible.
        over: what the shares are by, in dB.
    """
    # The same curves give the same file: ids are not random, and no date is written.
    with mpl.rc_context({"svg.hashsalt": "star57"}):
        figure = Figure(figsize=(9, 5.2), layout="constrained")
        axes = figure.subplots()
        limit_styles = iter(_LIMIT_STYLES)
        for curve in sorted(curves, key=lambda curve: curve.is_limit):
            snr_db = sorted(curve.shares)
            percent = [100 * curve.shares[at] for at in snr_db]
            if curve.is_limit:
                axes.plot(
                    snr_db,
                    percent,
                    color="0.45",
                    linestyle=next(limit_styles),
                    linewidth=1.2,
                    label=curve.name,
                )
            else:
                width = 2.4 if curve is curves[0] else 1.5
                axes.plot(
                    snr_db, percent, color=_COLOURS[curve.name], marker=".", linewidth=width, label=curve.name
                )
        axes.set_title(title, loc="left")
        axes.set_xlabel(over)
        axes.set_ylabel(f"{share_of}, %")
        axes.set_ylim(-2, 102)
        axes.set_xlim(*(edge(at for curve in curves for at in curve.shares) for edge in (min, max)))
        axes.xaxis.set_major_locator(MultipleLocator(2))
        axes.grid(alpha=0.3)
        axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False, fontsize=9)
        out.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(out, metadata=_METADATA)
