"""The cover of a released bundle: PDF, US Letter. It says what is handed over and to whom, and never who called."""

from __future__ import annotations

import io
from collections.abc import Sequence
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

from reportlab.lib import colors
from reportlab.lib.pagesizes import letter
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from host_tools.service.local_time import in_words
from host_tools.service.released import OpenedRecord, ReleaseFacts

_MARGIN_MM = 20
_UTC = ZoneInfo("UTC")
_LINES = TableStyle(
    [
        ("LINEBELOW", (0, 0), (-1, -1), 0.25, colors.lightgrey),
        ("LEFTPADDING", (0, 0), (0, -1), 0),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ]
)


def cover_pdf(
    facts: ReleaseFacts, records: Sequence[OpenedRecord], signed_by: str, caution: str, zone: ZoneInfo
) -> bytes:
    """The cover as a PDF document; the same release makes the same bytes.

    Args:
        facts: what the bundle says of itself.
        records: the records in it; their trace ids and times are shown, and nothing else.
        signed_by: fingerprint of the key that signs it.
        caution: what a calling number does not prove.
        zone: whose clocks are shown beside UTC.
    """
    styles = getSampleStyleSheet()
    flow: list[Flowable] = [
        Paragraph("Release of call trace records", styles["Title"]),
        _table(_facts(facts, len(records), zone), (45, 125)),
        Spacer(0, 6 * mm),
        Paragraph("Records", styles["Heading2"]),
        _table(_times(records, zone), (25, 48, 50, 47)),
        Spacer(0, 6 * mm),
        *_not_kept(facts),
        Paragraph("What it proves, and what not", styles["Heading2"]),
        Paragraph(escape(caution), styles["Normal"]),
        Paragraph("How to verify it", styles["Heading2"]),
        Paragraph(
            f"VERIFY.txt has the commands. They need the trace centre's public signing key, {signed_by}, which must "
            "have come from the centre on another way. Who called is in records.json and records.csv, and not on this "
            "page.",
            styles["Normal"],
        ),
    ]
    paper = io.BytesIO()
    margin = _MARGIN_MM * mm
    document = SimpleDocTemplate(
        paper,
        pagesize=letter,
        leftMargin=margin,
        rightMargin=margin,
        topMargin=margin,
        bottomMargin=margin,
        title=f"Release of call trace records: case {facts.case_id}",
        author="Star57",
        invariant=True,  # without the time of printing
    )
    document.build(flow)
    return paper.getvalue()


def _facts(facts: ReleaseFacts, count: int, zone: ZoneInfo) -> list[list[str]]:
    instrument = facts.instrument
    rows = [
        ["Case", facts.case_id],
        ["Called line", facts.line],
        ["Instrument", f"{instrument.kind.words} of {instrument.issued_on}"],
        ["Reference", instrument.reference],
        ["Agency", instrument.agency],
        ["Officer", instrument.officer],
        ["Case number", instrument.case_number],
        ["Records", str(count)],
        ["No longer kept", str(len(facts.not_kept)) if facts.not_kept else "none"],
        ["Released", f"{in_words(facts.released_at, _UTC)}; {in_words(facts.released_at, zone)}"],
        ["Released by", facts.released_by],
    ]
    return [[f"<b>{name}</b>", _printable(said)] for name, said in rows]


def _not_kept(facts: ReleaseFacts) -> list[Flowable]:
    # As text, which goes on over pages: a row of a table that is higher than a page cannot be printed.
    if not facts.not_kept:
        return []
    styles = getSampleStyleSheet()
    return [
        Paragraph("No longer kept", styles["Heading2"]),
        Paragraph(_printable(", ".join(facts.not_kept)), styles["Normal"]),
        Spacer(0, 6 * mm),
    ]


def _times(records: Sequence[OpenedRecord], zone: ZoneInfo) -> list[list[str]]:
    heads = ["Trace", "Call, UTC", f"Call, {zone.key}", "Request, UTC"]
    rows = [[f"<b>{head}</b>" for head in heads]]
    for opened in records:
        who = opened.who_called
        called = [_at(who.called_at, _UTC), _at(who.called_at, zone)]
        rows.append([opened.trace_id, *called, _at(who.received_at, _UTC)])
    return rows


def _at(at: int | None, zone: ZoneInfo) -> str:
    return "not known" if at is None else in_words(at, zone)


def _table(rows: Sequence[Sequence[str]], widths_mm: Sequence[int]) -> Table:
    text = getSampleStyleSheet()["Normal"]
    cells = [[Paragraph(cell, text) for cell in row] for row in rows]
    return Table(cells, colWidths=[width * mm for width in widths_mm], style=_LINES, hAlign="LEFT")


def _printable(text: str) -> str:
    # The PDF's own fonts have the letters of Latin-1; records.json has the rest.
    return escape(text.encode("latin-1", "replace").decode("latin-1"))
