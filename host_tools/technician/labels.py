"""A label for each board: PDF, a page of 62 mm by 29 mm a label, as label printers cut them."""

from __future__ import annotations

import io
from collections.abc import Sequence

import segno
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from host_tools.technician.provisioning import Provisioned

WIDTH_MM, HEIGHT_MM = 62, 29

_MARGIN_MM = 2.5
_CODE_MM = HEIGHT_MM - 2 * _MARGIN_MM
_TEXT_AT_MM = _MARGIN_MM + _CODE_MM + 2.5
_TEXT_WIDTH_MM = WIDTH_MM - _MARGIN_MM - _TEXT_AT_MM
_QUIET_MODULES = 4  # ISO/IEC 18004, 5.3.8
_FIRST_BASELINE_MM = 21.5
_LINE_MM = 4.6
_SMALLEST_POINTS = 4.0


def code_text(board: Provisioned) -> str:
    """What the code on the label says: nothing secret, and what a scanner needs to find the board."""
    return f"STAR57;ID:{board.adapter_id};SN:{board.serial_number};LINE:{board.line};"


def labels_pdf(boards: Sequence[Provisioned]) -> bytes:
    """The labels as one PDF document, in the order of the boards. The same boards make the same bytes."""
    paper = io.BytesIO()
    canvas = Canvas(paper, pagesize=(WIDTH_MM * mm, HEIGHT_MM * mm), invariant=True)
    canvas.setTitle("Star57 labels")
    canvas.setAuthor("Star57")
    for board in boards:
        _draw_code(canvas, code_text(board))
        _draw_words(canvas, board)
        canvas.showPage()
    canvas.save()
    return paper.getvalue()


def _draw_code(canvas: Canvas, text: str) -> None:
    rows = [list(row) for row in segno.make_qr(text, error="m").matrix_iter(border=_QUIET_MODULES)]
    module_mm = _CODE_MM / len(rows)
    for down, row in enumerate(rows):
        for across, is_dark in enumerate(row):
            if is_dark:
                left, bottom = (
                    _MARGIN_MM + across * module_mm,
                    HEIGHT_MM - _MARGIN_MM - (down + 1) * module_mm,
                )
                canvas.rect(left * mm, bottom * mm, module_mm * mm, module_mm * mm, stroke=0, fill=1)


def _draw_words(canvas: Canvas, board: Provisioned) -> None:
    rows = (
        ("Helvetica-Bold", 11.0, "Star57"),
        ("Helvetica-Bold", 8.0, board.adapter_id),
        ("Helvetica", 8.0, f"Line {board.line or '-'}"),
        ("Helvetica", 6.0, f"{board.country}, {board.language}"),
        ("Helvetica", 6.0, f"USB {board.serial_number or '-'}"),
    )
    for place, (font, points, text) in enumerate(rows):
        while stringWidth(text, font, points) > _TEXT_WIDTH_MM * mm and points > _SMALLEST_POINTS:
            points -= 0.5  # noqa: PLW2901 - as large as fits
        canvas.setFont(font, points)
        canvas.drawString(_TEXT_AT_MM * mm, (_FIRST_BASELINE_MM - place * _LINE_MM) * mm, text)
