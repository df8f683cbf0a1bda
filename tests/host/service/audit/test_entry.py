"""What an entry may hold, and the one form that is hashed."""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tools.service.audit import verify
from host_tools.service.audit.entry import (
    DETAIL_LENGTH,
    GREATEST_INTEGER,
    NAME_LENGTH,
    NO_HASH,
    Entry,
    EntryRefused,
    Head,
    chained,
)

AT = 1767268800  # 2026-01-01 12:00:00 UTC


class Outcome(StrEnum):
    TRACED = "traced"


def test_the_form_and_its_hash_are_those_of_the_page() -> None:
    """The vector of docs/audit.md."""
    entry = Entry(
        AT + 0.7, "adapter:a-1", "trace.decided", "T-00000001", {"outcome": Outcome.TRACED, "cents": 500}
    )
    (row,) = chained([entry], Head())
    form = (
        '{"action":"trace.decided","actor":"adapter:a-1","at":1767268800,"details":{"cents":500,"outcome":"traced"},'
        '"previous_hash":"0000000000000000000000000000000000000000000000000000000000000000","sequence":1,'
        '"subject":"T-00000001"}'
    )
    assert row == {
        "sequence": 1,
        "at": AT,
        "actor": "adapter:a-1",
        "action": "trace.decided",
        "subject": "T-00000001",
        "details": '{"cents":500,"outcome":"traced"}',
        "previous_hash": NO_HASH,
        "hash": hashlib.sha256(form.encode()).hexdigest(),
    }
    assert row["hash"] == "1dbd1bd169cad1a96635aa78a4c7de59bcd0e5e2717594ec51c0bcd5488b2995"


def test_each_row_is_linked_to_the_one_before() -> None:
    rows = chained([Entry(AT, "ann", "bill.read", str(number)) for number in range(3)], Head(56, "a" * 64))
    assert [row["sequence"] for row in rows] == [57, 58, 59]
    assert [row["previous_hash"] for row in rows] == ["a" * 64, rows[0]["hash"], rows[1]["hash"]]


@given(
    st.lists(
        st.builds(
            Entry,
            st.floats(0, 2**50),
            st.text(max_size=80),
            st.from_regex(r"[a-z_]{1,10}\.[a-z_]{1,10}", fullmatch=True),
            st.text(st.characters(), max_size=80),
            st.dictionaries(
                st.from_regex(r"[a-z][a-z0-9_]{0,10}", fullmatch=True),
                st.none()
                | st.booleans()
                | st.integers(-GREATEST_INTEGER, GREATEST_INTEGER)
                | st.text(st.characters(), max_size=300),
                max_size=5,
            ),
        ),
        max_size=5,
    )
)
def test_whatever_is_held_the_verifier_reads_alike(entries: list[Entry]) -> None:
    rows = chained(entries, Head())
    verification = verify.Verification()
    for line in [*verify.lines(rows, []), verify.end_line(len(rows), rows[-1]["hash"] if rows else NO_HASH)]:
        verification.take(line)
    assert [str(finding) for finding in verification.report().findings] == []
    for row in rows:
        assert len(row["actor"]) <= NAME_LENGTH
        assert len(row["subject"]) <= NAME_LENGTH
        assert (row["actor"] + row["subject"] + row["details"]).isprintable()


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("", ""),
        ("ann", "ann"),
        ("Zoë 電話", "Zoë 電話"),
        ("a\r\nb\x00\x1b[2J\ud800\u202e", "a??b??[2J??"),
        ("x" * 64, "x" * 64),
        ("x" * 65, "x" * 63 + "…"),
        ("\n" * 10**6, "?" * 63 + "…"),
        ("' OR 1=1 --", "' OR 1=1 --"),
    ],
)
def test_what_somebody_typed_hinders_nothing(typed: str, kept: str) -> None:
    (row,) = chained([Entry(AT, typed, "sign_in.refused", typed, {"name": typed})], Head())
    assert (row["actor"], row["subject"]) == (kept, kept)
    if len(typed) <= NAME_LENGTH:
        assert json.loads(row["details"]) == {"name": kept}
    assert len(json.loads(row["details"])["name"]) <= DETAIL_LENGTH


@pytest.mark.parametrize(
    "wrong",
    [
        Entry(AT, "ann", "signed in", "x"),
        Entry(AT, "ann", "sign_in", "x"),
        Entry(AT, "ann", "sign_in.", "x"),
        Entry(AT, "ann", "sign_in.Done", "x"),
        Entry(AT, "ann", "sign_in.done\n", "x"),
        Entry(AT, "ann", "a." + "b" * 47, "x"),
        Entry(-1, "ann", "sign_in.done", "x"),
        Entry(2.0**60, "ann", "sign_in.done", "x"),
        Entry(AT, "ann", "sign_in.done", "x", {"Name": 1}),
        Entry(AT, "ann", "sign_in.done", "x", {"": 1}),
        Entry(AT, "ann", "sign_in.done", "x", {"n" * 33: 1}),
        Entry(AT, "ann", "sign_in.done", "x", {f"n{number}": 1 for number in range(17)}),
        Entry(AT, "ann", "sign_in.done", "x", {"n": 2**53}),
    ],
    ids=str,
)
def test_what_only_a_wrong_program_says_is_refused(wrong: Entry) -> None:
    with pytest.raises(EntryRefused):
        chained([Entry(AT, "ann", "sign_in.done", "x"), wrong], Head())


@pytest.mark.parametrize("value", [1.5, [1], {"a": 1}, b"bytes", float("nan"), object()])
def test_details_are_scalars(value: Any) -> None:
    with pytest.raises(EntryRefused, match="the detail n is not"):
        chained([Entry(AT, "ann", "sign_in.done", "x", {"n": value})], Head())
