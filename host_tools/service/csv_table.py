"""A table as CSV (RFC 4180), in UTF-8, that a spreadsheet shows and never calculates with."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

# A spreadsheet takes a cell that begins so for a formula, which may read files and send what it finds (OWASP, CSV
# Injection, and ASVS 5.0, 1.2.10); one of East Asia takes the wide letters for it, too.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def csv_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """The header and the rows, each ended by CR LF; a cell that could be a formula begins with an apostrophe."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows([_inert(cell) for cell in row] for row in rows)
    return text.getvalue().encode()


def _inert(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) or cell.lstrip().startswith(_FORMULA) else cell
