"""What is released of a case: on what ground, by whom, and the records that were opened for it."""

from __future__ import annotations

from dataclasses import dataclass

from host_tools.service.instruments import Instrument
from host_tools.service.sealing import WhoCalled


@dataclass(frozen=True)
class OpenedRecord:
    """A sealed record that was opened.

    Attributes:
        trace_id: the trace that it is of.
        adapter_id: the adapter that asked for the trace.
        sealed_sha256: of the sealed record as it is stored, 64 hex digits.
        who_called: its content.
    """

    trace_id: str
    adapter_id: str
    sealed_sha256: str
    who_called: WhoCalled


@dataclass(frozen=True)
class ReleaseFacts:
    """What a release says of itself.

    Attributes:
        case_id: the case, C- and 8 digits.
        line: the called line.
        instrument: the legal instrument that it is released to.
        released_at: Unix seconds.
        released_by: account name.
        not_kept: traces of the case whose records were deleted, because their retention had ended.
    """

    case_id: str
    line: str
    instrument: Instrument
    released_at: int
    released_by: str
    not_kept: tuple[str, ...] = ()
