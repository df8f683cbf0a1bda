"""Builds the announcement pack from texts.py: `python -m host_tools.prompts.build [FOLDER]`. Needs espeak-ng.

The files are IMA ADPCM at 8 kHz. At 4 KB a second the pack fits what the firmware leaves free of a Pico's
flash; a sample costs a table look-up and an addition; any computer plays the files, and common tools write
them.
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import soundfile
import soxr

from host_tools.prompts.level import (
    RMS_0_DBM0,
    SAMPLE_RATE_HZ,
    Samples,
    active_level_dbm0,
    frame_levels_dbm0,
)
from host_tools.prompts.texts import TEXTS

PACK = Path(__file__).resolve().parents[2] / "firmware" / "prompts" / "en-US"
SCRIPT = "texts.json"
"""What each file of a pack says, beside the files."""

ACTIVE_LEVEL_DBM0 = -18.0
LOUDEST_FRAME_DBM0 = -9.0
_LIMIT_DBM0 = -10.0  # of the loudest frame; the codec adds its noise

_VOICE = "en-us"
_WORDS_PER_MINUTE = 150
_BAND_HZ = (300.0, 3400.0)
_FILTER_TAPS = 801  # 20 Hz wide at either edge
_SILENCE_BELOW_LOUDEST_DB = 40.0
_FADE_S = 0.008
_LEVEL_STEPS = 20


class VoiceMissing(Exception):
    """espeak-ng is not on this machine; the text says what to install."""


def build(folder: Path) -> None:
    """Writes the whole pack into `folder`: a WAV for each text, and the script. Files of no text are removed.

    Raises:
        VoiceMissing: there is no espeak-ng.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.wav"):
        if old.stem not in TEXTS:
            old.unlink()
    for name, text in TEXTS.items():
        samples = np.round(levelled(trimmed(band_limited(spoken(text))))).astype(np.int16)
        soundfile.write(folder / f"{name}.wav", samples, SAMPLE_RATE_HZ, format="WAV", subtype="IMA_ADPCM")
    (folder / SCRIPT).write_text(json.dumps(TEXTS, indent=1) + "\n")


def spoken(text: str) -> Samples:
    """What espeak-ng makes of a text, at 8 kHz.

    Raises:
        VoiceMissing: there is no espeak-ng.
    """
    espeak = shutil.which("espeak-ng")
    if espeak is None:
        raise VoiceMissing("prompts are spoken by espeak-ng: apt install espeak-ng")
    command = [espeak, "-v", _VOICE, "-s", str(_WORDS_PER_MINUTE), "--stdout", text]
    wav = subprocess.run(command, check=True, capture_output=True).stdout
    samples, rate_hz = soundfile.read(io.BytesIO(wav), dtype="float64")
    return np.asarray(soxr.resample(samples, rate_hz, SAMPLE_RATE_HZ, quality="VHQ")) * 32768


def band_limited(samples: Samples) -> Samples:
    """The samples within the telephone band, 300 to 3400 Hz; linear phase."""
    place = np.arange(_FILTER_TAPS) - _FILTER_TAPS // 2
    low, high = (2 * edge_hz / SAMPLE_RATE_HZ for edge_hz in _BAND_HZ)
    taps = (high * np.sinc(high * place) - low * np.sinc(low * place)) * np.blackman(_FILTER_TAPS)
    return np.convolve(samples, taps)


def trimmed(samples: Samples) -> Samples:
    """The samples without the silence at either end, faded in and out so that neither end clicks."""
    levels = frame_levels_dbm0(samples, frame_ms=10)
    heard = np.flatnonzero(levels > levels.max() - _SILENCE_BELOW_LOUDEST_DB)
    hop = SAMPLE_RATE_HZ // 200
    part = samples[heard[0] * hop : (heard[-1] + 2) * hop].copy()
    fade = np.sin(np.linspace(0, np.pi / 2, int(_FADE_S * SAMPLE_RATE_HZ))) ** 2
    part[: len(fade)] *= fade
    part[-len(fade) :] *= fade[::-1]
    return part


def levelled(samples: Samples) -> Samples:
    """The samples at -18 dBm0 active level, with the loudest syllables held below -10 dBm0."""
    for _ in range(_LEVEL_STEPS):
        samples = samples * 10 ** ((ACTIVE_LEVEL_DBM0 - active_level_dbm0(samples)) / 20)
        loudest_dbm0 = frame_levels_dbm0(samples).max()
        if loudest_dbm0 <= _LIMIT_DBM0:
            break
        samples = _limited(samples)
    return samples


def _limited(samples: Samples) -> Samples:
    """Turns down whatever is louder than the limit over 20 ms, with a gain that moves smoothly."""
    window = np.hanning(SAMPLE_RATE_HZ // 50)
    window /= window.sum()
    power = np.convolve(samples**2, window, mode="same")
    limit = (RMS_0_DBM0 * 10 ** (_LIMIT_DBM0 / 20)) ** 2
    gain = np.sqrt(np.minimum(1.0, limit / np.maximum(power, 1.0)))
    before = len(window) // 2
    padded = np.pad(gain, (before, len(window) - 1 - before), mode="edge")
    return samples * np.convolve(padded, window, mode="valid")


if __name__ == "__main__":
    try:
        build(Path(sys.argv[1]) if len(sys.argv) > 1 else PACK)
    except VoiceMissing as missing:
        sys.exit(f"star57: {missing}")
