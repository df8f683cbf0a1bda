"""A file that somebody else appends to, puts aside and cuts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tools.service.call_records.growing_file import LONGEST_LINE_BYTES, GrowingFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "Master.csv"


@pytest.fixture
def file(path: Path) -> Iterator[GrowingFile]:
    with closing(GrowingFile(path)) as growing:
        yield growing


def append(path: Path, content: bytes) -> None:
    with path.open("ab") as file:
        file.write(content)


def test_each_line_comes_once_and_when_it_is_whole(path: Path, file: GrowingFile) -> None:
    append(path, b"one\ntwo\nthr")
    assert file.has_changed()
    assert list(file.new_lines()) == [b"one", b"two"]
    assert not file.has_changed()
    assert list(file.new_lines()) == []
    append(path, b"ee\n\n")
    assert file.has_changed()
    assert list(file.new_lines()) == [b"three", b""]


def test_a_file_that_is_not_there_is_an_error_until_it_is(path: Path, file: GrowingFile) -> None:
    with pytest.raises(FileNotFoundError):
        list(file.new_lines())
    append(path, b"one\n")
    assert list(file.new_lines()) == [b"one"]


def test_a_renamed_file_is_read_to_its_end_and_then_the_new_one(path: Path, file: GrowingFile) -> None:
    append(path, b"one\n")
    assert list(file.new_lines()) == [b"one"]
    old = path.rename(path.with_name("Master.csv.1"))
    append(old, b"two\n")
    assert file.has_changed()
    assert list(file.new_lines()) == [b"two"]
    assert not file.has_changed()
    append(old, b"three\n")
    append(path, b"four\n")
    assert file.has_changed()
    assert list(file.new_lines()) == [b"three", b"four"]


@pytest.mark.parametrize("after", [b"", b"1\n", b"number one\nnumber two\nnumber three\n"])
def test_a_cut_file_is_read_anew_however_long_it_is_by_then(
    path: Path, file: GrowingFile, after: bytes
) -> None:
    append(path, b"one\ntwo\n")
    assert list(file.new_lines()) == [b"one", b"two"]
    path.write_bytes(after)
    assert file.has_changed()
    assert list(file.new_lines()) == after.split(b"\n")[:-1]


def test_a_line_without_an_end_takes_no_more_memory_than_a_long_one(path: Path, file: GrowingFile) -> None:
    append(path, b"x" * 3_000_000)
    assert list(file.new_lines()) == []
    append(path, b"x\nnext\n")
    long, following = file.new_lines()
    assert LONGEST_LINE_BYTES < len(long) <= LONGEST_LINE_BYTES + 2
    assert following == b"next"


@given(st.lists(st.binary(max_size=600), max_size=8))
def test_however_it_grows_its_lines_are_those_of_the_whole(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes]
) -> None:
    path = tmp_path_factory.mktemp("growing") / "Master.csv"
    path.touch()
    lines: list[bytes] = []
    with closing(GrowingFile(path)) as file:
        for piece in pieces:
            append(path, piece)
            lines += file.new_lines()
    assert lines == b"".join(pieces).split(b"\n")[:-1]
