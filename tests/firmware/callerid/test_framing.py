"""Where a message starts, how long it is, whether it holds: and nothing raised, whatever comes."""

import random

import micropython
from star57.callerid.framing import (
    CHECKSUM_WRONG,
    MESSAGE,
    TRUNCATED,
    Framer,
    NttFramer,
    even_parity,
    ntt_crc,
)

SDMF = bytes.fromhex("041231323031313733313535353535353031323356")
MDMF = bytes.fromhex(
    "80220108313230313137333102" + "0a353535353535303132330 70a534d495448204a4f484ed0".replace(" ", "")
)
NTT = bytes.fromhex("9081879082c00a8288b1b233b43536b7b89003faee")


def frame(data, marks=180, confidence=200, framer=None):
    framer = framer or Framer()
    if not framer.carrier_present:
        framer.carrier(1)
    framer.marks(marks)
    for value in data:
        framer.byte(value, confidence)
    return framer


def held(framer):
    return bytes(framer.data[: framer.length])


def with_checksum(data):
    return data + bytes([-sum(data) & 0xFF])


def test_whole_messages():
    for data in (SDMF, MDMF):
        framer = frame(data)
        assert framer.result == MESSAGE
        assert held(framer) == data
        assert framer.confidence == 200


def test_every_known_type_and_length():
    for message_type in (0x04, 0x06, 0x0B, 0x80, 0x81, 0x82, 0x86, 0x89):
        for length in (0, 1, 2, 127, 128, 254, 255):
            data = with_checksum(bytes([message_type, length]) + bytes(range(length)))
            framer = frame(data)
            assert framer.result == MESSAGE, (message_type, length)
            assert held(framer) == data


def test_the_weakest_byte_is_of_this_message():
    for framer, data in ((Framer(), MDMF), (NttFramer(), NTT)):
        framer.carrier(1)
        for weakest in (12, 5, 0):
            framer.marks(80)
            for place in range(len(data)):
                framer.byte(data[place], 90 if place == weakest else 200)
            assert framer.result == MESSAGE
            assert (framer.weakest_byte, framer.confidence) == (weakest, 90)
        framer.marks(80)
        framer.byte(data[0], 255)
        assert (framer.weakest_byte, framer.confidence) == (0, 255)


def test_seizure_is_skipped():
    framer = Framer()
    framer.carrier(1)
    for _ in range(30):
        framer.byte(0x55, 255)
    assert not framer.receiving
    assert frame(SDMF, framer=framer).result == MESSAGE


def test_garbage_before_the_mark_is_skipped():
    framer = Framer()
    framer.carrier(1)
    for value in b"\x04\x80\x55\x06":
        framer.byte(value, 20)
    assert not framer.receiving
    assert frame(MDMF, marks=11, framer=framer).result == MESSAGE


def test_message_needs_mark_before_it():
    assert frame(SDMF, marks=10).result is None
    framer = Framer()
    framer.reset(seizure=False)
    assert frame(SDMF, marks=31, framer=framer).result is None
    assert frame(SDMF, marks=32, framer=framer).result == MESSAGE


def test_mark_between_bytes():
    framer = frame(b"")
    for value in MDMF:
        framer.byte(value, 255)
        framer.marks(20)
    assert framer.result == MESSAGE


def test_long_mark_starts_afresh():
    framer = frame(MDMF[:9])
    framer.marks(60)
    assert framer.result == TRUNCATED
    assert not framer.receiving
    for value in SDMF:
        framer.byte(value, 255)
    assert framer.result == MESSAGE
    assert held(framer) == SDMF


def test_wrong_checksums():
    for text in (
        "040930393330313232345012",
        "80200108303332343039303207084a4f484e20444f45020a3535353535353031323376",
    ):
        assert frame(bytes.fromhex(text)).result == CHECKSUM_WRONG
    for place in range(2, len(SDMF)):
        for bit in range(8):
            wrong = bytearray(SDMF)
            wrong[place] ^= 1 << bit
            assert frame(wrong).result == CHECKSUM_WRONG


def test_truncated_at_every_byte():
    for length in range(1, len(MDMF)):
        framer = frame(MDMF[:length])
        assert framer.receiving
        framer.carrier(0)
        assert framer.result == TRUNCATED
        assert not framer.receiving


def test_message_one_byte_short_of_its_length():
    framer = frame(bytes.fromhex("800a010830373330303832d6"))
    assert framer.result is None
    framer.carrier(0)
    assert framer.result == TRUNCATED


def test_framing_error_keeps_the_place():
    framer = frame(SDMF[:10])
    framer.framing_error()
    for value in SDMF[11:]:
        framer.byte(value, 255)
    assert framer.result == CHECKSUM_WRONG
    assert framer.confidence == 0


def test_framing_error_never_makes_a_message():
    # The byte lost is 0, as is its stand-in: the sum holds, and still it is not believed.
    data = with_checksum(b"\x80\x02\x01\x00")
    framer = frame(data[:3])
    framer.framing_error()
    framer.byte(data[4], 255)
    assert framer.result == CHECKSUM_WRONG


def test_random_bytes():
    random.seed(57)
    framer = Framer()
    results = set()
    for i in range(30000):
        choice = random.getrandbits(8)
        if choice < 6:
            framer.marks(random.getrandbits(7))
        elif choice < 8:
            framer.framing_error()
        elif choice == 8:
            framer.carrier(random.getrandbits(1))
        else:
            framer.byte(random.getrandbits(8), random.getrandbits(8))
        results.add(framer.result)
        assert framer.length <= 258
        assert framer.result in (None, MESSAGE, CHECKSUM_WRONG, TRUNCATED)
    assert {None, CHECKSUM_WRONG, TRUNCATED} <= results


def test_allocates_nothing():
    framer = Framer()
    longest = with_checksum(bytes([0x80, 255]) + bytes(255))
    micropython.heap_lock()
    try:
        framer.carrier(1)
        framer.marks(80)
        for i in range(258):
            framer.byte(longest[i], 100)
        framer.framing_error()
        framer.carrier(0)
        done = framer.result
        framer.reset()
    finally:
        micropython.heap_unlock()
    assert done == MESSAGE


def ntt_frame(content):
    """A frame around the content, whose bytes have their parity and doubling."""
    crc = 0
    covered = NTT[2:5] + content + b"\x90\x03"
    for byte in covered:
        crc = ntt_crc(crc, byte)
    return NTT[:2] + covered + bytes([crc & 0xFF, crc >> 8])


def ntt_heard(data, marks=75, between=3, framer=None):
    framer = framer or NttFramer()
    if not framer.carrier_present:
        framer.carrier(1)
    framer.marks(marks)
    for value in data:
        framer.byte(value, 200)
        framer.marks(between)
    return framer


def test_ntt_crc_and_parity():
    crc = 0
    for byte in NTT[2:]:
        crc = ntt_crc(crc, byte)
    assert crc == 0
    assert ntt_frame(NTT[5:-4]) == NTT
    for byte in range(256):
        assert even_parity(byte) == (bin(byte).count("1") % 2 == 0)


def test_ntt_whole_frame():
    for between in (0, 3, 20):
        framer = ntt_heard(NTT, between=between)
        assert framer.result == MESSAGE
        assert held(framer) == NTT
        assert framer.confidence == 200
        assert not framer.receiving


def test_ntt_needs_mark_and_its_first_two_bytes():
    assert ntt_heard(NTT, marks=31).result is None
    assert ntt_heard(NTT, marks=32).result == MESSAGE
    framer = ntt_heard(b"\x90\x55\x87" + MDMF)
    assert framer.result is None
    assert not framer.receiving
    assert ntt_heard(NTT, framer=framer).result == MESSAGE
    assert ntt_heard(MDMF).result is None


def test_ntt_doubled_bytes():
    content = b"\xc0\x03\x21\x81\x90\x90"
    framer = ntt_heard(ntt_frame(content))
    assert framer.result == MESSAGE
    assert held(framer) == ntt_frame(content)
    # DLE DLE ETX is content; the frame goes on.
    framer = ntt_heard(ntt_frame(b"\xc0\x84\x21\x82\x90\x90\x03"))
    assert framer.result == MESSAGE
    assert ntt_heard(ntt_frame(b"\xc0\x03\x21\x81\x90\x81")).result == CHECKSUM_WRONG


def test_ntt_longest_and_endless():
    longest = ntt_frame(b"\xc0\xff" + b"\x90" * 254)
    assert len(longest) == 265
    assert ntt_heard(longest).result == MESSAGE
    framer = ntt_heard(NTT[:7] + b"\xb1" * 400)
    assert framer.result == CHECKSUM_WRONG
    assert framer.length == 266
    assert not framer.receiving


def test_ntt_every_wrong_bit():
    for place in range(2, len(NTT)):
        for bit in range(8):
            wrong = bytearray(NTT)
            wrong[place] ^= 1 << bit
            framer = ntt_heard(wrong)
            framer.carrier(0)
            assert framer.result in (CHECKSUM_WRONG, TRUNCATED), (place, bit)


def test_ntt_truncated_and_interrupted():
    for length in range(1, len(NTT)):
        framer = ntt_heard(NTT[:length])
        assert framer.receiving
        framer.carrier(0)
        assert framer.result == TRUNCATED
    framer = ntt_heard(NTT[:9])
    framer.marks(60)
    assert framer.result == TRUNCATED
    for value in NTT:
        framer.byte(value, 200)
    assert framer.result == MESSAGE


def test_ntt_framing_error_keeps_the_place():
    framer = ntt_heard(NTT[:10])
    framer.framing_error()
    for value in NTT[11:]:
        framer.byte(value, 255)
    assert framer.result == CHECKSUM_WRONG
    assert framer.confidence == 0
    assert framer.length == len(NTT)


def test_ntt_allocates_nothing():
    framer = NttFramer()
    micropython.heap_lock()
    try:
        framer.carrier(1)
        framer.marks(80)
        for i in range(len(NTT)):
            framer.byte(NTT[i], 100)
        done = framer.result
        framer.marks(80)
        framer.byte(NTT[0], 100)
        framer.framing_error()
        framer.carrier(0)
        framer.reset(seizure=False)
    finally:
        micropython.heap_unlock()
    assert done == MESSAGE
