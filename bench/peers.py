"""The receivers that this project's are measured beside, each behind one interface.

spandsp (libspandsp2, in this process), multimon-ng and minimodem (Debian's packages). What is not installed is left out
of `caller_id_peers` and `dtmf_peers`, and named by `absent`.

spandsp reads the standard that it is set to. multimon-ng's CLIPFSK takes Bell 202 and V.23 for one. minimodem is set to
the tones, and its bytes are framed and checked here: its own `callerid` mode prints a caller though the checksum fails.
"""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import soundfile
import soxr

from bench.callers import NOTHING, Caller, caller_of, callers_in
from bench.micropython import Pcm
from host_tools.exchange.fsk import FskStandard

RATE_HZ = 8000
SPANDSP_LIBRARY = "libspandsp.so.2"
_MULTIMON_RATE_HZ = 22050
_BLOCK_SAMPLES = 8000
_LONGEST_BURST_SAMPLES = 5 * RATE_HZ
# Silence behind a recording, so that what a program still holds back comes out.
_TAIL = np.zeros(RATE_HZ, np.int16)


class CallerIdPeer(Protocol):
    """Reads caller ID by FSK."""

    name: str

    def callers(self, samples: Pcm, standard: FskStandard) -> list[Caller]:
        """Every caller that it reports, in order."""


class DtmfPeer(Protocol):
    """Hears DTMF."""

    name: str

    def digits(self, samples: Pcm) -> str:
        """Every digit that it reports, in order."""


_PutMessage = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.POINTER(ctypes.c_uint8), ctypes.c_int)
_PutDigits = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.POINTER(ctypes.c_char), ctypes.c_int)
_ReportTone = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int, ctypes.c_int, ctypes.c_int)
# spandsp/adsi.h, ADSI_STANDARD_*: CLASS is Bell 202, CLIP is V.23, JCLIP is NTT's.
_ADSI_STANDARDS = {"Bell 202": 1, "V.23": 2, "BT": 2, "NTT": 4}
_ADSI_CLIP_DTMF = 5
_NTT_HEADER_BYTES = 5  # DLE SOH 07 DLE STX, which adsi_rx leaves before the message


class Spandsp:
    """libspandsp's adsi_rx, dtmf_rx and super_tone_rx, with what they are set to by default."""

    name = "spandsp"

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        library.adsi_rx_init.restype = ctypes.c_void_p
        library.adsi_rx_init.argtypes = [ctypes.c_void_p, ctypes.c_int, _PutMessage, ctypes.c_void_p]
        library.dtmf_rx_init.restype = ctypes.c_void_p
        library.dtmf_rx_init.argtypes = [ctypes.c_void_p, _PutDigits, ctypes.c_void_p]
        library.adsi_tx_init.restype = ctypes.c_void_p
        library.adsi_tx_init.argtypes = [ctypes.c_void_p, ctypes.c_int]
        library.super_tone_rx_make_descriptor.restype = ctypes.c_void_p
        library.super_tone_rx_make_descriptor.argtypes = [ctypes.c_void_p]
        library.super_tone_rx_add_tone.argtypes = [ctypes.c_void_p]
        library.super_tone_rx_add_element.argtypes = [ctypes.c_void_p, *[ctypes.c_int] * 5]
        library.super_tone_rx_init.restype = ctypes.c_void_p
        library.super_tone_rx_init.argtypes = [ctypes.c_void_p, ctypes.c_void_p, _ReportTone, ctypes.c_void_p]
        library.super_tone_rx.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int]
        for take in (library.adsi_rx, library.dtmf_rx, library.adsi_tx, library.adsi_tx_put_message):
            take.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int]
        frees = (library.adsi_rx_free, library.dtmf_rx_free, library.adsi_tx_free)
        for free in (*frees, library.super_tone_rx_free, library.super_tone_rx_free_descriptor):
            free.argtypes = [ctypes.c_void_p]

    def callers(self, samples: Pcm, standard: FskStandard) -> list[Caller]:
        header = _NTT_HEADER_BYTES if standard.name == "NTT" else 0
        messages = self._messages(samples, _ADSI_STANDARDS[standard.name])
        callers = (caller_of(message[header:]) for message in messages)
        return [caller for caller in callers if caller != NOTHING]

    def dtmf_callers(self, samples: Pcm) -> list[str]:
        """The keys of every caller ID by DTMF that it reports, in order."""
        return [message.decode("latin-1") for message in self._messages(samples, _ADSI_CLIP_DTMF)]

    BURST_DBM0 = -14.0  # of its sender, unless it is told otherwise

    def burst(self, message: bytes, standard: FskStandard) -> Pcm:
        """A message as spandsp's own modulator sends it, at its own level.

        Args:
            message: SDMF or MDMF, with its checksum.
            standard: Bell 202 or V.23.
        """
        state = self._library.adsi_tx_init(None, _ADSI_STANDARDS[standard.name])
        # It adds a checksum of its own.
        self._library.adsi_tx_put_message(state, message, len(message) - 1)
        samples = np.zeros(_LONGEST_BURST_SAMPLES, np.int16)
        count = self._library.adsi_tx(state, samples.ctypes.data, len(samples))
        self._library.adsi_tx_free(state)
        return samples[:count]

    def _messages(self, samples: Pcm, standard: int) -> list[bytes]:
        messages: list[bytes] = []

        def put(_: int, message: ctypes._Pointer[ctypes.c_uint8], length: int) -> None:
            messages.append(ctypes.string_at(message, length))

        kept = _PutMessage(put)
        state = self._library.adsi_rx_init(None, standard, kept, None)
        audio = np.ascontiguousarray(np.concatenate([samples, _TAIL]))
        self._library.adsi_rx(state, audio.ctypes.data, len(audio))
        self._library.adsi_rx_free(state)
        return messages

    def digits(self, samples: Pcm) -> str:
        told: list[bytes] = []

        def put(_: int, digits: ctypes._Pointer[ctypes.c_char], length: int) -> None:
            told.append(ctypes.string_at(digits, length))

        kept = _PutDigits(put)
        state = self._library.dtmf_rx_init(None, kept, None)
        audio = np.ascontiguousarray(np.concatenate([samples, _TAIL]))
        # All at once it would keep no more than 128 digits.
        for first in range(0, len(audio), _BLOCK_SAMPLES):
            count = min(_BLOCK_SAMPLES, len(audio) - first)
            self._library.dtmf_rx(state, audio.ctypes.data + audio.itemsize * first, count)
        self._library.dtmf_rx_free(state)
        return b"".join(told).decode()

    def hears_tone(self, samples: Pcm, first_hz: int, second_hz: int, on_ms: int, off_ms: int) -> bool:
        """Whether its super_tone_rx, told of this one cadenced tone, reports it; times within 20 ms."""
        library = self._library
        descriptor = library.super_tone_rx_make_descriptor(None)
        tone = library.super_tone_rx_add_tone(descriptor)
        library.super_tone_rx_add_element(descriptor, tone, first_hz, second_hz, on_ms - 20, on_ms + 20)
        library.super_tone_rx_add_element(descriptor, tone, 0, 0, off_ms - 20, off_ms + 20)
        told: list[int] = []
        kept = _ReportTone(lambda _user, code, _level, _delay: told.append(code))
        state = library.super_tone_rx_init(None, descriptor, kept, None)
        audio = np.ascontiguousarray(samples)
        at = 0
        while at < len(audio):
            at += (
                library.super_tone_rx(
                    state, audio.ctypes.data + audio.itemsize * at, min(160, len(audio) - at)
                )
                or 1
            )
        library.super_tone_rx_free(state)
        library.super_tone_rx_free_descriptor(descriptor)
        return tone in told


class MultimonNg:
    """multimon-ng's CLIPFSK and DTMF, at the rate that it wants."""

    name = "multimon-ng"

    def callers(self, samples: Pcm, standard: FskStandard) -> list[Caller]:  # noqa: ARG002
        callers = (self.caller(line) for line in self._lines("CLIPFSK", samples))
        return [caller for caller in callers if caller != NOTHING]

    def digits(self, samples: Pcm) -> str:
        return "".join(line.removeprefix("DTMF: ").strip() for line in self._lines("DTMF", samples))

    @staticmethod
    def _lines(demodulator: str, samples: Pcm) -> list[str]:
        """What it prints; not every message ends its line."""
        audio = soxr.resample(np.concatenate([samples, _TAIL]), RATE_HZ, _MULTIMON_RATE_HZ)
        # Standard input must be a file: from a pipe the last samples may be lost.
        with tempfile.TemporaryFile() as recording:
            recording.write(audio.astype("<i2").tobytes())
            recording.seek(0)
            command = ["multimon-ng", "-q", "-n", "-c", "-a", demodulator, "-t", "raw", "-"]
            finished = subprocess.run(command, stdin=recording, stdout=subprocess.PIPE, check=True)
        return re.findall(
            rf"{demodulator}: .*?(?=$|{demodulator}: )", finished.stdout.decode("latin-1"), re.MULTILINE
        )

    @staticmethod
    def caller(line: str) -> Caller:
        """What a line says: `CLIPFSK: CS DATE=12011731 CID=5550100 CNT=ABC`, and the like."""
        # Parameters come as NAME=value, and after some of them what the value means.
        fields = dict(re.findall(r" ([A-Z]+)=(.*?)(?= [A-Z]+=|$)", line))
        if line.startswith("CLIPFSK: MWI"):
            return Caller(waiting=" Activation" in fields["VI"]) if "VI" in fields else NOTHING
        if not line.startswith("CLIPFSK: CS"):
            return NOTHING
        return Caller(
            fields.get("CID"), fields.get("CNT"), fields.get("DATE"), fields.get("RACLI", "")[:1] or None
        )


class Minimodem:
    """minimodem set to 1200 baud and the standard's tones, its bytes framed and checked here."""

    name = "minimodem"

    def callers(self, samples: Pcm, standard: FskStandard) -> list[Caller]:
        if standard.name == "NTT":
            return []
        tones = ["-M", str(standard.mark_hz), "-S", str(standard.space_hz)]
        with tempfile.TemporaryDirectory() as folder:
            recording = Path(folder) / "line.wav"
            soundfile.write(recording, np.concatenate([samples, _TAIL]), RATE_HZ, "PCM_16")
            command = ["minimodem", "--rx", "1200", "-8", "-q", *tones, "-f", str(recording)]
            finished = subprocess.run(
                command,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                check=False,  # it fails when nothing was heard
            )
        return list(callers_in(finished.stdout))


def caller_id_peers() -> list[CallerIdPeer]:
    """Those that are installed, in the order of the tables' columns."""
    peers: list[CallerIdPeer] = []
    peers += _spandsp()
    peers += [MultimonNg()] if shutil.which("multimon-ng") else []
    peers += [Minimodem()] if shutil.which("minimodem") else []
    return peers


def dtmf_peers() -> list[DtmfPeer]:
    """Those that are installed, in the order of the tables' columns."""
    peers: list[DtmfPeer] = []
    peers += _spandsp()
    peers += [MultimonNg()] if shutil.which("multimon-ng") else []
    return peers


def versions() -> dict[str, str]:
    """Of those that are installed, by their names."""
    found = {}
    if shutil.which("multimon-ng"):
        found["multimon-ng"] = _said("multimon-ng", "-h")
    if shutil.which("minimodem"):
        found["minimodem"] = _said("minimodem", "--version")
    if _spandsp():
        found["spandsp"] = _package_version("libspandsp2")
    return found


def absent() -> list[str]:
    """What is not installed, and how to have it."""
    missing = [] if _spandsp() else ["spandsp (apt install libspandsp2)"]
    return missing + [
        f"{name} (apt install {name})" for name in ("multimon-ng", "minimodem") if not shutil.which(name)
    ]


def spandsp() -> Spandsp | None:
    """The library, if it is installed."""
    try:
        return Spandsp(ctypes.CDLL(SPANDSP_LIBRARY))
    except OSError:
        return None


def _spandsp() -> Sequence[Spandsp]:
    library = spandsp()
    return [] if library is None else [library]


def _said(*command: str) -> str:
    finished = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    version = re.search(r"\d+(\.\d+)+", finished.stdout)
    return version.group() if version else "?"


def _package_version(package: str) -> str:
    """As Debian's dpkg tells it; "?" elsewhere."""
    return _said("dpkg-query", "-W", "-f", "${Version}", package) if shutil.which("dpkg-query") else "?"
