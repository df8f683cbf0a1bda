"""What messages say, by the vectors of the standards' tables, and what hostile ones may not do."""

import json
import random

from star57.callerid.message import MessageError, parse

DATE_TIME = "12011731"
NUMBER = "5555550123"

# Bytes, then the fields that are not at their default.
CALLS = (
    ("04 12 31 32 30 31 31 37 33 31 35 35 35 35 35 35 30 31 32 33 56", {"number": NUMBER}),
    ("04 09 31 32 30 31 31 37 33 31 50 13", {"reason": "P"}),
    ("04 09 31 32 30 31 31 37 33 31 4F 14", {"reason": "O"}),
    (
        "802201083132303131373331020A35353535353530313233070A534D495448204A4F484ED0",
        {"number": NUMBER, "name": "SMITH JOHN"},
    ),
    (
        "802501083132303131373331020A3535353535353031323306014C070A534D495448204A4F484E7A",
        {"number": NUMBER, "name": "SMITH JOHN", "unknown": [(0x06, b"L")]},
    ),
    ("80 10 01 08 31 32 30 31 31 37 33 31 04 01 50 08 01 50 29", {"reason": "P", "name_reason": "P"}),
    ("80 10 01 08 31 32 30 31 31 37 33 31 04 01 4F 08 01 4F 2B", {"reason": "O", "name_reason": "O"}),
    (
        "80 19 01 08 31 32 30 31 31 37 33 31 02 0A 35 35 35 35 35 35 30 31 32 33 08 01 4F 66",
        {"number": NUMBER, "name_reason": "O"},
    ),
    (
        "802601083132303131373331020A35353535353530313233030B313535353535353031323305010167",
        {"number": NUMBER, "unknown": [(0x03, b"15555550123"), (0x05, b"\x01")]},
    ),
    (
        "802311010101083132303131373331020B30323037393436303132330707534D495448204A75",
        {"number": "02079460123", "name": "SMITH J", "unknown": [(0x11, b"\x01")]},
    ),
    (
        "80 10 11 01 01 01 08 31 32 30 31 31 37 33 31 04 01 50 6F",
        {"reason": "P", "unknown": [(0x11, b"\x01")]},
    ),
)
WAITING = (
    ("82 03 0B 01 FF 70", "mdmf", (0x0B, b"\xff")),
    ("82 03 0B 01 00 6F", "mdmf", (0x0B, b"\x00")),
    ("06 03 42 42 42 31", "sdmf", (0x06, b"BBB")),
    ("06 03 6F 6F 6F AA", "sdmf", (0x06, b"ooo")),
)


def octets(text):
    return bytes.fromhex(text.replace(" ", ""))


def sealed(data):
    return data + bytes([-sum(data) & 0xFF])


def mdmf(*parameters):
    body = b"".join([bytes([parameter_type, len(value)]) + value for parameter_type, value in parameters])
    return sealed(bytes([0x80, len(body)]) + body)


def reason_of(data):
    try:
        parse(data)
    except MessageError as error:
        return error.reason
    return None


def test_calls():
    defaults = {
        "number": None,
        "name": None,
        "reason": None,
        "name_reason": None,
        "date_time": DATE_TIME,
        "call_waiting": False,
        "forwarded_from": None,
        "unknown": [],
    }
    for text, fields in CALLS:
        message = parse(octets(text))
        assert message.kind == ("sdmf" if text.startswith("04") else "mdmf")
        assert message.message_type == int(text[:2], 16)
        for field, default in defaults.items():
            assert getattr(message, field) == fields.get(field, default), (text, field)


def test_message_waiting_is_kept_as_it_is():
    for text, kind, parameter in WAITING:
        message = parse(octets(text))
        assert message.kind == kind
        assert message.unknown == [parameter]
        assert message.number is None


def test_wrong_checksums():
    for text in (
        "04 09 30 39 33 30 31 32 32 34 50 12",
        "80200108303332343039303207084A4F484E20444F45020A3535353535353031323376",
    ):
        assert reason_of(octets(text)) == "checksum"
    assert reason_of(octets("80 0A 01 08 30 37 33 30 30 38 32 D6")) == "length"


def test_any_order():
    parameters = [(0x01, b"12011731"), (0x02, b"5555550123"), (0x07, b"JANE DOE"), (0x99, b"\x00\x01")]
    for turn in range(4):
        message = parse(mdmf(*(parameters[turn:] + parameters[:turn])))
        assert (message.number, message.name, message.date_time) == (NUMBER, "JANE DOE", DATE_TIME)
        assert message.unknown == [(0x99, b"\x00\x01")]


def test_absence_in_the_place_of_what_is_absent():
    message = parse(mdmf((0x02, b"P"), (0x07, b"O")))
    assert (message.number, message.reason) == (None, "P")
    assert (message.name, message.name_reason) == (None, "O")


def test_a_name_may_begin_with_p():
    assert parse(mdmf((0x07, b"PO"))).name == "PO"


def test_other_reasons_are_kept():
    message = parse(mdmf((0x04, b"S"), (0x08, b"C")))
    assert message.reason is None
    assert message.unknown == [(0x04, b"S"), (0x08, b"C")]


def test_the_first_of_two_counts():
    message = parse(mdmf((0x02, b"5555550123"), (0x02, b"5555550199")))
    assert message.number == NUMBER
    assert message.unknown == [(0x02, b"5555550199")]


def test_redirecting_number():
    assert parse(mdmf((0x02, b"5555550123"), (0x1A, b"5555550100"))).forwarded_from == "5555550100"


def test_dates_that_are_none():
    for value in (
        b"13011731",
        b"00011731",
        b"12321731",
        b"12012431",
        b"12011760",
        b"1201173",
        b"120117311",
        b"1201 731",
    ):
        message = parse(mdmf((0x01, value)))
        assert message.date_time is None
        assert message.unknown == [(0x01, value)]


def test_text_never_raises():
    every = bytes(range(1, 250))
    name = parse(mdmf((0x07, every))).name
    assert len(name) == len(every)
    assert name[0x40] == "A"
    assert name[0x00] == name[0x1E] == name[0x7E] == name[0x9E] == "?"
    assert name[0xE8] == "\xe9"


def test_empty_fields_are_absent():
    message = parse(mdmf((0x02, b""), (0x07, b"")))
    assert message.number is None
    assert message.name is None
    assert parse(sealed(b"\x04\x08" + b"12011731")).number is None
    assert parse(mdmf()).as_dict()["unknown"] == []


def test_longest():
    data = mdmf((0x07, b"N" * 200), (0x50, b"D" * 51))
    assert len(data) == 258
    message = parse(data)
    assert message.name == "N" * 200
    assert message.unknown == [(0x50, b"D" * 51)]


def test_malformed():
    assert reason_of(b"") == "length"
    assert reason_of(b"\x80\x00") == "length"
    assert reason_of(mdmf()[:-1]) == "length"
    assert reason_of(mdmf() + b"\x00") == "length"
    assert reason_of(sealed(b"\x80\x01\x02")) == "parameter cut short"
    assert reason_of(sealed(b"\x80\x03\x02\x0a5")) == "parameter cut short"
    assert reason_of(sealed(b"\x04\x07" + b"1201173")) == "too short"
    assert reason_of(sealed(b"\x20\x00")) == "message type"


def test_as_dict_is_fit_for_json():
    fields = parse(octets(CALLS[4][0])).as_dict()
    assert json.loads(json.dumps(fields)) == fields
    assert fields["unknown"] == [[6, "4c"]]


def test_random_bytes():
    """Random bytes, half with a right length and checksum: MessageError or a message, nothing else."""
    random.seed(57)
    parsed = 0
    for _ in range(20000):
        body = bytes([random.getrandbits(8) >> random.getrandbits(2) for _ in range(random.getrandbits(5))])
        if random.getrandbits(1):
            data = sealed(bytes([0x80 if random.getrandbits(1) else 0x04, len(body)]) + body)
        else:
            data = body
        try:
            json.dumps(parse(data).as_dict())
            parsed += 1
        except MessageError:
            pass
    assert 500 < parsed < 10000
