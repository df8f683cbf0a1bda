"""What messages say, by the vectors of the standards' tables, and what hostile ones may not do."""

import json
import random

from star57.callerid.message import (
    CLASS_ANY,
    CLASS_DATE,
    CLASS_NUMBER,
    CLASS_REASON,
    CLASS_TEXT,
    MDMF_PARAMETERS,
    NTT_PARAMETERS,
    Message,
    MessageError,
    byte_fits,
    content_class,
    parse,
    parse_ntt,
)

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
        {"number": NUMBER, "name": "SMITH JOHN", "call_qualifier": "L"},
    ),
    ("80 10 01 08 31 32 30 31 31 37 33 31 04 01 50 08 01 50 29", {"reason": "P", "name_reason": "P"}),
    ("80 10 01 08 31 32 30 31 31 37 33 31 04 01 4F 08 01 4F 2B", {"reason": "O", "name_reason": "O"}),
    (
        "80 19 01 08 31 32 30 31 31 37 33 31 02 0A 35 35 35 35 35 35 30 31 32 33 08 01 4F 66",
        {"number": NUMBER, "name_reason": "O"},
    ),
    (
        "802601083132303131373331020A35353535353530313233030B313535353535353031323305010167",
        {"number": NUMBER, "dialable_number": "15555550123", "redirection_reason": "busy"},
    ),
    (
        "802311010101083132303131373331020B30323037393436303132330707534D495448204A75",
        {"number": "02079460123", "name": "SMITH J", "call_type": "voice"},
    ),
    (
        "80 10 11 01 01 01 08 31 32 30 31 31 37 33 31 04 01 50 6F",
        {"reason": "P", "call_type": "voice"},
    ),
)
# Bytes, kind, message_waiting, visual_indicator.
WAITING = (
    ("82 03 0B 01 FF 70", "mdmf", True, True),
    ("82 03 0B 01 00 6F", "mdmf", False, False),
    ("06 03 42 42 42 31", "sdmf", True, None),
    ("06 03 6F 6F 6F AA", "sdmf", False, None),
)
NTT = "90 81 87 90 82 C0 0A 82 88 B1 B2 33 B4 35 36 B7 B8 90 03 FA EE"

# One sense of every parameter: type, bytes, field, what it says.
SENSES = (
    (0x01, b"12011731", "date_time", DATE_TIME),
    (0x02, b"5555550123", "number", NUMBER),
    (0x02, b"+1 (555) 555-0123", "number", "+1 (555) 555-0123"),
    (0x02, b"5" * 23, "number", "5" * 23),
    (0x02, b"I", "reason", "I"),
    (0x02, b" P ", "reason", "P"),
    (0x03, b"5555550199", "called_number", "5555550199"),
    (0x04, b"O", "reason", "O"),
    (0x04, b"C", "reason", "C"),
    (0x05, b"\x00", "redirection_reason", "unconditional"),
    (0x05, b"2", "redirection_reason", "no_reply"),
    (0x05, b"\x05", "redirection_reason", "deflected"),
    (0x06, b"L", "call_qualifier", "L"),
    (0x07, b"M\xfcLLER", "name", "M\xfcLLER"),
    (0x08, b"P", "name_reason", "P"),
    (0x09, b"\x01\xab", "alternate_route", "01ab"),
    (0x0B, b"\xff", "visual_indicator", True),
    (0x0B, b"\x00", "visual_indicator", False),
    (0x0D, b"\xff\x12\x34", "message_id", "ff1234"),
    (0x0E, b"5550100", "last_message_number", "5550100"),
    (0x0F, b"12011731", "complementary_date_time", "12011731"),
    (0x0F, b"1201173159", "complementary_date_time", "1201173159"),
    (0x10, b"5550101", "complementary_number", "5550101"),
    (0x11, b"\x01", "call_type", "voice"),
    (0x11, b"\x07", "call_type", "reverse_charge"),
    (0x11, b"\x10", "call_type", "external"),
    (0x11, b"\x81", "call_type", "message_waiting"),
    (0x12, b"5550102", "first_called_number", "5550102"),
    (0x13, b"\x00", "number_of_messages", 0),
    (0x13, b"\xff", "number_of_messages", 255),
    (0x15, b"\x00", "forwarded_type", "unknown"),
    (0x15, b"\x06", "forwarded_type", "mobile_unreachable"),
    (0x16, b"\x00", "caller_type", "unknown"),
    (0x16, b"\x0f", "caller_type", "pay_phone"),
    (0x1A, b"5550103", "forwarded_from", "5550103"),
    (0x20, b"EUR 1.20", "charge", "EUR 1.20"),
    (0x21, b"EUR 0.10", "additional_charge", "EUR 0.10"),
    (0x23, b"000142", "duration", "000142"),
    (0x30, b"PTT", "network_provider", "PTT"),
    (0x31, b"CARRIER", "carrier", "CARRIER"),
    (0x40, b"\x01\x02", "terminal_function", "0102"),
    (0x50, b"\x04WELCOME", "display_information", "WELCOME"),
    (0x50, b"\x85WELCOME", "display_information", "WELCOME"),
    (0x50, b"WELCOME", "display_information", "WELCOME"),
    (0x55, b"\x01", "service_information", 1),
    (0xE0, b"\x00\x01", "network_extension", "0001"),
)
NONSENSE = (
    (0x02, b""),
    (0x02, b"5" * 24),
    (0x02, b"55X"),
    (0x02, b"***"),
    (0x02, b"L"),
    (0x03, b"P"),
    (0x04, b"X"),
    (0x04, b""),
    (0x04, b"PO"),
    (0x05, b"\x06"),
    (0x05, b"9"),
    (0x05, b"\x01\x01"),
    (0x06, b"P"),
    (0x07, b""),
    (0x08, b"\x50\x00"),
    (0x0B, b"\x01"),
    (0x0B, b""),
    (0x0D, b"1234"),
    (0x0F, b"1201173160"),
    (0x0F, b"120117311"),
    (0x0F, b"13011731"),
    (0x11, b"\x08"),
    (0x13, b"\x01\x02"),
    (0x15, b"\x07"),
    (0x16, b"\x10"),
    (0x23, b"1:42"),
    (0x50, b"\x04"),
    (0x99, b"5550123"),
)


def octets(text):
    return bytes.fromhex(text.replace(" ", ""))


def sealed(data):
    return data + bytes([-sum(data) & 0xFF])


def mdmf(*parameters, message_type=0x80):
    body = b"".join([bytes([parameter_type, len(value)]) + value for parameter_type, value in parameters])
    return sealed(bytes([message_type, len(body)]) + body)


def crc(data):
    value = 0
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ (0x8408 if value & 1 else 0)
    return bytes([value & 0xFF, value >> 8])


def with_parity(data):
    return bytes([byte & 0x7F | (0x80 if bin(byte & 0x7F).count("1") & 1 else 0) for byte in data])


def ntt(*parameters, message_type=0x40, length=None):
    body = b"".join([bytes([parameter_type, len(value)]) + value for parameter_type, value in parameters])
    content = bytes([message_type, len(body) if length is None else length]) + body
    covered = with_parity(b"\x07\x10\x02" + content.replace(b"\x10", b"\x10\x10") + b"\x10\x03")
    return b"\x90\x81" + covered + crc(covered)


def reason_of(data, read=parse):
    try:
        read(data)
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


def test_every_parameter():
    for parameter_type, value, field, content in SENSES:
        message = parse(mdmf((parameter_type, value)))
        assert getattr(message, field) == content, (parameter_type, value, getattr(message, field))
        assert message.unknown == []
        assert message.as_dict()[field] == content
    assert {row[0] for row in MDMF_PARAMETERS} == {sense[0] for sense in SENSES}


def test_all_parameters_at_once_in_any_order():
    parameters = {parameter_type: (value, field, content) for parameter_type, value, field, content in SENSES}
    parameters[0x02] = (b"5555550123", "number", NUMBER)
    codes = sorted(parameters)
    random.seed(57)
    for _ in range(30):
        for place in range(len(codes)):
            other = random.randrange(len(codes))
            codes[place], codes[other] = codes[other], codes[place]
        message = parse(mdmf(*[(code, parameters[code][0]) for code in codes]))
        assert message.unknown == []
        for code in codes:
            _, field, content = parameters[code]
            assert getattr(message, field) == content, (codes, field)


def test_nonsense_is_kept_as_it_is():
    for parameter_type, value in NONSENSE:
        message = parse(mdmf((parameter_type, value)))
        assert message.unknown == [(parameter_type, value)]
        fields = message.as_dict()
        assert [
            field for field in fields if field not in ("kind", "message_type", "unknown") and fields[field]
        ] == []


def test_fields_and_their_defaults():
    message = Message("mdmf", 0x80)
    for _, field, _, _, longest, _, source in MDMF_PARAMETERS + NTT_PARAMETERS:
        assert getattr(message, field) is None
        assert 1 <= longest <= 255
        assert source
    assert sorted(message.as_dict()) == sorted(
        "kind message_type number name reason name_reason date_time call_waiting forwarded_from unknown".split()
    )


def test_parameter_03_is_the_callers_or_the_called_line():
    number = (0x02, b"5555550123")
    for value, is_dialable in (
        (b"15555550123", True),
        (b"5550123", True),
        (b"5550124", False),
        (b"0123", False),
    ):
        for parameters in ((number, (0x03, value)), ((0x03, value), number)):
            message = parse(mdmf(*parameters))
            found = message.dialable_number if is_dialable else message.called_number
            assert found == value.decode()
            assert (message.dialable_number is None) != is_dialable


def test_message_waiting():
    for text, kind, waiting, indicator in WAITING:
        message = parse(octets(text))
        assert message.kind == kind
        assert (message.message_waiting, message.visual_indicator) == (waiting, indicator)
        assert message.unknown == []
        assert message.number is None
        assert message.as_dict()["message_waiting"] == waiting


def test_message_waiting_by_the_number_of_messages():
    for count in (0, 1, 255):
        message = parse(mdmf((0x13, bytes([count])), message_type=0x82))
        assert message.message_waiting == (count > 0)
        assert message.number_of_messages == count
    both = parse(mdmf((0x13, b"\x03"), (0x0B, b"\x00"), message_type=0x82))
    assert (both.message_waiting, both.number_of_messages) == (False, 3)
    assert parse(mdmf((0x13, b"\x03"))).message_waiting is None
    assert parse(mdmf(message_type=0x82)).message_waiting is None


def test_sdmf_that_says_nothing_known():
    for message_type, body in ((0x06, b"BBo"), (0x06, b"B"), (0x06, b""), (0x0B, b"BBB")):
        message = parse(sealed(bytes([message_type, len(body)]) + body))
        assert message.message_waiting is None
        assert message.unknown == [(message_type, body)]


def test_wrong_checksums():
    for text in (
        "04 09 30 39 33 30 31 32 32 34 50 12",
        "80200108303332343039303207084A4F484E20444F45020A3535353535353031323376",
    ):
        assert reason_of(octets(text)) == "checksum"
    assert reason_of(octets("80 0A 01 08 30 37 33 30 30 38 32 D6")) == "length"
    # With the checksum that the first of them should have had.
    message = parse(octets("04 09 30 39 33 30 31 32 32 34 50 0E"))
    assert (message.date_time, message.reason) == ("09301224", "P")


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


def test_one_letter_may_be_a_name():
    assert parse(mdmf((0x07, b"I"))).name == "I"


def test_every_reason():
    for letter in "POCSI":
        message = parse(mdmf((0x04, letter.encode()), (0x08, letter.encode())))
        assert (message.reason, message.name_reason) == (letter, letter)
        assert parse(mdmf((0x02, letter.encode()))).reason == letter
        assert parse(sealed(b"\x04\x09" + b"12011731" + letter.encode())).reason == letter


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
    assert message.display_information == "D" * 51
    assert parse(mdmf((0x50, b"D" * 253))).display_information == "D" * 253
    assert len(parse(mdmf(*[(0x99, b"")] * 127)).unknown) == 127


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
    assert fields["call_qualifier"] == "L"
    fields = parse(mdmf((0x99, b"\x00L"), (0x07, bytes(range(256))[1:250]))).as_dict()
    assert json.loads(json.dumps(fields)) == fields
    assert fields["unknown"] == [[0x99, "004c"]]
    # MicroPython's b"".hex() is no text.
    assert parse(mdmf((0x99, b""))).as_dict()["unknown"] == [[0x99, ""]]


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


def test_ntt():
    assert ntt((0x02, b"12345678")) == octets(NTT)
    message = parse_ntt(octets(NTT))
    assert (message.kind, message.message_type, message.number) == ("ntt", 0x40, "12345678")
    message = parse_ntt(
        ntt((0x22, b"215"), (0x09, b"0355550100"), (0x77, b"X"), (0x02, b"0355550123"), (0x21, b"\x10\x11"))
    )
    assert (message.number, message.number_plan) == ("0355550123", "1011")
    assert (message.called_number, message.called_number_plan) == ("0355550100", "323135")
    assert message.unknown == [(0x77, b"X")]
    fields = message.as_dict()
    assert json.loads(json.dumps(fields)) == fields
    for letter in "POCS":
        assert parse_ntt(ntt((0x04, letter.encode()))).reason == letter
    assert parse_ntt(ntt((0x04, b"X"))).unknown == [(0x04, b"X")]
    assert parse_ntt(ntt()).number is None


def test_ntt_doubles_dle():
    for parameters in (((0x10, b"\x10"),), ((0x21, b"\x10" * 16),), ((0x02, b"0355550123"), (0x33, b"1234"))):
        data = ntt(*parameters)
        message = parse_ntt(data)
        assert len(message.unknown) == len([row for row in parameters if row[0] in (0x10, 0x33)])
    value = b"0" * 14  # with its type and length: sixteen bytes, a length that is a DLE itself
    assert parse_ntt(ntt((0x02, value))).number == "0" * 14
    # A sender may count a doubled byte twice.
    data = (0x21, b"\x10\x10")
    assert parse_ntt(ntt(data, length=6)).number_plan == "1010"
    for length in (3, 5, 7):
        assert reason_of(ntt(data, length=length), parse_ntt) == "length"
    # A length that is itself a DLE, and doubled, gives no leave to be one too many.
    assert reason_of(ntt((0x02, b"0" * 13), length=16), parse_ntt) == "length"


def test_ntt_longest():
    data = ntt((0x10, b"\x10" * 16), (0x11, b"\x10" * 107))
    message = parse_ntt(data)
    assert message.unknown[1] == (0x11, b"\x10" * 107)
    assert reason_of(bytes(267), parse_ntt) == "length"


def test_ntt_malformed():
    data = octets(NTT)
    assert reason_of(b"", parse_ntt) == "length"
    assert reason_of(data[:-1], parse_ntt) == "checksum"
    for place in range(len(data)):
        for bit in range(8):
            wrong = bytearray(data)
            wrong[place] ^= 1 << bit
            assert reason_of(wrong, parse_ntt) in ("checksum", "parity"), (place, bit)
    covered = bytearray(data[2:-2])
    covered[6] ^= 0x80
    assert reason_of(data[:2] + covered + crc(covered), parse_ntt) == "parity"
    assert reason_of(ntt((0x02, b"1"), message_type=0x41), parse_ntt) == "message type"
    assert reason_of(ntt(length=1), parse_ntt) == "length"
    body = ntt((0x02, b"1"))
    assert parse_ntt(body).number == "1"
    covered = with_parity(b"\x07\x10\x02\x40\x02\x02\x05\x10\x03")
    assert reason_of(b"\x90\x81" + covered + crc(covered), parse_ntt) == "parameter cut short"
    for content in (b"\x40\x01\x10\x11", b"\x40\x00\x10"):
        covered = with_parity(b"\x07\x10\x02" + content + b"\x10\x03")
        assert reason_of(b"\x90\x81" + covered + crc(covered), parse_ntt) == "frame"
    covered = with_parity(b"\x07\x10\x02\x40\x00\x10\x04")
    assert reason_of(b"\x90\x81" + covered + crc(covered), parse_ntt) == "frame"


def test_content_classes():
    classes = {
        CLASS_DATE: (0x01,),
        CLASS_NUMBER: (0x02, 0x03, 0x0E, 0x0F, 0x10, 0x12, 0x1A, 0x23),
        CLASS_REASON: (0x04, 0x08),
        CLASS_TEXT: (0x06, 0x07, 0x20, 0x21, 0x30, 0x31),
        CLASS_ANY: (0x05, 0x09, 0x0B, 0x0D, 0x11, 0x13, 0x15, 0x16, 0x40, 0x50, 0x55, 0xE0, 0x99),
    }
    for content, parameter_types in classes.items():
        for parameter_type in parameter_types:
            assert content_class(parameter_type) == content, parameter_type


def test_what_makes_sense_fits_its_class():
    for parameter_type, value, field, _content in SENSES:
        if value.strip() == value:
            content = content_class(parameter_type)
            for place in range(len(value)):
                assert byte_fits(content, place, value[place]) is True, (parameter_type, place)


def test_bytes_that_do_not_fit():
    for content, place, byte in (
        (CLASS_DATE, 0, ord("2")),
        (CLASS_DATE, 2, ord("4")),
        (CLASS_DATE, 4, ord("3")),
        (CLASS_DATE, 6, ord("6")),
        (CLASS_DATE, 1, ord(":")),
        (CLASS_DATE, 8, ord("0")),
        (CLASS_NUMBER, 0, ord("A")),
        (CLASS_NUMBER, 1, ord("P")),
        (CLASS_NUMBER, 1, 0xB5),
        (CLASS_REASON, 0, ord("L")),
        (CLASS_REASON, 1, ord("P")),
        (CLASS_TEXT, 0, 0x1F),
        (CLASS_TEXT, 0, 0x7F),
        (CLASS_TEXT, 0, 0x9F),
    ):
        assert byte_fits(content, place, byte) is False, (content, place, byte)
    for byte in range(256):
        assert byte_fits(CLASS_ANY, 0, byte) is True
    assert byte_fits(CLASS_TEXT, 40, 0xA0)
    assert byte_fits(CLASS_DATE, 1, ord("9"))
