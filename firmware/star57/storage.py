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
        path = self._paths[1 - slot]
        try:
            self._write_slot(path, (sequence + 1) & _SEQUENCE_MASK, payload)
        except OSError as fault:
            self._void_slot(path)
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
        """Sequence number and payload of a slot; 0 and None when it is not whole."""
        try:
            with self._open(path, "rb") as file:
                header = file.read(_HEADER_BYTES)
                if len(header) < _HEADER_BYTES:
                    return 0, None
                magic, sequence, length, checksum = struct.unpack(_HEADER, header)
                if magic != _MAGIC or length > _LONGEST:
                    return 0, None
                payload = file.read(length + 1)
        except OSError:
            return 0, None
        if len(payload) != length or _checksum(sequence, payload) != checksum:
            return 0, None
        return sequence, payload

    def _write_slot(self, path, sequence, payload):
        with self._open(path, "wb") as file:
            file.write(struct.pack(_HEADER, _MAGIC, sequence, len(payload), _checksum(sequence, payload)))
            file.write(payload)
            file.flush()
        if hasattr(os, "sync"):
            os.sync()

    def _void_slot(self, path):
        # It may be whole though its end was a fault: what was told to be lost must not come back with the next start.
        try:
            self._open(path, "wb").close()
        except OSError:
            pass


def _checksum(sequence, payload):
    return crc32(payload, crc32(struct.pack("<II", sequence, len(payload))))


def _newer(sequence, other):
    return (sequence - other) & _SEQUENCE_MASK < _SEQUENCE_MASK // 2
