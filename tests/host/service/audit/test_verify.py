"""The verifier, on its own: whatever is done to a log by somebody who rules its database is seen."""

# ruff: noqa: S608 - who tampers writes statements as they come

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tools.service.audit import verify
from host_tools.service.audit.time_stamp import TimeStampAuthority
from host_tools.service.audit.verify import MAX_LINE_BYTES, MOST_FINDINGS, NO_HASH, Verification
from tests.host.service.audit.authority import Authority
from tests.host.service.audit.written import (
    ACTIONS,
    PRUNED_AT,
    STAMPED_AT,
    found,
    rewrite,
    tamper,
    verdict,
    write_log,
)

COLUMNS = ("at", "actor", "action", "subject", "details", "previous_hash", "hash")
OTHER = "f" * 64
FIRST, LAST = PRUNED_AT + 1, PRUNED_AT + len(ACTIONS) + 5


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Authority]]:
    """A log, written once, and the authority that has stamped it."""
    folder = tmp_path_factory.mktemp("written")
    authority = Authority(folder / "authority")
    write_log(folder / "log.sqlite", TimeStampAuthority(authority.url, authority.root.read_bytes()))
    yield folder / "log.sqlite", authority
    authority.stop()


@pytest.fixture
def file(written: tuple[Path, Authority], tmp_path: Path) -> Path:
    """A copy of the log, to be tampered with."""
    return Path(shutil.copy(written[0], tmp_path / "log.sqlite"))


@pytest.fixture
def root(written: tuple[Path, Authority]) -> Path:
    """The certificate that the authority's chain begins with."""
    return written[1].root


def rows_of(file: Path) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(file)) as database:
        database.row_factory = sqlite3.Row
        return [dict(row) for row in database.execute("SELECT * FROM audit ORDER BY sequence")]


def test_an_untouched_log_is_proven(file: Path, root: Path) -> None:
    report = verdict(file, check=verify.authority_check(root))
    assert report.findings == ()
    assert report.is_proven
    assert (report.first, report.last, report.rows) == (FIRST, LAST, LAST - PRUNED_AT)
    assert (report.checkpoints, report.stamps, report.stamped) == (3, 1, STAMPED_AT)
    assert report.hash == rows_of(file)[-1]["hash"]
    assert {row["action"] for row in rows_of(file)} == {
        *ACTIONS,
        "checkpoint.made",
        "checkpoint.time_stamped",
        "retention.deleted",
    }


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("sequence", range(FIRST, LAST + 1))
def test_a_changed_column_of_a_row_is_found_there(file: Path, sequence: int, column: str) -> None:
    changed = {
        "at": "at + 1",
        "details": """'{"outcome":"failed"}'""",
        "previous_hash": f"'{OTHER}'",
        "hash": f"'{OTHER}'",
    }.get(column, f"{column} || 'x'")
    tamper(file, f"UPDATE audit SET {column} = {changed} WHERE sequence = {sequence}")
    assert f"row {sequence}: was changed: its hash does not cover what it says" in found(file)


@pytest.mark.parametrize("sequence", range(FIRST, LAST))
def test_a_row_that_was_changed_with_its_hash_is_found_behind_it(file: Path, sequence: int) -> None:
    tamper(file, f"UPDATE audit SET actor = 'somebody' WHERE sequence = {sequence}")
    row = next(row for row in rows_of(file) if row["sequence"] == sequence)
    said = {**row, "details": json.loads(row["details"])}
    del said["hash"]
    digest = hashlib.sha256(verify.canonical(said).encode()).hexdigest()
    tamper(file, f"UPDATE audit SET hash = '{digest}' WHERE sequence = {sequence}")
    assert (
        f"row {sequence + 1}: is not linked to row {sequence}, which was changed or put in its place"
        in found(file)
    )


@pytest.mark.parametrize("sequence", range(FIRST, LAST + 1))
def test_a_removed_row_is_found(file: Path, sequence: int) -> None:
    tamper(file, f"DELETE FROM audit WHERE sequence = {sequence}")
    if sequence < LAST:
        assert f"row {sequence + 1}: row {sequence} is missing before it" in found(file)
    else:
        # The last of all told why the log begins where it does.
        assert found(file) == [f"checkpoint {PRUNED_AT}: the log begins after it, and no row says why"]


def test_a_hole_of_many_rows_is_found(file: Path) -> None:
    tamper(file, "DELETE FROM audit WHERE sequence BETWEEN 15 AND 18")
    assert found(file) == ["row 19: rows 15 to 18 are missing before it"]


@pytest.mark.parametrize("sequence", range(FIRST, LAST))
def test_swapped_rows_are_found(file: Path, sequence: int) -> None:
    tamper(
        file,
        f"UPDATE audit SET sequence = 1000 WHERE sequence = {sequence}",
        f"UPDATE audit SET sequence = {sequence} WHERE sequence = {sequence + 1}",
        f"UPDATE audit SET sequence = {sequence + 1} WHERE sequence = 1000",
    )
    told = found(file)
    assert f"row {sequence}: was changed: its hash does not cover what it says" in told
    assert f"row {sequence + 1}: was changed: its hash does not cover what it says" in told


def test_an_inserted_row_is_found(file: Path) -> None:
    tamper(
        file,
        "UPDATE audit SET sequence = sequence + 1000 WHERE sequence > 14",
        "UPDATE audit SET sequence = sequence - 999 WHERE sequence > 14",
        "INSERT INTO audit SELECT 15, at, 'x', action, subject, details, hash, hash FROM audit WHERE sequence = 14",
    )
    told = found(file)
    assert "row 15: was changed: its hash does not cover what it says" in told
    assert "row 16: was changed: its hash does not cover what it says" in told


def test_a_tail_that_was_cut_off_is_found_by_its_checkpoint(file: Path) -> None:
    last = max(row["sequence"] for row in rows_of(file) if row["action"] == "checkpoint.made") - 1
    tamper(file, f"DELETE FROM audit WHERE sequence > {last}")
    assert f"checkpoint {last}: the row after it, which told of it, is missing: the log was cut off" in found(
        file
    )
    tamper(file, f"DELETE FROM audit WHERE sequence > {last - 2}")
    assert f"checkpoint {last}: its row is missing: it comes after row {last - 2}" in found(file)
    tamper(file, "DELETE FROM audit")
    assert f"checkpoint {last}: its row is missing: it comes after row {STAMPED_AT}" not in found(file)
    assert not verdict(file).is_proven


def test_a_tail_without_a_checkpoint_is_found_by_a_hash_that_is_known(file: Path) -> None:
    known = {row["sequence"]: row["hash"] for row in rows_of(file)[-2:]}
    assert verdict(file, known=known).is_proven
    tamper(file, f"UPDATE audit SET actor = 'somebody' WHERE sequence = {LAST}")
    rewrite(file, LAST)
    assert verdict(file).is_proven
    assert found(file, known=known) == [
        f"row {LAST}: has another hash than the one that is known from before: it was rewritten"
    ]
    assert found(file, known={LAST + 1: OTHER}) == [f"row {LAST + 1}: is known from before, and missing"]
    assert verdict(file, known={1: OTHER}).is_proven, "row 1 was deleted as retention has it"


def test_a_chain_that_was_made_anew_is_found_by_the_time_stamp(file: Path) -> None:
    tamper(file, f"UPDATE audit SET actor = 'somebody' WHERE sequence = {FIRST + 2}")
    rewrite(file)
    assert found(file) == [
        f"checkpoint {STAMPED_AT}: its time stamp is over something else: it was rewritten"
    ]


def test_a_time_stamp_of_somebody_else_is_found_by_the_certificate(
    file: Path, root: Path, tmp_path: Path
) -> None:
    tamper(file, f"UPDATE audit SET actor = 'somebody' WHERE sequence = {FIRST + 2}")
    rewrite(file)
    forger = Authority(tmp_path / "forger")
    _stamp_anew(file, forger)
    rewrite(file, STAMPED_AT + 1)
    assert verdict(file).is_proven, "the file alone does not say whose time stamp is right"
    assert verdict(file, check=verify.authority_check(forger.root)).is_proven
    forger.stop()
    assert found(file, check=verify.authority_check(root)) == [
        f"checkpoint {STAMPED_AT}: its time stamp is not of the authority with this certificate"
    ]


def _stamp_anew(file: Path, authority: Authority) -> None:
    client = TimeStampAuthority(authority.url, authority.root.read_bytes())
    with closing(sqlite3.connect(file)) as database, database:
        (digest,) = database.execute(
            "SELECT hash FROM checkpoints WHERE sequence = ?", (STAMPED_AT,)
        ).fetchone()
        stamp = asyncio.run(client.stamp(verify.stamped_data(STAMPED_AT, digest)))
        database.execute("UPDATE checkpoints SET time_stamp = ? WHERE sequence = ?", (stamp, STAMPED_AT))
        database.execute(
            "UPDATE audit SET details = ? WHERE action = 'checkpoint.time_stamped'",
            (verify.canonical({"sha256": hashlib.sha256(stamp).hexdigest()}),),
        )


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ("hash = '" + OTHER + "'", "has another hash than row {}: the log was rewritten"),
        ("made_at = made_at + 1", "is not what row {after}, after it, tells of it"),
        ("time_stamp = x'3000'", "its time stamp is over something else: it was rewritten"),
        ("is_pruned = 1", "the log begins after it, and no row says why"),
        ("is_pruned = 7", "its is_pruned is of the wrong kind"),
        ("time_stamp = 'te-t'", "its time_stamp is not base64"),
        ("made_at = 'noon'", "its made_at is of the wrong kind"),
        ("hash = 'none'", "its hash is not 64 hex digits"),
    ],
)
@pytest.mark.parametrize("sequence", [PRUNED_AT, STAMPED_AT])
def test_a_changed_column_of_a_checkpoint_is_found(
    file: Path, sequence: int, changed: str, words: str
) -> None:
    if sequence == PRUNED_AT and changed == "is_pruned = 1":
        changed, words = "is_pruned = 0", "its row is missing: it comes after the beginning"
    tamper(file, f"UPDATE checkpoints SET {changed} WHERE sequence = {sequence}")
    told = found(file)
    if sequence == PRUNED_AT and changed.startswith("hash = 'f"):
        assert f"row {FIRST}: is not linked to row {PRUNED_AT}, which was changed or put in its place" in told
    elif changed == "is_pruned = 1":
        assert f"checkpoint {sequence}: says that the rows up to it were deleted, and they are there" in told
    else:
        assert f"checkpoint {sequence}: {words.format(sequence, after=sequence + 1)}" in told


def test_a_removed_checkpoint_is_found(file: Path) -> None:
    tamper(file, f"DELETE FROM checkpoints WHERE sequence = {STAMPED_AT}")
    assert found(file) == [
        f"row {STAMPED_AT + 1}: tells of checkpoint {STAMPED_AT}, which is missing",
        f"row {STAMPED_AT + 2}: tells of a time stamp of checkpoint {STAMPED_AT}: it is missing, or another",
    ]
    tamper(file, "DELETE FROM checkpoints")
    assert found(file)[0] == f"row {FIRST}: rows 1 to {PRUNED_AT} are missing before it"


def test_a_moved_checkpoint_is_found(file: Path) -> None:
    tamper(file, f"UPDATE checkpoints SET sequence = {STAMPED_AT + 3} WHERE sequence = {STAMPED_AT}")
    assert f"row {STAMPED_AT + 1}: tells of checkpoint {STAMPED_AT}, which is missing" in found(file)


def test_an_inserted_checkpoint_is_found(file: Path) -> None:
    tamper(file, "INSERT INTO checkpoints SELECT 16, hash, at, NULL, 0 FROM audit WHERE sequence = 16")
    assert found(file) == ["checkpoint 16: is not what row 17, after it, tells of it"]


def test_a_removed_or_added_time_stamp_is_found(file: Path) -> None:
    tamper(file, "UPDATE checkpoints SET time_stamp = NULL")
    assert found(file) == [
        f"row {STAMPED_AT + 2}: tells of a time stamp of checkpoint {STAMPED_AT}: it is missing, or another"
    ]
    last = max(row["sequence"] for row in rows_of(file) if row["action"] == "checkpoint.made") - 1
    tamper(
        file,
        "UPDATE checkpoints SET time_stamp = ? WHERE sequence = (SELECT max(sequence) FROM checkpoints)",
        values=(b"\x30\x00",),
    )
    assert f"checkpoint {last}: has a time stamp that no row tells of" in found(file)


def test_a_beginning_that_was_deleted_without_a_word_is_found(file: Path) -> None:
    tamper(
        file,
        f"UPDATE checkpoints SET is_pruned = 1 WHERE sequence <= {STAMPED_AT}",
        f"DELETE FROM audit WHERE sequence <= {STAMPED_AT}",
    )
    assert found(file) == [f"checkpoint {STAMPED_AT}: the log begins after it, and no row says why"]


def test_rows_that_were_put_back_are_found(file: Path) -> None:
    tamper(file, f"UPDATE audit SET sequence = 1 WHERE sequence = {FIRST}")
    assert any(
        said.startswith(f"checkpoint {PRUNED_AT}: says that the rows up to it were deleted")
        for said in found(file)
    )


def test_a_log_that_says_it_lost_more_than_is_missing_is_found(file: Path) -> None:
    last = rows_of(file)[-1]
    details = verify.canonical({**json.loads(last["details"]), "sequence": 20})
    tamper(file, f"UPDATE audit SET details = '{details}' WHERE sequence = {LAST}")
    rewrite(file, LAST)
    assert f"row {LAST}: says that rows up to 20 were deleted, and the log begins after {PRUNED_AT}" in found(
        file
    )


def test_an_empty_log_is_proven() -> None:
    verification = Verification()
    verification.take(verify.end_line(0, NO_HASH))
    report = verification.report()
    assert report.is_proven
    assert (report.rows, report.first, report.last, report.hash) == (0, 0, 0, NO_HASH)


def test_an_export_that_was_cut_off_or_goes_on_is_found(file: Path) -> None:
    lines = list(verify.read_lines(file))
    for many in (0, 1, len(lines) - 1):
        assert "the end: the last line is missing: the export was cut off" in _found_in(lines[:many])
    assert _found_in([*lines, lines[-1]]) == [
        f"line {len(lines) + 1}: comes after the last line of the export"
    ]
    without_last_row = [*lines[:-2], lines[-1]]
    assert f"the end: the log ended with row {LAST}, and here with row {LAST - 1}" in _found_in(
        without_last_row
    )
    assert f"row {LAST}: comes after row {LAST}: twice, or not in order" in _found_in(
        [*lines[:-1], lines[-2], lines[-1]]
    )
    assert f"checkpoint {PRUNED_AT}: comes twice, or not in order" in _found_in([lines[0], *lines])


def test_each_byte_of_an_export_counts(file: Path) -> None:
    text = b"".join(verify.read_lines(file))
    for place in range(0, len(text), 17):
        changed = text[:place] + bytes([text[place] ^ 4]) + text[place + 1 :]
        assert _found_in(changed.splitlines(keepends=True)), text[max(0, place - 20) : place + 20]


def _found_in(lines: list[bytes], **options: Any) -> list[str]:
    verification = Verification(**options)
    for line in lines:
        verification.take(line)
    return [str(finding) for finding in verification.report().findings]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"", "is not a line of an audit log"),
        (b"\xff\xfe", "is not a line of an audit log"),
        (b"[" * 60_000, "is not a line of an audit log"),
        (b"[]", "is not written in the form of an audit log"),
        (b'{"end":{"hash":"' + b"0" * 64 + b'","sequence":NaN}}', "is not a line of an audit log"),
        (b'{"end":{"hash":"' + b"0" * 64 + b'","sequence":1.0}}', "is not a line of an audit log"),
        (b'{"end":{"hash":"' + b"0" * 64 + b'","sequence":true}}', "its sequence is of the wrong kind"),
        (b'{"end":{"hash":"' + b"0" * 64 + b'","sequence":-1}}', "its sequence is out of range"),
        (
            b'{"end":{"hash":"' + b"0" * 64 + b'","sequence":9007199254740992}}',
            "its sequence is out of range",
        ),
        (
            b'{"end":{"hash":"' + b"0" * 64 + b'","sequence":' + b"9" * 5000 + b"}}",
            "is not a line of an audit log",
        ),
        (b'{"end":{"hash":"0","sequence":0}}', "its hash is not 64 hex digits"),
        (b'{"end":{"sequence":0}}', "has not the members of the kind end"),
        (b'{"end":7}', "has not the members of the kind end"),
        (b'{"checkpoint":[]}', "has not the members of the kind checkpoint"),
        (b'{"actor":"\\ud800"}', "is not a line of an audit log"),
        (b'{"a":1,"a":1}', "is not written in the form of an audit log"),
        (b'{"a": 1}', "is not written in the form of an audit log"),
        (b'{"a":1}', "has not the members of the kind row"),
        (b"x" * (MAX_LINE_BYTES + 1), "is longer than 65536 bytes"),
    ],
)
def test_a_line_that_is_none_is_told(line: bytes, words: str) -> None:
    (first, *_) = _found_in([line, verify.end_line(0, NO_HASH)])
    assert words in first
    assert first.startswith(("line 1: ", "end "))


def test_details_hold_scalars_alone(file: Path) -> None:
    lines = list(verify.read_lines(file))
    nested = lines[1].replace(b'"details":{', b'"details":{"a":[1],')
    assert f"row {FIRST}: its detail a is not a string, an integer, true, false or null" in _found_in(
        [lines[0], nested, *lines[2:]]
    )


@given(st.lists(st.binary(max_size=200), max_size=20))
def test_no_file_makes_it_fail(lines: list[bytes]) -> None:
    report_of = Verification()
    for line in lines:
        report_of.take(line)
    report = report_of.report()
    assert report.wrong >= 1
    assert len(report.findings) <= MOST_FINDINGS


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["sequence", "hash", "at", "details", "a"]), inner, max_size=4)
    ),
    max_leaves=10,
)


@given(
    st.lists(
        st.one_of(
            st.builds(lambda value: {"checkpoint": value}, _JSON),
            st.builds(lambda value: {"end": value}, _JSON),
            st.fixed_dictionaries(dict.fromkeys([*COLUMNS, "sequence"], _JSON)),
            st.fixed_dictionaries(
                {
                    "checkpoint": st.fixed_dictionaries(
                        {
                            "sequence": st.integers(0, 9),
                            "hash": st.just(OTHER),
                            "made_at": st.integers(0, 9),
                            "time_stamp": st.none() | st.just("MAA="),
                            "is_pruned": st.booleans(),
                        }
                    )
                }
            ),
            st.fixed_dictionaries(
                {
                    "sequence": st.integers(0, 9),
                    "at": st.integers(0, 9),
                    "actor": st.text(max_size=5),
                    "action": st.sampled_from(
                        ["retention.deleted", "checkpoint.made", "checkpoint.time_stamped"]
                    ),
                    "subject": st.sampled_from(["audit", "1", "²", "9" * 5000, ""]),
                    "details": st.dictionaries(
                        st.sampled_from(["sequence", "hash", "sha256"]),
                        st.just(OTHER) | st.integers(0, 9) | st.none(),
                    ),
                    "previous_hash": st.just(NO_HASH),
                    "hash": st.just(OTHER),
                }
            ),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_no_json_makes_it_fail_or_pass(values: list[dict[str, Any]]) -> None:
    lines = [json.dumps(value, sort_keys=True, separators=(",", ":")).encode() for value in values]
    assert _found_in(lines)


@given(st.binary(max_size=600), st.integers(0, 40_000))
def test_no_sqlite_file_makes_it_fail(
    tmp_path_factory: pytest.TempPathFactory, written: tuple[Path, Authority], noise: bytes, place: int
) -> None:
    whole = written[0].read_bytes()
    file = tmp_path_factory.getbasetemp() / "noisy.sqlite"
    file.write_bytes(whole[:place] + noise + whole[place + len(noise) :])
    try:
        report = verdict(file)
    except verify.Unreadable:
        return
    assert report.is_proven in {True, False}


def test_what_sqlite_holds_of_another_kind_is_told(file: Path) -> None:
    tamper(file, "UPDATE audit SET actor = x'00ff', details = 7 WHERE sequence = 8")
    tamper(
        file, "UPDATE audit SET details = '{\"a\" : 1}', subject = CAST(x'ff0a' AS TEXT) WHERE sequence = 9"
    )
    told = found(file)
    assert "row 8: its details is of the wrong kind" in told
    assert "row 9: its details is of the wrong kind" in told


def test_what_a_forger_wrote_moves_no_cursor(file: Path) -> None:
    tamper(
        file, "UPDATE audit SET action = 'checkpoint.made', subject = char(27) || '[2J' WHERE sequence = 15"
    )
    assert "row 15: tells of checkpoint ?[2J, which is missing" in found(file)


def test_findings_are_counted_where_they_are_too_many(file: Path) -> None:
    verification = Verification()
    for _ in range(250):
        verification.take(b"x")
    report = verification.report()
    assert (len(report.findings), report.wrong) == (MOST_FINDINGS, 251)
    assert "and 151 more" in verify.summary(report, is_checked=False)


def run_alone(folder: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """Runs a copy of the verifier, without this repository and without site-packages."""
    alone = Path(shutil.copy(verify.__file__, folder / "verify.py"))
    command = [sys.executable, "-I", "-S", "-W", "error", alone, *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_it_runs_on_its_own(file: Path, root: Path, tmp_path: Path) -> None:
    export = tmp_path / "audit.jsonl"
    export.write_bytes(b"".join(verify.read_lines(file)))
    known = f"{LAST}:{rows_of(file)[-1]['hash']}"
    for log in (file, export):
        proven = run_alone(tmp_path, log, "--authority", root, "--known", known)
        assert (proven.returncode, proven.stderr) == (0, "")
        assert proven.stdout.splitlines() == [
            f"rows {FIRST} to {LAST} were read; row {LAST} has hash {rows_of(file)[-1]['hash']}",
            "checkpoints: 3, the last at row 24",
            f"time stamps: 1, the last that is right at row {STAMPED_AT}",
            "the log is proven",
        ]
    assert (
        "time stamps: 1, not checked without the authority's certificate" in run_alone(tmp_path, file).stdout
    )
    tamper(file, "UPDATE audit SET actor = 'somebody' WHERE sequence = 15")
    wrong = run_alone(tmp_path, file)
    assert wrong.returncode == 1
    assert wrong.stdout.splitlines()[0] == "row 15: was changed: its hash does not cover what it says"
    assert wrong.stdout.splitlines()[-1] == "THE LOG IS NOT PROVEN"


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "other.sqlite").write_bytes(b"SQLite format 3\0" + bytes(100))
    for words, status, told in (
        (["missing.jsonl"], 2, "verify: missing.jsonl: "),
        ([tmp_path / "other.sqlite"], 2, "verify: "),
        (["x", "--authority", "missing.pem"], 2, "verify: missing.pem: no such file"),
        (["x", "--known", "7"], 2, "usage: "),
    ):
        done = run_alone(tmp_path, *words)
        assert (done.returncode, done.stdout) == (status, "")
        assert told in done.stderr
        assert "Traceback" not in done.stderr
