"""Two firmware slots (docs/slots.md) as two files: what a boot selector does is done here, as the process starts.

The folder has a.bin, b.bin and slots.json. The same firmware runs from either; any bytes count as a whole one, and one
that begins with "star57 VERSION" and a line's end has that version.
"""

import hashlib
import json
import os
import sys

from micropython import const

SECTOR_BYTES = const(4096)

_ROOM_BYTES = const(592 * 1024)
_EINVAL = const(22)
_STEP_BYTES = const(4096)
_BEGINS_ANEW = const(3)

_WANTED = "wanted"
_BEGUN = "begun"


class Slots:
    """As rp2040.slots.Slots. Raises OSError when the folder cannot be read."""

    room_bytes = _ROOM_BYTES

    def __init__(self, folder):
        self._folder = folder
        self._state = self._read_state()
        if self._state["trial"] == _WANTED:
            self._state["trial"] = _BEGUN
        elif self._state["trial"] == _BEGUN:
            self._state["trial"] = None
            self._state["returned"] = True
        self._write_state()
        good = self._state["good"]
        self.trial = self._state["trial"] == _BEGUN
        self.returned = self._state["returned"]
        self.running = _other(good) if self.trial else good
        self.idle = _other(self.running)

    @property
    def version(self):
        """Of the firmware in the slot that runs; None when it names none."""
        try:
            with open(self._path(self.running), "rb") as file:
                words = file.readline().decode().split()
        except (OSError, UnicodeError):
            return None
        return words[1] if len(words) == 2 and words[0] == "star57" else None

    def begin(self):
        """Empties the idle slot, and forgets that an earlier try came back."""
        self._refuse(self.trial)
        self._state["returned"] = self.returned = False
        self._write_state()
        with open(self._path(self.idle), "wb"):
            pass

    def write(self, offset, data):
        """Puts `data`, 4096 bytes at the most, at a sector's start in the idle slot."""
        self._refuse(self.trial or offset < 0 or offset % SECTOR_BYTES or not 0 < len(data) <= SECTOR_BYTES)
        self._refuse(offset + len(data) > _ROOM_BYTES)
        with open(self._path(self.idle), "r+b") as file:
            missing = offset - file.seek(0, 2)
            if missing > 0:
                file.write(b"\xff" * missing)
            file.seek(offset)
            file.write(data)

    def sha256(self, size):
        """A generator of None, a step each, and at last of 32 bytes: for the first `size` bytes of the idle slot."""
        digest = hashlib.sha256()
        with open(self._path(self.idle), "rb") as file:
            while size > 0:
                part = file.read(min(size, _STEP_BYTES))
                self._refuse(not part)
                digest.update(part)
                size -= len(part)
                yield None
        yield digest.digest()

    def try_other(self):
        """Begins anew in the idle slot, for a try: ends the process."""
        self._refuse(self.trial or not os.stat(self._path(self.idle))[6])
        self._state["trial"] = _WANTED
        self._write_state()
        sys.exit(_BEGINS_ANEW)

    def confirm(self):
        """The running firmware is the good one from now on."""
        if self.trial:
            self._state = {"good": self.running, "trial": None, "returned": False}
            self._write_state()
            self.trial = False

    def _refuse(self, unfit):
        if unfit:
            raise OSError(_EINVAL)

    def _path(self, slot):
        return "{}/{}.bin".format(self._folder, slot)

    def _read_state(self):
        try:
            with open(self._folder + "/slots.json") as file:
                return json.load(file)
        except OSError:
            return {"good": "a", "trial": None, "returned": False}

    def _write_state(self):
        path = self._folder + "/slots.json"
        with open(path + ".new", "w") as file:
            json.dump(self._state, file)
        os.rename(path + ".new", path)


def _other(slot):
    return "b" if slot == "a" else "a"
