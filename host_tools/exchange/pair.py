"""The copper pair, with the adapter's bypass relay in it: exchange, adapter and telephone advance together.

At rest the relay wires the telephone to the exchange: one pair, and everyone on it hears the sum, with what the
adapter couples onto it. Energised, it splits them: the exchange sees an open loop, and the adapter feeds the
telephone. The ring detector sits on the exchange's side, the hook detector on the telephone's, so both see
their edges in either position.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from host_tools.exchange.central_office import CentralOffice, OfficeBlock
from host_tools.exchange.levels import Samples, fitted, mixed
from host_tools.exchange.telephone import Sent, Terminal, in_parallel

RING_EDGE = 0
HOOK_EDGE = 1

LEAKAGE_DB = 20
"""How far the adapter's own sound is down in what it hears of the telephone: its hybrid's loss."""

COUPLING_DB = 15
"""How far the adapter's sound is down where it reaches the pair while the relay rests: boards/pico/WIRING.md."""


@dataclass(frozen=True)
class PairBlock:
    """What the pair carried in a block, as the adapter sees it.

    Attributes:
        n: samples in the block.
        line_in: int16, n of them: the exchange's side.
        phone_in: int16, n of them: the telephone's side; the same as line_in while the relay rests.
        edges: (offset, kind, level), by offset; RING_EDGE with the ring detector's output, HOOK_EDGE with 1
            for off-hook.
    """

    n: int
    line_in: Samples
    phone_in: Samples
    edges: list[tuple[int, int, int]]


@dataclass
class Recording:
    """Everything since the beginning, an entry a block.

    Attributes:
        phone_heard: what the telephone's terminals carried.
        exchange_heard: what the pair carried at the exchange.
        ringing: ring voltage was on the pair.
        off_hook: the telephone was off-hook at the end of the block.
        relay_energised: the adapter fed the telephone.
    """

    phone_heard: list[Samples] = field(default_factory=list)
    exchange_heard: list[Samples] = field(default_factory=list)
    ringing: list[bool] = field(default_factory=list)
    off_hook: list[bool] = field(default_factory=list)
    relay_energised: list[bool] = field(default_factory=list)


class Pair:
    """One line: an exchange, a telephone, and the adapter between them; and perhaps a telephone in front of it."""

    def __init__(self, office: CentralOffice, telephone: Terminal, in_front: Terminal | None = None) -> None:
        """An idle line.

        Args:
            office: the exchange's end.
            telephone: the household's end, behind the adapter.
            in_front: what hangs on the pair between the exchange and the adapter.
        """
        self.office = office
        self.telephone = telephone
        self.in_front = in_front
        self.recording = Recording()
        self._off_hook = False

    def advance(self, n: int, relay_energised: bool, phone_out: Samples) -> PairBlock:
        """Lets `n` samples pass.

        Args:
            n: samples, at least 1.
            relay_energised: for the whole block.
            phone_out: what the adapter answered to the block before; cut or filled with silence to `n`. At rest
                it is coupled onto the pair, COUPLING_DB down.
        """
        sent = self.telephone.send(n)
        front = self.in_front.send(n) if self.in_front else Sent(np.zeros(n, np.int16), [(n, False)])
        given = fitted(phone_out, n)
        if relay_energised:
            office = self._through_office(front.runs, front.samples)
            line_in, phone_heard = mixed(front.samples, office.samples), given
            phone_in, loop = mixed(sent.samples, _lowered(given, LEAKAGE_DB)), sent
        else:
            loop = in_parallel(sent, front) if self.in_front else sent
            to_office = mixed(loop.samples, _lowered(given, COUPLING_DB))
            office = self._through_office(loop.runs, to_office)
            phone_heard = line_in = phone_in = mixed(to_office, office.samples)
        rings = office.ring_voltage and not self._off_hook_at_exchange(relay_energised)
        self.telephone.hear(phone_heard, rings and not relay_energised)
        if self.in_front:
            self.in_front.hear(line_in, rings)
        self._record(phone_heard, line_in, office.ring_voltage, relay_energised)
        edges = [(offset, RING_EDGE, level) for offset, level in office.ring_edges] + self._hook_edges(loop)
        return PairBlock(n, line_in, phone_in, sorted(edges))

    def _off_hook_at_exchange(self, relay_energised: bool) -> bool:
        in_front = self.in_front is not None and self.in_front.off_hook
        return in_front or (self.telephone.off_hook and not relay_energised)

    def _through_office(self, runs: list[tuple[int, bool]], to_office: Samples) -> OfficeBlock:
        """Advances the office run by run, so that it sees the loop change at the very sample."""
        blocks: list[OfficeBlock] = []
        edges: list[tuple[int, int]] = []
        at = 0
        for count, off_hook in runs:
            blocks.append(self.office.advance(off_hook, to_office[at : at + count]))
            edges.extend((at + offset, level) for offset, level in blocks[-1].ring_edges)
            at += count
        samples = np.concatenate([block.samples for block in blocks])
        return OfficeBlock(samples, edges, any(block.ring_voltage for block in blocks))

    def _hook_edges(self, sent: Sent) -> list[tuple[int, int, int]]:
        edges = []
        at = 0
        for count, off_hook in sent.runs:
            if off_hook != self._off_hook:
                self._off_hook = off_hook
                edges.append((at, HOOK_EDGE, int(off_hook)))
            at += count
        return edges

    def _record(self, phone_heard: Samples, exchange_heard: Samples, ringing: bool, relay: bool) -> None:
        self.recording.phone_heard.append(phone_heard)
        self.recording.exchange_heard.append(exchange_heard)
        self.recording.ringing.append(ringing)
        self.recording.off_hook.append(self.telephone.off_hook)
        self.recording.relay_energised.append(relay)


def _lowered(samples: Samples, loss_db: float) -> Samples:
    lowered: Samples = np.rint(samples * 10 ** (-loss_db / 20)).astype(np.int16)
    return lowered
