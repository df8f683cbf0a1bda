"""How long the bypass relay holds the phone off the exchange, and when it must not any longer."""

# Nothing that is said takes as long; whatever else happens, the phone is the exchange's again.
_LONGEST_SAMPLES = const(8 * 300_000)
# A telephone between exchange and adapter looks off-hook, and on-hook once the relay is energised: nobody hears us.
# Contacts that bounce when the relay moves open the loop once, nobody's finger three times so soon.
_NOBODY_OPENINGS = const(3)
_NOBODY_SAMPLES = const(8 * 300)


class Bypass:
    """One dialogue's hold, counted in samples of the time for which the relay is energised. Allocates nothing."""

    def __init__(self):
        self.begin()

    def begin(self):
        """A dialogue begins."""
        self._held_samples = 0
        self._openings = 0
        self._is_held = False

    def holds(self, wanted, n):
        """Whether the relay is energised for the next `n` samples, where that is `wanted`."""
        is_held = wanted and self._held_samples < _LONGEST_SAMPLES
        if is_held:
            self._held_samples += n
        elif self._is_held:
            self._openings += 1
        self._is_held = is_held
        return is_held

    @property
    def must_end(self):
        """Whether the dialogue has to end: it was held for long enough, or nobody is there who hears it."""
        is_nobody = self._openings >= _NOBODY_OPENINGS and self._held_samples < _NOBODY_SAMPLES
        return is_nobody or self._held_samples >= _LONGEST_SAMPLES
