"""The picture of `star57 decode --plot`: a spectrogram in rows of time, with what was decoded marked on it."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from textwrap import shorten

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from host_tools.cli import sentences
from host_tools.exchange.levels import FULL_SCALE, FULL_SCALE_DBM0, RATE_HZ, Samples
from host_tools.rig.events import Event

mpl.use("Agg")

_WIDTH_IN = 16.0
_ROW_IN = 3.4
_SHORTEST_ROW_S = 20.0
_MOST_ROWS = 8
COLUMNS = 1600  # of a row: more than that are not to be seen
_FRAME, _SHORTEST_HOP = 256, 32
_QUIETEST_DBM0, _LOUDEST_DBM0 = -75.0, 0.0
_COLOUR_MAP = "magma"

_LONGEST_TITLE = 190  # characters
_LANES = 5  # of labels above each row
_CHARACTERS_A_ROW = 190  # of a label, in the width of a row
_LANE_SHARE = 0.085  # of the row's height
_TOGETHER_S = 0.5  # digits nearer than this are one label

_COLOURS = {
    "caller_id": "#2a9d3a",
    "caller_id_failed": "#d62828",
    "message_waiting": "#0f8b8d",
    "other_message": "#0f8b8d",
    "dtmf": "#d17a00",
    "alert_tone": "#8338ec",
    "call_progress": "#1f6fd6",
    "no_caller_id": "#777777",
}


@dataclass(frozen=True)
class _Mark:
    """A label and the time that it stands for, in seconds."""

    start_s: float
    end_s: float
    text: str
    colour: str


def draw(out: Path, title: str, samples: Samples, events: Sequence[Event]) -> None:
    """Writes the picture of a recording; its kind by its name, PNG for one.

    Raises:
        OSError: it cannot be written.
        ValueError: there is no picture of that kind.
    """
    picture(title, samples, events).savefig(out)


def picture(title: str, samples: Samples, events: Sequence[Event]) -> Figure:
    """A recording in one row up to 20 s and in eight at most, each of the same length of time.

    Args:
        title: stands above, before what was heard.
        samples: 8 kHz.
        events: of events.decode, in order.
    """
    duration_s = len(samples) / RATE_HZ
    rows = max(1, min(_MOST_ROWS, math.ceil(duration_s / _SHORTEST_ROW_S)))
    row_s = duration_s / rows
    figure = Figure(figsize=(_WIDTH_IN, 1.2 + _ROW_IN * rows), dpi=100, layout="constrained")
    heading = shorten(f"{title}: {sentences.summary(events)}", _LONGEST_TITLE, placeholder=" ...")
    figure.suptitle(heading, x=0.01, ha="left", fontsize=12)
    grid = figure.subplots(rows, 1, squeeze=False)[:, 0]
    marks = _marks(events)
    norm = Normalize(_QUIETEST_DBM0, _LOUDEST_DBM0)
    for row, axes in enumerate(grid):
        start_s, end_s = row * row_s, (row + 1) * row_s
        part = samples[round(start_s * RATE_HZ) : round(end_s * RATE_HZ)]
        axes.imshow(
            levels_dbm0(part),
            origin="lower",
            aspect="auto",
            extent=(start_s, end_s, 0, RATE_HZ / 2),
            cmap=_COLOUR_MAP,
            norm=norm,
            interpolation="nearest",
        )
        _write(
            axes, [mark for mark in marks if mark.start_s < end_s and mark.end_s > start_s], start_s, end_s
        )
        axes.set_ylabel("Hz")
    grid[-1].set_xlabel("seconds of the recording")
    figure.colorbar(ScalarMappable(norm, _COLOUR_MAP), ax=list(grid), label="dBm0", pad=0.01, fraction=0.02)
    return figure


def levels_dbm0(samples: Samples) -> npt.NDArray[np.float32]:
    """Level of each 31 Hz, the greatest in the time of a column, so that nothing short is lost; frequency first."""
    hop = max(_SHORTEST_HOP, _FRAME // 2) if len(samples) > COLUMNS * _FRAME // 2 else _SHORTEST_HOP
    padded = np.pad(samples, _FRAME // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FRAME)[::hop]
    together = max(1, len(frames) // COLUMNS)
    window = np.hanning(_FRAME).astype(np.float32) * (4 / _FRAME / FULL_SCALE)
    columns = []
    for at in range(0, len(frames), together):
        magnitudes = np.abs(np.fft.rfft(frames[at : at + together] * window, axis=1))
        columns.append(magnitudes.max(axis=0))
    levels = 20 * np.log10(np.maximum(np.array(columns).T, 1e-7)) + FULL_SCALE_DBM0
    return np.asarray(levels, np.float32)


def _marks(events: Sequence[Event]) -> list[_Mark]:
    """One for each event, digits that follow each other at once together."""
    marks: list[_Mark] = []
    digits: list[Event] = []
    for event in events:
        if event["event"] != "dtmf":
            continue
        if digits and event["at"] - _end_s(digits[-1]) > _TOGETHER_S:
            marks.append(_of_digits(digits))
            digits = []
        digits.append(event)
    if digits:
        marks.append(_of_digits(digits))
    marks += [
        _Mark(event["at"], _end_s(event), _text(event), _COLOURS[event["event"]])
        for event in events
        if event["event"] not in ("dtmf", "no_caller_id")
    ]
    return sorted(marks, key=lambda mark: mark.start_s)


def _of_digits(digits: Sequence[Event]) -> _Mark:
    text = "".join(event["digit"] for event in digits)
    return _Mark(digits[0]["at"], _end_s(digits[-1]), text, _COLOURS["dtmf"])


def _text(event: Event) -> str:
    if event["event"] == "call_progress":
        return str(event["tone"]).replace("_", " ")
    if event["event"] == "alert_tone":
        return str(event["tone"]).upper()
    before = {"caller_id_failed": "failed: ", "message_waiting": "message waiting "}.get(event["event"], "")
    return before + " ".join(sentences.label(event).split())


def _end_s(event: Event) -> float:
    return float(event["at"]) + float(event["duration_ms"]) / 1000


def _write(axes: Axes, marks: Sequence[_Mark], start_s: float, end_s: float) -> None:
    """Labels in lanes above the row, so that none covers another; each with its time between dashed lines."""
    free_from = [-math.inf] * _LANES
    left_out = 0
    edges: dict[str, set[float]] = defaultdict(set)
    for mark in marks:
        shown = replace(mark, start_s=max(mark.start_s, start_s), end_s=min(mark.end_s, end_s))
        edges[mark.colour] |= {mark.start_s, mark.end_s} & {shown.start_s, shown.end_s}
        room_s = (len(mark.text) + 2) / _CHARACTERS_A_ROW * (end_s - start_s)
        text_s = min(shown.start_s, end_s - room_s)
        lane = next((lane for lane in range(_LANES) if free_from[lane] <= text_s), None)
        if lane is None:
            left_out += 1
        else:
            free_from[lane] = max(text_s + room_s, shown.end_s)
            _label(axes, shown, text_s, 1.02 + lane * _LANE_SHARE)
    for colour, times in edges.items():
        axes.vlines(sorted(times), 0, RATE_HZ / 2, color=colour, linewidth=0.8, linestyle=(0, (4, 3)))
    if left_out:
        place = (1, 1.02 + _LANES * _LANE_SHARE)
        axes.text(*place, f"and {left_out} more", transform=axes.transAxes, ha="right", fontsize=8)
    axes.set_xlim(start_s, end_s)
    axes.set_ylim(0, RATE_HZ / 2)


def _label(axes: Axes, mark: _Mark, text_s: float, height: float) -> None:
    place = axes.get_xaxis_transform()
    corner, width = (mark.start_s, height), mark.end_s - mark.start_s
    axes.add_patch(
        Rectangle(corner, width, 0.012, transform=place, clip_on=False, color=mark.colour, linewidth=0)
    )
    axes.text(
        text_s, height + 0.018, mark.text, transform=place, color=mark.colour, fontsize=9, clip_on=False
    )
