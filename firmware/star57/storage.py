"""A record on flash that a power cut at any byte leaves as it was, or as it was to become."""

import os
import struct
from binascii import crc32

_MAGIC = b"S57R"
_HEADER = "<4sIII"  # magic, sequence number, length, CRC-32 of sequence number, length and payload
_HEADER_BYTES = const(16)
_LONGEST = const(65536)
_SEQUENCE_MASK = const(0x3FFFFFFF)


class StorageError(Exception):
    """What was to be kept could not be written."""


class DurableRecord:
    """One payload in two slots, `path`.a and `path`.b. The newer whole slot counts; the other one is written next."""

    def __init__(self, path, open=open):  # noqa: A002 - it stands in for the built-in
        self._paths = (path + ".a", path + ".b")
        self._open = open

    def read(self):
        """The newest whole payload as bytes, or None when there is none."""
        return self._newest()[2]

    def write(self, payload):
        """Keeps `payload`, bytes of at most 65536. Raises StorageError; the record is then as it was."""
        if len(payload) > _LONGEST:
            raise StorageError("too long")
        sequence, slot, _ = self._newest()
        sequence = (sequence + 1) & _SEQUENCE_MASK
        checked = struct.pack("<II", sequence, len(payload)) + payload
        header = struct.pack(_HEADER, _MAGIC, sequence, len(payload), crc32(checked))
        try:
            with self._open(self._paths[1 - slot], "wb") as file:
                file.write(header + payload)
                file.flush()
            if hasattr(os, "sync"):
                os.sync()
        except OSError as fault:
            raise StorageError(str(fault)) from fault

    def _newest(self):
        """Sequence number, slot and payload of the newest whole slot; slot 1 and no payload when there is none."""
        newest = (0, 1, None)
        for slot in range(2):
            sequence, payload = self._slot(self._paths[slot])
            if payload is not None and (newest[2] is None or _newer(sequence, newest[0])):
                newest = (sequence, slot, payload)
        return newest

    def _slot(self, path):
        try:
            with self._open(path, "rb") as file:
                data = file.read(_HEADER_BYTES + _LONGEST + 1)
        except OSError:
            return 0, None
        if len(data) < _HEADER_BYTES:
            return 0, None
        magic, sequence, length, checksum = struct.unpack(_HEADER, data[:_HEADER_BYTES])
        if magic != _MAGIC or len(data) != _HEADER_BYTES + length:
            return 0, None
        if crc32(data[4:12] + data[_HEADER_BYTES:]) != checksum:
            return 0, None
        return sequence, data[_HEADER_BYTES:]


def _newer(sequence, other):
    return (sequence - other) & _SEQUENCE_MASK < _SEQUENCE_MASK // 2
