"""A DurableRecord in memory."""

from star57.storage import StorageError


class Record:
    """Holds `payload`, and counts `writes`; `broken` makes them fail."""

    def __init__(self, payload=None):
        self.payload = payload
        self.broken = False
        self.writes = 0

    def read(self):
        return self.payload

    def write(self, payload):
        if self.broken:
            raise StorageError("worn out")
        self.payload = bytes(payload)
        self.writes += 1
