"""Frames with wrong bits: what is put right, as the host does it, and that nothing else becomes a frame."""

from star57.link import frame
from star57.link.repair import repaired

NO_FRAMES = (
    b"",
    b"*57",
    b"*57 g",
    b"star57 0.1.0 on pico",
    b">>> import board",
    b"*57 g 1 12345678",
    b"\xff" * 64,
)


def got():
    return frame.build("g", 57, b"1024").strip(b"\n")


def turned(line, bits):
    changed = bytearray(line)
    for bit in bits:
        changed[bit // 8] ^= 0x80 >> bit % 8
    return bytes(changed)


def test_any_two_wrong_bits_are_put_right():
    line = got()
    for first in range(8 * len(line)):
        for second in range(first % 7, first + 1, 7):
            assert repaired(turned(line, {first, second})) == line, (first, second)


def test_all_that_ascii_and_the_form_of_a_frame_tell_is_put_right():
    line = got()
    bits = [8 * place for place in range(len(line))]
    bits.extend((8 * 5 + 7, 8 * 8 + 3, 8 * 17 + 5, 8 * 1 + 6, 8 * 4 + 6, 8 * 20 + 6))
    assert repaired(turned(line, bits)) == line


def test_numbers_of_any_length():
    for number in (0, 99, 100, 999):
        line = frame.build("m", number, b"512 16").strip(b"\n")
        assert repaired(turned(line, (40, 90))) == line


def test_the_longest_line():
    line = frame.build("q", 57, b"x" * 46).strip(b"\n")
    assert len(line) == 64
    assert repaired(turned(line, (7, 511))) == line
    assert repaired(turned(frame.build("q", 57, b"x" * 47).strip(b"\n"), (7,))) is None


def test_lost_and_doubled_bytes_are_not_made_up():
    line = got()
    for place in (4, 6, 9, 12, 16, 18, 21):
        assert repaired(line[:place] + line[place + 1 :]) != line
        assert repaired(line[:place] + line[place : place + 1] + line[place:]) != line


def test_what_is_no_frame_does_not_become_one():
    for line in NO_FRAMES:
        assert repaired(line) is None, line
