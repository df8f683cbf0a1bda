"""Tones recognised by what sounds and for how long: the rows of a plan against the sound and the silence heard last."""

from array import array

from micropython import const

from star57.dsp.tone_plans import (
    BEEPS,
    COUNTRY,
    CYCLE,
    FALLING,
    KIND,
    LINES,
    OFF,
    ONCE,
    RING,
    SECTIONS,
    STEADY,
    TOLERANCE,
    TONE,
    TRIPLE,
)

# A run is SILENT, or sound that is known by the bits of the LINES that fit it; none does: no tone.
SILENT = const(-1)
# The run that goes on is not known yet.
UNKNOWN = const(-2)

# Runs that are kept: as many as a row of kind ONCE needs at the most (6, see `_heard_runs`), and the silence and the
# beep before them, which `_once` looks at. BEEPS need 7.
_RUNS = const(8)
# Words of the runs: the kind of each, then what it lasted, then its level.
_MS = const(8)
_LEVEL = const(16)
_RUN_WORDS = const(24)
# When a steady tone is certain, in units of this, so that a byte holds up to 4 s.
_CERTAIN_UNIT_MS = const(16)
_NONE = const(-1)
# A row fits: 1 + the section that goes on now; or it did, until that which has just come.
_UNTIL_NOW = const(255)
# Durations are measured to some cells, and an edge is not where noise lets it seem to be.
_MARGIN_MS = const(12)
# A steady tone is certain after this, and after every other tone of its lines would have stopped.
_STEADY_MS = const(480)
# The last section of a row that comes ONCE is known to last after this; such a row begins after silence of this.
_LASTING_MS = const(280)
# A ring is over when it has been silent for this.
_RING_SILENCE_MS = const(500)
# Two tones are not one that comes again if the silence between them lasts for this.
_PAUSE_MS = const(1000)
_BEEPS_HEARD = const(7)
# A cycle of this at least is heard twice, a shorter one three times.
_SLOW_CYCLE_MS = const(700)
_SHORT_SOUND_MS = const(150)
# Sounds of one tone differ by less than this; those of FALLING by 10 dB.
_SAME_LEVEL_DB = const(5)
_FALLS_DB = const(10)
_NO_LEVEL = const(127)


def _near(section_ms, ms, percent):
    return abs(section_ms - ms) <= _MARGIN_MS + section_ms // 64 + section_ms * percent // 100


def _lines_alike(one, other):
    """Whether sound may fit both."""
    if len(one) != len(other):
        return False
    for i in range(1, len(one)):
        if abs(one[i] - other[i]) * 2000 > (one[0] + other[0]) * (one[i] + other[i]):
            return False
    return True


def _longest_sound_ms(row, lines):
    """The longest that these lines may sound in a section of a row; 0 if they do not."""
    longest = 0
    for section in row[SECTIONS]:
        if section[0] != OFF and section[1] and _lines_alike(LINES[section[0]], lines):
            longest = max(longest, section[1] * (100 + row[TOLERANCE]) // 100)
    return longest


def _heard_runs(row):
    """How many runs have to be known before a row is told."""
    sections = row[SECTIONS]
    kind = row[KIND]
    if kind == BEEPS:
        return _BEEPS_HEARD
    if kind in (CYCLE, FALLING):
        shortest = min([section[1] for section in sections if section[0] != OFF])
        slow = sum([section[1] for section in sections]) >= _SLOW_CYCLE_MS and shortest >= _SHORT_SOUND_MS
        return 3 if slow else 5
    return len(sections) - 1


class Cadence:
    """The runs of sound and silence heard last, and the tone that they are.

    rows: of a plan (tone_plans.py), all of them of lines that one ear hears.

    `lines` has a bit for each of LINES that a row needs. `told` is the row recognised, an index, or -1; `fits[i]` is
    not 0 if row i fits too, or did until now. The tone began at `began_ms`, its last sound ended at `ended_ms`.

    Behind the rows in `fits`: how many runs each needs, then when each is certain.
    """

    def __init__(self, rows):
        self.rows = rows
        self.lines = 0
        for row in rows:
            for section in row[SECTIONS]:
                if section[0] != OFF:
                    self.lines |= 1 << section[0]
        self._runs = array("i", bytes(4 * _RUN_WORDS))
        self.fits = bytearray(
            bytes(len(rows))
            + bytes([_heard_runs(row) for row in rows])
            + bytes([-(-self._certain_after_ms(row) // _CERTAIN_UNIT_MS) for row in rows])
        )
        self.reset()

    def _certain_after_ms(self, row):
        """After which time a STEADY row can be no other of its country, nor of the countries that it may be of too."""
        if row[KIND] != STEADY:
            return 0
        lines = LINES[row[SECTIONS][0][0]]
        longest = _STEADY_MS
        for alike in self.rows:
            if alike[KIND] == STEADY and _lines_alike(LINES[alike[SECTIONS][0][0]], lines):
                for other in self.rows:
                    if other[COUNTRY] == alike[COUNTRY] and other[TONE] != alike[TONE]:
                        longest = max(longest, _longest_sound_ms(other, lines) + _MARGIN_MS)
        return longest

    def reset(self):
        """As new, without allocating."""
        self._last = 0
        self._clock_ms = 0
        self.break_off()

    def break_off(self):
        """What was heard so far is of no use: samples were lost."""
        self._count = 0
        self._steady_before_ms = 0
        self._drop()

    def forget(self):
        """The tone that was told is over. What was heard of it is no other; the run after it may be of another."""
        last = self._last
        of_tone = self._clock_ms == self.ended_ms
        self._steady_before_ms = 0
        if of_tone and self.rows[self.told][KIND] == STEADY:
            self._steady_before_ms = self._runs[_MS + last]
        self._count = 0 if of_tone else 1
        self._drop()

    def _drop(self):
        self.told = _NONE
        self.began_ms = 0
        self.ended_ms = 0
        for i in range(len(self.rows)):
            self.fits[i] = 0

    def last_ms(self, silent):
        """How long the last whole sound, or silence, of the tone lasted; 0 if it was not one of the last two runs."""
        start_ms = self._clock_ms
        for i in range(min(self._count, 2)):
            place = (self._last - i) % _RUNS
            start_ms -= self._runs[_MS + place]
            if start_ms >= self.began_ms and (self._runs[place] == SILENT) == silent:
                return self._runs[_MS + place]
        return 0

    def waits_in_silence(self):
        """Whether it matters how long a silence lasts that has begun."""
        return self.told != _NONE or (self._count > 0 and self._runs[self._last] > 0)

    def wants_to_know(self, silent, ms):
        """Whether a row may be told if it is known what has been going on for `ms`."""
        if silent:
            return self._count > 0 and self._runs[self._last] > 0
        # So soon only the dial tone that comes after beeps.
        return ms >= _STEADY_MS or (ms >= _LASTING_MS and 0 < self.last_ms(True) < _LASTING_MS)

    def ended(self, kind, ms, level_db):
        """A run has ended; answers whether the tone that is told ended with it or before it."""
        last = (self._last + 1) % _RUNS
        self._last = last
        runs = self._runs
        runs[last] = kind
        runs[_MS + last] = ms
        runs[_LEVEL + last] = level_db
        self._count = min(self._count + 1, _RUNS)
        self._clock_ms += ms
        if self.told == _NONE:
            return False
        fits = self.fits
        for i in range(len(self.rows)):
            if fits[i]:
                fits[i] = 0 if fits[i] == _UNTIL_NOW else self._next_section(i, kind, ms) or _UNTIL_NOW
        return self._fits_no_more()

    def goes_on(self, silent, ms):
        """A run has been going on for `ms`; answers whether the tone that is told is over by that."""
        if self.told == _NONE:
            return False
        fits = self.fits
        for i in range(len(self.rows)):
            if fits[i] == _UNTIL_NOW:
                fits[i] = 0
            elif fits[i] and not self._may_go_on(i, silent, ms):
                fits[i] = _UNTIL_NOW
        return self._fits_no_more()

    def _fits_no_more(self):
        """Whether the tone is over. Another row of it may fit still: of another country, or of another source."""
        if self.fits[self.told] != _UNTIL_NOW:
            return False
        tone = self.rows[self.told][TONE]
        for i in range(len(self.rows)):
            if 0 < self.fits[i] < _UNTIL_NOW and self.rows[i][TONE] == tone:
                self.told = i
                return False
        return True

    def _next_section(self, i, kind, ms):
        """1 + the section that row i waits for after this run; 0 if the run is not the one that it waited for."""
        row = self.rows[i]
        sections = row[SECTIONS]
        place = self.fits[i] - 1
        lines, section_ms = sections[place]
        if lines == OFF:
            if kind != SILENT:
                return 0
        else:
            # What noise kept from being known may be of the tone if its duration is; not what is known to be another.
            if kind == SILENT or (kind > 0 and section_ms and not kind >> lines & 1):
                return 0
            self.ended_ms = self._clock_ms
        if not section_ms or not _near(section_ms, ms, row[TOLERANCE]):
            return 0
        place += 1
        return 1 if place == len(sections) else 1 + place

    def _may_go_on(self, i, silent, ms):
        row = self.rows[i]
        lines, section_ms = row[SECTIONS][self.fits[i] - 1]
        if (lines == OFF) != silent:
            return False
        if section_ms and (row[KIND] != BEEPS or silent):
            return ms < section_ms or _near(section_ms, ms, row[TOLERANCE])
        return not silent

    def recognise(self, sound, ms, ear):
        """Looks for the tone that was heard; answers whether there is one.

        sound: what the run that goes on is: bits of LINES, SILENT, or UNKNOWN; ms: for how long it has.
        ear.off_permille(lines) says how far from these lines the frequencies are that were heard last.
        """
        least = 0
        fits = self.fits
        heard = len(self.rows)
        for i in range(heard):
            runs = fits[heard + i]
            place = self._place(i, runs, sound, ms) if runs <= self._count else _NONE
            if place < 0:
                continue
            row = self.rows[i]
            worse = self._off_percent(i, runs, place) + ear.off_permille(self._sounded(i, place))
            fits[i] = 1 + place
            if (
                self.told == _NONE
                or worse < least
                or (worse == least and row[TONE] < self.rows[self.told][TONE])
            ):
                least = worse
                self.told = i
                self._begin(runs)
        if self.told == _NONE:
            return False
        if self.rows[self.told][KIND] == STEADY:
            self._expect_cycles(sound)
        return True

    def _expect_cycles(self, sound):
        """What was told as steady may turn out to come again and again: the same tone then, and not another time."""
        tone = self.rows[self.told][TONE]
        for i in range(len(self.rows)):
            row = self.rows[i]
            if row[TONE] == tone and row[KIND] == CYCLE:
                for place in range(len(row[SECTIONS])):
                    lines = row[SECTIONS][place][0]
                    if lines != OFF and sound >> lines & 1:
                        self.fits[i] = 1 + place

    def _place(self, i, runs, sound, ms):
        """The section of row i that goes on now, if all the `runs` that must be heard before it were; or -1."""
        row = self.rows[i]
        sections = row[SECTIONS]
        kind = row[KIND]
        if sound == UNKNOWN:
            if kind == TRIPLE:
                return 3 if self._tail(i, runs, 2) else _NONE
            if kind == CYCLE or kind == BEEPS or kind == FALLING:  # noqa: PLR1714, SIM109 - it would allocate
                return self._cycle_place(i, runs)
            return _NONE
        last = len(sections) - 1
        lines, section_ms = sections[last]
        if (lines == OFF) != (sound == SILENT):
            return _NONE
        if kind == RING:
            heard = ms >= min(_RING_SILENCE_MS, section_ms) and self._tail(i, runs, last - 1)
        elif kind == STEADY:
            heard = sound >> lines & 1 and ms >= self._certain_ms(i) and not self._came_before(lines, ms)
        elif kind == ONCE:
            heard = (
                ms >= _LASTING_MS and (lines == OFF or sound >> lines & 1) and self._once(i, runs, last - 1)
            )
        else:
            heard = False
        return last if heard else _NONE

    def _certain_ms(self, i):
        return self.fits[2 * len(self.rows) + i] * _CERTAIN_UNIT_MS

    def _came_before(self, lines, ms):
        """Whether it was there just now, for as long as that, and ended: it will seem steady time and again."""
        last = self._last
        if not self._count or self._runs[last] != SILENT or self._runs[_MS + last] >= _PAUSE_MS:
            return False
        before = (last - 1) % _RUNS
        before_ms = self._steady_before_ms
        if self._count > 1:
            before_ms = self._runs[_MS + before] if self._runs[before] >> lines & 1 else 0
        return ms * 5 <= before_ms * 6

    def _cycle_place(self, i, runs):
        sections = self.rows[i][SECTIONS]
        for place in range(len(sections)):
            if sections[place][0] != OFF and self._tail(i, runs, place):
                return 0 if place == len(sections) - 1 else place + 1
        return _NONE

    def _once(self, i, runs, place):
        """Whether the sections up to `place` were heard, and no beep of the same before them."""
        if not self._tail(i, runs, place):
            return False
        lines = self.rows[i][SECTIONS][0][0]
        silence = (self._last - runs) % _RUNS
        beep = (self._last - runs - 1) % _RUNS
        return (
            runs + 2 > self._count
            or self._runs[silence] != SILENT
            or self._runs[_MS + silence] >= _LASTING_MS
            or self._runs[beep] == SILENT
            or not self._runs[beep] >> lines & 1
        )

    def _tail(self, i, runs, place):
        """Whether the last `runs` runs are the sections of row i that end with section `place`."""
        row = self.rows[i]
        sections = row[SECTIONS]
        apart_db = _FALLS_DB if row[KIND] == FALLING else 0
        at = self._last
        level_db = _NO_LEVEL
        for _ in range(runs):
            lines, section_ms = sections[place]
            kind = self._runs[at]
            if lines == OFF:
                if kind != SILENT:
                    return False
            elif kind == SILENT or not kind >> lines & 1:
                return False
            else:
                louder = abs(self._runs[_LEVEL + at] - level_db)
                if level_db != _NO_LEVEL and abs(louder - apart_db) > _SAME_LEVEL_DB:
                    return False
                level_db = self._runs[_LEVEL + at]
            if not _near(section_ms, self._runs[_MS + at], row[TOLERANCE]):
                return False
            at = (at - 1) % _RUNS
            place = (place or len(sections)) - 1
        return True

    def _off_percent(self, i, runs, place):
        """By how many percent the runs differ from the sections of row i, on average."""
        sections = self.rows[i][SECTIONS]
        at = self._last
        off = 0
        for _ in range(runs):
            place = (place or len(sections)) - 1
            section_ms = sections[place][1]
            off += abs(self._runs[_MS + at] - section_ms) * 100 // section_ms
            at = (at - 1) % _RUNS
        return off // runs if runs else 0

    def _sounded(self, i, place):
        """The lines of row i that sounded last, at or before section `place`."""
        sections = self.rows[i][SECTIONS]
        while sections[place][0] == OFF:
            place = (place or len(sections)) - 1
        return sections[place][0]

    def _begin(self, runs):
        """The tone that is told began with the first of the last `runs` runs."""
        at = self._last
        self.began_ms = self._clock_ms
        self.ended_ms = self._clock_ms
        for k in range(runs):
            self.began_ms -= self._runs[_MS + at]
            if k == 0 and self._runs[at] == SILENT:
                self.ended_ms = self.began_ms
            at = (at - 1) % _RUNS
