"""The view of `star57 monitor`: what monitor_state.py knows, drawn ten times a second."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.events import Resize
from textual.widgets import Footer, Static

from host_tools.exchange.levels import RATE_HZ
from host_tools.rig.explanation import STANDARD_NAMES
from host_tools.technician.level_meter import bar
from host_tools.technician.live_line import Heard, LiveLine
from host_tools.technician.monitor_state import STATES, UNHEALTHY, MonitorState
from host_tools.technician.recording import CannotRecord, LineRecording
from host_tools.technician.spectrum import axis, bars

_DRAWN_EACH_S = 0.1
_LOUD_DBM0, _VERY_LOUD_DBM0 = -9.0, 0.0
_AXIS_FROM_LINES = 4
_PEAK_COLUMNS = 28
_CLEAR_DB, _EVEN_DB = 20.0, 6.0
_WIDE_COLUMNS, _NARROW_COLUMNS = 90, 50
_MIDDLE_LINES, _TALL_LINES = 24, 32
_STATE_STYLES = {
    "idle": "bold green",
    "ringing": "bold black on yellow",
    "in_call": "bold cyan",
    "dialling": "bold magenta",
    "dialogue": "bold white on red",
}
_GOOD, _BAD, _DIM = "green", "bold red", "dim"


class _Panel(Static):
    """A part of the view: it draws itself from the state, as large as it is."""

    def __init__(self, state: MonitorState, panel_id: str, title: str) -> None:
        super().__init__(id=panel_id)
        self.state = state
        self.border_title = title

    def redraw(self) -> None:
        """The state may have changed."""
        if self.content_size.area:
            self.update(self.drawn())

    def drawn(self) -> Text:
        """What is shown in `content_size`."""
        raise NotImplementedError


class LinePanel(_Panel):
    """What the line is doing, and who the adapter is."""

    def drawn(self) -> Text:
        state, status = self.state, self.state.status
        text = Text(no_wrap=True, overflow="ellipsis")
        name = STATES.get(state.line, state.line) if state.is_connected else "NO BOARD"
        text.append(f" {name} ", _STATE_STYLES.get(state.line, "") if state.is_connected else _BAD)
        text.append("  hook ", _DIM)
        text.append({None: "?", True: "off", False: "on"}[state.loop_closed])
        text.append("  relay ", _DIM)
        text.append(*{None: ("?", ""), True: ("ENERGISED", _BAD), False: ("rest", _GOOD)}[state.relay])
        text.append("\n")
        if not state.is_connected:
            return text.append(state.connection, _BAD)
        text.append(
            f"{status.get('adapter_id', '…')}  line {status.get('line') or '-'}  {status.get('country', '')}\n"
        )
        text.append_text(_health(status))
        slot = f" slot {status['slot']}" if status.get("slot") else ""
        about = f"{status.get('board', '')} {status.get('version', '')}{slot}".strip()
        return text.append(f"\n{about}  up {_duration(status.get('uptime_s', 0))}", _DIM)


class MeterPanel(_Panel):
    """The level now, and the peak that is held."""

    def drawn(self) -> Text:
        meter, width = self.state.meter, self.content_size.width
        drawn = bar(meter.level_dbm0, meter.peak_dbm0, width)
        scale = [" "] * width
        for level in (-60, -40, -20, -9, 0):
            label = str(level)
            place = round((level + 70) / 73.17 * (width - 1))
            first = max(0, min(width - len(label), place - len(label) + 1))
            scale[first : first + len(label)] = label
        style = _GOOD
        if meter.level_dbm0 > _LOUD_DBM0:
            style = _BAD if meter.level_dbm0 > _VERY_LOUD_DBM0 else "yellow"
        text = Text(no_wrap=True)
        text.append(f"{meter.level_dbm0:6.1f} dBm0", "bold")
        text.append(f"   peak {meter.peak_dbm0:6.1f}\n" if width >= _PEAK_COLUMNS else "\n", _DIM)
        text.append(drawn + "\n", style)
        text.append("".join(scale)[:width], _DIM)
        missing_ms = 1000 * self.state.missing_samples / RATE_HZ
        if missing_ms:
            text.append(f"\n{missing_ms:.0f} ms missing", _BAD)
        return text


class SpectrumPanel(_Panel):
    """The spectrum from 0 to 4 kHz, or the levels of the last minute."""

    shows_levels = False

    def drawn(self) -> Text:
        width, height = self.content_size
        if self.shows_levels:
            self.border_title = "Level, a tenth of a second a column (s: spectrum)"
            levels = list(self.state.levels_dbm0)[-width:]
            lines = bars(levels, height)
            return Text("\n".join(line.rjust(width) for line in lines), "green", no_wrap=True)
        self.border_title = "Spectrum, 0 to 4000 Hz, -90 to 0 dBm0 (s: levels)"
        text = Text(no_wrap=True)
        rows = height - 2 if height > _AXIS_FROM_LINES else height
        styles = ("red", "yellow", "green", "cyan", "blue")
        for row, line in enumerate(bars(self.state.spectrum.columns(width), rows)):
            text.append(line + "\n", styles[min(len(styles) - 1, row * len(styles) // max(1, rows))])
        if rows < height:
            ticks, labels = axis(width)
            text.append(ticks + "\n", _DIM)
            text.append(labels)
        return text


class CallerPanel(_Panel):
    """The last burst of caller ID: who, and how well it was read."""

    def drawn(self) -> Text:
        state = self.state
        text = Text(no_wrap=True, overflow="ellipsis")
        call = state.status.get("call") or {}
        number = state.caller or call.get("number")
        text.append("number  ", _DIM).append(f"{number or '-'}\n", "bold")
        decoded = state.decoded or {}
        if not decoded:
            return text.append("no caller ID has been read yet", _DIM)
        standard = str(decoded.get("standard"))
        text.append("by      ", _DIM).append(f"{STANDARD_NAMES.get(standard, standard)}\n")
        text.append("level   ", _DIM).append(_figure(decoded.get("level_dbm0"), "dBm0", _is_loud_enough))
        text.append("SNR     ", _DIM).append(_figure(decoded.get("snr_db"), "dB", _is_clear))
        text.append("twist   ", _DIM).append(_figure(decoded.get("twist_db"), "dB", _is_even))
        if decoded.get("baud") is not None:
            text.append("baud    ", _DIM).append(
                f"{decoded['baud']:.0f} ({decoded['baud'] / 12 - 100:+.1f} %)\n"
            )
        if state.result not in (None, "message"):
            text.append(f"last: {state.result}".replace("_", " "), _BAD)
        return text


class EventsPanel(_Panel):
    """What happened, the newest below."""

    def drawn(self) -> Text:
        text = Text(no_wrap=True, overflow="ellipsis")
        for entry in list(self.state.events)[-self.content_size.height :]:
            style = {True: _GOOD, False: _BAD, None: ""}[entry.is_good]
            text.append(f"{entry.at:%H:%M:%S} ", _DIM).append(entry.text + "\n", style)
        return text


class LogPanel(_Panel):
    """The adapter's log, the newest below."""

    def drawn(self) -> Text:
        return Text(
            "\n".join(list(self.state.log)[-self.content_size.height :]), no_wrap=True, overflow="ellipsis"
        )


class MonitorApp(App[None]):
    """The monitor of one line.

    Args:
        line: makes what listens to the board, given who is told; None shows only what `heard` is called with.
        folder: where recordings go.
        clock: the time of day.
    """

    TITLE = "star57 monitor"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "quit"),
        Binding("p", "pause", "pause"),
        Binding("r", "record", "record"),
        Binding("s", "spectrum", "spectrum/levels"),
    ]
    CSS = """
    Screen { layout: vertical; }
    _Panel, LinePanel, MeterPanel, SpectrumPanel, CallerPanel, EventsPanel, LogPanel {
        border: round $primary; padding: 0 1;
    }
    #title { height: 1; background: $primary; color: $text; padding: 0 1; }
    #top { height: 6; }
    #line { width: 1fr; height: 100%; }
    #meter { width: 1fr; height: 100%; }
    #spectrum { height: 2fr; min-height: 5; }
    #bottom { height: 10; }
    #caller { width: 32; height: 100%; }
    #events { width: 1fr; height: 100%; }
    #log { height: 1fr; min-height: 4; }
    .-no-log #log { display: none; }
    .-short #bottom { height: 6; }
    .-short #caller { display: none; }
    .-narrow #caller { display: none; }
    .-narrow #meter { width: 24; }
    .-tiny #meter { display: none; }
    """

    def __init__(
        self,
        line: Callable[[Callable[[Heard], None]], LiveLine] | None = None,
        folder: Path = Path(),
        clock: Callable[[], datetime] = datetime.now,
    ) -> None:
        super().__init__()
        self.state = MonitorState()
        self.recording: LineRecording | None = None
        self.is_paused = False
        self._line = None if line is None else line(self.heard)
        self._folder = folder
        self._clock = clock

    def compose(self) -> ComposeResult:
        yield Static(id="title")
        with Horizontal(id="top"):
            yield LinePanel(self.state, "line", "Line")
            yield MeterPanel(self.state, "meter", "Level")
        yield SpectrumPanel(self.state, "spectrum", "Spectrum")
        with Horizontal(id="bottom"):
            yield CallerPanel(self.state, "caller", "Last caller ID")
            yield EventsPanel(self.state, "events", "Events")
        yield LogPanel(self.state, "log", "Log")
        yield Footer()

    def on_mount(self) -> None:
        self.set_interval(_DRAWN_EACH_S, self.redraw)
        if self._line is not None:
            self.run_worker(self._line.run(), exclusive=True)

    def on_resize(self, event: Resize) -> None:
        """What there is no room for is left out."""
        self.screen.set_class(event.size.width < _WIDE_COLUMNS, "-narrow")
        self.screen.set_class(event.size.width < _NARROW_COLUMNS, "-tiny")
        self.screen.set_class(event.size.height < _MIDDLE_LINES, "-short")
        self.screen.set_class(event.size.height < _TALL_LINES, "-no-log")

    def on_unmount(self) -> None:
        self._end_recording()

    def heard(self, heard: Heard) -> None:
        """This comes from the line. While the view is paused only a recording takes it."""
        if self.recording is not None:
            self.recording.take(heard)
        if not self.is_paused:
            self.state.take(heard, self._clock())

    def redraw(self) -> None:
        """Draws everything anew."""
        for title in self.query("#title").results(Static):
            title.update(self._title())
        for panel in self.query(_Panel):
            panel.redraw()

    def action_pause(self) -> None:
        """Holds the view, or lets it go on."""
        self.is_paused = not self.is_paused
        self.redraw()

    def action_spectrum(self) -> None:
        """The spectrum, or levels over time."""
        panel = self.query_one(SpectrumPanel)
        panel.shows_levels = not panel.shows_levels
        self.redraw()

    def action_record(self) -> None:
        """Begins a recording, or ends it."""
        if self.recording is not None:
            self._end_recording()
        else:
            path = self._folder / f"star57-{self._clock():%Y%m%d-%H%M%S}.wav"
            try:
                self.recording = LineRecording(path)
            except CannotRecord as fault:
                self.notify(str(fault), severity="error")
        self.redraw()

    def _end_recording(self) -> None:
        if self.recording is not None:
            self.recording.close()
            self.notify(f"kept in {self.recording.path}")
            self.recording = None

    def _title(self) -> Text:
        text = Text.assemble(("star57 monitor", "bold"), f"  {self.state.connection}", no_wrap=True)
        if self.recording is not None:
            text.append(f"  ● recording {self.recording.duration_s:.0f} s", "bold red on white")
        if self.is_paused:
            text.append("  ❚❚ paused", "bold yellow")
        return text


def _health(status: dict[str, Any]) -> Text:
    if not status:
        return Text("asking the adapter how it is", _DIM)
    if status.get("healthy"):
        return Text("healthy", _GOOD)
    reasons = (UNHEALTHY.get(reason, str(reason)) for reason in status.get("reasons", ()))
    return Text("; ".join(reasons), _BAD)


def _figure(value: float | None, unit: str, is_good: Callable[[float], bool]) -> Text:
    if value is None:
        return Text("-\n")
    return Text(f"{value:.1f} {unit}\n", _GOOD if is_good(value) else "yellow")


def _is_loud_enough(level_dbm0: float) -> bool:
    return -36 <= level_dbm0 <= -3


def _is_clear(snr_db: float) -> bool:
    return snr_db >= _CLEAR_DB


def _is_even(twist_db: float) -> bool:
    return abs(twist_db) <= _EVEN_DB


def _duration(seconds: int) -> str:
    hours, rest = divmod(int(seconds), 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"
