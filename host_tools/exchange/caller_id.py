"""Who calls, as the exchange sends it.

As bytes: the single and the multiple data message format (SDMF, MDMF) of Telcordia GR-30, and NTT's frame. As digits:
caller ID by DTMF.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

Reason = Literal["P", "O", "C", "S", "I"]
"""Why something is absent: P private, O out of area, C coin telephone, S service conflict, I international."""

SDMF_CALL = 0x04
SDMF_MESSAGE_WAITING = 0x06
MDMF_CALL = 0x80
MDMF_MESSAGE_WAITING = 0x82
NTT_CALL = 0x40


class ParameterType(IntEnum):
    """Parameters of MDMF: GR-30 and GR-31, and EN 300 659-3 clause 5.4."""

    DATE_TIME = 0x01
    NUMBER = 0x02
    CALLED_OR_DIALABLE_NUMBER = 0x03
    NUMBER_ABSENT = 0x04
    REDIRECTION_REASON = 0x05
    CALL_QUALIFIER = 0x06
    NAME = 0x07
    NAME_ABSENT = 0x08
    ALTERNATE_ROUTE = 0x09
    VISUAL_INDICATOR = 0x0B
    MESSAGE_ID = 0x0D
    LAST_MESSAGE_NUMBER = 0x0E
    COMPLEMENTARY_DATE_TIME = 0x0F
    COMPLEMENTARY_NUMBER = 0x10
    CALL_TYPE = 0x11
    FIRST_CALLED_NUMBER = 0x12
    NUMBER_OF_MESSAGES = 0x13
    FORWARDED_TYPE = 0x15
    CALLER_TYPE = 0x16
    REDIRECTING_NUMBER = 0x1A
    CHARGE = 0x20
    ADDITIONAL_CHARGE = 0x21
    DURATION = 0x23
    NETWORK_PROVIDER = 0x30
    CARRIER = 0x31
    TERMINAL_FUNCTION = 0x40
    DISPLAY_INFORMATION = 0x50
    SERVICE_INFORMATION = 0x55
    NETWORK_EXTENSION = 0xE0


class NttParameterType(IntEnum):
    """Parameters of NTT's Number Display."""

    NUMBER = 0x02
    NUMBER_ABSENT = 0x04
    CALLED_NUMBER = 0x09
    NUMBER_PLAN = 0x21
    CALLED_NUMBER_PLAN = 0x22


LONGEST = 255
NTT_LONGEST = 127

_DLE = 0x10
_ETX = 0x03


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
        others: more MDMF parameters, (type, data) each, sent last.
    """

    number: str | None = None
    name: str | None = None
    reason: Reason | None = None
    name_reason: Reason | None = None
    date_time: str | None = None
    others: tuple[tuple[int, bytes], ...] = ()


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
        (ParameterType.DATE_TIME, caller_id.date_time, ParameterType.DATE_TIME, None),
        (ParameterType.NUMBER, caller_id.number, ParameterType.NUMBER_ABSENT, caller_id.reason),
        (ParameterType.NAME, caller_id.name, ParameterType.NAME_ABSENT, caller_id.name_reason),
    )
    parameters: list[tuple[int, bytes]] = []
    for present_type, value, absent_type, reason in rows:
        if value is not None:
            parameters.append((present_type, _bytes_of(value)))
        elif reason is not None:
            parameters.append((absent_type, _bytes_of(reason)))
    return multiple(MDMF_CALL, (*parameters, *caller_id.others))


def multiple(message_type: int, parameters: Iterable[tuple[int, bytes]]) -> bytes:
    """An MDMF message of any type and parameters, (type, data) each, in the order given.

    Raises:
        CallerIdError: too long.
    """
    return framed(message_type, b"".join(parameter(kind, data) for kind, data in parameters))


def sdmf_message_waiting(waiting: bool) -> bytes:
    """Message waiting in single data message format: 42h three times for on, 6Fh for off."""
    return framed(SDMF_MESSAGE_WAITING, b"BBB" if waiting else b"ooo")


def mdmf_message_waiting(waiting: bool, number_of_messages: int | None = None) -> bytes:
    """Message waiting in multiple data message format.

    Args:
        waiting: the visual indicator is to be lit.
        number_of_messages: 0 to 255, or None for no such parameter (ETSI: 1 also means that it is not known).

    Raises:
        ValueError: no such number of messages.
    """
    parameters: list[tuple[int, bytes]] = [(ParameterType.VISUAL_INDICATOR, b"\xff" if waiting else b"\x00")]
    if number_of_messages is not None:
        parameters.append((ParameterType.NUMBER_OF_MESSAGES, bytes([number_of_messages])))
    return multiple(MDMF_MESSAGE_WAITING, parameters)


def ntt_crc(data: bytes) -> int:
    """NTT's CRC: x16 + x12 + x5 + 1, least significant bit first, from 0; 16 bits. Over data and CRC it is 0."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x8408 if crc & 1 else 0)
    return crc


def ntt_frame(content: bytes, counts_doubled: bool = False) -> bytes:
    """NTT's frame around parameters: header, type, length, parameters, end, CRC.

    Every byte but those of the CRC has even parity in bit 7; a DLE (10h) is sent twice.

    Args:
        content: the parameters, each byte 0 to 127.
        counts_doubled: the length counts a doubled byte of the parameters twice, as some senders do.

    Raises:
        CallerIdError: more than 127 bytes, or a byte of more than 7 bits.
    """
    if any(byte > 0x7F for byte in content):
        raise CallerIdError("a byte of NTT's format has 7 bits")
    length = len(content) + (content.count(_DLE) if counts_doubled else 0)
    if length > NTT_LONGEST:
        raise CallerIdError(f"a message of NTT's format holds at most {NTT_LONGEST} bytes")
    dle = bytes([_DLE])
    message = (bytes([NTT_CALL, length]) + content).replace(dle, dle + dle)
    covered = _with_even_parity(b"\x07\x10\x02" + message + bytes([_DLE, _ETX]))
    return _with_even_parity(b"\x10\x01") + covered + ntt_crc(covered).to_bytes(2, "little")


def ntt(
    number: str | None = None,
    reason: Literal["P", "O", "C", "S"] | None = None,
    called_number: str | None = None,
    number_plan: bytes | None = None,
    called_number_plan: bytes | None = None,
) -> bytes:
    """A caller in NTT's format; what is None is not sent.

    Raises:
        CallerIdError: too long, or not ASCII.
    """
    rows = (
        (NttParameterType.NUMBER, number),
        (NttParameterType.NUMBER_PLAN, number_plan),
        (NttParameterType.NUMBER_ABSENT, reason),
        (NttParameterType.CALLED_NUMBER, called_number),
        (NttParameterType.CALLED_NUMBER_PLAN, called_number_plan),
    )
    content = b""
    for kind, value in rows:
        if value is not None:
            content += parameter(kind, value if isinstance(value, bytes) else _bytes_of(value))
    return ntt_frame(content)


@dataclass(frozen=True)
class DtmfScheme:
    """How caller ID is sent by DTMF: codes before each part, and the one at the end.

    Attributes:
        number: code before the caller's number, or none.
        forwarded_from: code before the redirecting number, None where it cannot be sent.
        absence: code before the reason, None where it cannot be sent.
        end: code at the end.
        reasons: digits of each reason that can be sent.
    """

    number: str
    forwarded_from: str | None
    absence: str | None
    end: str
    reasons: dict[str, str]


_INFORMATION = {"O": "00", "P": "10"}  # spandsp, Asterisk and Teltone: 00 not available, 10 restricted
DTMF_SCHEMES = {
    "a_to_c": DtmfScheme("A", "D", "B", "C", _INFORMATION),  # Telia's form, in nine countries
    "a_to_hash": DtmfScheme("A", None, "D", "#", {"P": "1", "I": "2", "O": "3"}),  # Denmark
    "d_to_c": DtmfScheme("D", None, "B", "C", _INFORMATION),  # Taiwan, Kuwait
    "number_to_hash": DtmfScheme("", None, None, "#", {}),  # Denmark, Netherlands
    "star_to_hash": DtmfScheme("*", None, None, "#", {}),  # PKTC-IETF-SIG-MIB
    "hash_to_c": DtmfScheme("#", None, None, "C", {}),  # PKTC-IETF-SIG-MIB
}


def dtmf_digits(
    scheme: str, number: str | None = None, reason: Reason | None = None, forwarded_from: str | None = None
) -> str:
    """The keys 0-9, A-D, * and # of a caller ID by DTMF; what is None is not sent.

    Args:
        scheme: one of DTMF_SCHEMES.

    Raises:
        CallerIdError: no such scheme, or one that cannot say this.
    """
    form = DTMF_SCHEMES.get(scheme)
    if form is None:
        raise CallerIdError(f"{scheme} is none of {', '.join(DTMF_SCHEMES)}")
    if number is None and reason is None:
        raise CallerIdError("a number or a reason is needed")
    digits = form.number + number if number is not None else ""
    if forwarded_from is not None:
        if form.forwarded_from is None:
            raise CallerIdError(f"{scheme} has no redirecting number")
        digits += form.forwarded_from + forwarded_from
    if reason is not None:
        if form.absence is None or reason not in form.reasons:
            raise CallerIdError(f"{scheme} has no reason {reason}")
        digits += form.absence + form.reasons[reason]
    return digits + form.end


def _with_even_parity(data: bytes) -> bytes:
    return bytes(byte | (byte.bit_count() & 1) << 7 for byte in data)


def _bytes_of(text: str) -> bytes:
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        raise CallerIdError("only Latin-1 text can be sent") from None
