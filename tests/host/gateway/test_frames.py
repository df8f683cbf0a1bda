"""Frames: the vectors of the protocol, and streams that mean harm."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tools.gateway.frames import MAX_PAYLOAD_BYTES, NUMBERS, Frame, FrameError, FrameReader, build, parse
from tests.host.gateway.vectors import VECTORS, name_of

FRAMES = st.builds(
    Frame,
    kind=st.sampled_from("abcdefghijklmnopqrstuvwxyz"),
    number=st.integers(0, NUMBERS - 1),
    payload=st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=MAX_PAYLOAD_BYTES).map(
        str.encode
    ),
)
VALID = [
    Frame(vector["kind"], vector["number"], vector["payload"].encode())
    for vector in VECTORS["frames"]["valid"]
]
STREAM = b"".join(build(frame) for frame in VALID)


def frames_in(data: bytes, part_bytes: int) -> tuple[list[Frame], int]:
    reader = FrameReader()
    frames = []
    for start in range(0, len(data), part_bytes):
        frames += reader.feed(data[start : start + part_bytes])
    return frames, reader.damaged


@pytest.mark.parametrize("vector", VECTORS["frames"]["valid"], ids=name_of)
def test_a_valid_frame_is_read_and_written_byte_for_byte(vector: dict[str, Any]) -> None:
    line = vector["line"].encode()
    frame = Frame(vector["kind"], vector["number"], vector["payload"].encode())
    assert parse(line) == frame
    assert build(frame) == b"\n%s\n" % line


@pytest.mark.parametrize("vector", VECTORS["frames"]["invalid"], ids=name_of)
def test_an_invalid_frame_is_none(vector: dict[str, Any]) -> None:
    with pytest.raises(FrameError):
        parse(vector["line"].encode())


@pytest.mark.parametrize("part_bytes", [1, 2, 3, 64, 4096])
@pytest.mark.parametrize("vector", VECTORS["streams"], ids=name_of)
def test_a_stream_in_parts_of_any_size(vector: dict[str, Any], part_bytes: int) -> None:
    frames, damaged = frames_in(vector["text"].encode(), part_bytes)
    assert [[frame.kind, frame.number, frame.payload.decode()] for frame in frames] == vector["frames"]
    assert damaged == vector["damaged"]


@given(FRAMES)
def test_what_is_built_is_read(frame: Frame) -> None:
    assert FrameReader().feed(build(frame)) == [frame]


@given(st.integers(0, len(STREAM) - 1), st.integers(0, 255))
def test_a_wrong_byte_costs_one_frame(place: int, value: int) -> None:
    changed = bytearray(STREAM)
    changed[place] = value
    frames, _ = frames_in(bytes(changed), 64)
    assert len(frames) >= len(VALID) - 1
    assert all(frame in VALID for frame in frames)


@given(st.binary(max_size=64))
def test_any_line_is_a_frame_or_a_named_error(tail: bytes) -> None:
    for line in (tail, b"*57 " + tail, b"*57 q 1 " + tail):
        with pytest.raises(FrameError):
            parse(line)


@given(st.lists(st.binary(max_size=300)))
def test_any_stream_is_passed_by_and_keeps_no_more_than_a_line(parts: list[bytes]) -> None:
    reader = FrameReader()
    assert [frame for part in parts for frame in reader.feed(part)] == []
    assert reader.feed(b"\n" + STREAM) == VALID
