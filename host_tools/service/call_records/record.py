"""A call record, as Asterisk writes it: one leg of a call, not always the whole of it."""

from __future__ import annotations

from dataclasses import dataclass

ANSWERED = "ANSWERED"
NEVER_RANG = frozenset({"BUSY", "FAILED", "CONGESTION"})
"""Dispositions of a leg that never alerted the one who was called."""
CONNECTS = "Dial"
"""The application that connects a caller to a line; any other that has answered is a machine of the exchange."""


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One leg: somebody called a number, and what became of it.

    Attributes:
        called_at: when the leg began, Unix seconds (`calldate` or `start`).
        source: the calling number (`src`); empty, or something else than a number, when the exchange has none.
        destination: the number that was called (`dst`).
        caller_id: name and number as they are presented, `"name" <number>` (`clid`).
        disposition: ANSWERED, NO ANSWER, BUSY, FAILED or CONGESTION; empty when nobody says.
        duration_s: from the beginning to the end.
        billable_s: from the answer to the end.
        application: what the exchange did with the leg last (`lastapp`).
        unique_id: of the leg (`uniqueid`); several records of one leg have one.
        linked_id: the `uniqueid` of the leg that the call began with (`linkedid`); empty when nobody says.
        sequence: records in the order in which their legs began; 0 when nobody says.
    """

    called_at: int
    source: str
    destination: str
    caller_id: str = ""
    disposition: str = ""
    duration_s: int = 0
    billable_s: int = 0
    application: str = ""
    unique_id: str = ""
    linked_id: str = ""
    sequence: int = 0

    @property
    def call_key(self) -> str:
        """What all legs of its call have in common; empty when nobody says."""
        return self.linked_id or self.unique_id

    @property
    def has_rung(self) -> bool:
        """Whether it may have alerted the one who was called."""
        return self.disposition not in NEVER_RANG

    @property
    def is_answered(self) -> bool:
        """Whether it was answered, by whomever."""
        return self.disposition == ANSWERED

    @property
    def answered_at(self) -> int | None:
        """When it was answered, Unix seconds."""
        return self.ended_at - self.billable_s if self.is_answered else None

    @property
    def ended_at(self) -> int:
        """When it ended, Unix seconds."""
        return self.called_at + self.duration_s
