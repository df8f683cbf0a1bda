"""Frames with wrong bits: what is put right, and that nothing else becomes a frame."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tools.gateway.frames import Frame, FrameReader, build
from host_tools.gateway.repair import MAX_BYTES, repaired

PRINTABLE = st.characters(min_codepoint=0x20, max_codepoint=0x7E)
SHORT_FRAMES = st.builds(
    Frame,
    kind=st.sampled_from("qgwmax"),
    number=st.integers(0, 999),
    payload=st.text(PRINTABLE, max_size=40).map(str.encode),
)
GOT = build(Frame("g", 57, b"1024")).strip(b"\n")
KNOWN = [0, 1, 2, 3, 5, 8, 17]
"""Where GOT has its prefix and its other spaces."""


def turned(line: bytes, *bits: int) -> bytes:
    changed = bytearray(line)
    for bit in bits:
        changed[bit // 8] ^= 0x80 >> bit % 8
    return bytes(changed)


@given(SHORT_FRAMES, st.data())
def test_two_wrong_bits_anywhere_are_put_right(frame: Frame, data: st.DataObject) -> None:
    line = build(frame).strip(b"\n")
    bits = data.draw(st.lists(st.integers(0, 8 * len(line) - 1), max_size=2, unique=True))
    changed = turned(line, *bits)
    assert repaired(changed) == line
    if b"\n" not in changed and not changed.endswith(b"\r"):
        reader = FrameReader()
        assert reader.feed(b"\n" + changed + b"\n") == [frame]
        assert reader.damaged == 0


def test_all_that_ascii_and_the_form_of_a_frame_tell_is_put_right() -> None:
    first_bits = [8 * place for place in range(len(GOT))]
    in_spaces = [8 * 5 + 7, 8 * 8 + 3, 8 * 17 + 5, 8 * 1 + 6]
    unknown = [8 * 4 + 6, 8 * 20 + 6]
    assert repaired(turned(GOT, *first_bits, *in_spaces, *unknown)) == GOT


@pytest.mark.parametrize("place", [place for place in range(len(GOT)) if place not in KNOWN])
def test_a_lost_or_doubled_byte_is_not_made_up(place: int) -> None:
    assert repaired(GOT[:place] + GOT[place + 1 :]) != GOT
    assert repaired(GOT[:place] + GOT[place : place + 1] + GOT[place:]) != GOT


@given(st.binary(max_size=2 * MAX_BYTES))
def test_noise_is_no_frame(noise: bytes) -> None:
    assert repaired(noise) is None
    assert repaired(b"*57 g 57 " + noise) is None


def test_a_long_line_is_left_as_it_is() -> None:
    line = build(Frame("q", 57, b"x" * MAX_BYTES)).strip(b"\n")
    assert repaired(turned(line, 8 * len(line) - 1)) is None


@pytest.mark.parametrize(
    "text", [b"", b"*57", b"*57 g", b"star57 0.1.0 on pico", b">>> import board", b"*57 g 1 12345678"]
)
def test_what_a_console_shows_is_no_frame(text: bytes) -> None:
    assert repaired(text) is None
