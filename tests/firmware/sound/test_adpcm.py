from array import array

import micropython
from star57.sound import adpcm

# IMA Digital Audio Doc-Pac (1992), worked by hand: from predictor 0 and step 7, code 7 adds 7/8 + 7 + 7/2
# + 7/4, each part rounded down, so 11, and moves the step index by 8, to step 16.


def _decoded(block, count, parts=None):
    state = array("i", bytes(4 * adpcm.STATE_LENGTH))
    out = array("h", bytes(2 * count))
    for part in parts or (count,):
        adpcm.decode(state, block, out, part)
    return list(out)


def test_the_header_is_the_first_sample():
    assert _decoded(bytes((0x34, 0x12, 0, 0)), 1) == [0x1234]
    assert _decoded(bytes((0x00, 0x80, 0, 0)), 1) == [-32768]
    assert _decoded(bytes((0xFF, 0x7F, 0, 0)), 1) == [32767]


def test_codes_low_nibble_first():
    # 7: +11, step 16; F: -(2 + 16 + 8 + 4) = -30, step 34; 0: + 4; 8: -(step 31 >> 3) = -3
    assert _decoded(bytes((0, 0, 0, 0, 0xF7, 0x80)), 5) == [0, 11, -19, -15, -18]


def test_a_sample_saturates_at_either_end():
    assert _decoded(bytes((0xFF, 0x7F, 88, 0, 0x77, 0x77)), 5) == [32767] * 5
    assert _decoded(bytes((0x00, 0x80, 88, 0, 0xFF, 0xFF)), 5) == [-32768] * 5


def test_the_largest_swings_stay_in_range():
    # The largest step and code: the difference of 61436 that decode's bound speaks of, both ways.
    assert _decoded(bytes((0x00, 0x80, 88, 0, 0xF7)), 3) == [-32768, -32768 + 61436, -32768]


def test_a_step_index_out_of_range_is_held():
    assert _decoded(bytes((0, 0, 255, 0, 0x07)), 2) == _decoded(bytes((0, 0, 88, 0, 0x07)), 2)


def test_any_bytes_decode_alike_however_they_are_cut():
    block = bytearray(256)
    value = 57
    for i in range(256):
        value = value * 1103515245 + 12345 & 0x7FFFFFFF
        block[i] = value >> 16 & 255
    whole = _decoded(block, 505)
    assert whole == _decoded(block, 505, (1, 2, 160, 160, 182))
    assert whole == _decoded(block, 505, (1,) * 505)


def test_decoding_allocates_nothing():
    state = array("i", bytes(4 * adpcm.STATE_LENGTH))
    out = array("h", bytes(2 * 505))
    block = bytes(256)
    micropython.heap_lock()
    try:
        adpcm.decode(state, block, out, 505)
    finally:
        micropython.heap_unlock()
