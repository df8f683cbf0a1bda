"""A household's record of its calls on paper: PDF, US Letter. The same record makes the same bytes."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import partial
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.pagesizes import letter
from reportlab.lib.styles import ParagraphStyle, getSampleStyleSheet
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from host_tools.service.call_log import LoggedCall
from host_tools.service.household import OUTCOMES
from host_tools.service.local_time import local_time
from host_tools.service.printed_log import (
    HOW_TIMES_ARE_KNOWN,
    WHAT_IT_IS,
    PrintedLog,
    note_in_words,
    presented_number,
)

_COLUMNS = ("Date", "Time", "Number as presented", "Name as presented", "Rang", "Answered", "Trace")
_WIDTHS_MM = (20, 27, 33, 33, 12, 20, 31)
_MARGIN_MM = 18
_CODING = "cp1252"
"""What the type of every PDF reader has (ISO 32000-1, D.2); a letter beyond it is given by its code."""
_LINES_TOGETHER = 12
"""Of a note: a row of the table does not go over the end of a page."""

_CALLS_TOGETHER = 20
_FRAME_PADDING = 6
_CELLS: list[Any] = [
    ("FONTSIZE", (0, 0), (-1, -1), 8.5),
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("LEFTPADDING", (0, 0), (0, -1), 0),
    ("TOPPADDING", (0, 0), (-1, -1), 1.5),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
]
_RINGS_AND_NOTES = (
    "Rang: complete rings before the call was answered or given up; a ring and its pause last six seconds in North "
    "America, and a little less elsewhere. Notes are the household's own, with the moment at which each was written; a "
    "note is never changed, and one that was withdrawn is struck out."
)

_NORMAL = getSampleStyleSheet()["Normal"]
_SMALL = ParagraphStyle("small", _NORMAL, fontSize=8.5, leading=10.5)
_NOTE = ParagraphStyle("note", _SMALL, fontName="Helvetica-Oblique", leftIndent=6 * mm)


class _NumberedCanvas(Canvas):
    """Numbers its pages once it knows how many they are; `record` stands at the foot of each."""

    def __init__(self, *args: Any, record: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self._record = record
        self._pages: list[dict[str, Any]] = []

    def showPage(self) -> None:  # noqa: N802 - the library's name
        """Keeps a page that is full."""
        self._pages.append(dict(self.__dict__))
        # Its stubs leave this out.
        self._startPage()  # type: ignore[attr-defined]

    def save(self) -> None:
        """Writes the pages."""
        pages = self._pages
        for number, page in enumerate(pages, 1):
            self.__dict__.update(page)
            self.setFont("Helvetica", 7)
            self.drawString(_MARGIN_MM * mm, 10 * mm, self._record)
            self.drawRightString(letter[0] - _MARGIN_MM * mm, 10 * mm, f"Page {number} of {len(pages)}")
            super().showPage()
        super().save()


def printed_log_pdf(log: PrintedLog) -> bytes:
    """The record as a PDF document; its columns' heads are on every page, and each page has the record's hash."""
    paper = io.BytesIO()
    sha256 = log.sha256
    document = SimpleDocTemplate(
        paper,
        pagesize=letter,
        leftMargin=_MARGIN_MM * mm,
        rightMargin=_MARGIN_MM * mm,
        topMargin=_MARGIN_MM * mm,
        bottomMargin=_MARGIN_MM * mm,
        title=f"Record of calls: line {log.line}, {_period(log)}",
        author="Star57",
        invariant=True,  # without the time of printing
    )
    record = f"Line {log.line}, {_period(log)}; SHA-256 {sha256}"
    flow = [*_head(log), _heads(), *_tables(log), *_foot(log, sha256)]
    canvas = partial(_NumberedCanvas, record=record)
    document.build(flow, onLaterPages=_put_heads, canvasmaker=canvas)
    return paper.getvalue()


def _put_heads(canvas: Canvas, document: SimpleDocTemplate) -> None:
    """The heads of the columns above a page that is not the first."""
    heads = _heads()
    _, height = heads.wrapOn(canvas, document.width, document.topMargin)
    heads.drawOn(
        canvas, document.leftMargin + _FRAME_PADDING, letter[1] - document.topMargin - height + 4 * mm
    )


def _period(log: PrintedLog) -> str:
    return f"{log.since.isoformat()} to {log.until.isoformat()}"


def _head(log: PrintedLog) -> list[Flowable]:
    styles = getSampleStyleSheet()
    calls = "1 call" if len(log.calls) == 1 else f"{len(log.calls)} calls"
    return [
        Paragraph("Record of calls", styles["Heading1"]),
        Paragraph(f"Line {log.line}", styles["Heading2"]),
        Paragraph(f"{_period(log)}, by the clocks of {log.zone.key}: {calls}", _NORMAL),
        Spacer(0, 3 * mm),
        Paragraph(WHAT_IT_IS, _SMALL),
        Spacer(0, 5 * mm),
    ]


def _foot(log: PrintedLog, sha256: str) -> list[Flowable]:
    known = {call.time_source for call in log.calls}
    signs = {"network": "no sign", "caller_id": "~", "none": "?"}
    times = "; ".join(
        f"{signs[each]}: {words}" for each, words in HOW_TIMES_ARE_KNOWN.items() if each in known
    )
    sentences = [
        f"Times, by the sign behind them: {times}." if times else "There was no call in this period.",
        _RINGS_AND_NOTES,
        "The letters that this type lacks are given by their Unicode code, such as [U+4E2D].",
        f"SHA-256 of this record's CSV file: {sha256}",
    ]
    return [Spacer(0, 5 * mm), *(Paragraph(sentence, _SMALL) for sentence in sentences)]


def _heads() -> Table:
    style = [
        *_CELLS,
        ("FONTNAME", (0, 0), (-1, 0), "Helvetica-Bold"),
        ("LINEBELOW", (0, 0), (-1, 0), 0.75, colors.black),
    ]
    return _table([list(_COLUMNS)], style)


def _tables(log: PrintedLog) -> Iterator[Flowable]:
    """Tables of a few calls each: what a long one costs to break over pages grows with the square of its rows."""
    for begin in range(0, len(log.calls), _CALLS_TOGETHER):
        rows: list[list[object]] = []
        style = list(_CELLS)
        for call in log.calls[begin : begin + _CALLS_TOGETHER]:
            rows.append(_cells(log, call))
            for words in _notes(log, call):
                style.append(("SPAN", (0, len(rows)), (-1, len(rows))))
                rows.append([Paragraph(words, _NOTE), *[""] * (len(_COLUMNS) - 1)])
            style.append(("LINEBELOW", (0, len(rows) - 1), (-1, len(rows) - 1), 0.25, colors.grey))
        yield _table(rows, style)


def _table(rows: list[list[object]], style: list[Any]) -> Table:
    widths = [width * mm for width in _WIDTHS_MM]
    return Table(rows, colWidths=widths, style=TableStyle(style), hAlign="LEFT")


def _cells(log: PrintedLog, call: LoggedCall) -> list[object]:
    at = local_time(call.at, log.zone)
    sign = {"network": "", "caller_id": " ~", "none": " ?"}[call.time_source]
    answered = ("yes" if call.answered else "no") + (", waiting" if call.call_waiting else "")
    outcome = OUTCOMES[call.trace_outcome] if call.trace_outcome else ""
    trace = f"{call.trace_id}: {outcome}" if call.trace_id else outcome
    clock = f"{at:%H:%M:%S %Z}{sign}"
    number, name = presented_number(call), call.name or ""
    wrapped = {words: Paragraph(_text(words), _SMALL) if words else "" for words in (number, name, trace)}
    return [
        f"{at:%Y-%m-%d}",
        clock,
        wrapped[number],
        wrapped[name],
        str(call.rings),
        answered,
        wrapped[trace],
    ]


def _notes(log: PrintedLog, call: LoggedCall) -> Iterator[str]:
    """The rows of its notes, as Paragraph takes them."""
    for note in call.notes:
        lines = note_in_words(note, log.zone).splitlines()
        for begin in range(0, len(lines), _LINES_TOGETHER):
            words = "<br/>".join(_text(line) for line in lines[begin : begin + _LINES_TOGETHER])
            yield words if note.withdrawn_at is None else f"<strike>{words}</strike>"


def _text(words: str) -> str:
    """Words as Paragraph takes them, in the letters that there are."""
    return escape("".join(letter if _is_there(letter) else f"[U+{ord(letter):04X}]" for letter in words))


def _is_there(letter: str) -> bool:
    try:
        letter.encode(_CODING)
    except UnicodeEncodeError:
        return False
    return letter.isprintable()
