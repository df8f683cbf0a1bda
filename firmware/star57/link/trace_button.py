"""The trace button: what the trace code and the digit 1 do, without the voice, where the household switched it on."""

from star57.storage import StorageError
from star57.trace import request
from star57.trace.outbox import OutboxFull
from star57.trace.outcomes import NO_CALL, NOT_OFFERED, STORE_FAILED, STORE_FULL, STORED

SWITCHED_OFF = "switched_off"
NOT_LAST = "not_last"


class TraceButton:
    """Traces the last call, once.

    The household hears of the answer by telephone, too: who pressed need not be whom it is charged to.
    """

    def __init__(self, settings, calls, outbox, household, board):
        self._settings = settings
        self._calls = calls
        self._outbox = outbox
        self._household = household
        self._board = board

    def press(self, call_id):
        """Asks for the trace of `call_id`, durably; answers its outcome.

        One of those of the dialogue, or SWITCHED_OFF: the household does not want the button; NOT_LAST: another call
        has come since the house showed this one.
        """
        if not self._settings.trace_button:
            return SWITCHED_OFF
        if not self._settings.trace_offered:
            return NOT_OFFERED
        call = self._calls.last
        if call is None:
            return NO_CALL
        if call.call_id != call_id:
            return NOT_LAST
        return self._known_outcome(call) or self._request(call)

    def _known_outcome(self, call):
        """What became of it before; None for a call that nobody has asked to trace."""
        request_id = self._outbox.request_for_call(call.call_id)
        if request_id is None:
            return call.trace_outcome
        answer = self._outbox.answer_for(request_id)
        return answer["outcome"] if answer else STORED

    def _request(self, call):
        at, time_source = self._board.wall_time()
        message = request.build(self._settings, call, at, time_source, self._board.random_bytes)
        try:
            self._outbox.add(message)
        except OutboxFull:
            return STORE_FULL
        except StorageError:
            return STORE_FAILED
        self._household.requested(message["request_id"], at if time_source == "network" else 0)
        return STORED
