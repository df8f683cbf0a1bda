"""The gateway of a rig: what it forwards, what it answers, and that no bytes upset it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from host_tools.gateway.frames import Frame, FrameReader, build
from host_tools.gateway.gateway import Gateway

QUESTION = b"eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl"
ANSWER = b"eyJhbGciOiJIUzI1NiJ9.W10.c2lnbmF0dXJl"


def question(number: int) -> Frame:
    return Frame("q", number, b"0 %d %s" % (len(QUESTION), QUESTION))


STREAM = b"".join(build(question(number)) for number in range(5))


class Service:
    """A trace service that answers everything alike, and keeps what it was asked."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    def __call__(self, body: bytes) -> tuple[int, bytes]:
        self.bodies.append(body)
        return 200, ANSWER


def answers_to(gateway: Gateway, frame: Frame) -> list[Frame]:
    return FrameReader().feed(gateway.receive(build(frame)))


def test_a_question_is_forwarded_as_it_is_and_its_answer_follows_at_once() -> None:
    service = Service()
    gateway = Gateway(service)
    whole = b"200 " + ANSWER
    assert answers_to(gateway, question(57)) == [
        Frame("w", 57, b""),
        Frame("a", 57, b"0 %d %s" % (len(whole), whole[: len(QUESTION)])),
    ]
    assert answers_to(gateway, Frame("m", 57, b"%d 512" % len(QUESTION))) == [
        Frame("a", 57, b"%d %d %s" % (len(QUESTION), len(whole), whole[len(QUESTION) :]))
    ]
    assert service.bodies == [QUESTION]


def test_a_question_that_comes_again_is_forwarded_once_and_another_one_too() -> None:
    service = Service()
    gateway = Gateway(service)
    for number in (5, 5, 6, 6):
        answers_to(gateway, question(number))
    assert len(service.bodies) == gateway.questions == 2


def test_a_damaged_frame_is_counted_and_not_forwarded() -> None:
    service = Service()
    gateway = Gateway(service)
    assert gateway.receive(build(question(1)).replace(b"eyJ", b"eyJJ")) == b""
    assert gateway.damaged_frames == 1
    assert service.bodies == []


@given(
    st.lists(st.tuples(st.integers(0, len(STREAM)), st.integers(0, 40), st.binary(max_size=40)), max_size=6),
    st.integers(1, 400),
)
def test_frames_that_are_mutated_are_answered_or_passed_by(
    changes: list[tuple[int, int, bytes]], part_bytes: int
) -> None:
    data = STREAM
    for place, cut, put in changes:
        data = data[:place] + put + data[place + cut :]
    service = Service()
    gateway = Gateway(service)
    parts = [data[start : start + part_bytes] for start in range(0, len(data), part_bytes)]
    sent = b"".join(gateway.receive(part) for part in parts)
    assert set(service.bodies) <= {QUESTION}
    assert {frame.kind for frame in FrameReader().feed(sent)} <= set("gwax")
