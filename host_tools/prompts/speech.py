"""What a computer's voice makes of a text. Needs espeak-ng."""

from __future__ import annotations

import io
import shutil
import subprocess

import numpy as np
import soundfile
import soxr

from host_tools.prompts.language import Prompt
from host_tools.prompts.level import SAMPLE_RATE_HZ, Samples


class VoiceMissing(Exception):
    """espeak-ng is not on this machine; the text says what to install."""


def spoken(prompt: Prompt) -> Samples:
    """What espeak-ng makes of a prompt, at 8 kHz, in 16-bit units.

    Raises:
        VoiceMissing: there is no espeak-ng.
    """
    espeak = shutil.which("espeak-ng")
    if espeak is None:
        raise VoiceMissing("prompts are spoken by espeak-ng: apt install espeak-ng")
    language = prompt.language
    rate = str(language.words_per_minute)
    command = [espeak, "-v", language.voice, "-s", rate, "--stdout", prompt.sound]
    wav = subprocess.run(command, check=True, capture_output=True).stdout
    samples, rate_hz = soundfile.read(io.BytesIO(wav), dtype="float64")
    return np.asarray(soxr.resample(samples, rate_hz, SAMPLE_RATE_HZ, quality="VHQ")) * 32768
