"""The tones of each country, one row a tone. A new country is a new entry of REGIONS.

Nothing but constant tuples, so that an image keeps them in flash: a Tone is made when it is to be played. Sources
(TELEPHONY 6):

    PTP    precise tone plan of the US network: +-0.5 %, +-1.5 dB, levels of each frequency
    S5     spandsp, global-tones.xml
    S8     Asterisk, indications.conf.sample
    S19    ZyXEL, profile of a line card in the UK
    S39    dahdi-tools, zonedata.c
    S40    AS/CA S002:2010, Australia
    S47    Mediatrix, profile for Germany
    S63    AT&T system manual, 1987
    S65    special information tones of North America
    S67    special information tone, ITU-T E.180
    S68    BT, SIN 350

Levels. Only PTP, S19, S40 (-9 to -24 dBm are recognised), S47 and S67 have any. Where a country has none, its tones are
as loud as those of the US plan: a pair of frequencies has its levels, and one alone what both of a pair have together,
3 dB more.
"""

from micropython import const

SILENT = const(None)
_FOR_EVER = const(0)


class Tone:
    """A cadence.

    sections: tuple of (frequencies, duration_ms), played in turn; frequencies are (first_hz, first_dbm0,
        second_hz, second_dbm0) or SILENT; a duration of 0 lasts until the tone is stopped.
    repeats_from: the section that follows the last one, or None when the tone ends with it.
    """

    def __init__(self, sections, repeats_from=None):
        self.sections = sections
        self.repeats_from = repeats_from

    @property
    def duration_ms(self):
        """How long the tone lasts of itself; 0 when it lasts until it is stopped."""
        if self.repeats_from is not None or self.sections[-1][1] == 0:
            return 0
        return sum(duration_ms for _, duration_ms in self.sections)


class Region:
    """The tones of one country: region[name] is a Tone, made anew; KeyError for a tone that it does not have.

    rows: tuple of (name, times, sections, then). The sections are played so many times, or for ever; then comes `then`,
        for as long as it is wanted, or nothing when it is SILENT.
    """

    def __init__(self, rows):
        self._rows = rows

    @property
    def names(self):
        return [row[0] for row in self._rows]

    def __getitem__(self, name):
        for row_name, times, sections, then in self._rows:
            if row_name == name:
                if times == _FOR_EVER:
                    return Tone(sections, 0)
                return Tone(sections * times + (() if then is SILENT else ((then, 0),)))
        raise KeyError(name)


class Regions:
    """The tones of all countries: regions[country] is a Region, made anew; iteration gives the countries.

    rows: country -> the rows of its Region
    """

    def __init__(self, rows):
        self._rows = rows

    def __iter__(self):
        return iter(self._rows)

    def __getitem__(self, country):
        return Region(self._rows[country])


QUIET = Tone(((SILENT, 0),))

_350_440_DIAL = const((350, -13, 440, -13))  # PTP, dial tone
_440_480_RINGBACK = const((440, -19, 480, -19))  # PTP, audible ringing
_480_620_BUSY = const((480, -24, 620, -24))  # PTP, line busy and reorder
_440_WAITING = const((440, -13, 0, 0))  # S8; -13 PTP
_350_440_UK = const((350, -22, 440, -18))  # S68: 0 to -27 dBm in sum; S19: these
_440_UK = const((440, -18, 0, 0))
_400_450_RINGBACK = const((400, -19, 450, -19))
_400_BUSY = const((400, -21, 0, 0))
_400_DIAL = const((400, -10, 0, 0))
_400_X16_RINGBACK = const((384, -19, 416, -19))  # 400 Hz by 16 Hz, the carrier suppressed
_425_DIAL = const((425, -10, 0, 0))
_425_RINGBACK = const((425, -16, 0, 0))
_425_BUSY = const((425, -21, 0, 0))
_425_GERMANY = const((425, -16, 0, 0))  # S47 has no other level than this
_413_438_DIAL = const((413, -13, 438, -13))
_425_AUSTRALIA = const((425, -13, 0, 0))  # S40: -24 dBm at the least, also when it is 10 dB down
_425_AUSTRALIA_DOWN = const((425, -23, 0, 0))
_375_425_DIAL = const((375, -13, 425, -13))  # 400 Hz by 25 Hz, the carrier suppressed
_375_425_RINGBACK = const((375, -19, 425, -19))
_440_DIAL = const((440, -10, 0, 0))
_440_RINGBACK = const((440, -16, 0, 0))
_440_BUSY = const((440, -21, 0, 0))
_1400_CONFIRMATION = const((1400, -18, 0, 0))

# S67: 950, 1400, 1800 Hz, +-50 Hz, 330 +-70 ms each, at -24 dBm0; S8 goes on behind 1 s of silence.
_950 = const((950, -24, 0, 0))
_1400 = const((1400, -24, 0, 0))
_1800 = const((1800, -24, 0, 0))
_ITU_SIT = const(((_950, 330), (_1400, 330), (_1800, 330), (SILENT, 1000)))
# S68: gaps of 15 ms.
_UK_SIT = const(((_950, 330), (SILENT, 15), (_1400, 330), (SILENT, 15), (_1800, 330), (SILENT, 1000)))
# S47: -16 dBm, where S67 has -24.
_950_GERMANY = const((950, -16, 0, 0))
_1400_GERMANY = const((1400, -16, 0, 0))
_1800_GERMANY = const((1800, -16, 0, 0))
_GERMAN_SIT = const(((_950_GERMANY, 330), (_1400_GERMANY, 330), (_1800_GERMANY, 330), (SILENT, 1000)))
# S65: 913.8 or 985.2, 1370.6 or 1428.5, and 1776.7 Hz, +-0.2 %, of which whole hertz are 0.04 % off; 274 or 380 ms,
# +-5 %, and no gap longer than 4 ms; once, in front of an announcement. Levels are within 3 dB, and S67's here.
_914 = const((914, -24, 0, 0))
_985 = const((985, -24, 0, 0))
_1371 = const((1371, -24, 0, 0))
_1429 = const((1429, -24, 0, 0))
_1777 = const((1777, -24, 0, 0))

# Stutter dial tone: each frequency within 1 % of dial tone's: a register's dial tone filter (350 and 440 Hz, +-2 %:
# MT8870D) takes it for that. It reaches the pair 15 dB down (seams.md, the Board), at -18 dBm0, or at -15 dBm0 where
# dial tone is one frequency: 5 dB below the exchange's dial tone, and in all what the player can give. Against that its
# phase turns in each burst, and is another in the next, as one comes every 199 ms: no phase hides it.
_353_444_STUTTER = const((353, -3, 444, -3))
_428_STUTTER = const((428, 0, 0, 0))
_403_STUTTER = const((403, 0, 0, 0))
_416_441_STUTTER = const((416, -3, 441, -3))
_378_428_STUTTER = const((378, -3, 428, -3))
_443_STUTTER = const((443, 0, 0, 0))

# Message waiting: ten beeps of 0.1 s on, 0.1 s off, over the exchange's dial tone, which is the steady part. Exchanges
# of other countries mark their own dial tone otherwise (S8); ten beeps are what stands out from each of these.
_STUTTERS = const(10)

_US = (
    ("dial", 1, ((_350_440_DIAL, 0),), SILENT),  # PTP: steady, -13; S5 has -16 also
    ("recall", 3, ((_350_440_DIAL, 100), (SILENT, 100)), _350_440_DIAL),  # S8: three beeps, then steady
    ("stutter", _STUTTERS, ((_353_444_STUTTER, 100), (SILENT, 99)), SILENT),
    ("ringback", _FOR_EVER, ((_440_480_RINGBACK, 2000), (SILENT, 4000)), SILENT),  # PTP
    ("busy", _FOR_EVER, ((_480_620_BUSY, 500), (SILENT, 500)), SILENT),  # PTP: 60 interruptions a minute
    # PTP: 120 interruptions a minute; the older plan has 0.2-0.3 for toll and 0.3-0.2 for local calls.
    ("reorder", _FOR_EVER, ((_480_620_BUSY, 250), (SILENT, 250)), SILENT),
    ("confirmation", 3, ((_350_440_DIAL, 100), (SILENT, 100)), SILENT),  # S63: three beeps; S5: 0.1-0.1-0.3
    ("call_waiting", _FOR_EVER, ((_440_WAITING, 300), (SILENT, 10000)), SILENT),  # S8; S5: 480+620
    ("sit_reorder", 1, ((_914, 274), (_1429, 380), (_1777, 380)), SILENT),  # S65
    ("sit_vacant_code", 1, ((_985, 380), (_1371, 274), (_1777, 380)), SILENT),  # S65
    ("sit_no_circuit", 1, ((_985, 380), (_1429, 380), (_1777, 380)), SILENT),  # S65
    ("sit_intercept", 1, ((_914, 274), (_1371, 274), (_1777, 380)), SILENT),  # S65
)

_GB = (
    ("dial", 1, ((_350_440_UK, 0),), SILENT),  # S68: +-5 %
    ("recall", _FOR_EVER, ((_350_440_UK, 750), (_440_UK, 750)), SILENT),  # S68: special dial tone
    ("stutter", _STUTTERS, ((_353_444_STUTTER, 100), (SILENT, 99)), SILENT),
    (  # S68
        "ringback",
        _FOR_EVER,
        ((_400_450_RINGBACK, 400), (SILENT, 200), (_400_450_RINGBACK, 400), (SILENT, 2000)),
        SILENT,
    ),
    ("busy", _FOR_EVER, ((_400_BUSY, 375), (SILENT, 375)), SILENT),  # S68
    # S68
    ("reorder", _FOR_EVER, ((_400_BUSY, 400), (SILENT, 350), (_400_BUSY, 225), (SILENT, 525)), SILENT),
    # S8: 1400 Hz, steady; here for as long as it takes to know it. Its level is nobody's: speech's.
    ("confirmation", 1, ((_1400_CONFIRMATION, 1000),), SILENT),
    # S68; special call waiting is three times 0.25-0.25, then 5 s of silence (S8).
    ("call_waiting", _FOR_EVER, ((_400_BUSY, 100), (SILENT, 4000)), SILENT),
    ("unobtainable", 1, ((_400_BUSY, 0),), SILENT),  # S68
    ("sit", _FOR_EVER, _UK_SIT, SILENT),  # S68
)

_DE = (
    ("dial", 1, ((_425_GERMANY, 0),), SILENT),  # S8
    ("recall", 3, ((_425_GERMANY, 100), (SILENT, 100)), _425_GERMANY),  # S8, which says: not specified
    ("stutter", _STUTTERS, ((_428_STUTTER, 100), (SILENT, 99)), SILENT),
    ("ringback", _FOR_EVER, ((_425_GERMANY, 1000), (SILENT, 4000)), SILENT),  # S8; S47: 1-5
    ("busy", _FOR_EVER, ((_425_GERMANY, 480), (SILENT, 480)), SILENT),  # S8
    ("reorder", _FOR_EVER, ((_425_GERMANY, 240), (SILENT, 240)), SILENT),  # S8
    # None of its own: as in the US, three beeps of dial tone.
    ("confirmation", 3, ((_425_GERMANY, 100), (SILENT, 100)), SILENT),
    (  # S8, which ends it after five times
        "call_waiting",
        _FOR_EVER,
        ((_425_GERMANY, 200), (SILENT, 200), (_425_GERMANY, 200), (SILENT, 5000)),
        SILENT,
    ),
    ("sit", _FOR_EVER, _GERMAN_SIT, SILENT),  # S47
)

_JP = (
    ("dial", 1, ((_400_DIAL, 0),), SILENT),  # S8
    ("recall", 3, ((_400_DIAL, 200), (SILENT, 200)), _400_DIAL),  # S8
    ("stutter", _STUTTERS, ((_403_STUTTER, 100), (SILENT, 99)), SILENT),
    # S39: 400 Hz by 16 Hz; S8: 400+15, of which a line carries 400.
    ("ringback", _FOR_EVER, ((_400_X16_RINGBACK, 1000), (SILENT, 2000)), SILENT),
    ("busy", _FOR_EVER, ((_400_BUSY, 500), (SILENT, 500)), SILENT),  # S8
    ("reorder", _FOR_EVER, ((_400_BUSY, 500), (SILENT, 500)), SILENT),  # S8: the same as busy
    # None of its own: as in the US, three beeps of dial tone.
    ("confirmation", 3, ((_400_DIAL, 100), (SILENT, 100)), SILENT),
    ("call_waiting", _FOR_EVER, ((_400_X16_RINGBACK, 500), (SILENT, 8000)), SILENT),  # S39; S8: 400+16
    ("sit", _FOR_EVER, _ITU_SIT, SILENT),  # S8
)

_AU = (
    # S8; S39: 415+440, S5: 400+450, S40: 425 Hz by 25 Hz also.
    ("dial", 1, ((_413_438_DIAL, 0),), SILENT),
    # None of its own that differs from dial tone (S8): as in the US.
    ("recall", 3, ((_413_438_DIAL, 100), (SILENT, 100)), _413_438_DIAL),
    ("stutter", _STUTTERS, ((_416_441_STUTTER, 100), (SILENT, 99)), SILENT),
    (  # S40: 400+450, or 425 Hz by 25 Hz; S8: 413+438
        "ringback",
        _FOR_EVER,
        ((_400_450_RINGBACK, 400), (SILENT, 200), (_400_450_RINGBACK, 400), (SILENT, 2000)),
        SILENT,
    ),
    ("busy", _FOR_EVER, ((_425_AUSTRALIA, 375), (SILENT, 375)), SILENT),  # S8
    (  # S8: every second one 10 dB down
        "reorder",
        _FOR_EVER,
        ((_425_AUSTRALIA, 375), (SILENT, 375), (_425_AUSTRALIA_DOWN, 375), (SILENT, 375)),
        SILENT,
    ),
    # S8: 425 Hz, steady; here for as long as it takes to know it.
    ("confirmation", 1, ((_425_AUSTRALIA, 1000),), SILENT),
    (  # S8
        "call_waiting",
        _FOR_EVER,
        ((_425_AUSTRALIA, 200), (SILENT, 200), (_425_AUSTRALIA, 200), (SILENT, 4400)),
        SILENT,
    ),
    ("unobtainable", _FOR_EVER, ((_425_AUSTRALIA, 2500), (SILENT, 500)), SILENT),  # S8
    ("sit", _FOR_EVER, _ITU_SIT, SILENT),  # S67
)

_IN = (
    ("dial", 1, ((_375_425_DIAL, 0),), SILENT),  # S8
    ("recall", 3, ((_350_440_DIAL, 100), (SILENT, 100)), _350_440_DIAL),  # S8: that of the US
    ("stutter", _STUTTERS, ((_378_428_STUTTER, 100), (SILENT, 99)), SILENT),
    (  # S8
        "ringback",
        _FOR_EVER,
        ((_375_425_RINGBACK, 400), (SILENT, 200), (_375_425_RINGBACK, 400), (SILENT, 2000)),
        SILENT,
    ),
    ("busy", _FOR_EVER, ((_400_BUSY, 750), (SILENT, 750)), SILENT),  # S8
    ("reorder", _FOR_EVER, ((_400_BUSY, 250), (SILENT, 250)), SILENT),  # S8
    # None of its own: as in the US, three beeps of dial tone.
    ("confirmation", 3, ((_375_425_DIAL, 100), (SILENT, 100)), SILENT),
    # S8
    ("call_waiting", _FOR_EVER, ((_400_BUSY, 200), (SILENT, 100), (_400_BUSY, 200), (SILENT, 7500)), SILENT),
    ("unobtainable", _FOR_EVER, ((_400_BUSY, 2500), (SILENT, 500)), SILENT),  # S5; or 400 Hz, steady
    ("sit", _FOR_EVER, _ITU_SIT, SILENT),  # S8
)

_BR = (
    ("dial", 1, ((_425_DIAL, 0),), SILENT),  # S8
    # None of its own: as in Germany, three beeps of dial tone, then steady; S8 borrows 350+440 of the UK.
    ("recall", 3, ((_425_DIAL, 100), (SILENT, 100)), _425_DIAL),
    ("stutter", _STUTTERS, ((_428_STUTTER, 100), (SILENT, 99)), SILENT),
    ("ringback", _FOR_EVER, ((_425_RINGBACK, 1000), (SILENT, 4000)), SILENT),  # S8
    ("busy", _FOR_EVER, ((_425_BUSY, 250), (SILENT, 250)), SILENT),  # S8
    # S8
    ("reorder", _FOR_EVER, ((_425_BUSY, 250), (SILENT, 250), (_425_BUSY, 750), (SILENT, 250)), SILENT),
    # None of its own: as in the US, three beeps of dial tone.
    ("confirmation", 3, ((_425_DIAL, 100), (SILENT, 100)), SILENT),
    ("call_waiting", _FOR_EVER, ((_425_BUSY, 50), (SILENT, 1000)), SILENT),  # S8
    ("sit", _FOR_EVER, _ITU_SIT, SILENT),  # S8, which says: not used in Brazil
)

_FR = (
    ("dial", 1, ((_440_DIAL, 0),), SILENT),  # S8; or 330+440
    ("recall", 3, ((_350_440_DIAL, 100), (SILENT, 100)), _350_440_DIAL),  # S8, which says: not specified
    ("stutter", _STUTTERS, ((_443_STUTTER, 100), (SILENT, 99)), SILENT),
    ("ringback", _FOR_EVER, ((_440_RINGBACK, 1500), (SILENT, 3500)), SILENT),  # S8
    ("busy", _FOR_EVER, ((_440_BUSY, 500), (SILENT, 500)), SILENT),  # S8
    ("reorder", _FOR_EVER, ((_440_BUSY, 250), (SILENT, 250)), SILENT),  # S8
    # None of its own: as in the US, three beeps of dial tone.
    ("confirmation", 3, ((_440_DIAL, 100), (SILENT, 100)), SILENT),
    ("call_waiting", _FOR_EVER, ((_440_BUSY, 300), (SILENT, 10000)), SILENT),  # S8
    ("sit", _FOR_EVER, _ITU_SIT, SILENT),  # S8
)

REGIONS = Regions(
    {
        "US": _US,
        "CA": _US,  # the US plan
        "GB": _GB,
        "DE": _DE,
        "JP": _JP,
        "AU": _AU,
        "IN": _IN,
        "BR": _BR,
        "FR": _FR,
    }
)
