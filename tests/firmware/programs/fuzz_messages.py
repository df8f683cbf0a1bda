"""Random, truncated and mutated messages through every parser of caller ID.

Nothing but MessageError may come out of one, what it says of a message must be true of the bytes, and no memory may
stay behind. The environment variables STAR57_FUZZ_CASES, STAR57_FUZZ_SEED and STAR57_FUZZ_FIRST say how many cases,
of which seed, from which on; the answer is one line of JSON. Whatever is counted has its name before the first case:
an outcome without a name, such as an error of another name, ends the run.
"""

import gc
import json
import os
import sys

from random_callers import (
    KEYS,
    Chance,
    damaged,
    dtmf_string,
    fsk_message,
    ntt_around,
    ntt_frame,
    ntt_sealed,
    sealed,
    with_a_lying_length,
)
from star57.callerid.dtmf_clip import ALL, AMBIGUOUS, SCHEMES, DtmfCallerId
from star57.callerid.framing import (
    CHECKSUM_WRONG,
    GARBAGE,
    MESSAGE,
    NO_CARRIER,
    NTT_HEADER,
    TRUNCATED,
    Framer,
    NttFramer,
)
from star57.callerid.message import (
    MDMF_PARAMETERS,
    NTT_PARAMETERS,
    REASONS,
    MessageError,
    parse,
    parse_ntt,
)

_WARM_UP_CASES = 2000
_CHECK_EVERY = 20000
_WINDOW_SAMPLES = 8 * 60000
_DIALLED = "0123456789*#+ -()."
_LETTERS = ("reason", "name_reason")
_NUMBERS = (
    "number",
    "dialable_number",
    "called_number",
    "forwarded_from",
    "first_called_number",
    "complementary_number",
    "last_message_number",
)
_ERRORS = {
    "fsk": ("length", "checksum", "message type", "too short", "parameter cut short"),
    "ntt": ("length", "checksum", "message type", "parity", "frame", "parameter cut short"),
}
# The types that a framer takes for the start of a message, and the mark that it needs before one in any case.
_FRAMED_TYPES = b"\x04\x06\x0b\x80\x81\x82\x86\x89"
_ENOUGH_MARKS = 32
# What a framer has checked, and so no message of its may fail by.
_CHECKED_BY_FRAMER = ("checksum", "parity")
_RESULTS = {
    None: "none",
    MESSAGE: "message",
    CHECKSUM_WRONG: "checksum wrong",
    TRUNCATED: "truncated",
    GARBAGE: "garbage",
    NO_CARRIER: "no carrier",
}


# What only a case that reaches deep has: of messages that were parsed.
_DEPTHS = (
    "FSK message of 258 bytes",
    "FSK parameter of 100 bytes or more",
    "letter in the place of a number",
    "letter in the place of a name",
    "name with letters beyond ASCII",
    "NTT frame of 150 bytes or more",
    "NTT frame with a doubled byte",
    "NTT length that counts doubled bytes twice",
)


class Failed(Exception):
    """What a parser may not do, and the case that made it."""


class Fuzz:
    """The parsers and framers, made once, and what became of the cases."""

    def __init__(self, seed):
        self.seed = seed
        self.framers = {"fsk": Framer(), "ntt": NttFramer()}
        self.dtmf = DtmfCallerId(None, ALL + AMBIGUOUS)
        self.forms = {"fsk": 0, "ntt": 0, "dtmf": 0}
        outcomes = [kind + " parsed" for kind in ("sdmf", "mdmf", "ntt")]
        outcomes += [form + " refused: " + reason for form in _ERRORS for reason in _ERRORS[form]]
        for form in self.framers:
            outcomes += [
                form + " framed: " + _RESULTS[result] for result in (None, MESSAGE, CHECKSUM_WRONG, TRUNCATED)
            ]
        outcomes += ["dtmf: " + name for name in _RESULTS.values() if name != "checksum wrong"]
        outcomes += ["dtmf scheme: " + name for name in SCHEMES]
        self.outcomes = dict.fromkeys(outcomes, 0)
        fields = [row[1] for row in MDMF_PARAMETERS + NTT_PARAMETERS]
        self.fields = dict.fromkeys(fields + ["dialable_number", "message_waiting", "unknown"], 0)
        self.depths = dict.fromkeys(_DEPTHS, 0)

    def case(self, number):
        chance = Chance(self.seed, number)
        form = ("fsk", "fsk", "ntt", "ntt", "dtmf")[chance.below(5)]
        self.forms[form] += 1
        data = b""
        try:
            if form == "dtmf":
                data = _keys(chance)
                self._hear_keys(chance, data)
            else:
                data = _fsk(chance) if form == "fsk" else _ntt(chance)
                is_whole = self._parse(chance, data, form)
                # Messages of one format reach the framer of the other, too.
                if chance.once_in(8):
                    self._frame(chance, data, "fsk" if form == "ntt" else "ntt", False)
                else:
                    self._frame(chance, data, form, is_whole and (form == "ntt" or data[0] in _FRAMED_TYPES))
        except Exception as fault:  # noqa: BLE001 - whatever a parser raises is what is looked for
            sys.print_exception(fault, sys.stderr)
            raise Failed(f"case {number} of seed {self.seed}: {fault!r}: {data.hex()}")

    def _parse(self, chance, data, form):
        """Whether it is a message."""
        before = bytes(data)
        try:
            message = (parse_ntt if form == "ntt" else parse)(data)
        except MessageError as fault:
            self.outcomes[form + " refused: " + fault.reason] += 1
            return False
        finally:
            if data != before:
                raise Failed("the bytes were changed")
        self.outcomes[message.kind + " parsed"] += 1
        fields = message.as_dict()
        self._check(fields)
        if chance.once_in(16) and json.loads(json.dumps(fields)) != fields:
            raise Failed("JSON does not hold it")
        for depth in _depths(data, message):
            self.depths[depth] += 1
        if message.kind == "mdmf":
            _check_that_nothing_is_lost(data[2:-1], message)
        return True

    def _check(self, fields):
        for field in fields:
            content = fields[field]
            if content in (None, [], False) or field in ("kind", "message_type", "schemes"):
                continue
            self.fields[field] += 1
            if field in _NUMBERS:
                _check_letters(content, _DIALLED)
            elif field in _LETTERS:
                _check_letters(content, REASONS)
            elif isinstance(content, str):
                _check_text(content)

    def _frame(self, chance, data, form, is_message):
        framer = self.framers[form]
        if chance.once_in(4):
            framer.reset(chance.once_in(2))
        framer.carrier(1)
        marks = chance.below(120)
        framer.marks(marks)
        is_undisturbed = True
        for value in data:
            framer.byte(value, chance.below(256))
            if chance.once_in(200):
                is_undisturbed = False
                _disturb(chance, framer)
        if is_message and is_undisturbed and marks >= _ENOUGH_MARKS:
            self._check_framed(framer, data)
        if chance.once_in(2):
            framer.carrier(0)
        if not 0 <= framer.weakest_byte <= framer.length <= len(framer.data):
            raise Failed("longer than its buffer")
        self.outcomes[form + " framed: " + _RESULTS[framer.result]] += 1
        if framer.result == MESSAGE:
            whole = bytes(framer.data[: framer.length])
            try:
                (parse_ntt if form == "ntt" else parse)(whole)
            except MessageError as fault:
                if fault.reason in _CHECKED_BY_FRAMER or fault.reason not in _ERRORS[form]:
                    raise Failed(f"{fault.reason} of a whole message")

    @staticmethod
    def _check_framed(framer, data):
        if framer.result != MESSAGE or framer.data[: framer.length] != data:
            raise Failed("a whole message that was not framed")

    def _hear_keys(self, chance, keys):
        receiver = self.dtmf
        if chance.once_in(4):
            receiver.listen(chance.below(8 * 20000))
        for key in keys:
            receiver.digit(key)
            receiver.advance(chance.below(1200))
            if not chance.once_in(32):
                receiver.digit_end(key, 560)
            receiver.advance(chance.below(1200))
            if chance.once_in(64):
                receiver.skip(chance.below(4000))
        receiver.advance(_WINDOW_SAMPLES if chance.once_in(16) else chance.below(40000))
        self.outcomes["dtmf: " + _RESULTS[receiver.result]] += 1
        if receiver.result == MESSAGE:
            fields = receiver.message().as_dict()
            self._check(fields)
            for scheme in fields["schemes"]:
                self.outcomes["dtmf scheme: " + scheme] += 1
        if receiver.result is not None:
            receiver.listen(_WINDOW_SAMPLES)


def _depths(data, message):
    if message.kind == "ntt":
        if len(data) >= 150:
            yield "NTT frame of 150 bytes or more"
        if b"\x90\x90" in data[5:-4]:
            yield "NTT frame with a doubled byte"
            if data[6] & 0x7F == len(data) - 11:
                yield "NTT length that counts doubled bytes twice"
        return
    if len(data) == 258:
        yield "FSK message of 258 bytes"
    if max([len(value) for _, value in message.unknown] + [len(message.name or "")]) >= 100:
        yield "FSK parameter of 100 bytes or more"
    if message.reason and b"\x02\x01" + message.reason.encode() in data:
        yield "letter in the place of a number"
    if message.name_reason and b"\x07\x01" + message.name_reason.encode() in data:
        yield "letter in the place of a name"
    if message.name and len(message.name.encode()) > len(message.name):
        yield "name with letters beyond ASCII"


def _fsk(chance):
    """A message as it is, damaged and sealed again, damaged for good, or lying."""
    data = fsk_message(chance)
    how = chance.below(8)
    if how < 2:
        return sealed(data)
    if how < 4:
        return sealed(with_a_lying_length(chance, data))
    if how < 6:
        return sealed(damaged(chance, data))
    return damaged(chance, sealed(data))


def _ntt(chance):
    how = chance.below(8)
    if chance.once_in(40):
        # A frame without an end.
        return NTT_HEADER + b"\xc0" + chance.of(b"\xb1\xb2\x33\x90", 300)
    if how < 3:
        return ntt_sealed(ntt_frame(chance))
    if how == 3:
        # A whole frame around bytes at random, and a length that is one of them.
        content = bytes([byte & 0x7F for byte in chance.octets(chance.below(20))])
        return ntt_sealed(ntt_around((b"\x40" if chance.once_in(2) else b"") + content))
    if how == 4:
        return ntt_sealed(ntt_frame(chance, lies=True))
    if how < 7:
        return ntt_sealed(damaged(chance, ntt_frame(chance)))
    return damaged(chance, ntt_sealed(ntt_frame(chance)))


def _keys(chance):
    if chance.once_in(40):
        # More than any string holds.
        return chance.of(b"ADB", 1) + chance.of(b"0123456789", chance.between(44, 70))
    keys = dtmf_string(chance)
    if chance.once_in(2):
        keys = bytes([key if key in KEYS else KEYS[key & 15] for key in damaged(chance, keys)])
    return keys


def _disturb(chance, framer):
    event = chance.below(3)
    if event == 0:
        framer.framing_error()
    elif event == 1:
        framer.marks(chance.below(60))
    else:
        framer.carrier(chance.below(2))


def _check_letters(content, letters):
    for letter in content:
        if letter not in letters:
            raise Failed(f"{letter!r} in {content!r}")


def _check_text(content):
    for letter in content:
        if ord(letter) < 0x20 or 0x7F <= ord(letter) < 0xA0:
            raise Failed(f"a control character in {content!r}")


def _check_that_nothing_is_lost(body, message):
    """Each parameter of the body is a field of the message, or one of those that it keeps as they are."""
    unknown = list(message.unknown)
    known = 0
    place = 0
    while place < len(body):
        end = place + 2 + body[place + 1]
        parameter = (body[place], bytes(body[place + 2 : end]))
        if unknown and unknown[0] == parameter:
            unknown.pop(0)
        else:
            known += 1
        place = end
    if place != len(body) or unknown:
        raise Failed("an unknown parameter that the body does not have")
    fields = message.as_dict()
    filled = 0
    for _, field, *_ in MDMF_PARAMETERS:
        filled += fields.get(field) is not None
    filled += message.dialable_number is not None
    if filled != known:
        raise Failed(f"{known} parameters made {filled} fields")


def _memory():
    gc.collect()
    return gc.mem_alloc()


def main(cases, seed, first):
    fuzz = Fuzz(seed)
    warm = first + min(cases, _WARM_UP_CASES)
    for number in range(first, warm):
        fuzz.case(number)
    before = highest = _memory()
    for number in range(warm, first + cases):
        fuzz.case(number)
        if number % _CHECK_EVERY == 0:
            highest = max(highest, _memory())
    after = _memory()
    report = {
        "seed": seed,
        "cases": cases,
        "forms": fuzz.forms,
        "memory_before": before,
        "memory_highest": max(highest, after),
        "memory_after": after,
        "outcomes": fuzz.outcomes,
        "fields": fuzz.fields,
        "depths": fuzz.depths,
    }
    print(json.dumps(report))


main(
    int(os.getenv("STAR57_FUZZ_CASES", "20000")),
    int(os.getenv("STAR57_FUZZ_SEED", "57")),
    int(os.getenv("STAR57_FUZZ_FIRST", "0")),
)
