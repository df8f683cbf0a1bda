"""The hook from the edges of the loop detector: off-hook, dial pulses, flash and hang-up told apart."""

_SAMPLES_PER_MS = const(8)
_ORD_0 = const(48)
_NEVER = const(1 << 28)


class HookTimes:
    """A country's figures, in ms: one row of COUNTRIES."""

    def __init__(self, debounce, shortest_break, longest_break, digit_pause, shortest_flash, longest_flash):
        self.debounce_samples = debounce * _SAMPLES_PER_MS
        self.shortest_break_samples = shortest_break * _SAMPLES_PER_MS
        self.longest_break_samples = longest_break * _SAMPLES_PER_MS
        self.digit_pause_samples = digit_pause * _SAMPLES_PER_MS
        self.shortest_flash_samples = shortest_flash * _SAMPLES_PER_MS
        self.longest_flash_samples = longest_flash * _SAMPLES_PER_MS


COUNTRIES = {
    # Pulses: break 47 to 80 ms at 10 pps, 250 ms between digits; at 8 pps a break lasts to 100 ms. Flash: US 300 to
    # 1000 ms, clear above (TELEPHONY 5). The digit pause lies between the longest make and the shortest pause.
    "US": HookTimes(20, 30, 110, 200, 200, 1050),
}


class HookDetector:
    """Tells what the household does with the hook.

    sink.off_hook()            the loop has been closed for the debounce time, after on-hook
    sink.loop_opened()         at once, at the first sign of an open loop
    sink.pulsed_digit(code)    ord("0".."9"), when the pause after its pulses has come
    sink.flash()               when the loop closes again after a flash
    sink.on_hook()             as soon as the loop has been open for longer than any flash
    """

    def __init__(self, sink, times=COUNTRIES["US"]):
        self._sink = sink
        self._times = times
        self.reset()

    def reset(self):
        """As new: on-hook."""
        self._closed = False
        self._off_hook = False
        self._block_samples = 0
        self._since_edge = 0
        self._pulses = 0

    @property
    def off_hook(self):
        """Whether the phone is off-hook: pulses and flashes do not interrupt that."""
        return self._off_hook

    def edge(self, level, offset):
        """The loop was closed (1) or opened (0), `offset` samples into the block that `advance` is about to end."""
        self._pass(offset - self._block_samples)
        self._block_samples = offset
        closed = level == 1
        if closed == self._closed:
            return
        self._closed = closed
        lasted = self._since_edge
        self._since_edge = 0
        if not self._off_hook:
            return
        if closed:
            self._after_break(lasted)
        else:
            self._sink.loop_opened()

    def advance(self, n):
        """`n` samples have gone by."""
        passed = self._block_samples
        self._block_samples = 0
        self._pass(n - passed)

    def _pass(self, samples):
        self._since_edge = min(self._since_edge + samples, _NEVER)
        times = self._times
        if self._closed:
            if not self._off_hook and self._since_edge >= times.debounce_samples:
                self._off_hook = True
                self._sink.off_hook()
            if self._pulses and self._since_edge >= times.digit_pause_samples:
                self._end_digit()
        elif self._off_hook and self._since_edge > times.longest_flash_samples:
            self._off_hook = False
            self._pulses = 0
            self._sink.on_hook()

    def _after_break(self, lasted):
        times = self._times
        if times.shortest_break_samples <= lasted <= times.longest_break_samples:
            self._pulses += 1
        elif lasted >= times.shortest_flash_samples:
            self._pulses = 0
            self._sink.flash()

    def _end_digit(self):
        pulses = self._pulses
        self._pulses = 0
        if pulses <= 10:
            self._sink.pulsed_digit(_ORD_0 + pulses % 10)
