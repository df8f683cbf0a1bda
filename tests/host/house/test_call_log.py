"""The call log: bounded, kept where that is wanted, and for its owner alone."""

from __future__ import annotations

import logging
import stat
from pathlib import Path

import pytest

from host_tools.house.call_log import CallLog


def test_the_newest_lines_are_kept() -> None:
    log = CallLog(2)
    for line in ("first", "second", "third"):
        log.add(line)
    assert log.lines == ["second", "third"]


def test_they_are_there_again_and_nobody_else_reads_them(tmp_path: Path) -> None:
    file = tmp_path / "calls.log"
    CallLog(10, file).add("CID: *NAME*ZOË*")
    assert CallLog(10, file).lines == ["CID: *NAME*ZOË*"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["calls.log"]


def test_a_file_that_is_none_is_an_empty_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert CallLog(10, tmp_path / "nothing").lines == []
    assert CallLog(10, tmp_path).lines == []
    assert "cannot be read" in caplog.text
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\n\n")
    assert len(CallLog(10, tmp_path / "bytes").lines) == 1


def test_what_cannot_be_written_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    log = CallLog(10, tmp_path / "gone" / "calls.log")
    with caplog.at_level(logging.WARNING):
        log.add("first")
        log.add("second")
    assert log.lines == ["first", "second"]
    assert caplog.text.count("not kept") == 1
    (tmp_path / "gone").mkdir()
    log.add("third")
    assert CallLog(10, tmp_path / "gone" / "calls.log").lines == ["first", "second", "third"]
