"""What the pair is doing, in one place."""

IDLE = const(0)
RINGING = const(1)
IN_CALL = const(2)
DIALLING = const(3)
DIALOGUE = const(4)


class LineState:
    """`current` is one of the names above; each method is something that happened, and answers the state that follows.

    A phone lifted while the line rings, or between two rings, is in a call; lifted otherwise it is dialling. Only a
    code of ours leads into the dialogue, and only from dialling. A ring during the dialogue is on the exchange's side
    of the relay, and changes nothing on the household's. A flash in a call that the household has made takes the call
    that waits.
    """

    def __init__(self):
        self.current = IDLE

    @property
    def off_hook_at_exchange(self):
        """Whether the exchange sees the line off-hook: in the dialogue it does not, whatever the phone does."""
        return self.current in (IN_CALL, DIALLING)

    def ring_started(self):
        return self._go(IDLE, RINGING)

    def ringing_stopped(self):
        return self._go(RINGING, IDLE)

    def off_hook(self):
        self._go(IDLE, DIALLING)
        return self._go(RINGING, IN_CALL)

    def on_hook(self):
        self.current = IDLE
        return IDLE

    def took_waiting_call(self):
        return self._go(DIALLING, IN_CALL)

    def dialogue_started(self):
        return self._go(DIALLING, DIALOGUE)

    def dialogue_ended(self, ringing):
        """The phone is the exchange's again, off-hook: where the exchange is ringing, that answers the call."""
        return self._go(DIALOGUE, IN_CALL if ringing else DIALLING)

    def _go(self, before, after):
        if self.current == before:
            self.current = after
        return self.current
