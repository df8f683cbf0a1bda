"""The tones of each country, one row a country. A new country is a new row."""

SILENT = None


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


QUIET = Tone(((SILENT, 0),))

# Levels are those of each frequency. PTP: the precise tone plan of the US network (+-0.5 %, +-1.5 dB).
_US_DIAL = (350, -13, 440, -13)  # PTP, dial tone
_US_RINGBACK = (440, -19, 480, -19)  # PTP, audible ringing
_US_BUSY = (480, -24, 620, -24)  # PTP, line busy and reorder
# Each frequency within 1 % of dial tone's: a register's dial tone filter (350 and 440 Hz, +-2 %: MT8870D) takes it for
# that. It reaches the pair 15 dB down (seams.md, the Board), at -18 dBm0: 5 dB below the exchange's dial tone. Against
# that its phase turns in each burst, and is another in the next, as one comes every 199 ms: no phase hides it.
_US_STUTTER = (353, -3, 444, -3)
_US_BEEP = ((_US_DIAL, 100), (SILENT, 100))  # recall dial tone's 0.1 s on, 0.1 s off

REGIONS = {
    "US": {
        "dial": Tone(((_US_DIAL, 0),)),  # PTP: steady
        "recall": Tone(_US_BEEP * 3 + ((_US_DIAL, 0),)),  # three beeps, then steady
        # Message waiting: ten beeps of 0.1 s on, 0.1 s off, over the exchange's dial tone, which is the steady part.
        "stutter": Tone(((_US_STUTTER, 100), (SILENT, 99)) * 10),
        "ringback": Tone(((_US_RINGBACK, 2000), (SILENT, 4000)), 0),  # PTP: 2 s on, 4 s off
        "busy": Tone(((_US_BUSY, 500), (SILENT, 500)), 0),  # PTP: 60 interruptions a minute
        "reorder": Tone(((_US_BUSY, 250), (SILENT, 250)), 0),  # PTP: 120 interruptions a minute
        "confirmation": Tone(_US_BEEP * 3),  # three beeps
    },
}
