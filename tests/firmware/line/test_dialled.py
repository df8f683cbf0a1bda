"""The trace code, and every other number that is none of ours."""

import micropython
from star57.line.dialled import DialledDigits

CODES = ("*57", "1157")


class Sink:
    def __init__(self):
        self.codes = []

    def code_dialled(self, index):
        self.codes.append(CODES[index])


def dialled(*numbers, pause_samples=1600):
    """The codes that were recognised; a number is dialled after off-hook, "!" in it is a flash."""
    sink = Sink()
    digits = DialledDigits(sink, CODES)
    for number in numbers:
        digits.off_hook()
        for digit in number:
            if digit == "!":
                digits.off_hook()
            else:
                digits.digit(ord(digit))
            digits.advance(pause_samples)
        digits.on_hook()
    return sink.codes


def test_both_codes_are_recognised_with_their_last_digit():
    assert dialled("*57", "1157", "*570") == ["*57", "1157", "*57"]


def test_no_other_number_is():
    numbers = (
        "911",
        "*56",
        "*5",
        "157",
        "115",
        "1158",
        "11570"[:3],
        "9*57",
        "5555550157",
        "**57",
        "#57",
        "0",
        "1*57",
    )
    for number in numbers:
        assert dialled(number) == [], number


def test_digits_before_off_hook_are_nobodys():
    sink = Sink()
    digits = DialledDigits(sink, CODES)
    for digit in "*57":
        digits.digit(ord(digit))
    assert sink.codes == []


def test_a_pause_of_five_seconds_ends_it():
    assert dialled("*57", pause_samples=39000) == ["*57"]
    assert dialled("*57", pause_samples=41000) == []


def test_a_flash_begins_anew():
    assert dialled("911!*57") == ["*57"]


def test_random_digits_count_only_as_a_code_from_their_beginning():
    state = 57
    for _ in range(3000):
        digits = ""
        for _ in range(6):
            state = (state * 1103515245 + 12345) & 0x3FFFFFFF
            digits += "0157*#"[(state >> 20) % 6]
        assert dialled(digits) == [code for code in CODES if digits.startswith(code)], digits


def test_without_a_code_nothing_is_recognised():
    sink = Sink()
    digits = DialledDigits(sink, [])
    digits.off_hook()
    for digit in "*57":
        digits.digit(ord(digit))
    assert sink.codes == []


def test_digits_without_end_are_forgotten():
    sink = Sink()
    digits = DialledDigits(sink, CODES)
    digits.off_hook()
    micropython.heap_lock()
    for _ in range(10_000):
        digits.digit(ord("5"))
        digits.advance(160)
    micropython.heap_unlock()
    assert sink.codes == []
