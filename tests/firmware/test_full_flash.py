"""A flash that is full: what was kept stays, and whoever wants to keep more is told so."""

import vfs
from star57.storage import DurableRecord, StorageError
from star57.trace.outbox import Outbox

BLOCK_BYTES = 4096
MOUNT = "/full"


class Flash:
    """Sixteen blocks of LittleFS, in memory."""

    def __init__(self):
        self._memory = bytearray(16 * BLOCK_BYTES)

    def readblocks(self, block, buffer, offset=0):
        at = block * BLOCK_BYTES + offset
        buffer[:] = self._memory[at : at + len(buffer)]

    def writeblocks(self, block, buffer, offset=0):
        at = block * BLOCK_BYTES + offset
        self._memory[at : at + len(buffer)] = buffer

    def ioctl(self, request, block):
        if request == 6:
            self._memory[block * BLOCK_BYTES : (block + 1) * BLOCK_BYTES] = b"\xff" * BLOCK_BYTES
            return 0
        return {4: 16, 5: BLOCK_BYTES}.get(request)


class Mounted:
    def __enter__(self):
        flash = Flash()
        vfs.VfsLfs2.mkfs(flash, progsize=256)
        vfs.mount(vfs.VfsLfs2(flash, progsize=256), MOUNT)

    def __exit__(self, *_):
        vfs.umount(MOUNT)


def fill():
    """Fills the flash to its last byte."""
    with open(MOUNT + "/filling", "wb") as file:
        try:
            while True:
                file.write(bytes(256))
                file.flush()
        except OSError:
            pass


def empty():
    with open(MOUNT + "/filling", "wb"):
        pass


def request(number):
    return {
        "request_id": "{:032x}".format(number),
        "call": {"call_id": "{:016x}".format(number), "caller_id": {"number": "5555550123"}},
        "padding": "x" * 1000,
    }


def test_a_full_flash_keeps_what_it_has_and_says_that_it_is_full():
    with Mounted():
        outbox = Outbox(DurableRecord(MOUNT + "/outbox"))
        kept = 0
        for number in range(4):
            outbox.add(request(number))
            kept += 1
        fill()
        for _ in range(20):
            try:
                outbox.add(request(kept))
            except StorageError:
                break
            kept += 1
        else:
            raise AssertionError("never full")
        assert outbox.pending == [request(number) for number in range(kept)]
        assert Outbox(DurableRecord(MOUNT + "/outbox")).pending == outbox.pending
        empty()
        outbox.add(request(kept))
        assert Outbox(DurableRecord(MOUNT + "/outbox")).pending == [
            request(number) for number in range(kept + 1)
        ]
