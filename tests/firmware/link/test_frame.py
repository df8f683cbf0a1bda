"""Frames of the serial carrier: the vectors of docs/protocol.md, and bytes that mean harm."""

import gc
import json

import micropython
from star57.link import frame
from star57.link.frame import FrameError, FrameReceiver


class Frames:
    """A sink that keeps what it is told."""

    def __init__(self):
        self.frames = []

    def frame(self, kind, number, payload):
        self.frames.append([kind, number, payload])


def vectors(part):
    with open("docs/vectors/serial.json") as file:
        return json.load(file)[part]


def is_frame(line):
    try:
        frame.parse(line)
    except FrameError:
        return False
    return True


def frames_in(data, part_bytes):
    sink = Frames()
    receiver = FrameReceiver(sink)
    for start in range(0, len(data), part_bytes):
        part = data[start : start + part_bytes]
        receiver.feed(part, len(part))
    return sink.frames


def test_valid_frames():
    for vector in vectors("frames")["valid"]:
        kind, number, payload, line = vector["kind"], vector["number"], vector["payload"], vector["line"]
        assert frame.parse(line.encode()) == (kind, number, payload.encode()), vector["name"]
        assert frame.build(kind, number, payload.encode()) == b"\n%s\n" % line.encode(), vector["name"]


def test_invalid_frames():
    for vector in vectors("frames")["invalid"]:
        assert not is_frame(vector["line"].encode()), vector["name"]


def test_streams_in_parts_of_any_size():
    for vector in vectors("streams"):
        data = vector["text"].encode()
        told = [[kind, number, payload.encode()] for kind, number, payload in vector["frames"]]
        for part_bytes in (1, 2, 3, 64, 4096):
            assert frames_in(data, part_bytes) == told, (vector["name"], part_bytes)


def test_only_the_first_bytes_of_a_part_count():
    sink = Frames()
    receiver = FrameReceiver(sink)
    data = frame.build("g", 1, b"16")
    receiver.feed(data + b"noise\n", len(data))
    assert sink.frames == [["g", 1, b"16"]]


def test_a_frame_with_any_byte_changed_is_none():
    line = frame.build("a", 57, b"0 27 200 eyJhbGciOiJIUzI1NiJ9..").strip(b"\n")
    for place in range(len(line)):
        for value in (0, 0x0A, 0x0D, 0x20, 0x2D, 0x30, 0x37, 0x41, 0x61, 0x80, 0xFF):
            changed = bytearray(line)
            changed[place] = value
            assert bytes(changed) == line or not is_frame(bytes(changed)), (place, value)


def test_what_is_printable():
    assert frame.is_printable(b"")
    assert frame.is_printable(bytes(range(0x20, 0x7F)))
    for value in (0, 0x0A, 0x1F, 0x7F, 0x80, 0xFF):
        assert not frame.is_printable(b"a" + bytes([value]))


def test_noise_without_an_end_takes_no_memory():
    receiver = FrameReceiver(Frames())
    noise = bytes(value for value in range(256) if value != 10) * 4
    gc.collect()
    micropython.heap_lock()
    try:
        for _ in range(200):
            receiver.feed(noise, 1020)
    finally:
        micropython.heap_unlock()
