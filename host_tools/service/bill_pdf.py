"""A bill on paper: PDF, US Letter. The same bill makes the same bytes."""

from __future__ import annotations

import io
from datetime import datetime

from reportlab.lib import colors
from reportlab.lib.pagesizes import letter
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from host_tools.service.bill import SERVICE, Bill, BillItem
from host_tools.service.dollars import dollars

_COLUMNS = ("Date", "Time", "Trace", "Price", "Charge", "Note")
_WIDTHS_MM = (26, 34, 30, 22, 22, 42)
_MARGIN_MM = 20
_STYLE = TableStyle(
    [
        ("FONTNAME", (0, 0), (-1, 0), "Helvetica-Bold"),
        ("FONTNAME", (0, -1), (-1, -1), "Helvetica-Bold"),
        ("ALIGN", (3, 0), (4, -1), "RIGHT"),
        ("LINEBELOW", (0, 0), (-1, 0), 0.75, colors.black),
        ("LINEBELOW", (0, 1), (-1, -3), 0.25, colors.lightgrey),
        ("LINEABOVE", (0, -1), (-1, -1), 0.75, colors.black),
        ("LEFTPADDING", (0, 0), (0, -1), 0),
        ("RIGHTPADDING", (-1, 0), (-1, -1), 0),
    ]
)


def bill_pdf(bill: Bill) -> bytes:
    """The bill as a PDF document; a long one has its column heads on every page."""
    paper = io.BytesIO()
    document = SimpleDocTemplate(
        paper,
        pagesize=letter,
        leftMargin=_MARGIN_MM * mm,
        rightMargin=_MARGIN_MM * mm,
        topMargin=_MARGIN_MM * mm,
        bottomMargin=_MARGIN_MM * mm,
        title=f"{SERVICE}: line {bill.line}, {bill.month}",
        author="Star57",
        invariant=True,  # without the time of printing
    )
    document.build(_flow(bill), onFirstPage=_number_page, onLaterPages=_number_page)
    return paper.getvalue()


def _flow(bill: Bill) -> list[Flowable]:
    styles = getSampleStyleSheet()
    month = datetime.strptime(bill.month, "%Y-%m")
    flow: list[Flowable] = [
        Paragraph(SERVICE, styles["Heading1"]),
        Paragraph(f"Line {bill.line}", styles["Heading2"]),
        Paragraph(f"{month:%B %Y}, by the clocks of {bill.zone}", styles["Normal"]),
        Spacer(0, 6 * mm),
        _table(bill),
        Spacer(0, 6 * mm),
        Paragraph("Only a successful trace is charged.", styles["Normal"]),
    ]
    if bill.charge_cents < bill.price_cents:
        cut = dollars(bill.price_cents - bill.charge_cents)
        flow.append(
            Paragraph(f"{cut} is not charged: the line had reached its cap of this month.", styles["Normal"])
        )
    return flow


def _table(bill: Bill) -> Table:
    total = ("Total", "", "", dollars(bill.price_cents), dollars(bill.charge_cents), "")
    rows = [_COLUMNS, *(_row(item) for item in bill.items), total]
    return Table(
        rows, colWidths=[width * mm for width in _WIDTHS_MM], style=_STYLE, repeatRows=1, hAlign="LEFT"
    )


def _row(item: BillItem) -> tuple[str, ...]:
    at = item.traced_at
    price, charge = dollars(item.price_cents), dollars(item.charge_cents)
    return f"{at:%Y-%m-%d}", f"{at:%H:%M:%S %Z}", item.trace_id, price, charge, item.note


def _number_page(canvas: Canvas, document: SimpleDocTemplate) -> None:
    canvas.saveState()
    canvas.setFont("Helvetica", 8)
    canvas.drawRightString(letter[0] - _MARGIN_MM * mm, 10 * mm, f"Page {document.page}")
    canvas.restoreState()
