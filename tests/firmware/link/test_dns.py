"""Answers of name servers: whole ones, and every kind of hostile one."""

import random
import struct

from star57.link.dns import MOST_ADDRESSES, DnsError, query, read_answer

ID = b"\x57\x01"
NAME = "trace.example"
QUESTION = query(ID, NAME)
OWNER = b"\xc0\x0c"  # a pointer to the question's name
REASONS = ("foreign", "garbage", "truncated", "refused", "no_address")


def wire(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def record(owner, kind, data, ttl_s=300, class_=1):
    return owner + struct.pack(">HHIH", kind, class_, ttl_s, len(data)) + data


def a(owner, *address, ttl_s=300):
    return record(owner, 1, bytes(address), ttl_s)


def answer(*records, flags=0x8180, question=QUESTION, count=None, identifier=ID):
    count = len(records) if count is None else count
    return identifier + struct.pack(">5H", flags, 1, count, 0, 0) + question[12:] + b"".join(records)


def outcome(packet, question=QUESTION):
    try:
        return read_answer(packet, question)
    except DnsError as fault:
        return fault.reason


def test_a_question_as_rfc_1035_has_it():
    assert QUESTION == ID + b"\x01\x00\x00\x01\0\0\0\0\0\0\x05trace\x07example\0\0\x01\0\x01"
    assert query(ID, "trace.example.") == QUESTION


def test_names_that_cannot_be_asked_for():
    for name in ("", ".", "a..b", ".a", "a" * 64, ".".join(["a" * 63] * 4), "é" * 32):
        try:
            query(ID, name)
        except DnsError as fault:
            assert fault.reason == "name"
        else:
            raise AssertionError(name)
    assert len(query(ID, ".".join(["a" * 63] * 3 + ["a" * 61]))) == 12 + 255 + 4


def test_an_address():
    assert outcome(answer(a(OWNER, 192, 0, 2, 57))) == (["192.0.2.57"], 300)
    assert outcome(answer(a(wire(NAME), 192, 0, 2, 57))) == (["192.0.2.57"], 300)
    assert outcome(answer(a(wire("TRACE.Example"), 192, 0, 2, 57))) == (["192.0.2.57"], 300)


def test_a_question_that_comes_back_in_other_letters():
    other = QUESTION.replace(b"trace", b"tRaCe")
    assert outcome(answer(a(OWNER, 192, 0, 2, 57), question=other)) == (["192.0.2.57"], 300)


def test_several_addresses_and_the_shortest_time_to_live():
    records = [a(OWNER, 192, 0, 2, n, ttl_s=100 + n) for n in range(9, 0, -1)]
    addresses, ttl_s = outcome(answer(*records))
    assert addresses == ["192.0.2.9", "192.0.2.8", "192.0.2.7", "192.0.2.6"]
    assert len(addresses) == MOST_ADDRESSES
    assert ttl_s == 106


def test_a_chain_of_aliases_in_any_order():
    chain = [
        record(OWNER, 5, wire("b.example"), 50),
        record(wire("b.example"), 5, wire("c.example"), 40),
        a(wire("c.example"), 192, 0, 2, 1, ttl_s=60),
    ]
    assert outcome(answer(*chain)) == (["192.0.2.1"], 40)
    assert outcome(answer(*reversed(chain))) == (["192.0.2.1"], 40)


def test_an_alias_whose_target_is_compressed():
    # The target ends with a pointer to "example" of the question.
    chain = [record(OWNER, 5, b"\x01b\xc0\x12"), a(wire("b.example"), 192, 0, 2, 1)]
    assert outcome(answer(*chain)) == (["192.0.2.1"], 300)


def test_chains_that_lead_nowhere():
    assert outcome(answer(record(OWNER, 5, wire("b.example")))) == "no_address"
    ring = [record(OWNER, 5, wire("b.example")), record(wire("b.example"), 5, wire(NAME))]
    assert outcome(answer(*ring)) == "no_address"
    long = [record(wire("n{}.example".format(n)), 5, wire("n{}.example".format(n + 1))) for n in range(9)]
    long += [record(OWNER, 5, wire("n0.example")), a(wire("n9.example"), 192, 0, 2, 1)]
    assert outcome(answer(*long)) == "no_address"


def test_addresses_of_other_names_are_nobodys():
    assert outcome(answer(a(wire("evil.example"), 192, 0, 2, 1))) == "no_address"


def test_addresses_that_are_no_destination():
    for first in (0, 224, 255):
        assert outcome(answer(a(OWNER, first, 0, 0, 0))) == "no_address"
    assert outcome(answer(a(OWNER, 0, 0, 0, 0), a(OWNER, 10, 0, 0, 1))) == (["10.0.0.1"], 300)


def test_what_else_is_there_is_passed_by():
    others = [
        record(OWNER, 28, bytes(16)),
        record(OWNER, 16, b"\x04text"),
        record(OWNER, 1, b"\xc0\0\2\1", class_=3),
    ]
    assert outcome(answer(*others, a(OWNER, 192, 0, 2, 1))) == (["192.0.2.1"], 300)
    assert outcome(answer(*others)) == "no_address"


def test_a_time_to_live_with_the_first_bit_is_none():
    assert outcome(answer(a(OWNER, 192, 0, 2, 1, ttl_s=0x80000001))) == (["192.0.2.1"], 0)


def test_answers_to_another_question():
    good = a(OWNER, 192, 0, 2, 1)
    assert outcome(answer(good, identifier=b"\x57\x02")) == "foreign"
    assert outcome(answer(good, flags=0x0180)) == "foreign"
    assert outcome(answer(good, flags=0x9180)) == "foreign"
    assert outcome(answer(good, question=query(ID, "trace.examples"))) == "foreign"
    assert outcome(answer(good, question=QUESTION[:-1] + b"\x03")) == "foreign"
    none = bytearray(answer(good))
    none[5] = 0
    assert outcome(bytes(none)) == "foreign"


def test_truncated_and_refused():
    assert outcome(answer(a(OWNER, 192, 0, 2, 1), flags=0x8380)) == "truncated"
    for code in range(1, 16):
        assert outcome(answer(a(OWNER, 192, 0, 2, 1), flags=0x8180 | code)) == "refused"
    assert outcome(answer()) == "no_address"


def test_names_that_turn_in_a_circle():
    for owner in (
        b"\xc0\x1f",
        b"\xc0\x20",
        b"\x01a\xc0\x1f",
        b"\xff\xff",
        b"\xc0\x00",
        b"\x80\x00",
        b"\x40a",
    ):
        assert outcome(answer(a(owner, 192, 0, 2, 1))) == "garbage", owner
    backwards = a(b"\x01a\xc0\x0c", 192, 0, 2, 1) + a(b"\xc0\x1f", 192, 0, 2, 2)
    assert outcome(answer(backwards, count=2)) == "no_address"


def test_a_name_that_is_too_long():
    labels = (b"\x3f" + b"a" * 63) * 3
    assert outcome(answer(a(labels + b"\x3d" + b"a" * 61 + b"\0", 192, 0, 2, 1))) == "no_address"
    assert outcome(answer(a(labels + b"\x3e" + b"a" * 62 + b"\0", 192, 0, 2, 1))) == "garbage"


def test_lengths_that_lie():
    assert outcome(answer(record(OWNER, 1, b"\xc0\0\2"))) == "garbage"
    assert outcome(answer(record(OWNER, 1, b"\xc0\0\2\1\0"))) == "garbage"
    assert outcome(answer(record(OWNER, 5, wire("b.example") + b"\0"))) == "garbage"
    assert outcome(answer(a(OWNER, 192, 0, 2, 1), count=2)) == "garbage"
    assert outcome(answer(a(OWNER, 192, 0, 2, 1), count=65535)) == "garbage"


def test_an_answer_that_is_cut_off_anywhere():
    whole = answer(record(OWNER, 5, wire("b.example")), a(wire("b.example"), 192, 0, 2, 1))
    for length in range(len(whole)):
        assert outcome(whole[:length]) in REASONS, length


def test_20000_packets_of_chance():
    random.seed(57)
    whole = answer(
        record(OWNER, 5, b"\x01b\xc0\x12"),
        a(wire("b.example"), 192, 0, 2, 1),
        a(wire("b.example"), 192, 0, 2, 2),
        record(OWNER, 28, bytes(16)),
    )
    seen = set()
    for turn in range(20_000):
        packet = bytearray(whole) if turn % 4 else noise(random.getrandbits(9))
        if turn % 4 == 3 and len(packet) > 12:
            packet = packet[: random.getrandbits(8) % len(packet)]
        for _ in range(turn % 5):
            if packet:
                # Most of it behind the question, for what is before ends the reading early.
                first = len(QUESTION) if turn % 7 and len(packet) > len(QUESTION) else 0
                last = len(packet) if first else min(len(packet), 4)
                packet[first + random.getrandbits(9) % (last - first)] = random.getrandbits(8)
        found = outcome(bytes(packet))
        if isinstance(found, tuple):
            addresses, ttl_s = found
            assert 1 <= len(addresses) <= MOST_ADDRESSES
            assert 0 <= ttl_s < 1 << 31
            found = "address"
        seen.add(found)
    assert seen == set(REASONS) | {"address"}


def noise(length):
    packet = bytearray(random.getrandbits(8) for _ in range(length))
    # Half of it seems to answer.
    if length > len(QUESTION) and random.getrandbits(1):
        packet[: len(QUESTION)] = answer(count=random.getrandbits(3))
    return packet
