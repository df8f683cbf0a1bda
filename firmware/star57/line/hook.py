"""The hook from the edges of the loop detector: off-hook, dial pulses, flash and hang-up told apart."""

from micropython import const

from star57.line.passing import PassingTime

_SAMPLES_PER_MS = const(8)
_ORD_0 = const(48)
_NEVER = const(1 << 28)
_MOST_PULSES = const(10)
# A contact bounces for up to 5 ms at an edge; what is shorter than this is bounce. The shortest make is 23 ms.
_BOUNCE_SAMPLES = const(8 * 8)
# A break that is longer and single is of no pulse where it may be a flash.
_LONGEST_SINGLE_PULSE_SAMPLES = const(8 * 85)
# Digits of one number follow each other within this (dialled.py).
_DIALLING_SAMPLES = const(8 * 5000)

# A row, in ms: how long the loop is closed before that is off-hook; the shortest and the longest break of a pulse; how
# long the loop is closed before a digit is over; the shortest and the longest flash; the break that is a hang-up.
#
# Pulses are 8 to 12 a second, with breaks of 47 to 80 ms (TELEPHONY 5, S46), or 33 to 72 %: breaks are taken from 30 to
# 110 ms. A make is 84 ms at the longest, a pause 250 ms at the shortest.
#
# Where a flash may be as short as a pulse, a break of that length that stays single is a flash, and not the digit 1;
# but one of 85 ms at the most is the digit 1 when a digit of more pulses came less than 5 s before it.
COUNTRIES = {
    "US": (20, 30, 110, 200, 200, 1050, 1050),  # flash 300 to 1000 ms, S55
    "CA": (20, 30, 110, 200, 200, 1050, 1050),  # as in the US
    "GB": (
        20,
        30,
        110,
        200,
        45,
        140,
        250,
    ),  # timed break 50 to 130 ms (unverified): a single pulse is a flash
    "AU": (
        20,
        30,
        110,
        200,
        75,
        150,
        250,
    ),  # timed break 80 to 140 ms (unverified): so is one of 75 ms and more
    "FI": (20, 30, 110, 200, 87, 525, 600),  # flash 90 to 500 ms, S46
    # No figure of their own: 300 ms to a hang-up, S55; DAHDI takes 1250 ms at the most, S50.
    "DE": (20, 30, 110, 200, 200, 1050, 1250),
    "JP": (20, 30, 110, 200, 200, 1050, 1250),
    "IN": (20, 30, 110, 200, 200, 1050, 1250),
    "BR": (20, 30, 110, 200, 200, 1050, 1250),
    "FR": (20, 30, 110, 200, 200, 1050, 1250),
}


class HookDetector(PassingTime):
    """Tells what the household does with the hook.

    times: a row of COUNTRIES.

    sink.off_hook()            the loop has been closed for the debounce time, after on-hook
    sink.loop_opened()         at once, at the first sign of an open loop
    sink.pulsed_digit(code)    ord("0".."9"), when the pause after its pulses has come
    sink.flash()               when the loop closes again after a flash; after a digit's pause where it may be a pulse
    sink.on_hook()             as soon as the loop has been open for longer than any flash

    Contacts may bounce for 5 ms at every edge; a time runs from the first edge of a bounce.

    off_hook: whether the phone is off-hook; pulses and flashes do not interrupt that
    """

    def __init__(self, sink, times=COUNTRIES["US"]):
        self._sink = sink
        (
            self._off_hook_samples,
            self._shortest_break,
            self._longest_break,
            self._digit_pause,
            self._shortest_flash,
            self._longest_flash,
            self._hang_up,
        ) = [ms * _SAMPLES_PER_MS for ms in times]
        self.reset()

    def reset(self):
        """As new: on-hook."""
        self.off_hook = False
        self._reset_time()
        # The loop as it is, bounces and all, and since when.
        self._raw = False
        self._since_edge = 0
        # The loop without bounces, and since when; while it is unsettled, since when that.
        self._closed = False
        self._since_change = 0
        self._settled = True
        self._since_unsettled = 0
        self._pulses = 0
        self._first_break = 0
        self._since_digit = _NEVER

    def edge(self, level, offset):
        """The loop was closed (1) or opened (0), `offset` samples into the block that `advance` is about to end."""
        self._pass_to(offset)
        closed = level == 1
        if closed == self._raw:
            return
        self._patience = 0
        self._raw = closed
        self._since_edge = 0
        if self._settled:
            self._settled = False
            self._since_unsettled = 0
            if self.off_hook and not closed:
                self._sink.loop_opened()

    def _is_steady(self):
        return self._settled and self._closed == self.off_hook and not self._pulses

    def _pass(self, samples):
        self._since_edge = min(self._since_edge + samples, _NEVER)
        self._since_digit = min(self._since_digit + samples, _NEVER)
        if self._settled:
            self._since_change = min(self._since_change + samples, _NEVER)
        else:
            self._since_unsettled += samples
            if self._since_edge < _BOUNCE_SAMPLES:
                return
            self._settle()
        if self._closed:
            self._stay_closed()
        elif self.off_hook and self._since_change > self._hang_up:
            self.off_hook = False
            self._pulses = 0
            self._sink.on_hook()

    def _settle(self):
        """The contacts have come to rest: the loop has changed since they began to bounce, or not at all."""
        self._settled = True
        if self._raw == self._closed:
            self._since_change = min(self._since_change + self._since_unsettled, _NEVER)
            return
        lasted = self._since_change
        self._closed = self._raw
        self._since_change = self._since_unsettled
        if self._closed and self.off_hook:
            self._after_break(lasted)

    def _after_break(self, lasted):
        if self._shortest_break <= lasted <= self._longest_break:
            if not self._pulses:
                self._first_break = lasted
            self._pulses += 1
        elif self._shortest_flash <= lasted <= self._hang_up:
            self._pulses = 0
            if lasted <= self._longest_flash:
                self._sink.flash()

    def _stay_closed(self):
        if not self.off_hook:
            if self._since_change >= self._off_hook_samples:
                self.off_hook = True
                self._since_digit = _NEVER
                self._sink.off_hook()
        elif self._pulses and self._since_change >= self._digit_pause:
            self._end_digit()

    def _end_digit(self):
        pulses = self._pulses
        self._pulses = 0
        if pulses == 1 and self._is_flash():
            self._sink.flash()
        elif pulses <= _MOST_PULSES:
            if pulses > 1 or self._since_digit <= _DIALLING_SAMPLES:
                self._since_digit = 0
            self._sink.pulsed_digit(_ORD_0 + pulses % 10)

    def _is_flash(self):
        """Whether a break that may be a pulse, and stayed single, is a flash."""
        if self._first_break < self._shortest_flash:
            return False
        return self._since_digit > _DIALLING_SAMPLES or self._first_break > _LONGEST_SINGLE_PULSE_SAMPLES
