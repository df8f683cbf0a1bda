"""A cheap board at the end of a USB cable: MicroPython's prompts, raw and friendly, and a console beside them.

    micropython usb_board.py FLASH SERIAL_NUMBER STORAGE_BYTES MODULES CUT_AFTER_BYTES CUT_AFTER_WRITES

Standard input and output are the cable. FLASH is a file, the board's whole flash: at FACTS_OFFSET a JSON object that
says what firmware it is, at its top the file system (LittleFS). MODULES is a folder that stands for
what is frozen in it; this and the limits may be empty. What MicroPython's own boards do is done as they do it
(shared/runtime/pyexec.c, py/reader.c): boot.py, then the firmware until Ctrl-C, then the prompt. The firmware is a
console that answers, and no more. The process ends with RESET, BOOT_LOADER, or CUT when as many bytes have come, or as
many pages been written, as were allowed.
"""

import gc
import io
import json
import select
import sys
import time

import vfs

sys.path.insert(0, __file__.rsplit("/", 2)[0])

from rp2040.console import Console

FACTS_OFFSET = 4096
RESET, BOOT_LOADER, CUT, DEAD = 3, 4, 5, 6

_FLASH_START = 0x10000000
_SECTOR_BYTES = 4096
_NOBODY_THERE_MS = 20
_PASTE_WINDOW_BYTES = 128
_CTRL_A, _CTRL_B, _CTRL_C, _CTRL_D, _CTRL_E = 1, 2, 3, 4, 5
_RAW_BANNER = b"raw REPL; CTRL-B to exit\r\n>"


class Cut(BaseException):
    """The cable is pulled."""


class Cable:
    """Standard input and output, which end when the cable is cut."""

    def __init__(self, cut_after_bytes):
        self._left = cut_after_bytes
        self._byte = bytearray(1)
        self._input = select.poll()
        self._input.register(sys.stdin, select.POLLIN)

    def read(self):
        """The next byte; waits for it."""
        while True:
            try:
                count = sys.stdin.buffer.readinto(self._byte)
            except OSError:
                count = 0
            if count:
                break
            time.sleep_ms(_NOBODY_THERE_MS)  # no program has the port open
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                raise Cut
        return self._byte[0]

    def write(self, data):
        sys.stdout.buffer.write(data)


class Storage:
    """The file system's blocks, at the top of the flash."""

    def __init__(self, file, offset, size, cut_after_writes):
        self._file = file
        self._offset = offset
        self._blocks = size // _SECTOR_BYTES
        self._left = cut_after_writes
        self._is_cut = False

    def readblocks(self, block, buffer, offset=0):
        self._file.seek(self._offset + block * _SECTOR_BYTES + offset)
        self._file.readinto(buffer)

    def writeblocks(self, block, data, offset=0):
        self._count()
        self._put(block * _SECTOR_BYTES + offset, data)

    def ioctl(self, what, block):
        if what == 4:
            return self._blocks
        if what == 5:
            return _SECTOR_BYTES
        if what == 6:
            self._count()
            self._put(block * _SECTOR_BYTES, b"\xff" * _SECTOR_BYTES)
        return 0

    def _count(self):
        if self._left is not None and not self._is_cut:
            self._left -= 1
            if self._left < 0:
                self._is_cut = True
                raise Cut

    def _put(self, at, data):
        if not self._is_cut:
            self._file.seek(self._offset + at)
            self._file.write(data)
            self._file.flush()


class Machine:
    """What the module `machine` has of a board."""

    def __init__(self, serial_number):
        self._serial_number = serial_number

    def reset(self):
        raise SystemExit(RESET)

    def bootloader(self):
        raise SystemExit(BOOT_LOADER)

    def unique_id(self):
        return bytes(int(self._serial_number[at : at + 2], 16) for at in range(0, 16, 2))


class Uctypes:
    """What the module `uctypes` has of the flash."""

    def __init__(self, file):
        self._file = file

    def bytearray_at(self, address, size):
        self._file.seek(address - _FLASH_START)
        return self._file.read(size)


class Facts:
    """The modules `image` and, as an object, `board` of the firmware that lies in the flash."""

    def __init__(self, facts):
        self.VERSION = self.version = facts["version"]
        self.COMMIT = self.commit = facts["commit"]
        self.HASHES = tuple((name, digest) for name, digest in facts.get("hashes", ()))
        self.name = facts["board"]
        self.storage_bytes = facts.get("storage_bytes")
        self.reset_reason = "power_on"
        self.flash = ""
        self._energised = False


class Prompt:
    """MicroPython's prompts, on a cable."""

    def __init__(self, cable):
        self._cable = cable
        self._is_raw = False

    def run(self):
        """Runs them for ever; a soft reset begins the globals anew, and runs boot.py."""
        while True:
            self._globals = {"__name__": "__main__"}
            run_boot_file(self._globals)
            gc.collect()
            while self._raw() if self._is_raw else self._friendly():
                pass
            self._cable.write(b"MPY: soft reboot\r\n")

    def _friendly(self):
        self._cable.write(b"MicroPython v1.25.0; Star57 stand-in with RP2040\r\n>>> ")
        line = b""
        while True:
            byte = self._cable.read()
            if byte == _CTRL_A and not line:
                self._is_raw = True
                return True
            if byte == _CTRL_D and not line:
                self._cable.write(b"\r\n")
                return False
            if byte == _CTRL_C:
                line = b""
                self._cable.write(b"\r\n>>> ")
            elif byte == 13:
                self._cable.write(b"\r\n")
                self._evaluate(line)
                line = b""
                self._cable.write(b">>> ")
            elif byte >= 32:
                line += bytes((byte,))
                self._cable.write(bytes((byte,)))

    def _evaluate(self, line):
        try:
            value = eval(line.decode(), self._globals) if line.strip() else None  # noqa: S307
            if value is not None:
                print(repr(value))
        except Exception as fault:  # noqa: BLE001 - as the prompt does
            sys.print_exception(fault)

    def _raw(self):
        self._cable.write(_RAW_BANNER)
        line = b""
        while True:
            byte = self._cable.read()
            if byte == _CTRL_B:
                self._is_raw = False
                self._cable.write(b"\r\n")
                return True
            if byte == _CTRL_A:
                if line == b"\x05A":
                    line = self._pasted()
                    self._execute(line)
                    line = b""
                    self._cable.write(b">")
                    continue
                line = b""
                self._cable.write(_RAW_BANNER)
            elif byte == _CTRL_C:
                line = b""
            elif byte == _CTRL_D:
                self._cable.write(b"OK")
                if not line:
                    self._cable.write(b"\r\n")
                    return False
                self._execute(line)
                line = b""
                self._cable.write(b">")
            else:
                line += bytes((byte,))

    def _pasted(self):
        self._cable.write(b"R\x01" + _PASTE_WINDOW_BYTES.to_bytes(2, "little") + b"\x01")
        program = bytearray()
        while True:
            byte = self._cable.read()
            if byte in (_CTRL_C, _CTRL_D):
                self._cable.write(b"\x04")
                return bytes(program)
            program.append(byte)
            if len(program) % _PASTE_WINDOW_BYTES == 0:
                self._cable.write(b"\x01")

    def _execute(self, program):
        text = b""
        try:
            exec(program.decode(), self._globals)  # noqa: S102 - that is what a prompt is for
        except Exception as fault:  # noqa: BLE001 - told, as the prompt does
            stream = io.StringIO()
            sys.print_exception(fault, stream)
            text = stream.getvalue().encode()
        self._cable.write(b"\x04" + text + b"\x04")


def run_boot_file(names):
    try:
        with open("/boot.py") as file:
            program = file.read()
    except OSError:
        return
    try:
        exec(program, names)  # noqa: S102
    except Exception as fault:  # noqa: BLE001 - it is told, and the firmware begins
        sys.print_exception(fault)


def run_firmware(cable, board):
    """Until Ctrl-C: answers what is typed on its console."""
    console = Console(cable.write)
    console.names["board"] = board
    while True:
        byte = cable.read()
        if byte == _CTRL_C:
            return
        console.takes(byte)


def begin(path, serial_number, storage_bytes, modules, limits):
    cut_after_bytes, cut_after_writes = limits
    file = open(path, "r+b")
    file.seek(FACTS_OFFSET)
    try:
        facts = Facts(json.loads(file.read(_SECTOR_BYTES).split(b"\xff", 1)[0]))
    except ValueError:
        raise SystemExit(DEAD) from None
    sys.modules["machine"] = Machine(serial_number)
    sys.modules["uctypes"] = Uctypes(file)
    sys.modules["image"] = facts
    storage_bytes = facts.storage_bytes or storage_bytes
    storage = Storage(file, file.seek(0, 2) - storage_bytes, storage_bytes, cut_after_writes)
    try:
        system = vfs.VfsLfs2(storage, progsize=256)
    except OSError:
        vfs.VfsLfs2.mkfs(storage, progsize=256)
        system = vfs.VfsLfs2(storage, progsize=256)
    frozen = vfs.VfsPosix(modules) if modules else None
    vfs.umount("/")
    vfs.mount(system, "/")
    sys.path[:] = ("", ".frozen", "/lib")
    if frozen is not None:
        vfs.mount(frozen, "/frozen")
        sys.path.insert(1, "/frozen")
    run_boot_file({"__name__": "__main__"})
    cable = Cable(cut_after_bytes)
    run_firmware(cable, facts)
    Prompt(cable).run()


def main():
    path, serial_number, storage_bytes, modules = sys.argv[1:5]
    limits = [int(count) if count else None for count in sys.argv[5:]]
    try:
        begin(path, serial_number, int(storage_bytes), modules, limits)
    except Cut:
        sys.exit(CUT)


main()
