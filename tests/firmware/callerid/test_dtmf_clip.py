"""Caller ID by DTMF: every scheme's strings, told apart; what households dial is none of them."""

import json
import random

import micropython
from star57.callerid.dtmf_clip import (
    A_TO_C,
    A_TO_HASH,
    ALL,
    AMBIGUOUS,
    D_TO_C,
    HASH_TO_C,
    NUMBER_TO_HASH,
    SCHEMES,
    STAR_TO_HASH,
    DtmfCallerId,
)
from star57.callerid.framing import GARBAGE, MESSAGE, NO_CARRIER, TRUNCATED

WINDOW = 8 * 60000
NUMBER = "5555550123"

# Digits, then number, reason, forwarded_from, schemes.
STRINGS = (
    ("A5555550123C", NUMBER, None, None, ["a_to_c"]),
    ("A123C", "123", None, None, ["a_to_c"]),
    ("A5555550123D5555550100C", NUMBER, None, "5555550100", ["a_to_c"]),
    ("A5555550123D5555550100B10C", NUMBER, "P", "5555550100", ["a_to_c"]),
    ("A5555550123B10D5555550100C", NUMBER, "P", "5555550100", ["a_to_c"]),
    ("AB10C", None, "P", None, ["a_to_c"]),
    ("B00C", None, "O", None, ["a_to_c", "d_to_c"]),
    ("B10C", None, "P", None, ["a_to_c", "d_to_c"]),
    ("A5555550123#", NUMBER, None, None, ["a_to_hash"]),
    ("D1#", None, "P", None, ["a_to_hash"]),
    ("D2#", None, "I", None, ["a_to_hash"]),
    ("D3#", None, "O", None, ["a_to_hash"]),
    ("D5555550123C", NUMBER, None, None, ["d_to_c"]),
    ("D0000000000C", None, "O", None, ["d_to_c"]),
)
NO_STRINGS = (
    "A12C",
    "D1C",
    "D4#",
    "D11#",
    "B11C",
    "B1C",
    "AC",
    "A#",
    "DC",
    "D#",
    "A123A456A",
    "A123D45C",
    "D555#",
)
DIALLED = (
    "*57",
    "1157",
    "5550123",
    "5550123#",
    "*57#",
    "#31#5550123",
    "*21*5550123#",
    "911",
    "0" * 30 + "#",
    "*#06#",
)


class Line:
    def __init__(self):
        self.results = []

    def caller(self, result):
        self.results.append(result)


def sound(receiver, digits, on_ms=70, off_ms=70):
    for digit in digits:
        receiver.digit(ord(digit), -10)
        receiver.advance(8 * on_ms)
        receiver.digit_end(ord(digit), 8 * on_ms)
        receiver.advance(8 * off_ms)


def listening(schemes=ALL, window=WINDOW):
    receiver = DtmfCallerId(None, schemes)
    receiver.listen(window)
    return receiver


def heard(digits, schemes=ALL):
    receiver = listening(schemes)
    sound(receiver, digits)
    return receiver.message() if receiver.result == MESSAGE else None


def test_every_scheme_with_all_at_once():
    for digits, number, reason, forwarded_from, schemes in STRINGS:
        message = heard(digits)
        assert message is not None, digits
        assert message.kind == "dtmf"
        assert (message.number, message.reason, message.forwarded_from) == (number, reason, forwarded_from), (
            digits
        )
        assert message.schemes == schemes, (digits, message.schemes)
        fields = message.as_dict()
        assert json.loads(json.dumps(fields)) == fields
        assert fields["schemes"] == schemes


def test_every_scheme_alone():
    for digits, number, _reason, _forwarded_from, schemes in STRINGS:
        for scheme in ALL:
            message = heard(digits, (scheme,))
            assert (message is not None) == (scheme.name in schemes), (digits, scheme.name)
            if message:
                assert message.number == number


def test_the_table():
    assert [scheme.name for scheme in ALL] == ["a_to_c", "a_to_hash", "d_to_c"]
    assert set(SCHEMES) == {scheme.name for scheme in ALL + AMBIGUOUS}
    for scheme in ALL:
        assert chr(scheme.number_lead) in "AD"
    countries = set()
    for scheme in ALL + AMBIGUOUS:
        countries |= set(scheme.countries)
    assert countries == set("SE FI IS BE NL BR IN SA UY DK TW KW".split())


def test_a_redirecting_number_alone_has_two_senses():
    """Telia's of a caller who is withheld, or a number that is: the schemes that listen decide, and are named."""
    digits = "D5555550100B10C"
    for schemes, number, forwarded_from in (
        ((A_TO_C,), None, "5555550100"),
        ((D_TO_C,), "5555550100", None),
        (ALL, None, "5555550100"),
    ):
        message = heard(digits, schemes)
        assert (message.number, message.reason, message.forwarded_from) == (number, "P", forwarded_from)
        assert message.schemes == [scheme.name for scheme in schemes if scheme is not A_TO_HASH]
    assert heard("D5555550100C", (A_TO_C,)) is None


def test_what_fits_no_scheme_is_no_caller():
    for digits in NO_STRINGS:
        assert heard(digits) is None, digits
        receiver = listening()
        sound(receiver, digits)
        receiver.advance(8 * 1000)
        sound(receiver, "A5555550123C")
        assert receiver.result == MESSAGE, digits
        assert receiver.message().number == NUMBER


def test_what_a_household_dials_is_no_caller():
    for digits in DIALLED:
        receiver = listening()
        sound(receiver, digits)
        receiver.advance(8 * 15000)
        assert receiver.result is None, digits
        sound(receiver, "D5555550123C")
        assert receiver.result == MESSAGE, digits


def test_random_household_dialling_is_no_caller():
    random.seed(57)
    receiver = listening(window=8 * 3600 * 1000)
    for _ in range(3000):
        receiver.digit(ord("0123456789*#"[random.randrange(12)]))
        receiver.advance(8 * 60)
        receiver.digit_end(0, 480)
        receiver.advance(8 * random.randrange(40, 900))
    assert receiver.result is None


def test_acknowledgement_and_later_dialling():
    receiver = listening()
    sound(receiver, "D")
    receiver.advance(8 * 3500)
    sound(receiver, "1#")
    assert receiver.result is None


def test_ambiguous_starts_only_when_asked_for():
    for digits, scheme in (
        ("5555550123#", NUMBER_TO_HASH),
        ("*5555550123#", STAR_TO_HASH),
        ("#5555550123C", HASH_TO_C),
    ):
        assert heard(digits) is None
        message = heard(digits, (scheme,))
        assert (message.number, message.schemes) == (NUMBER, [scheme.name])
        everything = heard(digits, ALL + AMBIGUOUS)
        assert (everything.number, everything.schemes) == (NUMBER, [scheme.name])
    for digits, number, reason, forwarded_from, _schemes in STRINGS:
        message = heard(digits, ALL + AMBIGUOUS)
        assert (message.number, message.reason, message.forwarded_from) == (number, reason, forwarded_from)


def test_a_pause_ends_a_number_without_an_end():
    receiver = listening((NUMBER_TO_HASH,))
    sound(receiver, NUMBER)
    receiver.advance(8 * 1900)
    assert receiver.result is None
    receiver.advance(8 * 100)
    assert receiver.result == MESSAGE
    assert receiver.message().number == NUMBER
    short = listening((NUMBER_TO_HASH,))
    sound(short, "12")
    short.advance(8 * 4000)
    assert short.result is None
    without = listening((A_TO_C, A_TO_HASH, D_TO_C))
    sound(without, "A" + NUMBER)
    without.advance(8 * 4000)
    assert without.result is None


def test_a_partial_string_is_dropped():
    receiver = listening()
    sound(receiver, "A555")
    receiver.advance(8 * 2900)
    sound(receiver, "0123C")
    assert receiver.message().number == "5550123"
    receiver = listening()
    sound(receiver, "A555")
    receiver.advance(8 * 3100)
    sound(receiver, "0123C")
    assert receiver.result is None
    receiver = listening()
    sound(receiver, "A5550123", 70, 1300)
    sound(receiver, "C")
    assert receiver.result is None
    receiver.advance(8 * 1000)
    sound(receiver, "A5550199C")
    assert receiver.message().number == "5550199"


def test_a_string_begins_afresh_with_a():
    assert heard("555A123A5550123C").number == "5550123"


def test_too_long():
    assert heard("A" + "5" * 20 + "C").number == "5" * 20
    assert heard("A" + "5" * 21 + "C") is None
    for length in (46, 47, 48, 49, 200):
        receiver = listening()
        sound(receiver, "A" + "5" * length, 40, 40)
        sound(receiver, "C")
        assert receiver.result is None
        sound(receiver, "A5550123C")
        assert receiver.result == MESSAGE


def test_lost_samples_cost_the_string_that_they_hit():
    receiver = listening()
    receiver.skip(8 * 200)
    sound(receiver, "D5550123C")
    assert receiver.result == MESSAGE
    for lost in (1, 8 * 30, 8 * 500):
        receiver = listening()
        sound(receiver, "A555")
        receiver.skip(lost)
        sound(receiver, "0123D5550100C")
        assert receiver.result is None, lost
        sound(receiver, "A5550123C")
        assert receiver.message().number == "5550123"
    receiver = listening()
    receiver.skip(8 * 600)
    sound(receiver, "D5550100C")
    assert receiver.result is None
    sound(receiver, "D5550123C")
    assert receiver.message().number == "5550123"


def test_the_window():
    receiver = DtmfCallerId()
    sound(receiver, "A5550123C")
    assert receiver.result is None
    for digits, result in (("", NO_CARRIER), ("5550123", GARBAGE), ("A555", TRUNCATED)):
        line = Line()
        receiver = DtmfCallerId(line)
        receiver.listen(8 * 2500)
        sound(receiver, digits)
        assert receiver.result is None
        receiver.advance(8 * 2500)
        assert receiver.result == result
        assert line.results == [result]
    line = Line()
    receiver = DtmfCallerId(line)
    receiver.listen(WINDOW)
    sound(receiver, "A5550123C")
    assert line.results == [MESSAGE]
    receiver.clear()
    sound(receiver, "A5550199C")
    assert receiver.result is None
    receiver.listen(WINDOW)
    sound(receiver, "A5550199C")
    assert receiver.message().number == "5550199"
    receiver.listen(WINDOW)
    receiver.close()
    sound(receiver, "A5550199C")
    assert receiver.result is None


def test_allocates_nothing():
    receiver = DtmfCallerId(None, ALL + AMBIGUOUS)
    strings = [b"A5555550123D5555550100B10C", b"D1#", b"5550123", b"*5550123#", b"A" + b"5" * 60 + b"C"]
    results = 0
    micropython.heap_lock()
    try:
        for codes in strings:
            receiver.listen(WINDOW)
            for i in range(len(codes)):
                receiver.digit(codes[i], -10)
                receiver.advance(480)
                receiver.digit_end(codes[i], 480)
                receiver.advance(480)
            receiver.skip(80)
            receiver.advance(8 * 4000)
            if receiver.result == MESSAGE:
                results += 1
            receiver.clear()
            receiver.close()
            receiver.reset()
    finally:
        micropython.heap_unlock()
    assert results == 3
