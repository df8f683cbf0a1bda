"""Random, truncated and mutated messages through every parser of caller ID.

Nothing but MessageError may come out of one, and no memory may stay behind. The environment variables
STAR57_FUZZ_CASES and STAR57_FUZZ_SEED say how many and which; the answer is one line of JSON.
"""

import gc
import json
import os
import time

from star57.callerid.dtmf_clip import ALL, AMBIGUOUS, DtmfCallerId
from star57.callerid.framing import MESSAGE, Framer, NttFramer, ntt_crc
from star57.callerid.message import MDMF_PARAMETERS, NTT_PARAMETERS, MessageError, parse, parse_ntt

_WARM_UP_CASES = 2000
_CHECK_EVERY = 20000
_KEYS = b"0123456789ABCD*#"
_TYPES = b"\x04\x06\x0b\x80\x81\x82\x86\x89"
_TEXTS = (
    b"5555550123",
    b"12011731",
    b"SMITH JOHN",
    b"P",
    b"O",
    b"L",
    b"\xff",
    b"\x00",
    b"\x01",
    b"",
    b"\x10\x10",
)
_STRINGS = (
    b"A5555550123D5555550100B10C",
    b"A5555550123#",
    b"D5555550123C",
    b"D1#",
    b"B00C",
    b"5555550123#",
    b"*5550123#",
)
_CODES = bytes([row.code for row in MDMF_PARAMETERS])
_NTT_CODES = bytes([row.code for row in NTT_PARAMETERS])


class Failed(Exception):
    """What a parser may not do, and the case that made it."""


class Xorshift:
    """Marsaglia's xorshift32: the same numbers on every machine."""

    def __init__(self, seed):
        self.state = seed & 0xFFFFFFFF or 57

    def below(self, limit):
        state = self.state
        state ^= (state << 13) & 0xFFFFFFFF
        state ^= state >> 17
        state ^= (state << 5) & 0xFFFFFFFF
        self.state = state
        return (state >> 8) % limit

    def octets(self, count):
        return bytes([self.below(256) for _ in range(count)])


def _parameters(chance, codes, most):
    body = b""
    for _ in range(chance.below(6)):
        code = chance.below(256) if chance.below(8) == 0 else codes[chance.below(len(codes))]
        value = chance.octets(chance.below(24)) if chance.below(3) == 0 else _TEXTS[chance.below(len(_TEXTS))]
        if len(body) + len(value) + 2 <= most:
            body += bytes([code, len(value)]) + value
    return body


def _valid_fsk(chance):
    message_type = _TYPES[chance.below(len(_TYPES))]
    if message_type & 0x80:
        body = _parameters(chance, _CODES, 255)
    else:
        body = b"12011731" + _TEXTS[chance.below(len(_TEXTS))]
    return bytes([message_type, len(body)]) + body


def _with_checksum(data):
    return data + bytes([-sum(data) & 0xFF])


def _valid_ntt(chance):
    content = bytes([code & 0x7F for code in _parameters(chance, _NTT_CODES, 127)])
    content = (bytes([0x40, len(content)]) + content).replace(b"\x10", b"\x10\x10")
    plain = b"\x10\x01\x07\x10\x02" + content + b"\x10\x03"
    return bytes([byte | (0x80 if bin(byte).count("1") & 1 else 0) for byte in plain])


def _with_crc(data):
    crc = 0
    for byte in data[2:]:
        crc = ntt_crc(crc, byte)
    return data + bytes([crc & 0xFF, crc >> 8])


def _damaged(chance, data):
    """As it is, cut short, with bytes changed, put in or taken out, or nothing of it left."""
    how = chance.below(6)
    if how == 0:
        return data
    if how == 1:
        return data[: chance.below(len(data) + 1)]
    if how == 2:
        return chance.octets(chance.below(40))
    wrong = bytearray(data)
    for _ in range(1 + chance.below(3)):
        place = chance.below(len(wrong) + 1)
        if how == 3 and place < len(wrong):
            wrong[place] = chance.below(256)
        elif how == 4 and place < len(wrong):
            wrong[place] ^= 1 << chance.below(8)
        else:
            wrong = wrong[:place] + chance.octets(chance.below(3)) + wrong[place + chance.below(3) :]
    return bytes(wrong)


class Fuzz:
    """The parsers and framers, made once, and what became of the cases."""

    def __init__(self, seed):
        self.chance = Xorshift(seed)
        self.framers = (Framer(), NttFramer())
        self.dtmf = DtmfCallerId(None, ALL + AMBIGUOUS)
        self.counts = {"parsed": 0, "refused": 0, "framed": 0, "callers_by_dtmf": 0}

    def case(self):
        if self.chance.below(5) == 0:
            self._keys()
            return
        is_ntt = self.chance.below(2)
        seal = _with_crc if is_ntt else _with_checksum
        data = (_valid_ntt if is_ntt else _valid_fsk)(self.chance)
        if self.chance.below(2):
            data = seal(_damaged(self.chance, data))
        else:
            data = _damaged(self.chance, seal(data))
        try:
            self._parse(data, parse_ntt if is_ntt else parse)
            # Messages of one format reach the framer of the other, too.
            self._frame(data, self.framers[is_ntt ^ (self.chance.below(8) == 0)], is_ntt)
        except Exception as fault:
            raise Failed(f"{fault!r}: {data.hex()}") from fault

    def _parse(self, data, read):
        try:
            json.dumps(read(data).as_dict())
        except MessageError:
            self.counts["refused"] += 1
        else:
            self.counts["parsed"] += 1

    def _frame(self, data, framer, is_ntt):
        chance = self.chance
        if chance.below(4) == 0:
            framer.reset(chance.below(2) == 0)
        framer.carrier(1)
        framer.marks(chance.below(120))
        for value in data:
            framer.byte(value, chance.below(256))
            self._disturb(framer)
        if chance.below(2):
            framer.carrier(0)
        if framer.length > len(framer.data):
            raise Failed("longer than its buffer")
        if framer.result == MESSAGE:
            self.counts["framed"] += 1
            whole = bytes(framer.data[: framer.length])
            try:
                (parse_ntt if isinstance(framer, NttFramer) else parse)(whole)
            except MessageError as fault:
                if fault.reason in ("checksum", "parity"):
                    raise Failed(f"{fault.reason} of a whole message") from fault

    def _disturb(self, framer):
        event = self.chance.below(512)
        if event == 0:
            framer.framing_error()
        elif event == 1:
            framer.marks(self.chance.below(60))
        elif event == 2:
            framer.carrier(self.chance.below(2))

    def _keys(self):
        chance = self.chance
        receiver = self.dtmf
        keys = _STRINGS[chance.below(len(_STRINGS))]
        if chance.below(2):
            keys = bytes([key if key in _KEYS else _KEYS[key & 15] for key in _damaged(chance, keys)])
        try:
            if chance.below(4) == 0:
                receiver.listen(chance.below(8 * 20000))
            for key in keys:
                receiver.digit(key)
                receiver.advance(chance.below(1200))
                if chance.below(32):
                    receiver.digit_end(key, 560)
                receiver.advance(chance.below(1200))
                if chance.below(64) == 0:
                    receiver.skip(chance.below(4000))
            receiver.advance(chance.below(40000))
            if receiver.result == MESSAGE:
                json.dumps(receiver.message().as_dict())
                self.counts["callers_by_dtmf"] += 1
            if receiver.result is not None:
                receiver.listen(8 * 60000)
        except Exception as fault:
            raise Failed(f"{fault!r}: {keys}") from fault


def _memory():
    gc.collect()
    return gc.mem_alloc()


def main(cases, seed):
    fuzz = Fuzz(seed)
    for _ in range(min(cases, _WARM_UP_CASES)):
        fuzz.case()
    before = _memory()
    highest = before
    started_ms = time.ticks_ms()
    for number in range(cases - _WARM_UP_CASES):
        fuzz.case()
        if number % _CHECK_EVERY == 0:
            highest = max(highest, _memory())
    elapsed_ms = time.ticks_diff(time.ticks_ms(), started_ms)
    after = _memory()
    report = {
        "cases": cases,
        "seed": seed,
        "cases_per_second": max(0, cases - _WARM_UP_CASES) * 1000 // max(1, elapsed_ms),
        "memory_before": before,
        "memory_highest": highest,
        "memory_after": after,
    }
    report.update(fuzz.counts)
    print(json.dumps(report))


main(int(os.getenv("STAR57_FUZZ_CASES", "20000")), int(os.getenv("STAR57_FUZZ_SEED", "57")))
