"""Runs of sound and of silence, from energies and autocorrelations of a band in cells of 2 ms.

Sound begins when it stays 9 dB above the noise for 24 ms. It ends when it falls 12 dB for some cells; a change of its
autocorrelation, so of its spectrum, ends it too, and begins another.

What a block of 20 ms has of a band: energies of its 10 cells, then, of either half, power and two numbers that say what
sounds: autocorrelations over one lag, its real and imaginary part, or over two. A track is what is known of the runs.
"""

from array import array

from micropython import const

CELLS = const(10)
CELL_MS = const(2)
# Words of a block: where the three sums of its halves are.
_SUMS = const(10)
_BLOCK_WORDS = const(16)

# Words of a track. A word that may be negative is read as in fsk.py.
MODE = const(0)
CELL = const(1)  # of the block, that comes next
RUN = const(2)  # cells of the run
UP = const(3)  # cells since what may be a sound began
BELOW = const(4)  # cells since what may be its end
PEAK = const(5)
FLOOR = const(6)  # Q4
HANG = const(7)  # so many cells 12 dB below its peak end a sound
LEAST = const(8)  # energy of a cell: what is less is silence
DROPS = const(9)  # whether a fall of the power ends a sound at once: for bands without modulated tones
ALARM = const(10)  # cells of a run that are an event
LASTED = const(11)  # cells of the run that has ended
HUSHED = const(12)  # energy of the cells since `BELOW`
HALVES = const(13)  # of 10 ms in `LONG`
LATE = const(14)  # of 10 ms in `RECENT`
AT = const(15)
CHANGING = const(16)  # whether a change was noticed 10 ms ago
LONG = const(17)  # sums of the run but for its last 40 ms: three, and the power of all that sounds
RECENT = const(21)  # the last four times 10 ms, 4 words each
_TRACK_WORDS = const(37)
# Behind the four sums of a run: its power in 10 ms, over 2^5.
POWER = const(4)

IDLE = const(0)
RISING = const(1)
SOUNDING = const(2)

# What `follow` answers. After the first three a new run goes on, RUN cells old; the one before it had LASTED cells.
NOTHING = const(0)
SOUND_BEGAN = const(1)
SOUND_ENDED = const(2)
SOUND_CHANGED = const(3)
ALARMED = const(4)

# A sound is one when it has lasted for this.
_SURE_CELLS = const(12)
# How a sound changes.
_OTHER = const(1)
_FALLEN = const(2)


def new_block():
    """The words of a block."""
    return array("i", bytes(4 * _BLOCK_WORDS))


def new_track():
    """The words of a track; `reset` is still to be called."""
    return array("i", bytes(4 * _TRACK_WORDS))


def new_sums():
    """The words for `add_up`."""
    return array("i", bytes(4 * (POWER + 1)))


def reset(track):
    """As new: silence. What the band is like (HANG, LEAST, DROPS) stays."""
    for i in range(len(track)):
        if not HANG <= i <= DROPS:
            track[i] = 0


def begin_sums(track):
    """Of another run."""
    for i in range(HALVES, RECENT):
        track[i] = 0


@micropython.viper
def _changed(track: ptr32) -> int:
    """_OTHER if the autocorrelations of the last 40 ms, over their power, are not those of the run before.

    _FALLEN if the power fell by 7 dB: what is left is noise, if the ear hears no modulated sound (`DROPS`).
    """
    p = int(track[LONG])
    a = int(track[LONG + 1])
    a -= (a & 0x20000000) << 3
    b = int(track[LONG + 2])
    b -= (b & 0x20000000) << 3
    q = 0
    c = 0
    d = 0
    for k in range(4):
        at = RECENT + 4 * k
        q += int(track[at])
        x = int(track[at + 1])
        c += x - ((x & 0x20000000) << 3)
        x = int(track[at + 2])
        d += x - ((x & 0x20000000) << 3)
    # Recent sums are over 2^2 each 10 ms, those of the run over 2^5.
    if int(track[DROPS]) and q * 5 >> 5 < p // int(track[HALVES]):
        return _FALLEN
    shift = 0
    while (p >> shift) > 16383:
        shift += 1
    p >>= shift
    a >>= shift
    b >>= shift
    shift = 0
    while (q >> shift) > 16383:
        shift += 1
    q >>= shift
    c >>= shift
    d >>= shift
    # No correlation is above its power: products are below 2^28, their differences below 2^29.
    x = a * q - c * p
    if x < 0:
        x = 0 - x
    d = b * q - d * p
    if d < 0:
        d = 0 - d
    x += d
    d = p * q
    if int(track[HALVES]) < 8:
        # Of a short time noise makes more.
        d += d
    return _OTHER if x > (d >> 3) + (d >> 5) else 0


@micropython.viper
def _changed_cells(track: ptr32) -> int:
    """How many cells ago the change was: each of the last four times 10 ms is a mixture of the run and the newest.

    By how much their power is that of either, if these differ by 5 dB; or else by their autocorrelations over their
    power, in Q12: these differ by 2^13 at most; halved, products are below 2^24.
    """
    old = (int(track[LONG]) // int(track[HALVES])) << 3
    new = int(track[RECENT + 4 * ((int(track[AT]) - 1) & 3)])
    cells = 0
    if new > 3 * old or old > 3 * new:
        x = (new - old) // 5
        if x == 0:
            x = 1
        for k in range(4):
            part = (int(track[RECENT + 4 * k]) - old) // x
            if part > 5:
                part = 5
            if part > 0:
                cells += part
        return cells
    p = int(track[LONG])
    a = int(track[LONG + 1])
    a -= (a & 0x20000000) << 3
    b = int(track[LONG + 2])
    b -= (b & 0x20000000) << 3
    shift = 0
    while (p >> shift) > 16383:
        shift += 1
    p = (p >> shift) + 1
    a = ((a >> shift) << 12) // p
    b = ((b >> shift) << 12) // p
    c = 0
    d = 0
    square = 1
    for k in range(4):
        at = RECENT + 4 * ((int(track[AT]) - 1 - k) & 3)
        p = int(track[at])
        x = int(track[at + 1])
        x -= (x & 0x20000000) << 3
        y = int(track[at + 2])
        y -= (y & 0x20000000) << 3
        shift = 0
        while (p >> shift) > 16383:
            shift += 1
        p = (p >> shift) + 1
        x = (((x >> shift) << 12) // p - a) >> 1
        y = (((y >> shift) << 12) // p - b) >> 1
        if k == 0:
            c = x
            d = y
            square = c * c + d * d + 1
        part = (((x * c + y * d) >> 4) * 5) // ((square >> 4) + 1)
        if part > 5:
            part = 5
        if part > 0:
            cells += part
    return cells


@micropython.viper
def _remember(track: ptr32, cells: ptr32, half: int, whole: int):
    """Adds 10 ms to the last 40 ms of the run, and what thereby is older to the sums of the run."""
    at = int(track[AT])
    place = RECENT + 4 * at
    late = int(track[LATE])
    if late == 4:
        halves = int(track[HALVES])
        for k in range(4):
            x = int(track[LONG + k])
            x -= (x & 0x20000000) << 3
            if halves == 32:
                x -= x >> 5
            y = int(track[place + k])
            y -= (y & 0x20000000) << 3
            track[LONG + k] = x + ((y + 4) >> 3)
        if halves < 32:
            track[HALVES] = halves + 1
    else:
        track[LATE] = late + 1
    for k in range(3):
        x = int(cells[_SUMS + 3 * half + k])
        x -= (x & 0x20000000) << 3
        track[place + k] = x >> 2
    track[place + 3] = whole >> 2
    track[AT] = (at + 1) & 3


@micropython.viper
def follow(track: ptr32, cells: ptr32, whole: ptr32) -> int:
    """Goes on through the cells of the block, to its end or to the next event.

    A cell's energy is below 2^26; the floor is below 2^30 in Q4 and a threshold below 2^29.
    """
    mode = int(track[MODE])
    run = int(track[RUN])
    below = int(track[BELOW])
    peak = int(track[PEAK])
    floor = int(track[FLOOR])
    hushed = int(track[HUSHED])
    drops = int(track[DROPS])
    cell = int(track[CELL])
    event = NOTHING
    while cell < CELLS and event == NOTHING:
        e = int(cells[cell])
        cell += 1
        run += 1
        if mode == SOUNDING:
            peak -= peak >> 7
            if e > peak:
                peak = e
            quiet = floor >> 2
            if quiet < peak >> 4:
                quiet = peak >> 4
            elif quiet > peak >> 2:
                quiet = peak >> 2
            if e < quiet:
                hushed += e
                below += 1
                if below >= int(track[HANG]):
                    # What is left is noise: the next sound has to rise above it.
                    floor = (hushed // below) << 4
                    track[LASTED] = run - below
                    run = below
                    mode = IDLE
                    event = SOUND_ENDED
            else:
                below = 0
                hushed = 0
            if event == NOTHING and (below < 3 or drops) and cell % 5 == 0:
                half = 0 if cell == 5 else 1
                _remember(track, cells, half, int(whole[_SUMS + 3 * half]))
                change = 0
                if int(track[HALVES]) > 2:
                    change = int(_changed(track))
                if change == _OTHER and int(track[CHANGING]) == 0:
                    # The next 10 ms will be all of the new sound.
                    track[CHANGING] = 1
                elif change == _FALLEN or int(track[CHANGING]):
                    below = int(_changed_cells(track))
                    track[LASTED] = run - below
                    run = below
                    below = 0
                    hushed = 0
                    event = SOUND_CHANGED
                    newest = int(track[RECENT + 4 * ((int(track[AT]) - 1) & 3)])
                    if drops and (newest >> 3) * 5 < int(track[LONG]) // int(track[HALVES]):
                        floor = (newest // 5) << 6
                        mode = IDLE
        else:
            loud = floor >> 1
            if loud < int(track[LEAST]):
                loud = int(track[LEAST])
            if mode == IDLE:
                floor += ((e << 4) - floor) >> 6
                if e > loud:
                    mode = RISING
                    track[UP] = 0
                    below = 0
                    peak = e
            if mode == RISING:
                up = int(track[UP]) + 1
                track[UP] = up
                if e > peak:
                    peak = e
                if e > loud:
                    below = 0
                else:
                    below += 1
                    if below > 4:
                        mode = IDLE
                if mode == RISING and up >= _SURE_CELLS:
                    track[LASTED] = run - up
                    run = up
                    below = 0
                    hushed = 0
                    mode = SOUNDING
                    event = SOUND_BEGAN
        if event == NOTHING and run == int(track[ALARM]):
            event = ALARMED
    track[MODE] = mode
    track[RUN] = run
    track[BELOW] = below
    track[HUSHED] = hushed
    track[PEAK] = peak
    track[FLOOR] = floor
    track[CELL] = cell if event else 0
    return event


@micropython.viper
def add_up(track: ptr32, sums: ptr32) -> int:
    """The four sums of the run, scaled so that each is below 2^13; then its power in 10 ms. 0 if there are none.

    A sum is that of the run's last 320 to 360 ms, over 2^5, of less than 2^28.4 each 10 ms: below 2^28.6.
    """
    late = int(track[LATE])
    halves = int(track[HALVES]) + late
    if halves == 0:
        return 0
    largest = 1
    for k in range(4):
        total = int(track[LONG + k])
        total -= (total & 0x20000000) << 3
        for j in range(late):
            x = int(track[RECENT + 4 * j + k])
            x -= (x & 0x20000000) << 3
            total += (x + 4) >> 3
        sums[k] = total
        largest |= total ^ (total >> 31)
    sums[POWER] = int(sums[0]) // halves
    shift = 0
    while (largest >> shift) > 8191:
        shift += 1
    for k in range(4):
        total = int(sums[k])
        total -= (total & 0x20000000) << 3
        sums[k] = total >> shift
    return 1
