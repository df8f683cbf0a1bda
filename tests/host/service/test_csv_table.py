"""CSV as RFC 4180 has it, with nothing in it that a spreadsheet calculates."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tools.service.csv_table import csv_table

HEADER = ("a", "b")
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def read(table: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(table.decode(), newline="")))


def test_lines_end_as_rfc_4180_has_it() -> None:
    assert csv_table(HEADER, [('say "hi"', "1,2")]) == b'a,b\r\n"say ""hi""","1,2"\r\n'


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        " =1",
        "\0=1",
        "\uff1d1+1",
        " \uff20SUM(A1)",
        '=HYPERLINK("http://x")',
        "=cmd|' /C calc'!A0",
    ],
)
def test_no_cell_is_a_formula(cell: str) -> None:
    assert read(csv_table(HEADER, [(cell, "5.00")]))[1] == [f"'{cell}", "5.00"]


@given(st.lists(st.tuples(st.text(), st.text())))
def test_whatever_is_in_a_cell_it_comes_back_inert(rows: list[tuple[str, str]]) -> None:
    header, *back = read(csv_table(HEADER, rows))
    assert header == list(HEADER)
    assert len(back) == len(rows)
    for cells, row in zip(back, rows, strict=True):
        for cell, given_cell in zip(cells, row, strict=True):
            assert cell in (given_cell, f"'{given_cell}")
            assert not cell.lstrip().startswith(FORMULA)
            assert not cell.startswith(FORMULA)
