"""Callers as a bench compares them: what was sent, and what a receiver reported."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

SDMF_CALL, SDMF_MESSAGE_WAITING, MDMF_CALL, MDMF_MESSAGE_WAITING = 0x04, 0x06, 0x80, 0x82  # GR-30
NTT_CALL = 0x40
_SDMF_WAITING = {b"BBB": True, b"ooo": False}


@dataclass(frozen=True)
class Caller:
    """What a message said; None for what it did not say.

    Attributes:
        reason: why there is no number, one letter.
        waiting: messages wait, in a message that tells of them.
    """

    number: str | None = None
    name: str | None = None
    date_time: str | None = None
    reason: str | None = None
    waiting: bool | None = None


NOTHING = Caller()


@dataclass(frozen=True)
class Score:
    """Of `sent` callers `read` were reported; `wrong` were reported that had not been sent."""

    sent: int
    read: int
    wrong: int

    @property
    def share(self) -> float:
        return self.read / self.sent if self.sent else 0.0

    def __add__(self, other: Score) -> Score:
        return Score(self.sent + other.sent, self.read + other.read, self.wrong + other.wrong)

    def __str__(self) -> str:
        wrong = f", {self.wrong} wrong" if self.wrong else ""
        return f"{100 * self.share:.1f} %{wrong}" if self.sent else f"{self.wrong} wrong"


def score(sent: Iterable[Caller], reported: Iterable[Caller]) -> Score:
    """How many of the callers were reported. A right one that comes again is neither read twice nor wrong."""
    wanted = Counter(sent)
    told = Counter(reported)
    read = sum(min(count, told[caller]) for caller, count in wanted.items())
    wrong = sum(count for caller, count in told.items() if caller not in wanted)
    return Score(wanted.total(), read, wrong)


def caller_of(message: bytes) -> Caller:
    """What a message of SDMF, MDMF or NTT's format says, from its type on, with or without its checksum.

    NOTHING if it is of no known type or says nothing that is compared; parameters beyond its end are left out.
    """
    if len(message) < 2:
        return NOTHING
    body = message[2 : 2 + message[1]]
    read = _READERS.get(message[0])
    return NOTHING if read is None else read(body)


def _read_sdmf(body: bytes) -> Caller:
    date_time, who = body[:8].decode("latin-1"), body[8:].decode("latin-1")
    return Caller(reason=who, date_time=date_time) if who.isalpha() else Caller(who, None, date_time)


def _read_sdmf_waiting(body: bytes) -> Caller:
    return Caller(waiting=_SDMF_WAITING.get(body))


def _read_mdmf(body: bytes) -> Caller:
    fields = _fields(body)
    return Caller(fields.get(0x02), fields.get(0x07), fields.get(0x01), fields.get(0x04))


def _read_mdmf_waiting(body: bytes) -> Caller:
    fields = _fields(body)
    return Caller(waiting=fields[0x0B] == "\xff") if 0x0B in fields else NOTHING


def _read_ntt(body: bytes) -> Caller:
    fields = _fields(body)
    return Caller(number=fields.get(0x02), reason=fields.get(0x04))


_READERS: dict[int, Callable[[bytes], Caller]] = {
    SDMF_CALL: _read_sdmf,
    SDMF_MESSAGE_WAITING: _read_sdmf_waiting,
    MDMF_CALL: _read_mdmf,
    MDMF_MESSAGE_WAITING: _read_mdmf_waiting,
    NTT_CALL: _read_ntt,
}


def callers_in(data: bytes) -> Iterator[Caller]:
    """Callers of whole messages anywhere in a stream of bytes: known type, whole parameters, checksum that holds."""
    place = 0
    while place < len(data):
        length = _message_length(data, place)
        if length:
            caller = caller_of(data[place : place + length])
            if caller != NOTHING:
                yield caller
        place += length or 1


def _message_length(data: bytes, place: int) -> int:
    """Bytes of the message that starts at `place`, checksum included; 0 if there is none."""
    if data[place] not in (SDMF_CALL, SDMF_MESSAGE_WAITING, MDMF_CALL, MDMF_MESSAGE_WAITING):
        return 0
    if place + 1 >= len(data):
        return 0
    length = data[place + 1] + 3
    message = data[place : place + length]
    if len(message) < length or length < 6 or sum(message) & 0xFF:
        return 0
    if data[place] >= 0x80 and sum(len(value) + 2 for _, value in _parameters(message[2:-1])) != length - 3:
        return 0
    return length


def _fields(body: bytes) -> dict[int, str]:
    return {parameter: data.decode("latin-1") for parameter, data in _parameters(body)}


def _parameters(body: bytes) -> Iterator[tuple[int, bytes]]:
    place = 0
    while place + 1 < len(body):
        yield body[place], body[place + 2 : place + 2 + body[place + 1]]
        place += 2 + body[place + 1]
