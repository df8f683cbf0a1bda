"""The host's end of the serial carrier: the vectors' conversations, and adapters that keep no promise."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tools.gateway.frames import Frame, FrameReader, build
from host_tools.gateway.messages import UNAVAILABLE
from host_tools.gateway.questions import AdapterEnd, Question
from tests.host.gateway.vectors import VECTORS, name_of

BODY = bytes(range(0x41, 0x5B)) * 30
ANSWER = b"200 " + bytes(range(0x61, 0x7B)) * 30


def part_of(number: int, offset: int, end: int, body: bytes = BODY) -> Frame:
    """A part of a question."""
    return Frame("q", number, b"%d %d %s" % (offset, len(body), body[offset:end]))


def frames_from(end: AdapterEnd, *frames: Frame) -> list[Frame]:
    return FrameReader().feed(end.receive(b"".join(build(frame) for frame in frames)))


def asked(end: AdapterEnd, number: int = 57, body: bytes = BODY, most: int = 512) -> Question:
    """The question, as it is taken when all of its parts came."""
    for offset in range(0, len(body), most):
        end.receive(build(part_of(number, offset, offset + most, body)))
    question = end.take_question()
    assert question is not None
    return question


@pytest.mark.parametrize("vector", VECTORS["conversations"], ids=name_of)
def test_a_conversation(vector: dict[str, Any]) -> None:
    end = AdapterEnd()
    sent = b""
    for who, line in vector["events"]:
        if who == "adapter":
            sent += end.receive(b"\n%s\n" % line.encode())
        elif who in ("host", "host_lost"):
            expected = b"\n%s\n" % line.encode()
            assert sent[: len(expected)] == expected
            sent = sent[len(expected) :]
        elif who == "restart":
            end = AdapterEnd()
        elif who == "answered":
            question = end.take_question()
            assert question == Question(vector["number"], vector["question"].encode())
            sent += end.answered(vector["number"], vector["status"], vector["answer"].encode())
    assert sent == b""
    assert (end.questions, end.damaged_frames) == (1, 0)


@pytest.mark.parametrize("vector", VECTORS["invalid_parts"], ids=name_of)
def test_a_part_that_is_none_is_passed_by(vector: dict[str, Any]) -> None:
    end = AdapterEnd()
    assert frames_from(end, Frame("q", 1, vector["payload"].encode())) == []
    assert end.take_question() is None


def test_a_total_beyond_the_longest_question_is_passed_by() -> None:
    end = AdapterEnd()
    assert frames_from(end, Frame("q", 1, b"0 3001 a")) == []
    assert frames_from(end, Frame("q", 1, b"0 3000 a")) == [Frame("g", 1, b"1")]


def test_the_longest_question_and_the_longest_answer() -> None:
    end = AdapterEnd()
    assert asked(end, body=b"q" * 3000).body == b"q" * 3000
    whole = b"200 " + b"a" * 3000
    parts = FrameReader().feed(end.answered(57, 200, b"a" * 3000))
    while len(received := b"".join(part.payload.split(b" ", 2)[2] for part in parts)) < len(whole):
        parts += frames_from(end, Frame("m", 57, b"%d 512" % len(received)))
    assert received == whole
    assert len(parts) == 6


def test_a_question_is_taken_once() -> None:
    end = AdapterEnd()
    asked(end)
    end.receive(build(part_of(57, 0, 512)) + build(part_of(57, 512, 1024)))
    assert end.take_question() is None
    assert end.questions == 1


def test_a_part_that_comes_again_is_not_taken_again_and_one_that_leaves_a_hole_neither() -> None:
    end = AdapterEnd()
    assert (
        frames_from(end, part_of(1, 0, 64), part_of(1, 0, 64), part_of(1, 0, 16))
        == [Frame("g", 1, b"64")] * 3
    )
    assert frames_from(end, part_of(1, 32, 96), part_of(1, 65, 96)) == [Frame("g", 1, b"64")] * 2
    assert frames_from(end, part_of(1, 64, 512)) == [Frame("g", 1, b"512")]
    assert frames_from(end, part_of(1, 512, 780)) == [Frame("w", 1, b"")]
    assert end.take_question() == Question(1, BODY)


@pytest.mark.parametrize(
    "another",
    [part_of(2, 0, 64), part_of(1, 0, 64, BODY[1:]), part_of(1, 0, 64, BODY[::-1])],
    ids=["number", "total", "bytes"],
)
def test_a_first_part_of_another_begins_anew(another: Frame) -> None:
    end = AdapterEnd()
    asked(end, number=1)
    assert frames_from(end, another) == [Frame("g", another.number, b"64")]
    assert end.answered(1, 200, b"late") == b""


def test_what_is_not_known_is_said_so() -> None:
    end = AdapterEnd()
    unknown = [Frame("x", 1, b"")]
    assert frames_from(end, part_of(1, 64, 128)) == unknown
    assert frames_from(end, Frame("m", 1, b"0 512")) == unknown
    asked(end, number=2)
    assert frames_from(end, part_of(1, 64, 128)) == unknown
    assert frames_from(end, Frame("m", 1, b"0 512")) == unknown


def test_more_of_a_question_that_is_not_whole_is_not_known() -> None:
    end = AdapterEnd()
    end.receive(build(part_of(1, 0, 64)))
    assert frames_from(end, Frame("m", 1, b"0 512")) == [Frame("x", 1, b"")]


def test_the_answer_comes_once_by_itself_and_then_as_it_is_asked_for() -> None:
    end = AdapterEnd()
    question = asked(end, most=256)
    assert FrameReader().feed(end.answered(57, 200, ANSWER[4:])) == [
        Frame("a", 57, b"0 %d %s" % (len(ANSWER), ANSWER[:256]))
    ]
    assert end.answered(57, 200, b"another") == b""
    assert frames_from(end, Frame("m", question.number, b"0 16")) == [
        Frame("a", 57, b"0 %d %s" % (len(ANSWER), ANSWER[:16]))
    ]
    assert frames_from(end, Frame("m", question.number, b"780 512")) == [
        Frame("a", 57, b"780 %d %s" % (len(ANSWER), ANSWER[780:]))
    ]


def test_a_part_that_comes_again_behind_the_answer_is_answered_by_got() -> None:
    end = AdapterEnd()
    asked(end)
    end.answered(57, 200, ANSWER[4:])
    assert frames_from(end, part_of(57, 512, 780)) == [Frame("g", 57, b"780")]


@pytest.mark.parametrize(
    "payload",
    [b"", b"0", b"0 0", b"0 513", b"00 16", b"0 16 ", b"0  16", b"-1 16", b"784 16", b"9999 16", b"0 16 a"],
)
def test_a_wish_that_is_none_is_passed_by(payload: bytes) -> None:
    end = AdapterEnd()
    asked(end)
    end.answered(57, 200, ANSWER[4:])
    assert frames_from(end, Frame("m", 57, payload)) == []


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (99, b""),
        (600, b""),
        (-1, b""),
        (1000, b""),
        (200, b"x" * 3001),
        (200, b"{\n}"),
        (200, b"\xc3\xa9"),
        (200, b"\x7f"),
    ],
)
def test_what_no_frame_can_carry_is_unavailable(status: int, body: bytes) -> None:
    end = AdapterEnd()
    asked(end)
    [part] = FrameReader().feed(end.answered(57, status, body))
    assert part.payload.split(b" ", 2)[2] == b"%d %s" % UNAVAILABLE


@pytest.mark.parametrize("vector", VECTORS["answers"]["valid"], ids=name_of)
def test_an_answer_is_put_together(vector: dict[str, Any]) -> None:
    end = AdapterEnd()
    asked(end)
    [part] = FrameReader().feed(end.answered(57, vector["status"], vector["body"].encode()))
    assert part.payload.split(b" ", 2)[2] == vector["payload"].encode()


def test_an_answer_to_what_was_not_taken_is_none() -> None:
    end = AdapterEnd()
    assert end.answered(57, 200, b"") == b""
    end.receive(build(part_of(57, 0, 512)))
    assert end.answered(57, 200, b"") == b""
    end.receive(build(part_of(57, 512, 780)))
    assert end.answered(57, 200, b"") == b""
    assert end.take_question() == Question(57, BODY)
    assert end.answered(56, 200, b"") == b""


def test_kinds_that_are_not_for_the_host_are_passed_by() -> None:
    end = AdapterEnd()
    asked(end)
    assert frames_from(end, *(Frame(kind, 57, b"0 512") for kind in "gwaxz")) == []
    assert end.damaged_frames == 0


def test_a_damaged_frame_is_counted() -> None:
    end = AdapterEnd()
    assert end.receive(build(part_of(1, 0, 512)).replace(b"ABC", b"ABCD")) == b""
    assert end.damaged_frames == 1


@given(st.lists(st.binary(max_size=300)))
def test_any_bytes_are_passed_by(parts: list[bytes]) -> None:
    end = AdapterEnd()
    assert b"".join(end.receive(part) for part in parts) == b""
    assert end.take_question() is None


COUNTS = st.one_of(st.integers(0, 40), st.integers(0, 9999))


@given(
    st.lists(
        st.one_of(
            st.builds(
                lambda number, offset, total, part: Frame(
                    "q", number, b"%d %d %s" % (offset, total, b"x" * part)
                ),
                st.integers(0, 1),
                COUNTS,
                COUNTS,
                st.integers(0, 40),
            ),
            st.builds(
                lambda number, offset, most: Frame("m", number, b"%d %d" % (offset, most)),
                st.integers(0, 1),
                COUNTS,
                COUNTS,
            ),
            st.just(None),
        ),
        max_size=30,
    )
)
def test_any_frames_are_answered_by_one_frame_or_none(frames: list[Frame | None]) -> None:
    end = AdapterEnd()
    taken: list[Question] = []
    for frame in frames:
        if frame is not None:
            replies = frames_from(end, frame)
            assert len(replies) <= 1
            assert all(reply.number == frame.number and reply.kind in "gwax" for reply in replies)
        elif (question := end.take_question()) is not None:
            taken.append(question)
            [part] = FrameReader().feed(end.answered(question.number, 200, b"answer"))
            assert part.kind == "a"
    assert end.questions == len(taken)
    assert all(1 <= len(question.body) <= 3000 for question in taken)


def test_whatever_comes_takes_no_memory() -> None:
    end = AdapterEnd()
    parts = b"".join(build(part_of(number, 0, 512, b"x" * 3000)) for number in range(50))
    end.receive(parts)
    tracemalloc.start()
    try:
        for _ in range(20):
            end.receive(parts)
            end.receive(b"*57 q 1 " * 3000)
        kept, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 10_000
    assert most < 200_000
