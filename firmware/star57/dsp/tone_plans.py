"""The call-progress tones that a line of eight countries may carry, to be recognised: one row a country and tone.

Nothing but constant tuples, so that an image keeps them in flash. Sources (TELEPHONY 6):

    PTP    precise tone plan of the US network
    S5     spandsp, global-tones.xml
    S8     Asterisk, indications.conf.sample
    S39    dahdi-tools, zonedata.c
    S40    AS/CA S002:2010, Australia
    S47    Mediatrix, profile for Germany
    S63    AT&T system manual, 1987
    S64    limits of a voice server
    S65    special information tones of North America, S66 the same
    S67    special information tone, ITU-T E.180 and Q.35
    S68    BT, SIN 350
    S19    ZyXEL, line card in the US

Where sources disagree there is a row for each.
"""

from micropython import const

TONE_NAMES = (
    "dial",
    "stutter_dial",  # messages wait, or calls are forwarded
    "recall_dial",  # after a flash
    "ringback",
    "busy",
    "reorder",  # congestion
    "call_waiting",
    "confirmation",
    "sit_reorder",
    "sit_vacant_code",
    "sit_no_circuit",
    "sit_intercept",
    "sit",
    "unobtainable",
    "howler",
    "intercept",
    "executive_override",
    "record_warning",
)
DIAL = const(0)
STUTTER_DIAL = const(1)
RECALL_DIAL = const(2)
RINGBACK = const(3)
BUSY = const(4)
REORDER = const(5)
CALL_WAITING = const(6)
CONFIRMATION = const(7)
SIT_REORDER = const(8)
SIT_VACANT_CODE = const(9)
SIT_NO_CIRCUIT = const(10)
SIT_INTERCEPT = const(11)
SIT = const(12)
UNOBTAINABLE = const(13)
HOWLER = const(14)
INTERCEPT = const(15)
EXECUTIVE_OVERRIDE = const(16)
RECORD_WARNING = const(17)

# What sounds together: the tolerance of each frequency in parts of a thousand, then the frequencies in Hz, ascending.
# Of a tone that is modulated, its lines: AM with the carrier suppressed has two, with the carrier three.
LINES = (
    (20, 350, 440),  # US dial, PTP: 0.5 %
    (20, 440, 480),  # US ringback, PTP
    (20, 480, 620),  # US busy, PTP
    (20, 440),
    (20, 620),
    (50, 350, 440),  # UK dial, S68: 5 %
    (50, 400, 450),  # UK ringback, S68
    (50, 400),  # UK, S68
    (50, 440),  # UK special dial, S68
    (20, 425),
    (20, 400),
    (20, 400, 425),  # German special dial, S8
    (20, 384, 416),  # 400 AM 16 Hz, S8
    (20, 384, 400, 416),
    (15, 413, 438),  # Australia, S8
    (15, 400, 450),  # Australia, S40
    (20, 400, 425, 450),  # 425 x 25 Hz, S40
    (20, 375, 425),  # 400 x 25 Hz, S8
    (20, 375, 400, 425),
    (20, 330, 440),  # France, S8
    (15, 914),  # SIT, S65: 0.2 %
    (15, 985),
    (15, 1371),
    (15, 1429),
    (15, 1777),
    (53, 950),  # SIT, S67: 50 Hz
    (36, 1400),
    (28, 1800),
    (20, 1400),
    (10, 1400, 2060, 2450, 2600),  # S19
)
OFF = const(-1)
_350_440 = const(0)
_440_480 = const(1)
_480_620 = const(2)
_440 = const(3)
_620 = const(4)
_UK_350_440 = const(5)
_UK_400_450 = const(6)
_UK_400 = const(7)
_UK_440 = const(8)
_425 = const(9)
_400 = const(10)
_400_425 = const(11)
_400_X16 = const(12)
_400_AM16 = const(13)
_413_438 = const(14)
_400_450 = const(15)
_425_AM25 = const(16)
_400_X25 = const(17)
_400_AM25 = const(18)
_330_440 = const(19)
_914 = const(20)
_985 = const(21)
_1371 = const(22)
_1429 = const(23)
_1777 = const(24)
_950 = const(25)
_SIT_1400 = const(26)
_1800 = const(27)
_1400 = const(28)
HOWLER_LINES = const(29)

# How a row's sections are taken, and when it is certain.
STEADY = const(0)  # one section, for as long as it lasts
CYCLE = const(1)  # again and again; certain after two cycles, or one of four sections
RING = const(2)  # again and again; certain in the silence that ends the first cycle
BEEPS = const(3)  # again and again, or then the last lines for as long as they last; certain after four beeps
ONCE = const(4)  # after silence; its last section, of 0 ms, lasts
TRIPLE = const(5)  # three tones; certain at once, may come again after the silence
FALLING = const(6)  # CYCLE, every second tone 10 dB below the one before it

# A row: country, tone, how it goes, tolerance of its durations in percent, sections of (lines, duration in ms).
COUNTRY = const(0)
TONE = const(1)
KIND = const(2)
TOLERANCE = const(3)
SECTIONS = const(4)

# Sections of more than one row.
_THREE_BEEPS = const(((_350_440, 100), (OFF, 100), (_350_440, 100), (OFF, 100), (_350_440, 100), (OFF, 0)))
_THREE_BEEPS_350_440 = const(
    ((_350_440, 100), (OFF, 100), (_350_440, 100), (OFF, 100), (_350_440, 100), (OFF, 100), (_350_440, 0))
)
_THREE_BEEPS_425 = const(
    ((_425, 100), (OFF, 100), (_425, 100), (OFF, 100), (_425, 100), (OFF, 100), (_425, 0))
)
_THREE_BEEPS_400 = const(
    ((_400, 200), (OFF, 200), (_400, 200), (OFF, 200), (_400, 200), (OFF, 200), (_400, 0))
)
_UK_SPECIAL_WAITING = const(
    ((_UK_400, 250), (OFF, 250), (_UK_400, 250), (OFF, 250), (_UK_400, 250), (OFF, 5000))
)
_ITU_SIT = const(((_950, 330), (_SIT_1400, 330), (_1800, 330), (OFF, 1000)))  # 330 +-70 ms

PLANS = {
    "US": (
        ("US", DIAL, STEADY, 10, ((_350_440, 0),)),  # PTP
        ("US", STUTTER_DIAL, BEEPS, 10, ((_350_440, 100), (OFF, 100))),  # S8: 6 beeps; 10 are usual
        ("US", RECALL_DIAL, ONCE, 10, _THREE_BEEPS_350_440),  # S8
        ("US", RINGBACK, RING, 10, ((_440_480, 2000), (OFF, 4000))),  # PTP
        ("US", BUSY, CYCLE, 20, ((_480_620, 500), (OFF, 500))),  # PTP: 60 IPM; S64: 400 to 580 ms
        ("US", REORDER, CYCLE, 20, ((_480_620, 250), (OFF, 250))),  # PTP: 120 IPM; S64: 180 to 300 ms
        ("US", REORDER, CYCLE, 10, ((_480_620, 200), (OFF, 300))),  # PTP, older: toll
        ("US", REORDER, CYCLE, 10, ((_480_620, 300), (OFF, 200))),  # PTP, older: local
        ("US", CALL_WAITING, RING, 10, ((_440, 300), (OFF, 10000))),  # S8
        ("US", CONFIRMATION, ONCE, 10, _THREE_BEEPS),  # S63
        ("US", CONFIRMATION, ONCE, 10, ((_350_440, 100), (OFF, 100), (_350_440, 300), (OFF, 0))),  # S5
        ("US", EXECUTIVE_OVERRIDE, ONCE, 10, ((_440, 3000), (OFF, 0))),  # S5
        ("US", INTERCEPT, CYCLE, 10, ((_440, 250), (_620, 250))),  # S5
        ("US", RECORD_WARNING, RING, 10, ((_1400, 500), (OFF, 15000))),  # S5
        ("US", HOWLER, CYCLE, 10, ((HOWLER_LINES, 100), (OFF, 100))),  # S19
        ("US", SIT_REORDER, TRIPLE, 7, ((_914, 274), (_1429, 380), (_1777, 380), (OFF, 1000))),  # S65
        ("US", SIT_VACANT_CODE, TRIPLE, 7, ((_985, 380), (_1371, 274), (_1777, 380), (OFF, 1000))),  # S65
        ("US", SIT_NO_CIRCUIT, TRIPLE, 7, ((_985, 380), (_1429, 380), (_1777, 380), (OFF, 1000))),  # S65
        ("US", SIT_INTERCEPT, TRIPLE, 7, ((_914, 274), (_1371, 274), (_1777, 380), (OFF, 1000))),  # S65
        ("US", SIT, TRIPLE, 22, _ITU_SIT),  # S67
    ),
    "GB": (
        ("GB", DIAL, STEADY, 10, ((_UK_350_440, 0),)),  # S68
        ("GB", STUTTER_DIAL, CYCLE, 10, ((_UK_350_440, 750), (_UK_440, 750))),  # S68: special dial
        ("GB", RINGBACK, RING, 10, ((_UK_400_450, 400), (OFF, 200), (_UK_400_450, 400), (OFF, 2000))),  # S68
        ("GB", BUSY, CYCLE, 10, ((_UK_400, 375), (OFF, 375))),  # S68
        ("GB", REORDER, CYCLE, 10, ((_UK_400, 400), (OFF, 350), (_UK_400, 225), (OFF, 525))),  # S68
        ("GB", CALL_WAITING, CYCLE, 10, ((_UK_400, 100), (OFF, 4000))),  # S68
        ("GB", CALL_WAITING, RING, 10, _UK_SPECIAL_WAITING),  # S8
        ("GB", UNOBTAINABLE, STEADY, 10, ((_UK_400, 0),)),  # S68
        ("GB", SIT, TRIPLE, 22, _ITU_SIT),  # S68: gaps of 15 ms
    ),
    "DE": (
        ("DE", DIAL, STEADY, 10, ((_425, 0),)),  # S8
        ("DE", STUTTER_DIAL, STEADY, 10, ((_400_425, 0),)),  # S8
        ("DE", RECALL_DIAL, ONCE, 10, _THREE_BEEPS_425),  # S8
        ("DE", RINGBACK, RING, 10, ((_425, 1000), (OFF, 4000))),  # S8
        ("DE", RINGBACK, RING, 10, ((_425, 1000), (OFF, 5000))),  # S47
        ("DE", BUSY, CYCLE, 10, ((_425, 480), (OFF, 480))),  # S8
        ("DE", REORDER, CYCLE, 10, ((_425, 240), (OFF, 240))),  # S8
        ("DE", CALL_WAITING, RING, 10, ((_425, 200), (OFF, 200), (_425, 200), (OFF, 5000))),  # S8
        ("DE", SIT, TRIPLE, 22, _ITU_SIT),  # S47
    ),
    "JP": (
        ("JP", DIAL, STEADY, 10, ((_400, 0),)),  # S8
        ("JP", STUTTER_DIAL, BEEPS, 10, ((_400, 100), (OFF, 100))),  # S8: 10 beeps
        ("JP", RECALL_DIAL, ONCE, 10, _THREE_BEEPS_400),  # S8
        ("JP", RINGBACK, RING, 10, ((_400_X16, 1000), (OFF, 2000))),  # S39
        ("JP", RINGBACK, RING, 10, ((_400_AM16, 1000), (OFF, 2000))),  # S39
        ("JP", RINGBACK, RING, 10, ((_400, 1000), (OFF, 2000))),  # S8: 400+15, of which a line carries 400
        ("JP", BUSY, CYCLE, 10, ((_400, 500), (OFF, 500))),  # S8
        ("JP", REORDER, CYCLE, 10, ((_400, 500), (OFF, 500))),  # S8: the same
        ("JP", CALL_WAITING, RING, 10, ((_400_X16, 500), (OFF, 8000))),  # S39
        ("JP", CALL_WAITING, RING, 10, ((_400_AM16, 500), (OFF, 8000))),  # S39
        ("JP", SIT, TRIPLE, 22, _ITU_SIT),  # S8
    ),
    "AU": (
        ("AU", DIAL, STEADY, 10, ((_413_438, 0),)),  # S8; S39: 415+440, within the tolerance
        ("AU", DIAL, STEADY, 10, ((_400_450, 0),)),  # S5
        ("AU", DIAL, STEADY, 10, ((_425_AM25, 0),)),  # S40
        ("AU", STUTTER_DIAL, BEEPS, 35, ((_413_438, 100), (OFF, 40))),  # S8: lines beat as long as the pause
        ("AU", RINGBACK, RING, 10, ((_413_438, 400), (OFF, 200), (_413_438, 400), (OFF, 2000))),  # S8
        ("AU", RINGBACK, RING, 10, ((_400_450, 400), (OFF, 200), (_400_450, 400), (OFF, 2000))),  # S40
        ("AU", RINGBACK, RING, 10, ((_425_AM25, 400), (OFF, 200), (_425_AM25, 400), (OFF, 2000))),  # S40
        ("AU", BUSY, CYCLE, 10, ((_425, 375), (OFF, 375))),  # S8
        ("AU", REORDER, FALLING, 10, ((_425, 375), (OFF, 375))),  # S8
        ("AU", CALL_WAITING, RING, 10, ((_425, 200), (OFF, 200), (_425, 200), (OFF, 4400))),  # S8
        ("AU", UNOBTAINABLE, CYCLE, 10, ((_425, 2500), (OFF, 500))),  # S8
        ("AU", SIT, TRIPLE, 22, _ITU_SIT),  # S67
    ),
    "IN": (
        ("IN", DIAL, STEADY, 10, ((_400_X25, 0),)),  # S8
        ("IN", DIAL, STEADY, 10, ((_400_AM25, 0),)),  # S8
        ("IN", STUTTER_DIAL, BEEPS, 10, ((_350_440, 100), (OFF, 100))),  # S8: 6 beeps
        ("IN", RECALL_DIAL, ONCE, 10, _THREE_BEEPS_350_440),  # S8
        ("IN", RINGBACK, RING, 10, ((_400_X25, 400), (OFF, 200), (_400_X25, 400), (OFF, 2000))),  # S8
        ("IN", RINGBACK, RING, 10, ((_400_AM25, 400), (OFF, 200), (_400_AM25, 400), (OFF, 2000))),  # S8
        ("IN", BUSY, CYCLE, 10, ((_400, 750), (OFF, 750))),  # S8
        ("IN", REORDER, CYCLE, 10, ((_400, 250), (OFF, 250))),  # S8
        ("IN", CALL_WAITING, RING, 10, ((_400, 200), (OFF, 100), (_400, 200), (OFF, 7500))),  # S8
        ("IN", UNOBTAINABLE, STEADY, 10, ((_400, 0),)),  # S5
        ("IN", UNOBTAINABLE, CYCLE, 10, ((_400, 2500), (OFF, 500))),  # S5
        ("IN", SIT, TRIPLE, 22, _ITU_SIT),  # S8
    ),
    "BR": (
        ("BR", DIAL, STEADY, 10, ((_425, 0),)),  # S8
        ("BR", RINGBACK, RING, 10, ((_425, 1000), (OFF, 4000))),  # S8
        ("BR", BUSY, CYCLE, 10, ((_425, 250), (OFF, 250))),  # S8
        ("BR", REORDER, CYCLE, 10, ((_425, 250), (OFF, 250), (_425, 750), (OFF, 250))),  # S8
        ("BR", CALL_WAITING, CYCLE, 10, ((_425, 50), (OFF, 1000))),  # S8
        ("BR", SIT, TRIPLE, 22, _ITU_SIT),  # S8
    ),
    "FR": (
        ("FR", DIAL, STEADY, 10, ((_440, 0),)),  # S8
        ("FR", DIAL, STEADY, 10, ((_330_440, 0),)),  # S8
        ("FR", STUTTER_DIAL, BEEPS, 10, ((_440, 100), (OFF, 100))),  # S8: 6 beeps
        ("FR", RECALL_DIAL, ONCE, 10, _THREE_BEEPS_350_440),  # S8
        ("FR", RINGBACK, RING, 10, ((_440, 1500), (OFF, 3500))),  # S8
        ("FR", BUSY, CYCLE, 10, ((_440, 500), (OFF, 500))),  # S8
        ("FR", REORDER, CYCLE, 10, ((_440, 250), (OFF, 250))),  # S8
        ("FR", CALL_WAITING, RING, 10, ((_440, 300), (OFF, 10000))),  # S8
        ("FR", SIT, TRIPLE, 22, _ITU_SIT),  # S8
    ),
}
COUNTRIES = ("US", "GB", "DE", "JP", "AU", "IN", "BR", "FR")


def plan(*countries):
    """The rows of these countries, or of all of them when none is named; KeyError for a country without rows."""
    rows = ()
    for country in countries or COUNTRIES:
        rows += PLANS[country]
    return rows
