"""Prompts that the host has pushed: files on flash that stand in for those of the pack."""

import hashlib
import os

RECEIVING = "receiving"
KEPT = "kept"
FAILED = "failed"


class PromptStore:
    """Puts the parts of a prompt together in `folder`, which is made when the first one comes.

    A file has its name only when it is whole and its hash is right, so a power cut leaves the prompt as it was. While
    the store is not `is_open`, parts are passed by: writing to flash holds up what the household is told.
    root, language: the prompts of a language are in its folder in `root`; without a language, in `root`.
    """

    def __init__(self, root, language=None):
        self.folder = root
        self.is_open = True
        self._root = root
        self._name = None
        self._sha256 = None
        self._received = 0
        self._state = None
        self._hash = None
        self.use(language)

    def use(self, language):
        """What comes from now on is of this language; what has come in part is forgotten."""
        if self._state == RECEIVING:
            self._fail()
        self._name = None
        self._state = None
        self.folder = self._root + "/" + language if language else self._root

    def progress(self):
        """How far the last prompt has come, as the heartbeat tells it; None before the first."""
        if self._name is None:
            return None
        return {
            "name": self._name,
            "sha256": self._sha256,
            "received": self._received,
            "state": self._state,
        }

    def take(self, name, size, sha256, offset, data):
        """Takes a part: `data` of the file, of `size` bytes in all, from `offset` on. One out of turn is passed by."""
        if not self.is_open:
            return
        if offset == 0 and (self._state != KEPT or sha256 != self._sha256 or name != self._name):
            self._begin(name, sha256)
        if self._state != RECEIVING or (name, sha256, offset) != (self._name, self._sha256, self._received):
            return
        try:
            self._append(data)
            if self._received >= size:
                self._end()
        except OSError:
            self._fail()

    def _begin(self, name, sha256):
        self._name = name
        self._sha256 = sha256
        self._received = 0
        self._state = RECEIVING
        self._hash = hashlib.sha256()

    def _append(self, data):
        if not self._received:
            _make_folder(self._root)
            _make_folder(self.folder)
        with open(self._path(".new"), "ab" if self._received else "wb") as file:
            file.write(data)
        self._hash.update(data)
        self._received += len(data)

    def _end(self):
        if self._hash.digest().hex() != self._sha256:
            self._fail()
            return
        os.rename(self._path(".new"), self._path(".wav"))
        self._state = KEPT

    def _fail(self):
        self._state = FAILED
        self._received = 0
        try:
            os.remove(self._path(".new"))
        except OSError:
            pass  # it was never made, or stays until the next one overwrites it

    def _path(self, end):
        return self.folder + "/" + self._name + end


def _make_folder(folder):
    try:
        os.mkdir(folder)
    except OSError:
        pass  # it is there; or opening a file in it fails, and says so
