"""A household with a TTY dials a trace code on the whole firmware, and reads what it is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from host_tools.exchange.central_office import CentralOffice
from host_tools.exchange.levels import Samples
from host_tools.exchange.pair import Pair
from host_tools.exchange.telephone import Telephone
from host_tools.rig.lockstep import BoardSettings, MicroPythonFirmware
from tests.host.exchange.lines import SMITH
from tests.host.exchange.teletypewriter import read, typed

N = 160
BLOCK_MS = 20
LINE = "5555550100"
LONGEST_MESSAGE_MS = 90_000
QUIET_MS = 400


class Household:
    """A telephone on a TTY's coupler, the adapter and the exchange."""

    def __init__(self, flash: Path) -> None:
        settings = {"adapter_id": "test-01", "line": LINE, "tty": True}
        flash.mkdir()
        (flash / "settings.json").write_text(json.dumps(settings))
        self.telephone = Telephone()
        self.office = CentralOffice()
        self.pair = Pair(self.office, self.telephone)
        self.firmware = MicroPythonFirmware(BoardSettings(flash, network=False, patience_ms=0))
        self.firmware.start()
        self._relay_energised = False
        self._phone_out: Samples = np.zeros(N, np.int16)

    def run(self, duration_ms: float) -> Samples:
        """Lets time pass; answers what the adapter gave out while it had the telephone."""
        given = [np.zeros(0, np.int16)]
        for _ in range(round(duration_ms / BLOCK_MS)):
            answer = self.firmware.exchange_block(
                self.pair.advance(N, self._relay_energised, self._phone_out)
            )
            self._phone_out, self._relay_energised = answer.phone_out, answer.relay_energised
            given.append(self._phone_out if self._relay_energised else np.zeros(N, np.int16))
        return np.concatenate(given)

    def message(self) -> Samples:
        """The next message of the adapter, whole: from its mark to the silence behind it."""
        heard = [self.run(BLOCK_MS)]
        quiet_ms = 0
        for _ in range(LONGEST_MESSAGE_MS // BLOCK_MS):
            block = self.run(BLOCK_MS)
            has_begun = any(part.any() for part in heard)
            quiet_ms = 0 if block.any() else quiet_ms + BLOCK_MS
            heard.append(block)
            if has_begun and quiet_ms >= QUIET_MS:
                break
        return np.concatenate(heard)

    def dial(self, keys: str) -> None:
        """Presses keys, until the last of them begins."""
        self.telephone.press(keys)
        self.run(160 * (len(keys) - 1))


@pytest.fixture
def household(tmp_path: Path) -> Iterator[Household]:
    built = Household(tmp_path / "flash")
    built.run(200)
    yield built
    built.firmware.stop()


def test_it_reads_the_offer_types_its_answer_and_reads_what_became_of_it(household: Household) -> None:
    household.office.incoming_call(SMITH)
    household.run(9000)
    household.office.caller_clears()
    household.run(8000)
    household.telephone.lift()
    household.run(1000)
    household.dial("*57")
    offer = " ".join(read(household.message()).text.split())
    assert offer.startswith("THIS IS CALL TRACE.")
    assert offer.endswith("TO TRACE THE LAST CALL, DIAL 1. TO LEAVE, HANG UP. GA")
    household.telephone.send_samples(typed("1"))
    told = ""
    while not told.endswith(" SK"):
        told += " " + " ".join(read(household.message()).text.split())
    assert told.startswith(" PLEASE WAIT. YOUR REQUEST IS STORED.")
    assert "GA" not in told.split()
