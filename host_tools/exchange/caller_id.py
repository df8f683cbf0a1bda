"""Who calls, as bytes: the single and the multiple data message format (SDMF, MDMF) of Telcordia GR-30."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Reason = Literal["P", "O"]
"""Why something is absent: P private, O out of area."""

SDMF_CALL = 0x04
MDMF_CALL = 0x80

DATE_TIME = 0x01
NUMBER = 0x02
NUMBER_ABSENT = 0x04
NAME = 0x07
NAME_ABSENT = 0x08

LONGEST = 255


class CallerIdError(ValueError):
    """This caller cannot be said in this format; the text says why."""


@dataclass(frozen=True)
class CallerId:
    """What an exchange presents of a caller.

    Attributes:
        number: digits, or None.
        name: Latin-1 text, or None.
        reason: why there is no number; not sent when there is one.
        name_reason: why there is no name; not sent when there is one.
        date_time: MMDDHHMM, or None.
    """

    number: str | None = None
    name: str | None = None
    reason: Reason | None = None
    name_reason: Reason | None = None
    date_time: str | None = None


def checksum(data: bytes) -> int:
    """The two's complement of the 8-bit sum of `data`: with it the sum of all is 0 modulo 256."""
    return -sum(data) & 0xFF


def framed(message_type: int, body: bytes) -> bytes:
    """A message: type, length, body, checksum.

    Raises:
        CallerIdError: more than 255 bytes.
    """
    if len(body) > LONGEST:
        raise CallerIdError(f"a message holds at most {LONGEST} bytes")
    data = bytes([message_type, len(body)]) + body
    return data + bytes([checksum(data)])


def parameter(parameter_type: int, data: bytes) -> bytes:
    """One parameter of an MDMF message: type, length, data.

    Raises:
        CallerIdError: more than 255 bytes.
    """
    if len(data) > LONGEST:
        raise CallerIdError(f"a parameter holds at most {LONGEST} bytes")
    return bytes([parameter_type, len(data)]) + data


def sdmf(caller_id: CallerId) -> bytes:
    """The caller in single data message format: date, time, and the number or why there is none.

    Raises:
        CallerIdError: no date and time, or neither number nor reason.
    """
    who = caller_id.number or caller_id.reason
    if caller_id.date_time is None or who is None:
        raise CallerIdError("SDMF needs a date and time, and a number or a reason")
    return framed(SDMF_CALL, _bytes_of(caller_id.date_time + who))


def mdmf(caller_id: CallerId) -> bytes:
    """The caller in multiple data message format, each thing known once, in the order date, number, name.

    Raises:
        CallerIdError: too long, or not Latin-1.
    """
    rows = (
        (DATE_TIME, caller_id.date_time, 0, None),
        (NUMBER, caller_id.number, NUMBER_ABSENT, caller_id.reason),
        (NAME, caller_id.name, NAME_ABSENT, caller_id.name_reason),
    )
    body = b""
    for present_type, value, absent_type, reason in rows:
        if value is not None:
            body += parameter(present_type, _bytes_of(value))
        elif reason is not None:
            body += parameter(absent_type, _bytes_of(reason))
    return framed(MDMF_CALL, body)


def _bytes_of(text: str) -> bytes:
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        raise CallerIdError("only Latin-1 text can be sent") from None
