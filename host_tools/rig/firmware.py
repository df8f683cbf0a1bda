"""The one interface behind which the rig runs firmware: a process, an emulated board or a real one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from host_tools.exchange.pair import PairBlock


class FirmwareFault(Exception):
    """The firmware did not start, or broke the protocol of its rig; the text holds its log."""


@dataclass
class BoardBlock:
    """What the board did with a block.

    Attributes:
        phone_out: int16, as long as the block; what the phone hears while the relay is energised.
        relay_energised: False is rest: the phone on the exchange.
    """

    phone_out: npt.NDArray[np.int16]
    relay_energised: bool


class Firmware(Protocol):
    """Firmware on some board."""

    def start(self) -> None:
        """Powers the board on. Raises FirmwareFault."""

    def exchange_block(self, block: PairBlock) -> BoardBlock:
        """Gives the firmware a block of the line, and answers what it did with it."""

    def power_cut(self) -> None:
        """Takes the power away at once; `start` brings it back."""

    def stop(self) -> None:
        """Ends the firmware, for good."""

    def record(self, name: str) -> Any:
        """The newest whole payload of a record on its flash, parsed as JSON; None when there is none."""

    @property
    def log(self) -> str:
        """What the firmware has logged."""
