"""What can go wrong with a board on the bench. The text of each says what is wrong, and what to do about it."""

from __future__ import annotations


class BenchFault(Exception):
    """Something on the bench is not as it should be."""


class PortBusy(BenchFault):
    """Another program has the port."""


class PortDenied(BenchFault):
    """This user may not open the port."""


class NoSuchBoard(BenchFault):
    """What was named is not plugged in, or nothing is."""


class SeveralBoards(BenchFault):
    """More than one is plugged in, and none was named."""


class BoardGone(BenchFault):
    """The board was pulled out, or does not come back."""


class NoAnswer(BenchFault):
    """Nothing answers behind the port, or nothing that can be understood."""


class BoardRefuses(BenchFault):
    """What was run on the board failed there."""


class LineBusy(BenchFault):
    """The line, or a request that waits, must not be disturbed."""


class NoDrive(BenchFault):
    """The boot loader's drive does not appear."""


class WrongImage(BenchFault):
    """There is no image, or it is not for this board."""


class DoesNotVerify(BenchFault):
    """What was read back is not what was written."""


class NotHealthy(BenchFault):
    """The board has begun, and does not report that it is well."""


class TooManyFiles(BenchFault):
    """More than the board's memory has room for."""
