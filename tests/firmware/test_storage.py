"""A record on flash: whole or as it was, wherever the power is cut."""

import os

from star57.storage import DurableRecord, StorageError

PATH = "build/test-record"


class PowerCut(Exception):
    """The power went; nothing after it happened."""


class Flash:
    """Stands for the built-in open: after `budget` bytes, and at a close or an open beyond it, the power goes."""

    def __init__(self, budget):
        self.budget = budget

    def open(self, path, mode):
        if mode == "rb":
            return open(path, mode)
        self._spend(1)
        return _Cut(open(path, mode), self)

    def _spend(self, count):
        spent = min(count, self.budget)
        self.budget -= count
        return spent


class _Cut:
    def __init__(self, file, flash):
        self._file = file
        self._flash = flash
        if flash.budget < 0:
            file.close()
            raise PowerCut

    def __enter__(self):
        return self

    def __exit__(self, *_fault):
        self._file.close()

    def write(self, data):
        whole = len(data)
        count = max(0, self._flash._spend(whole))
        self._file.write(data[:count])
        if count < whole:
            self._file.close()
            raise PowerCut

    def flush(self):
        self._file.flush()


def clean():
    for end in (".a", ".b"):
        try:
            os.unlink(PATH + end)
        except OSError:
            pass


def test_nothing_kept_is_none():
    clean()
    assert DurableRecord(PATH).read() is None


def test_the_newest_of_many_writes_is_read():
    clean()
    for number in range(20):
        DurableRecord(PATH).write(b"%d" % number)
        assert DurableRecord(PATH).read() == b"%d" % number


def test_a_power_cut_at_any_byte_leaves_the_old_or_the_new():
    new = b"the new payload, longer than the old one"
    for writes_before in (0, 1, 2):
        for budget in range(len(new) + 20):
            clean()
            for number in range(writes_before):
                DurableRecord(PATH).write(b"old %d" % number)
            before = DurableRecord(PATH).read()
            try:
                DurableRecord(PATH, Flash(budget).open).write(new)
            except PowerCut:
                assert DurableRecord(PATH).read() == before
            else:
                assert DurableRecord(PATH).read() == new
            DurableRecord(PATH).write(b"after")
            assert DurableRecord(PATH).read() == b"after"


def test_one_wrong_byte_costs_one_slot_only():
    clean()
    record = DurableRecord(PATH)
    record.write(b"old")
    record.write(b"new")
    with open(PATH + ".b", "rb") as file:
        whole = file.read()
    for place in range(len(whole)):
        with open(PATH + ".b", "wb") as file:
            file.write(whole[:place] + bytes([whole[place] ^ 0x41]) + whole[place + 1 :])
        assert record.read() == b"old", place
    for length in range(len(whole)):
        with open(PATH + ".b", "wb") as file:
            file.write(whole[:length])
        assert record.read() == b"old", length


def test_a_flash_that_fails_is_a_storage_error_and_changes_nothing():
    clean()
    record = DurableRecord(PATH)
    record.write(b"kept")

    def failing(path, mode):
        if mode == "wb":
            raise OSError(28)
        return open(path, mode)

    try:
        DurableRecord(PATH, failing).write(b"lost")
    except StorageError:
        pass
    else:
        raise AssertionError("no StorageError")
    assert record.read() == b"kept"
