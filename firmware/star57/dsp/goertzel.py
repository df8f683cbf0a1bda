"""Power of given frequencies in a block, by Goertzel's recursion, in 32-bit integers."""

# Blocks are scaled so that no sample exceeds this; see `power` for why.
_LARGEST = const(1023)


@micropython.viper
def scale(block: ptr16, n: int) -> int:
    """Shifts the samples right until none exceeds 1023, and answers by how many bits."""
    largest = 0
    for i in range(n):
        x = int(block[i])
        x -= (x & 0x8000) << 1
        if x < 0:
            x = 0 - x
        if x > largest:
            largest = x
    shift = 0
    while (largest >> shift) > _LARGEST:
        shift += 1
    if shift > 0:
        for i in range(n):
            x = int(block[i])
            x -= (x & 0x8000) << 1
            block[i] = x >> shift
    return shift


@micropython.viper
def energy(block: ptr16, n: int) -> int:
    """Sum of squares of a scaled block: 128 samples of 2^20 at most, below 2^27."""
    total = 0
    for i in range(n):
        x = int(block[i])
        x -= (x & 0x8000) << 1
        total += x * x
    return total


@micropython.viper
def power(block: ptr16, n: int, coefficient: int) -> int:
    """Power of one frequency, of which 2 cos w is given in Q13, in a scaled block of `n` <= 128 samples.

    Of a sine of amplitude a it is (a n / 2)^2 / 2^10. Frequencies lie between 350 and 3400 Hz, so that sin w > 0.27 and
    a state stays below 1023 * (128 / 2 + 2) / 0.27 < 2^18; times a coefficient below 1.93 * 2^13 that is < 2^32, so the
    state is halved before the product: < 2^31. Squares are taken of the state's upper part, below 2^13.
    """
    s1 = 0
    s2 = 0
    for i in range(n):
        x = int(block[i])
        x -= (x & 0x8000) << 1
        s0 = x + (((s1 >> 1) * coefficient) >> 12) - s2
        s2 = s1
        s1 = s0
    s1 >>= 5
    s2 >>= 5
    return s1 * s1 + s2 * s2 - (((s1 * s2) >> 3) * coefficient >> 10)
