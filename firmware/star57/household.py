"""What the adapter remembers of its household: the language that was chosen, and the traces that were made."""

import json

from star57.storage import StorageError

_MOST_TRACES = const(20)


class Household:
    """In a DurableRecord. What cannot be written counts in `faults`, and holds until the power goes.

    language: the name of a pack, or None while nobody has chosen. Content that is no such record is none at all.
    """

    def __init__(self, record):
        self._record = record
        self.faults = 0
        self.language = None
        self._traces = []
        self._load()

    @property
    def traces(self):
        """Unix seconds of each trace made, the oldest first, 0 where no clock was known; the newest 20."""
        return [at for _, at, made in self._traces if made]

    def choose(self, language):
        """The household has chosen a language."""
        self.language = language
        self._keep()

    def requested(self, request_id, at):
        """A trace was asked for, at Unix seconds `at`; 0 when no clock was known."""
        self._traces = self._traces[1 - _MOST_TRACES :] + [[request_id, at, False]]
        self._keep()

    def settled(self, request_id, made):
        """A trace that was asked for has been made, or not. One not known, or known as made, changes nothing."""
        for row in self._traces:
            if row[0] == request_id and not row[2]:
                if made:
                    row[2] = True
                else:
                    self._traces.remove(row)
                self._keep()
                return

    def _keep(self):
        try:
            self._record.write(json.dumps({"language": self.language, "traces": self._traces}).encode())
        except StorageError:
            self.faults += 1

    def _load(self):
        payload = self._record.read()
        if payload is None:
            return
        try:
            kept = json.loads(payload)
            language, traces = kept["language"], kept["traces"]
            if _is_language(language) and all(_is_trace(row) for row in traces):
                self.language, self._traces = language, list(traces[-_MOST_TRACES:])
                return
        except (ValueError, TypeError, KeyError):
            pass  # counted below, as what is no such record
        self.faults += 1


def _is_language(language):
    return language is None or isinstance(language, str)


def _is_trace(row):
    return isinstance(row, list) and [type(value) for value in row] == [str, int, bool]
