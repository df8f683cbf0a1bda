"""Settings that the host has pushed: kept beside what the technician set, and in force over it."""

import json

from star57 import settings as settings_room
from star57.storage import StorageError

# What an adapter is, and how it reaches the service, is set on the bench alone: no push can cut it off.
MAY_BE_PUSHED = (
    "two_stage",
    "trace_offered",
    "price_cents",
    "answer_timeout_ms",
    "utc_offset_minutes",
    "call_log",
)


class PushedSettings:
    """The newest push, in a DurableRecord; its values are attributes of `settings` from now on.

    `revision` is that of the push, 0 before the first; `refused` names what in it was not taken. Content of the record
    that is no push counts in `faults`.
    """

    def __init__(self, record, settings):
        self._record = record
        self._settings = settings
        self.revision = 0
        self.refused = []
        self.faults = 0
        self._load()

    def take(self, revision, values):
        """Takes a push: `values` by name, of `revision`; one that is not newer changes nothing. Answers whether it did.

        One that cannot be kept is not taken: it will come again.
        """
        if revision <= self.revision:
            return False
        try:
            self._record.write(json.dumps({"revision": revision, "values": values}).encode())
        except StorageError:
            self.faults += 1
            return False
        self._apply(revision, values)
        return True

    def _load(self):
        payload = self._record.read()
        if payload is None:
            return
        try:
            push = json.loads(payload)
            self._apply(int(push["revision"]), dict(push["values"]))
        except (ValueError, TypeError, KeyError):
            self.faults += 1

    def _apply(self, revision, values):
        self.revision = revision
        self.refused = []
        for name, value in values.items():
            if name in MAY_BE_PUSHED and settings_room.fits(name, value):
                setattr(self._settings, name, value)
            elif _is_label(name):
                self.refused.append(name)


def _is_label(name):
    """Whether it can be named in a heartbeat (docs/protocol.md)."""
    return 1 <= len(name) <= 64 and all(" " <= letter <= "~" for letter in name)
