"""IMA ADPCM, one channel, as WAV files carry it (IMA Digital Audio Doc-Pac, 1992; WAVE format 0x11).

A block is a header (the first sample, 16 bit, and the step index), then two samples a byte, low nibble first.
16-bit PCM is decoded here too, in the same shape.
"""

from array import array

import micropython
from micropython import const

# Places in a decoder's state, array('i').
POSITION = const(0)  # the next sample within the block; 0 is the one in the block's header
OFFSET = const(1)  # where in the output the next sample goes
_PREDICTOR = const(2)  # plus 32768, as ptr32 reads unsigned where integers have 64 bits
_STEP_INDEX = const(3)
STATE_LENGTH = const(4)

# fmt: off
_STEPS = array("H", (
    7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45, 50, 55, 60, 66, 73, 80, 88,
    97, 107, 118, 130, 143, 157, 173, 190, 209, 230, 253, 279, 307, 337, 371, 408, 449, 494, 544, 598, 658,
    724, 796, 876, 963, 1060, 1166, 1282, 1411, 1552, 1707, 1878, 2066, 2272, 2499, 2749, 3024, 3327, 3660,
    4026, 4428, 4871, 5358, 5894, 6484, 7132, 7845, 8630, 9493, 10442, 11487, 12635, 13899, 15289, 16818,
    18500, 20350, 22385, 24623, 27086, 29794, 32767,
))
# fmt: on


@micropython.viper
def decode(state: ptr32, block: ptr8, out: ptr16, count: int):
    """Decodes the next `count` samples of `block` into `out`; `state` says where, and is moved on.

    The caller keeps within the block and within `out`; block and out may hold anything.
    """
    steps = ptr16(_STEPS)
    position = state[POSITION]
    offset = state[OFFSET]
    predictor = state[_PREDICTOR]
    index = state[_STEP_INDEX]
    for _ in range(count):
        if position == 0:
            predictor = (block[0] | (block[1] << 8)) ^ 0x8000
            index = block[2]
        else:
            nibble = block[4 + ((position - 1) >> 1)]
            if position & 1:
                nibble &= 15
            else:
                nibble >>= 4
            # A step is at most 32767, so the difference is at most 61436, and the sum stays within 18 bits.
            step = steps[index]
            difference = (step >> 3) + (step & -((nibble >> 2) & 1))
            difference += ((step >> 1) & -((nibble >> 1) & 1)) + ((step >> 2) & -(nibble & 1))
            if nibble & 8:
                difference = -difference
            predictor += difference
            if predictor < 0:
                predictor = 0
            elif predictor > 65535:
                predictor = 65535
            index += ((nibble & 3) + 1) << 1 if nibble & 4 else -1
        if index < 0:
            index = 0
        elif index > 88:
            index = 88
        position += 1
        out[offset] = predictor ^ 0x8000
        offset += 1
    state[POSITION] = position
    state[OFFSET] = offset
    state[_PREDICTOR] = predictor
    state[_STEP_INDEX] = index


@micropython.viper
def decode_pcm(state: ptr32, block: ptr8, out: ptr16, count: int):
    """As `decode`, for a block of 16-bit samples."""
    position = state[POSITION]
    offset = state[OFFSET]
    for _ in range(count):
        out[offset] = block[2 * position] | (block[2 * position + 1] << 8)
        position += 1
        offset += 1
    state[POSITION] = position
    state[OFFSET] = offset
