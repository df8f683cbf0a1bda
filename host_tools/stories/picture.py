"""One picture a story: what the phone heard as a spectrogram, over rings, hook and relay, on one time axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

mpl.use("Agg")

SAMPLE_RATE_HZ = 8000


@dataclass(frozen=True)
class StateTrack:
    """One state of the line over time.

    Attributes:
        label: what it is, with its two states: "hook (on / off)".
        active: bool, one value a block.
        colour: of its bar.
    """

    label: str
    active: npt.NDArray[np.bool_]
    colour: str


@dataclass(frozen=True)
class Caption:
    """Something that was heard or done, written over the spectrogram.

    Attributes:
        at_s: when, in seconds of line time.
        text: a few words.
    """

    at_s: float
    text: str


def draw(
    out: Path,
    title: str,
    phone_heard: npt.NDArray[np.int16],
    *,
    tracks: Sequence[StateTrack],
    captions: Sequence[Caption],
    block_s: float,
) -> None:
    """Draws a story.

    Args:
        out: the PNG to write.
        title: what the story is about.
        phone_heard: 8 kHz samples of the household's earpiece.
        tracks: the states, drawn from the top down.
        captions: what is written over the spectrogram.
        block_s: how long one value of a track lasts, in seconds.
    """
    figure = Figure(figsize=(14, 6.5), dpi=100, layout="constrained")
    states, spectrum = figure.subplots(2, 1, sharex=True, height_ratios=[1, 3.2])
    figure.suptitle(title, fontsize=14, x=0.01, ha="left")
    _draw_states(states, tracks, block_s)
    _draw_spectrogram(spectrum, phone_heard)
    _draw_captions(spectrum, captions)
    spectrum.set_xlim(0, len(phone_heard) / SAMPLE_RATE_HZ)
    figure.savefig(out)


def _draw_states(axes: Axes, tracks: Sequence[StateTrack], block_s: float) -> None:
    for row, track in enumerate(tracks):
        base = len(tracks) - 1 - row
        time_s = np.arange(len(track.active)) * block_s
        axes.plot(time_s, base + 0.7 * track.active, color=track.colour, linewidth=1, drawstyle="steps-post")
        axes.fill_between(
            time_s, base, base + 0.7 * track.active, color=track.colour, alpha=0.45, step="post", linewidth=0
        )
    axes.set_yticks([len(tracks) - 1 - row + 0.35 for row in range(len(tracks))], [t.label for t in tracks])
    axes.set_ylim(-0.15, len(tracks))
    axes.tick_params(axis="y", length=0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


def _draw_spectrogram(axes: Axes, phone_heard: npt.NDArray[np.int16]) -> None:
    # A floor of one step keeps digital silence from being minus infinity.
    dither = np.random.default_rng(57).standard_normal(len(phone_heard))
    axes.specgram(
        phone_heard / 32768 + dither / 32768,
        NFFT=256,
        Fs=SAMPLE_RATE_HZ,
        noverlap=128,
        cmap="magma",
        vmin=-110,
        vmax=-35,
    )
    axes.set_ylabel("what the phone heard, Hz")
    axes.set_xlabel("line time, s")
    axes.set_ylim(0, 4000)


def _draw_captions(axes: Axes, captions: Sequence[Caption]) -> None:
    heights = (0.94, 0.86, 0.78, 0.70)
    for place, caption in enumerate(captions):
        axes.axvline(caption.at_s, color="white", linewidth=0.5, alpha=0.5)
        axes.text(
            caption.at_s,
            heights[place % len(heights)],
            f" {caption.text}",
            transform=axes.get_xaxis_transform(),
            color="white",
            fontsize=8,
            va="center",
            clip_on=True,
        )
