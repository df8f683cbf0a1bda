"""Caller ID messages, byte by byte against the vectors of TELEPHONY 2.1."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tools.exchange.caller_id import CallerId, CallerIdError, checksum, framed, mdmf, parameter, sdmf

WHEN = "12011731"
NUMBER = "5555550123"
NAME = "SMITH JOHN"
DATE_HEX = "31 32 30 31 31 37 33 31"
NUMBER_HEX = "35 35 35 35 35 35 30 31 32 33"
NAME_HEX = "53 4D 49 54 48 20 4A 4F 48 4E"


@pytest.mark.parametrize(
    ("caller_id", "expected"),
    [
        (CallerId(NUMBER, date_time=WHEN), f"04 12 {DATE_HEX} {NUMBER_HEX} 56"),
        (CallerId(reason="P", date_time=WHEN), f"04 09 {DATE_HEX} 50 13"),
        (CallerId(reason="O", date_time=WHEN), f"04 09 {DATE_HEX} 4F 14"),
    ],
)
def test_sdmf(caller_id: CallerId, expected: str) -> None:
    assert sdmf(caller_id) == bytes.fromhex(expected)


@pytest.mark.parametrize(
    ("caller_id", "expected"),
    [
        (
            CallerId(NUMBER, NAME, date_time=WHEN),
            f"80 22 01 08 {DATE_HEX} 02 0A {NUMBER_HEX} 07 0A {NAME_HEX} D0",
        ),
        (
            CallerId(reason="P", name_reason="P", date_time=WHEN),
            f"80 10 01 08 {DATE_HEX} 04 01 50 08 01 50 29",
        ),
        (
            CallerId(reason="O", name_reason="O", date_time=WHEN),
            f"80 10 01 08 {DATE_HEX} 04 01 4F 08 01 4F 2B",
        ),
        (
            CallerId(NUMBER, name_reason="O", date_time=WHEN),
            f"80 19 01 08 {DATE_HEX} 02 0A {NUMBER_HEX} 08 01 4F 66",
        ),
    ],
)
def test_mdmf(caller_id: CallerId, expected: str) -> None:
    assert mdmf(caller_id) == bytes.fromhex(expected)


DATE = parameter(0x01, WHEN.encode())
CALLING = parameter(0x02, NUMBER.encode())


@pytest.mark.parametrize(
    ("message_type", "body", "expected"),
    [
        (
            0x80,
            DATE + CALLING + parameter(0x06, b"L") + parameter(0x07, NAME.encode()),
            f"80 25 01 08 {DATE_HEX} 02 0A {NUMBER_HEX} 06 01 4C 07 0A {NAME_HEX} 7A",
        ),
        (
            0x80,
            DATE + CALLING + parameter(0x03, b"15555550123") + parameter(0x05, b"\x01"),
            f"80 26 01 08 {DATE_HEX} 02 0A {NUMBER_HEX} 03 0B 31 {NUMBER_HEX} 05 01 01 67",
        ),
        (0x82, parameter(0x0B, b"\xff"), "82 03 0B 01 FF 70"),
        (0x82, parameter(0x0B, b"\x00"), "82 03 0B 01 00 6F"),
        (0x06, b"BBB", "06 03 42 42 42 31"),
        (0x06, b"ooo", "06 03 6F 6F 6F AA"),
        (
            0x80,
            parameter(0x11, b"\x01") + DATE + parameter(0x04, b"P"),
            f"80 10 11 01 01 01 08 {DATE_HEX} 04 01 50 6F",
        ),
    ],
    ids=[
        "long distance",
        "redirected",
        "VMWI on",
        "VMWI off",
        "SDMF VMWI on",
        "SDMF VMWI off",
        "ETSI withheld",
    ],
)
def test_messages_made_of_parameters(message_type: int, body: bytes, expected: str) -> None:
    assert framed(message_type, body) == bytes.fromhex(expected)


def test_a_number_or_name_hides_the_reason_why_there_is_none() -> None:
    assert mdmf(CallerId(NUMBER, NAME, "P", "P", WHEN)) == mdmf(CallerId(NUMBER, NAME, date_time=WHEN))


def test_an_empty_caller_is_an_empty_message() -> None:
    assert mdmf(CallerId()) == bytes([0x80, 0, 0x80])


@given(st.binary(max_size=255))
def test_the_sum_of_a_message_is_zero(body: bytes) -> None:
    message = framed(0x80, body)
    assert sum(message) % 256 == 0
    assert checksum(message) == 0
    assert len(message) == len(body) + 3


@pytest.mark.parametrize(
    "caller_id", [CallerId(NUMBER), CallerId(date_time=WHEN), CallerId("5" * 248, date_time=WHEN)]
)
def test_sdmf_refuses(caller_id: CallerId) -> None:
    with pytest.raises(CallerIdError):
        sdmf(caller_id)


@pytest.mark.parametrize("name", ["N" * 256, "N" * 254, "\N{SNOWMAN}"])
def test_mdmf_refuses(name: str) -> None:
    with pytest.raises(CallerIdError):
        mdmf(CallerId(name=name))
