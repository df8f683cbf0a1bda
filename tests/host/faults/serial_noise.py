"""Noise on the serial line between the adapter and its gateway, with the real trace service behind it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx

from host_tools.gateway.gateway import Gateway
from host_tools.rig.noisy_wire import Noise, NoisyWire
from host_tools.stories.trace_service import TraceService
from tests.host.faults.delivery import MOST_PENDING, Delivery
from tests.host.faults.tally import Tally

_BLOCKS = 50 * 3600


def _again_and_again(off: int, on: int) -> list[range]:
    """Periods of `off` blocks with `on` blocks between them, from the first request on."""
    return [range(start, start + off) for start in range(10, _BLOCKS, off + on)]


NOISES = {
    "bit error rate 1e-5": Noise(bit_error_rate=1e-5),
    "bit error rate 1e-4": Noise(bit_error_rate=1e-4),
    "bit error rate 1e-3": Noise(bit_error_rate=1e-3),
    "bit error rate 1e-2": Noise(bit_error_rate=1e-2),
    "bytes dropped, 1 in 300": Noise(dropped_per_byte=1 / 300),
    "bytes doubled, 1 in 300": Noise(doubled_per_byte=1 / 300),
    "stalls of 2 s": Noise(stalls=_again_and_again(100, 30)),
    "unplugged for 7 s": Noise(unplugged=_again_and_again(350, 40)),
}
"""What may be wrong with the line, by name."""


def deliver_through(
    name: str, seed: int, service: TraceService, folder: Path, requests: int = MOST_PENDING
) -> Tally:
    """Delivers over a line with that noise.

    Raises:
        StoryStuck: not all was delivered in time.
    """
    with _forwarding_to(service) as (gateway, questions):
        wire = NoisyWire(gateway.receive, NOISES[name], seed)
        delivery = Delivery(
            seed,
            service,
            requests,
            serial=wire,
            network=False,
            within_s=6000.0,
            settings={"answer_timeout_ms": 8000},
        )
        tally = delivery.run(folder, f"serial line: {name}", lambda: gateway.damaged_frames + wire.periods)
    return replace(
        tally, more={**tally.more, "bytes on the line": wire.bytes_sent, "questions": len(questions)}
    )


@contextmanager
def _forwarding_to(service: TraceService) -> Iterator[tuple[Gateway, list[int]]]:
    """A gateway, and the statuses of what it has forwarded."""
    statuses: list[int] = []
    with httpx.Client() as client:

        def forward(body: bytes) -> tuple[int, bytes]:
            answer = client.post(service.url, content=body, headers={"Content-Type": "application/jose"})
            statuses.append(answer.status_code)
            return answer.status_code, answer.content

        yield Gateway(forward), statuses
