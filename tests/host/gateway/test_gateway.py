"""The gateway: what it forwards, what it answers, and that no bytes upset it."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tools.gateway.frames import Frame, FrameReader, build
from host_tools.gateway.gateway import Gateway
from host_tools.gateway.messages import UNAVAILABLE, MessageError, Time, parse_report
from tests.host.gateway.vectors import VECTORS, name_of

NOW = 1767268860
REQUEST = b'{"message":"trace_request"}'
ANSWER = b'{"message":"trace_answer"}'
REPORT: bytes = VECTORS["reports"]["valid"][0]["body"].encode()
TIME: bytes = VECTORS["times"]["valid"][0]["body"].encode()
STREAM = b"".join(build(Frame("request", n, REQUEST)) + build(Frame("report", n, REPORT)) for n in range(3))


class Service:
    """A trace service that answers everything alike, and keeps what it was asked."""

    def __init__(self, status: int = 200, answer: bytes = ANSWER) -> None:
        self.answer = status, answer
        self.bodies: list[bytes] = []

    def __call__(self, body: bytes) -> tuple[int, bytes]:
        self.bodies.append(body)
        return self.answer


def gateway_to(service: Service) -> Gateway:
    return Gateway(service, lambda: NOW)


def answers_to(gateway: Gateway, *frames: Frame) -> list[Frame]:
    return FrameReader().feed(gateway.receive(b"".join(build(frame) for frame in frames)))


def answer_of(status: int, body: bytes) -> bytes:
    """The payload that an adapter gets when the service answers this."""
    [answer] = answers_to(gateway_to(Service(status, body)), Frame("request", 1, REQUEST))
    return answer.payload


def test_a_request_is_forwarded_as_it_is_and_its_answer_has_its_number() -> None:
    service = Service()
    assert answers_to(gateway_to(service), Frame("request", 57, REQUEST)) == [
        Frame("answer", 57, b"200 " + ANSWER)
    ]
    assert service.bodies == [REQUEST]


def test_requests_are_answered_in_their_order_and_repeated_ones_too() -> None:
    service = Service()
    answers = answers_to(gateway_to(service), *(Frame("request", number, REQUEST) for number in (5, 6, 5)))
    assert [answer.number for answer in answers] == [5, 6, 5]
    assert len(service.bodies) == 3


def test_a_refusal_has_its_status() -> None:
    assert answer_of(*UNAVAILABLE) == b'503 {"message":"refusal","reason":"unavailable"}'


def test_the_longest_answer_is_carried_and_a_longer_one_is_none() -> None:
    assert answer_of(200, b"x" * 2048) == b"200 " + b"x" * 2048
    assert answer_of(200, b"x" * 2049) == b"%d %s" % UNAVAILABLE


@pytest.mark.parametrize("status", [-1, 0, 99, 600, 1000])
def test_a_status_that_is_none_is_unavailable(status: int) -> None:
    assert answer_of(status, ANSWER) == b"%d %s" % UNAVAILABLE


def test_an_answer_over_several_lines_becomes_one() -> None:
    assert answer_of(200, b'{\r\n "message": "trace_answer"\n}') == b'200 {   "message": "trace_answer" }'


def test_a_report_is_kept_and_answered_with_the_time() -> None:
    gateway = gateway_to(Service())
    assert gateway.last_report is None
    assert answers_to(gateway, Frame("report", 9, REPORT)) == [Frame("time", 9, TIME)]
    assert gateway.last_report is not None
    assert gateway.last_report.model_dump() == json.loads(REPORT)


def test_a_malformed_report_is_counted_and_not_answered() -> None:
    gateway = gateway_to(Service())
    gateway.receive(build(Frame("report", 1, REPORT)))
    assert answers_to(gateway, Frame("report", 2, b"{}")) == []
    assert gateway.malformed_reports == 1
    assert gateway.last_report is not None


def test_kinds_that_are_not_for_the_host_are_passed_by() -> None:
    gateway = gateway_to(Service())
    assert answers_to(gateway, *(Frame(kind, 1, b"{}") for kind in ("answer", "time", "signed"))) == []
    assert gateway.damaged_frames == 0


def test_a_damaged_frame_is_counted_and_not_forwarded() -> None:
    service = Service()
    gateway = gateway_to(service)
    assert gateway.receive(build(Frame("request", 1, REQUEST)).replace(b"trace", b"trade")) == b""
    assert gateway.damaged_frames == 1
    assert service.bodies == []


@pytest.mark.parametrize("vector", VECTORS["reports"]["valid"], ids=name_of)
def test_a_valid_report_is_read_as_it_is(vector: dict[str, Any]) -> None:
    assert parse_report(vector["body"].encode()).model_dump() == json.loads(vector["body"])


@pytest.mark.parametrize("vector", VECTORS["reports"]["invalid"], ids=name_of)
def test_an_invalid_report_is_none(vector: dict[str, Any]) -> None:
    with pytest.raises(MessageError):
        parse_report(vector["body"].encode())


def test_a_report_beyond_2048_bytes_is_none() -> None:
    assert parse_report(REPORT.ljust(2048))
    with pytest.raises(MessageError):
        parse_report(REPORT.ljust(2049))


@pytest.mark.parametrize("vector", VECTORS["times"]["valid"], ids=name_of)
def test_the_time_is_written_byte_for_byte(vector: dict[str, Any]) -> None:
    assert Time(unix_seconds=vector["unix_seconds"]).model_dump_json() == vector["body"]


@given(st.lists(st.binary(max_size=300)))
def test_any_bytes_are_passed_by(parts: list[bytes]) -> None:
    service = Service()
    gateway = gateway_to(service)
    assert b"".join(gateway.receive(part) for part in parts) == b""
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
    gateway = gateway_to(service)
    parts = [data[start : start + part_bytes] for start in range(0, len(data), part_bytes)]
    sent = b"".join(gateway.receive(part) for part in parts)
    assert set(service.bodies) <= {REQUEST}
    assert {frame.payload for frame in FrameReader().feed(sent)} <= {b"200 " + ANSWER, TIME}


@given(st.binary(max_size=2052))
def test_any_report_in_a_whole_frame_is_counted(payload: bytes) -> None:
    gateway = gateway_to(Service())
    assert gateway.receive(build(Frame("report", 1, payload.translate(None, b"\r\n")))) == b""
    assert gateway.malformed_reports == 1


def test_a_line_without_an_end_takes_no_memory() -> None:
    gateway = gateway_to(Service())
    part = b"*57 request 1 " * 300
    gateway.receive(part)
    tracemalloc.start()
    try:
        for _ in range(1000):
            gateway.receive(part)
        kept, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 10_000
    assert most < 50_000
    assert gateway.receive(b"\n" + build(Frame("report", 1, REPORT))) != b""
    assert gateway.damaged_frames == 1
