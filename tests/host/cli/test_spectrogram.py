"""The picture of a recording: what is on it, that it can be read, and that it stays of a sensible size."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import matplotlib.image
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from host_tools.cli import spectrogram
from host_tools.exchange import tones
from host_tools.rig.events import Event, decode
from tests.host.rig.recordings import Tape, everything

ALERT: Event = {"event": "alert_tone", "tone": "cas", "at": 0.0, "duration_ms": 80}


def labels(figure: Figure) -> list[Any]:
    return [text for axes in figure.axes for text in axes.texts]


def test_every_event_has_its_label() -> None:
    samples = everything()[0]
    figure = spectrogram.picture("line.wav", samples, decode(samples).events)
    written = [label.get_text() for label in labels(figure)]
    for words in (
        "5555550123 A CALLER 12-01 17:30",
        "message waiting on",
        "failed: the checksum is wrong",
        "dial",
        "*57",
        "busy",
        "CAS",
        "D",
        "5555550123 A CALLER 12-01 17:30 call waiting",
    ):
        assert words in written
    assert "line.wav: 2 callers" in figure.get_suptitle()


def test_no_label_covers_another() -> None:
    samples = everything()[0]
    figure = spectrogram.picture("line.wav", samples, decode(samples).events)
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    boxes = [label.get_window_extent(canvas.get_renderer()) for label in labels(figure)]
    assert len(boxes) >= 9
    assert not [pair for pair in combinations(boxes, 2) if pair[0].overlaps(pair[1])]
    assert all(box.x0 >= 0 and box.x1 <= canvas.get_width_height()[0] for box in boxes)


@pytest.mark.parametrize(("duration_s", "rows"), [(0.01, 1), (5, 1), (21, 2), (100, 5), (3600, 8)])
def test_a_long_recording_has_more_rows_but_not_too_many(duration_s: float, rows: int) -> None:
    figure = spectrogram.picture("line.wav", np.zeros(round(duration_s * 8000), np.int16), [])
    images = [axes.images[0] for axes in figure.axes if axes.images]
    assert len(images) == rows
    assert all(np.asarray(image.get_array()).shape[1] <= 2 * spectrogram.COLUMNS for image in images)
    width, height = figure.get_size_inches() * figure.dpi
    assert width == 1600
    assert height <= 3000


def test_more_labels_than_there_is_room_for_are_counted() -> None:
    events = [{**ALERT, "at": at / 100} for at in range(300)]
    figure = spectrogram.picture("line.wav", np.zeros(3 * 8000, np.int16), events)
    written = [label.get_text() for label in labels(figure)]
    (more,) = [text for text in written if text.startswith("and ")]
    assert int(more.split()[1]) == 300 - written.count("CAS")
    assert 100 < written.count("CAS") < 300


def test_levels_are_dbm0() -> None:
    tape = Tape()
    tape.tone(tones.Tone((1000,), -20), 1000)
    levels = spectrogram.levels_dbm0(tape.samples)
    assert abs(levels.max() + 20) < 0.5
    assert np.unravel_index(levels.argmax(), levels.shape)[0] == 32


def test_the_picture_is_written(tmp_path: Path) -> None:
    tape = Tape()
    tape.digits("123")
    spectrogram.draw(tmp_path / "line.png", "line.wav", tape.samples, [ALERT])
    pixels = matplotlib.image.imread(tmp_path / "line.png")
    assert pixels.shape[1] == 1600
    assert len(np.unique(pixels.reshape(-1, pixels.shape[2]), axis=0)) > 100
