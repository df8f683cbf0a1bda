"""Verifies an audit log that was exported, or the log within a service's SQLite file.

Needs Python 3.11 and nothing else of the trace service: copy this file to wherever the log is to be verified.

    python verify.py audit.jsonl
    python verify.py star57.sqlite --authority authority.pem --known 1200:9f86d081...

It shares no code with what writes the log; docs/audit.md has the form that both are held to. Exit status: 0 the log is
proven, 1 something is wrong with it, 2 it could not be read.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

MAX_LINE_BYTES = 1 << 16
MAX_INTEGER = 2**53 - 1
"""The greatest that every reader of JSON keeps exact (RFC 8785, appendix D)."""
NO_HASH = "0" * 64
"""What the first row of all has for the hash of the row before it."""
MOST_FINDINGS = 100

Check = Callable[[bytes, bytes], str | None]
"""From what a time stamp is over, and the time stamp (an RFC 3161 response), to what is wrong with it."""

_HASH = re.compile("[0-9a-f]{64}")
_NUMBER = re.compile("[0-9]{1,16}")


class Unreadable(Exception):
    """A log, or an authority's certificate, that cannot be read at all."""


class _Malformed(Exception):
    """A line that is none of a log; `where` when more than the number of the line is known."""

    def __init__(self, what: str, where: str | None = None) -> None:
        super().__init__(what)
        self.where = where


@dataclass(frozen=True)
class Row:
    """A row of the log; `at` in Unix seconds, `details` of JSON scalars by their names."""

    sequence: int
    at: int
    actor: str
    action: str
    subject: str
    details: dict[str, Any]
    previous_hash: str
    hash: str


@dataclass(frozen=True)
class Checkpoint:
    """The log's hash at a row; `made_at` in Unix seconds, `time_stamp` the DER of an RFC 3161 response."""

    sequence: int
    hash: str
    made_at: int
    time_stamp: bytes | None
    is_pruned: bool


@dataclass(frozen=True)
class End:
    """The last row of a log when it was exported: 0 and `NO_HASH` of an empty one."""

    sequence: int
    hash: str


@dataclass(frozen=True)
class Finding:
    """What is wrong, and where: "row 7", "checkpoint 6", "line 5" or "the end"."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


@dataclass(frozen=True)
class Report:
    """What a verification found.

    `first` and `last` are the sequence numbers of the rows that there are, 0 when there is none; `hash` is that of the
    last. `checkpoint` and `stamped` are the sequence numbers of the last checkpoint, and of the last whose time stamp
    was checked and is right. `findings` are the first of them, `wrong` counts all.
    """

    rows: int
    first: int
    last: int
    hash: str
    checkpoints: int
    checkpoint: int | None
    stamps: int
    stamped: int | None
    findings: tuple[Finding, ...]
    wrong: int

    @property
    def is_proven(self) -> bool:
        """Whether nothing is wrong."""
        return not self.wrong


def canonical(value: Mapping[str, Any]) -> str:
    """An object of strings, integers, booleans, nulls and such objects in the one form that is hashed (RFC 8785)."""
    return _CANONICAL.encode(value)


def stamped_data(sequence: int, row_hash: str) -> bytes:
    """What a checkpoint's time stamp is over."""
    return canonical({"hash": row_hash, "sequence": sequence}).encode()


def row_line(values: Mapping[str, Any]) -> bytes:
    """The line of a row as a database has it; `details` is there the text of an object.

    Whatever the values are, it is one line; the verification of a wrong one says so.
    """
    return _line({**{name: values[name] for name in _ROW}, "details": _details(values["details"])})


def checkpoint_line(values: Mapping[str, Any]) -> bytes:
    """The line of a checkpoint as a database has it."""
    stamp = values["time_stamp"]
    text = base64.b64encode(stamp).decode() if isinstance(stamp, bytes) else stamp
    is_pruned = values["is_pruned"]
    told = {
        **{name: values[name] for name in _CHECKPOINT},
        "time_stamp": text,
        "is_pruned": bool(is_pruned) if is_pruned in {0, 1} else is_pruned,
    }
    return _line({"checkpoint": told})


def end_line(sequence: int, row_hash: str) -> bytes:
    """The last line of an export."""
    return _line({"end": {"hash": row_hash, "sequence": sequence}})


def lines(rows: Iterable[Mapping[str, Any]], checkpoints: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """The lines of rows and checkpoints, each in order, every checkpoint after the row that it is of."""
    waiting = iter(checkpoints)
    following = next(waiting, None)
    for row in rows:
        while following is not None and place(following["sequence"]) < place(row["sequence"]):
            yield checkpoint_line(following)
            following = next(waiting, None)
        yield row_line(row)
    while following is not None:
        yield checkpoint_line(following)
        following = next(waiting, None)


def place(sequence: Any) -> float:
    """Where in a log a sequence number is; what is none comes last, as a database sorts it."""
    return sequence if isinstance(sequence, int) else float("inf")


class Verification:
    """Takes the lines of a log, in order, and reports what is wrong with it.

    Args:
        check: checks time stamps; without it they are only compared with what they should be over.
        known: hashes that are known from elsewhere, by sequence number, such as an earlier report's last.
    """

    def __init__(self, check: Check | None = None, known: Mapping[int, str] | None = None) -> None:
        self._check = check
        self._known = dict(known or {})
        self._line = 0
        self._head = End(0, NO_HASH)
        self._rows = 0
        self._first = 0
        self._pruned: Checkpoint | None = None
        self._is_pruning_told = False
        self._checkpoints: dict[int, Checkpoint] = {}
        self._untold: Checkpoint | None = None
        self._untold_stamps: set[int] = set()
        self._stamps = 0
        self._stamped: int | None = None
        self._end: End | None = None
        self._findings: list[Finding] = []
        self._wrong = 0

    def take(self, line: bytes) -> None:
        """Takes the next line, with its line feed or without."""
        self._line += 1
        where = f"line {self._line}"
        if self._end is not None:
            self._find(where, "comes after the last line of the export")
            return
        try:
            read = _read(line)
        except _Malformed as malformed:
            self._find(malformed.where or where, str(malformed))
            return
        match read:
            case Row():
                self._take_row(read)
            case Checkpoint():
                self._take_checkpoint(read)
            case End():
                self._take_end(read)

    def report(self) -> Report:
        """What was found, after the last line."""
        self._close()
        last = max(self._checkpoints, default=None)
        return Report(
            rows=self._rows,
            first=self._first,
            last=self._head.sequence if self._rows else 0,
            hash=self._head.hash,
            checkpoints=len(self._checkpoints),
            checkpoint=last,
            stamps=self._stamps,
            stamped=self._stamped,
            findings=tuple(self._findings),
            wrong=self._wrong,
        )

    def _find(self, where: str, what: str) -> None:
        self._wrong += 1
        if len(self._findings) < MOST_FINDINGS:
            # What a forger wrote moves no cursor of the terminal where it is told.
            self._findings.append(
                Finding(where, "".join(letter if letter.isprintable() else "?" for letter in what))
            )

    def _take_row(self, row: Row) -> None:
        where = f"row {row.sequence}"
        before = self._head
        if row.sequence != before.sequence + 1:
            self._find(where, _gap(before.sequence, row.sequence))
        elif row.previous_hash != before.hash:
            self._find(
                where, f"is not linked to {_named(before.sequence)}, which was changed or put in its place"
            )
        if _row_hash(row) != row.hash:
            self._find(where, "was changed: its hash does not cover what it says")
        self._compare_with_known(row.sequence, row.hash)
        self._hear_of_checkpoint(row)
        self._hear_of_stamp(row)
        self._hear_of_pruning(row)
        self._first = self._first or row.sequence
        self._rows += 1
        self._head = End(row.sequence, row.hash)

    def _compare_with_known(self, sequence: int, row_hash: str) -> None:
        if self._known.pop(sequence, row_hash) != row_hash:
            self._find(
                f"row {sequence}", "has another hash than the one that is known from before: it was rewritten"
            )

    def _hear_of_checkpoint(self, row: Row) -> None:
        awaited, self._untold = self._untold, None
        is_told = row.action == "checkpoint.made"
        if awaited is None:
            if is_told:
                self._find(f"row {row.sequence}", f"tells of checkpoint {row.subject}, which is missing")
            return
        told = (row.subject, row.details.get("hash"), row.at)
        if not is_told or told != (str(awaited.sequence), awaited.hash, awaited.made_at):
            self._find(
                f"checkpoint {awaited.sequence}", f"is not what row {row.sequence}, after it, tells of it"
            )

    def _hear_of_stamp(self, row: Row) -> None:
        if row.action != "checkpoint.time_stamped":
            return
        sequence = int(row.subject) if _NUMBER.fullmatch(row.subject) else -1
        checkpoint = self._checkpoints.get(sequence)
        stamp = checkpoint.time_stamp if checkpoint else None
        if stamp is None or hashlib.sha256(stamp).hexdigest() != row.details.get("sha256"):
            self._find(
                f"row {row.sequence}",
                f"tells of a time stamp of checkpoint {row.subject}: it is missing, or another",
            )
        self._untold_stamps.discard(sequence)

    def _hear_of_pruning(self, row: Row) -> None:
        if row.action != "retention.deleted" or row.subject != "audit":
            return
        start = self._pruned.sequence if self._pruned else 0
        told = row.details.get("sequence")
        if self._pruned and (told, row.details.get("hash")) == (start, self._pruned.hash):
            self._is_pruning_told = True
        elif not isinstance(told, int) or told >= start:
            self._find(
                f"row {row.sequence}",
                f"says that rows up to {told} were deleted, and the log begins after {start}",
            )

    def _take_checkpoint(self, checkpoint: Checkpoint) -> None:
        where = f"checkpoint {checkpoint.sequence}"
        self._check_stamp(checkpoint)
        if checkpoint.sequence <= max(self._checkpoints, default=0):
            self._find(where, "comes twice, or not in order")
        self._checkpoints[checkpoint.sequence] = checkpoint
        self._untold = checkpoint
        if not self._rows and checkpoint.is_pruned:
            self._begin_after(checkpoint)
            return
        if checkpoint.is_pruned:
            self._find(where, "says that the rows up to it were deleted, and they are there")
        if checkpoint.sequence != self._head.sequence:
            self._find(where, f"its row is missing: it comes after {_named(self._head.sequence)}")
        elif checkpoint.hash != self._head.hash:
            self._find(where, f"has another hash than row {checkpoint.sequence}: the log was rewritten")

    def _begin_after(self, checkpoint: Checkpoint) -> None:
        self._pruned = checkpoint
        self._untold_stamps = {of for of in self._untold_stamps if of == checkpoint.sequence}
        self._head = End(checkpoint.sequence, checkpoint.hash)
        self._compare_with_known(checkpoint.sequence, checkpoint.hash)

    def _check_stamp(self, checkpoint: Checkpoint) -> None:
        if checkpoint.time_stamp is None:
            return
        self._stamps += 1
        self._untold_stamps.add(checkpoint.sequence)
        data = stamped_data(checkpoint.sequence, checkpoint.hash)
        # Whatever else a time stamp holds, the digest of what it is over is in it, byte for byte.
        if hashlib.sha256(data).digest() not in checkpoint.time_stamp:
            what: str | None = "its time stamp is over something else: it was rewritten"
        elif self._check is None:
            return
        else:
            what = self._check(data, checkpoint.time_stamp)
        if what is None:
            self._stamped = checkpoint.sequence
        else:
            self._find(f"checkpoint {checkpoint.sequence}", what)

    def _take_end(self, end: End) -> None:
        self._end = end
        if end != self._head:
            self._find(
                "the end",
                f"the log ended with row {end.sequence}, and here with {_named(self._head.sequence)}",
            )

    def _close(self) -> None:
        if self._end is None:
            self._find("the end", "the last line is missing: the export was cut off")
        if self._untold:
            self._find(
                f"checkpoint {self._untold.sequence}",
                "the row after it, which told of it, is missing: the log was cut off",
            )
        if self._pruned and not self._is_pruning_told:
            self._find(f"checkpoint {self._pruned.sequence}", "the log begins after it, and no row says why")
        for sequence in sorted(self._untold_stamps):
            self._find(f"checkpoint {sequence}", "has a time stamp that no row tells of")
        start = self._pruned.sequence if self._pruned else 0
        for sequence in sorted(of for of in self._known if of > start):
            self._find(f"row {sequence}", "is known from before, and missing")
        self._end = self._end or self._head
        self._untold = None


def _gap(before: int, sequence: int) -> str:
    if sequence <= before:
        return f"comes after row {before}: twice, or not in order"
    missing = f"row {before + 1} is" if sequence == before + 2 else f"rows {before + 1} to {sequence - 1} are"
    return f"{missing} missing before it"


def _named(sequence: int) -> str:
    return f"row {sequence}" if sequence else "the beginning"


def _row_hash(row: Row) -> str:
    said = {name: getattr(row, name) for name in _ROW if name != "hash"}
    return hashlib.sha256(canonical(said).encode()).hexdigest()


def _line(value: Mapping[str, Any]) -> bytes:
    return (canonical(value) + "\n").encode(errors="replace")


def _details(text: Any) -> Any:
    """The object that a canonical text is of, and any other text as it is."""
    try:
        details = _DECODER.decode(text)
        return details if isinstance(details, dict) and canonical(details) == text else text
    except (ValueError, TypeError, RecursionError):
        return text


def _read(line: bytes) -> Row | Checkpoint | End:
    if len(line) > MAX_LINE_BYTES:
        raise _Malformed(f"is longer than {MAX_LINE_BYTES} bytes")
    value = _parsed(line.removesuffix(b"\n"))
    if value.keys() == {"checkpoint"}:
        told = _typed("checkpoint", value["checkpoint"], _CHECKPOINT)
        return Checkpoint(**{**told, "time_stamp": _stamp(told)})
    if value.keys() == {"end"}:
        return End(**_typed("end", value["end"], _END))
    row = _typed("row", value, _ROW)
    for name, detail in row["details"].items():
        if not isinstance(detail, str | int | None) or _is_beyond(detail):
            what = f"its detail {name} is not a string, an integer, true, false or null"
            raise _Malformed(what, f"row {row['sequence']}")
    return Row(**row)


def _parsed(text: bytes) -> dict[str, Any]:
    try:
        value = _DECODER.decode(text.decode())
        is_canonical = isinstance(value, dict) and canonical(value).encode() == text
    except (ValueError, RecursionError) as error:
        raise _Malformed("is not a line of an audit log") from error
    if not is_canonical:
        raise _Malformed("is not written in the form of an audit log")
    return dict(value)


def _typed(kind: str, value: Any, members: Mapping[str, tuple[type, ...]]) -> dict[str, Any]:
    if not isinstance(value, dict) or value.keys() != members.keys():
        raise _Malformed(f"has not the members of the kind {kind}: {', '.join(members)}")
    where = f"{kind} {value['sequence']}" if isinstance(value["sequence"], int) else None
    for name, allowed in members.items():
        wrong = _what_is_wrong(name, value[name], allowed)
        if wrong:
            raise _Malformed(f"its {name} {wrong}", where)
    return value


def _what_is_wrong(name: str, value: Any, allowed: tuple[type, ...]) -> str | None:
    if type(value) not in allowed:
        return "is of the wrong kind"
    if isinstance(value, int) and (value < 0 or _is_beyond(value)):
        return "is out of range"
    if name.endswith("hash") and not _HASH.fullmatch(value):
        return "is not 64 hex digits"
    return None


def _is_beyond(value: Any) -> bool:
    return isinstance(value, int) and not -MAX_INTEGER <= value <= MAX_INTEGER


def _stamp(told: Mapping[str, Any]) -> bytes | None:
    text = told["time_stamp"]
    try:
        return None if text is None else base64.b64decode(text, validate=True)
    except ValueError as error:
        raise _Malformed("its time_stamp is not base64", f"checkpoint {told['sequence']}") from error


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"no such number in an audit log: {text}")


_CANONICAL = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=repr)
_DECODER = json.JSONDecoder(parse_float=_refuse, parse_constant=_refuse)
_ROW: dict[str, tuple[type, ...]] = {
    "sequence": (int,),
    "at": (int,),
    "actor": (str,),
    "action": (str,),
    "subject": (str,),
    "details": (dict,),
    "previous_hash": (str,),
    "hash": (str,),
}
_CHECKPOINT: dict[str, tuple[type, ...]] = {
    "sequence": (int,),
    "hash": (str,),
    "made_at": (int,),
    "time_stamp": (str, type(None)),
    "is_pruned": (bool,),
}
_END: dict[str, tuple[type, ...]] = {"sequence": (int,), "hash": (str,)}


def read_lines(path: Path) -> Iterator[bytes]:
    """The lines of an export, or those that the log in an SQLite file would be exported as.

    Raises:
        Unreadable: no such file, or an SQLite file without a log.
    """
    try:
        with path.open("rb") as file:
            if file.read(16) == b"SQLite format 3\0":
                yield from _sqlite_lines(path)
                return
            file.seek(0)
            while line := file.readline(MAX_LINE_BYTES + 1):
                yield line
    except (OSError, sqlite3.Error) as error:
        raise Unreadable(f"{path}: {error}") from error


def _sqlite_lines(path: Path) -> Iterator[bytes]:
    with closing(
        sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
    ) as database:
        database.row_factory = sqlite3.Row
        database.text_factory = lambda text: text.decode(errors="replace")
        database.execute("BEGIN")  # whoever writes meanwhile is not seen
        last = database.execute("SELECT sequence, hash FROM audit ORDER BY sequence DESC LIMIT 1").fetchone()
        checkpoints = database.execute("SELECT * FROM checkpoints ORDER BY sequence").fetchall()
        yield from lines(database.execute("SELECT * FROM audit ORDER BY sequence"), checkpoints)
        yield end_line(*(last or (0, NO_HASH)))


def authority_check(certificate: Path) -> Check:
    """Checks time stamps by the `openssl` command, against the certificate that the authority's chain begins with.

    Args:
        certificate: PEM.

    Raises:
        Unreadable: there is no such file, or no `openssl`.
    """
    openssl = shutil.which("openssl")
    if openssl is None:
        raise Unreadable("time stamps are checked by the command openssl, which is not installed")
    if not certificate.is_file():
        raise Unreadable(f"{certificate}: no such file")

    def check(data: bytes, stamp: bytes) -> str | None:
        with tempfile.TemporaryDirectory() as folder:
            data_file, stamp_file = Path(folder, "data"), Path(folder, "stamp")
            data_file.write_bytes(data)
            stamp_file.write_bytes(stamp)
            shown = _run(openssl, "-reply", "-in", stamp_file, "-text")
            made = re.search(r"Time stamp: (\w{3} +\d+ \d\d:\d\d:\d\d)[.\d]* (\d{4}) GMT", shown.stdout)
            if shown.returncode or made is None:
                return "its time stamp cannot be read"
            at = datetime.strptime(" ".join(made.groups()), "%b %d %H:%M:%S %Y").replace(tzinfo=UTC)
            given = ("-data", data_file, "-in", stamp_file, "-CAfile", certificate)
            verified = _run(openssl, "-verify", *given, "-attime", str(int(at.timestamp())))
        return "its time stamp is not of the authority with this certificate" if verified.returncode else None

    return check


def _run(openssl: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [openssl, "ts", *words], capture_output=True, text=True, errors="replace", check=False
    )


def summary(report: Report, *, is_checked: bool) -> list[str]:
    """What a report says, in sentences; `is_checked`: whether time stamps were checked."""
    told = [str(finding) for finding in report.findings]
    if report.wrong > len(told):
        told.append(f"and {report.wrong - len(told)} more")
    if report.rows:
        told.append(
            f"rows {report.first} to {report.last} were read; row {report.last} has hash {report.hash}"
        )
    else:
        told.append("there is no row")
    if report.checkpoint is not None:
        told.append(f"checkpoints: {report.checkpoints}, the last at row {report.checkpoint}")
    if not report.stamps:
        told.append(
            "no checkpoint is time-stamped: whoever rules the database could have written all of it anew"
        )
    elif is_checked:
        told.append(f"time stamps: {report.stamps}, the last that is right at row {report.stamped}")
    else:
        told.append(f"time stamps: {report.stamps}, not checked without the authority's certificate")
    told.append("the log is proven" if report.is_proven else "THE LOG IS NOT PROVEN")
    return told


def main(words: list[str] | None = None) -> int:
    """The command; answers its exit status."""
    parser = argparse.ArgumentParser(description="Verify an audit log of the trace service.")
    parser.add_argument("log", type=Path, help="an export (JSON Lines), or the service's SQLite file")
    parser.add_argument(
        "--authority", type=Path, metavar="PEM", help="certificate that the time stamps' chain begins with"
    )
    parser.add_argument(
        "--known",
        type=known_hash,
        action="append",
        default=[],
        metavar="ROW:HASH",
        help="the hash of a row, as an earlier verification said it",
    )
    chosen = parser.parse_args(words)
    try:
        check = authority_check(chosen.authority) if chosen.authority else None
        verification = Verification(check, dict(chosen.known))
        for line in read_lines(chosen.log):
            verification.take(line)
    except Unreadable as unreadable:
        sys.stderr.write(f"verify: {unreadable}\n")
        return 2
    report = verification.report()
    sys.stdout.write("".join(f"{sentence}\n" for sentence in summary(report, is_checked=check is not None)))
    return 0 if report.is_proven else 1


def known_hash(text: str) -> tuple[int, str]:
    """A row's sequence number and its hash, of "1200:9f86d081...".

    Raises:
        ValueError: it is not that.
    """
    sequence, _, row_hash = text.partition(":")
    if not _NUMBER.fullmatch(sequence) or not _HASH.fullmatch(row_hash):
        raise ValueError("not a row's number, a colon, and its hash of 64 hex digits")
    return int(sequence), row_hash


if __name__ == "__main__":
    sys.exit(main())
