"""The page of TLS on a Pico: what the ring bridges, and what not."""

from __future__ import annotations

from dataclasses import replace

from bench.tls_handshake import Handshake, Step
from bench.tls_table import (
    AT_ONCE,
    AT_ONCE_FILLED,
    CERTIFICATES,
    KEYLESS,
    PACED,
    PACED_FILLED,
    InHeap,
    Outcome,
    heap_table,
    table,
    verdict,
)


def handshake(*steps_ms: float) -> Handshake:
    names = ("certificate", "key exchange", "rest")
    steps = tuple(Step(name, took_ms, 60_000) for name, took_ms in zip(names, steps_ms, strict=True))
    return Handshake("TLS-ECDHE-RSA-WITH-AES-128-GCM-SHA256", 100_000, steps)


def in_heap(paced_ms: float, at_once_ms: float) -> InHeap:
    return InHeap(handshake(paced_ms, 1, 30), handshake(at_once_ms, 0, 0))


def outcome(name: str, empty: tuple[float, float], filled: tuple[float, float]) -> Outcome:
    return Outcome(name, "as it is", in_heap(*empty), in_heap(*filled))


SMALL = outcome("small", (400, 700), (410, 983))
MIDDLE = outcome("middle", (400, 700), (500, 984))
GREAT = outcome("great", (500, 1300), (984, 2600))
GREATEST = outcome("greatest", (1500, 2400), (3000, 5000))


def test_what_the_ring_does_not_bridge_is_bold() -> None:
    told = table([CERTIFICATES, PACED, PACED_FILLED, AT_ONCE, AT_ONCE_FILLED], [SMALL, MIDDLE, GREAT])
    assert told.splitlines()[2:] == [
        "| small | 400 ms | 410 ms | 700 ms | 983 ms |",
        "| middle | 400 ms | 500 ms | 700 ms | **984 ms** |",
        "| great | 500 ms | **984 ms** | **1300 ms** | **2600 ms** |",
    ]


def test_a_resumed_session_would_be_spared_what_reckons_with_keys() -> None:
    assert table([KEYLESS], [SMALL]).splitlines()[-1] == "| 30 ms |"


def test_the_verdict_names_each_kind_of_certificate_once() -> None:
    told = [
        sentence.rsplit(": ", 1)[1] for sentence in verdict([SMALL, MIDDLE, GREAT, GREATEST]).splitlines()
    ]
    assert told == ["small.", "middle.", "great.", "greatest."]
    assert verdict([SMALL]).count("none") == 3


def test_what_fails_for_want_of_heap_is_told() -> None:
    much, little = (
        replace(SMALL, longest_by_heap_ms={64 << 10: 450, 48 << 10: 990}),
        replace(MIDDLE, longest_by_heap_ms={64 << 10: 500}),
    )
    assert heap_table([64 << 10, 48 << 10], [much, little]).splitlines() == [
        "| Heap before the handshake | small | middle |",
        "| --- | --- | --- |",
        "| 64 KB | 450 ms | 500 ms |",
        "| 48 KB | **990 ms** | fails |",
    ]
