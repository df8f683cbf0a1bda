"""The bench's end of a handshake: frames in and out, and what a Pico's report says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bench.tls_certificates import HOST, issued
from bench.tls_handshake import ANSWER, HandshakeFailed, TlsService, handshake_of
from tests.host.bench.tls_client import data_of, frame, shakes_hands

CHAIN = issued("P-256", "P-256")

# As a Pico tells it: the kinds of records are RFC 5246's, 20 change_cipher_spec, 22 handshake, 23 application_data.
REPORT: dict[str, Any] = {
    "cipher": "TLS-ECDHE-ECDSA-WITH-AES-256-GCM-SHA384",
    "answer": ANSWER.decode(),
    "free": 100_000,
    "steps": [
        ["context", 3_000, 98_000],
        ["wrap", 1_000, 75_000],
        [[[">", 22, 1]], 800, 74_000],
        [[["<", 22, 2]], 500, 73_000],
        [[["<", 22, 11]], 450_000, 72_000],
        [[["<", 22, 12]], 440_000, 71_000],
        [[["<", 22, 14], [">", 22, 16], [">", 20, 1], [">", 22, 0]], 400_000, 70_000],
        [[["<", 20, 1]], 3_000, 70_500],
        [[["<", 22, 11]], 4_000, 71_500],
        [[["<", 23, 0]], 1_000, 71_000],
    ],
}


def test_a_report_names_its_steps_by_what_the_service_sent() -> None:
    names = [step.name for step in handshake_of(REPORT).steps]
    assert names == [
        "context", "wrap", "rest", "hello", "certificate", "key exchange", "key", "rest", "rest", "rest",
    ]  # fmt: skip


def test_what_is_encrypted_is_not_taken_for_a_message() -> None:
    assert handshake_of(REPORT).took_ms("certificate") == 450.0


def test_a_step_of_many_messages_bears_all_their_names() -> None:
    steps = [[[["<", 22, 2], ["<", 22, 11], ["<", 22, 14]], 1_300_000, 70_000]]
    (step,) = handshake_of({**REPORT, "steps": steps}).steps
    assert (step.name, step.took_ms) == ("hello and certificate and key", 1300.0)


def test_a_handshake_knows_its_longest_step_its_sum_and_its_heap() -> None:
    handshake = handshake_of(REPORT)
    assert handshake.longest_ms == 450.0
    assert handshake.total_ms == pytest.approx(1303.3)
    assert handshake.kept_bytes == 30_000


@pytest.mark.parametrize(
    ("changed", "said"),
    [({"fault": "OSError(-30592,)"}, "30592"), ({"answer": "HTTP/1.0 500"}, "500")],
)
def test_what_was_no_handshake_is_told(changed: dict[str, str], said: str) -> None:
    with pytest.raises(HandshakeFailed, match=said):
        handshake_of({**REPORT, **changed})


def test_the_service_keeps_reports_and_is_ready_for_another_handshake() -> None:
    service = TlsService(CHAIN)
    for number in range(2):
        shakes_hands(CHAIN, CHAIN.pinned, HOST, service)
        assert service(frame(b"R", json.dumps({"number": number}).encode())) == b""
    assert service.reports == [{"number": 0}, {"number": 1}]


def test_frames_may_come_in_pieces() -> None:
    service = TlsService(CHAIN)
    report = frame(b"R", b'{"whole": true}')
    assert [service(report[at : at + 1]) for at in range(len(report))] == [b""] * len(report)
    assert service.reports == [{"whole": True}]


def test_with_nothing_to_do_the_service_answers_an_empty_frame() -> None:
    assert data_of(TlsService(CHAIN)(frame(b"P"))) == b""


def test_a_service_has_the_suites_that_it_is_given() -> None:
    service = TlsService(CHAIN, "ECDHE-ECDSA-AES128-GCM-SHA256")
    assert shakes_hands(CHAIN, CHAIN.pinned, HOST, service) == "ECDHE-ECDSA-AES128-GCM-SHA256"
