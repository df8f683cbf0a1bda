"""The vectors of TELEPHONY 2.1 through the firmware's framers and parsers, to the last field."""

from __future__ import annotations

import pytest

from tests.host.callerid.reading import Fields, MessageReader, presented

WHEN = "12011731"
NUMBER = "5555550123"
NAME = "SMITH JOHN"
DATE_HEX = "31 32 30 31 31 37 33 31"
NUMBER_HEX = "35 35 35 35 35 35 30 31 32 33"
NAME_HEX = "53 4D 49 54 48 20 4A 4F 48 4E"
MDMF_DATE = f"01 08 {DATE_HEX}"
MDMF_NUMBER = f"02 0A {NUMBER_HEX}"


@pytest.mark.parametrize(
    ("text", "kind", "fields"),
    [
        (f"04 12 {DATE_HEX} {NUMBER_HEX} 56", "sdmf", {"date_time": WHEN, "number": NUMBER}),
        (f"04 09 {DATE_HEX} 50 13", "sdmf", {"date_time": WHEN, "reason": "P"}),
        (f"04 09 {DATE_HEX} 4F 14", "sdmf", {"date_time": WHEN, "reason": "O"}),
        (
            f"80 22 {MDMF_DATE} {MDMF_NUMBER} 07 0A {NAME_HEX} D0",
            "mdmf",
            {"date_time": WHEN, "number": NUMBER, "name": NAME},
        ),
        (
            f"80 25 {MDMF_DATE} {MDMF_NUMBER} 06 01 4C 07 0A {NAME_HEX} 7A",
            "mdmf",
            {"date_time": WHEN, "number": NUMBER, "name": NAME, "call_qualifier": "L"},
        ),
        (
            f"80 10 {MDMF_DATE} 04 01 50 08 01 50 29",
            "mdmf",
            {"date_time": WHEN, "reason": "P", "name_reason": "P"},
        ),
        (
            f"80 10 {MDMF_DATE} 04 01 4F 08 01 4F 2B",
            "mdmf",
            {"date_time": WHEN, "reason": "O", "name_reason": "O"},
        ),
        (
            f"80 19 {MDMF_DATE} {MDMF_NUMBER} 08 01 4F 66",
            "mdmf",
            {"date_time": WHEN, "number": NUMBER, "name_reason": "O"},
        ),
        (
            f"80 26 {MDMF_DATE} {MDMF_NUMBER} 03 0B 31 {NUMBER_HEX} 05 01 01 67",
            "mdmf",
            {
                "date_time": WHEN,
                "number": NUMBER,
                "dialable_number": "1" + NUMBER,
                "redirection_reason": "busy",
            },
        ),
        ("82 03 0B 01 FF 70", "mdmf", {"message_waiting": True, "visual_indicator": True}),
        ("82 03 0B 01 00 6F", "mdmf", {"message_waiting": False, "visual_indicator": False}),
        ("06 03 42 42 42 31", "sdmf", {"message_waiting": True}),
        ("06 03 6F 6F 6F AA", "sdmf", {"message_waiting": False}),
        (
            f"80 23 11 01 01 {MDMF_DATE} 02 0B 30 32 30 37 39 34 36 30 31 32 33 07 07 53 4D 49 54 48 20 4A 75",
            "mdmf",
            {"call_type": "voice", "date_time": WHEN, "number": "02079460123", "name": "SMITH J"},
        ),
        (
            f"80 10 11 01 01 {MDMF_DATE} 04 01 50 6F",
            "mdmf",
            {"call_type": "voice", "date_time": WHEN, "reason": "P"},
        ),
        # The published SDMF example with the checksum that it should have had.
        ("04 09 30 39 33 30 31 32 32 34 50 0E", "sdmf", {"date_time": "09301224", "reason": "P"}),
    ],
)
def test_fsk(reader: MessageReader, text: str, kind: str, fields: Fields) -> None:
    data = bytes.fromhex(text)
    answer = reader.fsk(data)
    assert answer["framed"]
    assert (answer["message"]["kind"], answer["message"]["message_type"]) == (kind, data[0])
    assert presented(answer) == fields


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("04 09 30 39 33 30 31 32 32 34 50 12", "checksum"),
        # The published MDMF example but for its telephone number; as it, 7 below the checksum that would hold.
        (
            f"80 20 01 08 30 33 32 34 30 39 30 32 07 08 4A 4F 48 4E 20 44 4F 45 {MDMF_NUMBER} 76",
            "checksum",
        ),
        ("80 0A 01 08 30 37 33 30 30 38 32 D6", "length"),
    ],
)
def test_the_wrong_ones_that_are_in_print_are_refused(reader: MessageReader, text: str, reason: str) -> None:
    assert reader.fsk(bytes.fromhex(text)) == {"error": reason}


def test_ntt(reader: MessageReader) -> None:
    frame = bytes.fromhex("90 81 87 90 82 C0 0A 82 88 B1 B2 33 B4 35 36 B7 B8 90 03 FA EE")
    answer = reader.ntt(frame)
    assert answer["framed"]
    assert (answer["message"]["kind"], answer["message"]["message_type"]) == ("ntt", 0x40)
    assert presented(answer) == {"number": "12345678"}
