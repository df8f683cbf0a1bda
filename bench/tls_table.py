"""What trials of TLS on a Pico came to, as tables and sentences of docs/tls_on_pico.md."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bench.tls_handshake import Handshake

RING_MS = 984.0
"""What the ring of samples bridges: 8192 of them, less 320 that are being written over (boards/rp2040/audio_in.py)."""

KEY_STEPS = ("certificate", "key exchange", "key")
"""The steps that reckon with public keys."""


@dataclass(frozen=True)
class InHeap:
    """Handshakes in one heap.

    Attributes:
        paced: with a pause behind each message.
        at_once: all that had come was worked on in one call.
    """

    paced: Handshake
    at_once: Handshake


@dataclass(frozen=True)
class Outcome:
    """What came of a trial.

    Attributes:
        certificates: the service's.
        image: how mbedtls was compiled.
        empty: in a heap with nothing else in it.
        filled: in one that is filled as the firmware fills it.
        longest_by_heap_ms: the longest paced step, by the bytes of heap that were left to it; those that failed are
            left out.
    """

    certificates: str
    image: str
    empty: InHeap
    filled: InHeap
    longest_by_heap_ms: Mapping[int, float] = field(default_factory=dict)

    @property
    def longest_paced_ms(self) -> float:
        """The longest step of paced handshakes, in any heap."""
        return max(heap.paced.longest_ms for heap in (self.empty, self.filled))

    @property
    def longest_at_once_ms(self) -> float:
        """The longest step of the others, in any heap."""
        return max(heap.at_once.longest_ms for heap in (self.empty, self.filled))

    @property
    def keyless_ms(self) -> float:
        """A paced handshake without the steps that reckon with public keys."""
        handshake = self.empty.paced
        return handshake.total_ms - sum(handshake.took_ms(step) for step in KEY_STEPS)


Column = tuple[str, Callable[[Outcome], str]]

CERTIFICATES: Column = ("Certificates, service's to pinned", lambda outcome: outcome.certificates)
SUITE: Column = ("Suite", lambda outcome: outcome.empty.paced.cipher.removeprefix("TLS-"))
IMAGE: Column = ("mbedtls", lambda outcome: outcome.image)
CERTIFICATE: Column = ("Certificate", lambda outcome: _ms(outcome.empty.paced.took_ms("certificate")))
KEY_EXCHANGE: Column = ("ServerKeyExchange", lambda outcome: _ms(outcome.empty.paced.took_ms("key exchange")))
KEY: Column = ("Key agreement", lambda outcome: _ms(outcome.empty.paced.took_ms("key")))
KEYLESS: Column = ("All other steps", lambda outcome: _ms(outcome.keyless_ms))
PACED: Column = ("Longest step, paced", lambda outcome: _ms(outcome.empty.paced.longest_ms))
PACED_FILLED: Column = ("Paced, filled heap", lambda outcome: _ms(outcome.filled.paced.longest_ms))
AT_ONCE: Column = ("All at once", lambda outcome: _ms(outcome.empty.at_once.longest_ms))
AT_ONCE_FILLED: Column = ("All at once, filled heap", lambda outcome: _ms(outcome.filled.at_once.longest_ms))
HEAP: Column = ("Heap taken", lambda outcome: f"{outcome.empty.paced.kept_bytes / 1024:.0f} KB")


def table(columns: Sequence[Column], outcomes: Iterable[Outcome]) -> str:
    """Outcomes as a Markdown table; what the ring does not bridge is bold."""
    rows = [[tell(outcome) for _, tell in columns] for outcome in outcomes]
    return _markdown([name for name, _ in columns], rows)


def verdict(outcomes: Sequence[Outcome]) -> str:
    """Which certificates the ring bridges, and how, as a Markdown list."""
    told: Mapping[str, Callable[[Outcome], bool]] = {
        "In either heap the ring bridges all of it in one step": lambda it: it.longest_at_once_ms < RING_MS,
        "In either heap it bridges each step of a paced handshake, and not all at once": lambda it: (
            it.longest_paced_ms < RING_MS <= it.longest_at_once_ms
        ),
        "In an empty heap it bridges each step of a paced handshake, and in a filled one it does not": lambda it: (
            it.empty.paced.longest_ms < RING_MS <= it.filled.paced.longest_ms
        ),
        "In no heap": lambda it: it.empty.paced.longest_ms >= RING_MS,
    }
    return "".join(
        f"- {what}: {'; '.join(it.certificates for it in outcomes if belongs(it)) or 'none'}.\n"
        for what, belongs in told.items()
    )


def heap_table(tried_bytes: Sequence[int], outcomes: Sequence[Outcome]) -> str:
    """The longest step by the heap that is left, as a Markdown table; "fails" where there was no handshake."""
    columns = [[outcome.longest_by_heap_ms.get(size) for size in tried_bytes] for outcome in outcomes]
    rows = [
        [f"{size >> 10} KB", *("fails" if took is None else _ms(took) for took in took_ms)]
        for size, *took_ms in zip(tried_bytes, *columns, strict=True)
    ]
    return _markdown(["Heap before the handshake", *(outcome.certificates for outcome in outcomes)], rows)


def _markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (head, ["---"] * len(head), *rows))


def _ms(took_ms: float) -> str:
    return f"{took_ms:.0f} ms" if took_ms < RING_MS else f"**{took_ms:.0f} ms**"
