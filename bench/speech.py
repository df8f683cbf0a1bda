"""Speech on which no receiver may hear anything: eight hours and more, recorded and synthetic.

    python -m bench.speech

tells how long it is, and renders what is to be rendered. Recorded: the prompts of Debian's asterisk-core-sounds-en-wav.
Synthetic: espeak-ng, nine voices at three speeds, each reading words of speech.txt in an order of its own. Each
piece comes three times: as it is, and 6 and 12 dB louder with clipping. What is not installed is left out, and named by
`absent`. Rendered speech is kept under build/speech; a second run renders nothing.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
import soxr

from bench.micropython import ROOT, Pcm

RATE_HZ = 8000
GAINS_DB = (0, 6, 12)
PROMPTS = Path("/usr/share/asterisk/sounds/en_US_f_Allison")
ESPEAK_VOICES = ("en-us+m1", "en-gb+f2", "de+f4", "fr+m3", "es+f1", "it+m7", "sv+f3", "en-us+croak", "ru+m4")
ESPEAK_WORDS_PER_MINUTE = (120, 190, 260)
ESPEAK_PEAK_DB = -3.0  # below full scale
WORDS_A_READING = 1200  # drawn from the text
SEED = 57

_CACHE = ROOT / "build" / "speech"
_TEXT = Path(__file__).with_name("speech.txt")
_PROMPT_PAUSE_SAMPLES = 2400
_PROMPTS_A_PIECE = 100


def corpus() -> Iterator[tuple[str, Pcm]]:
    """Every piece at every gain, with a name that says which; some minutes each, 8 kHz."""
    for name, samples in pieces():
        for gain_db in GAINS_DB:
            louder = np.round(samples.astype(np.float64) * 10 ** (gain_db / 20))
            yield f"{name} {gain_db:+d} dB", np.clip(louder, -32768, 32767).astype(np.int16)


def pieces() -> Iterator[tuple[str, Pcm]]:
    """Every piece once, as it was recorded or rendered."""
    yield from _recorded()
    yield from _synthetic()


def absent() -> list[str]:
    """What of the speech is not here, and how to have it."""
    missing = []
    if not PROMPTS.is_dir():
        missing.append("Asterisk's prompts (apt install asterisk-core-sounds-en-wav)")
    if shutil.which("espeak-ng") is None:
        missing.append("espeak-ng (apt install espeak-ng)")
    return missing


def _recorded() -> Iterator[tuple[str, Pcm]]:
    prompts = sorted(PROMPTS.rglob("*.wav"))
    for first in range(0, len(prompts), _PROMPTS_A_PIECE):
        parts: list[Pcm] = []
        for prompt in prompts[first : first + _PROMPTS_A_PIECE]:
            samples, rate_hz = soundfile.read(prompt, dtype="int16")
            if rate_hz != RATE_HZ:
                raise ValueError(f"{prompt}: {rate_hz} Hz instead of {RATE_HZ}")
            parts += [samples, np.zeros(_PROMPT_PAUSE_SAMPLES, np.int16)]
        yield f"asterisk {first // _PROMPTS_A_PIECE + 1}", np.concatenate(parts)


def _synthetic() -> Iterator[tuple[str, Pcm]]:
    program = shutil.which("espeak-ng")
    if program is None:
        return
    version = subprocess.run([program, "--version"], stdout=subprocess.PIPE, check=True).stdout
    rng = np.random.default_rng(SEED)
    words = re.findall(r"\S+", _TEXT.read_text())
    for voice in ESPEAK_VOICES:
        for words_per_minute in ESPEAK_WORDS_PER_MINUTE:
            text = " ".join(rng.choice(words, WORDS_A_READING))
            key = hashlib.sha256(version + text.encode()).hexdigest()[:12]
            path = _CACHE / f"{voice}-{words_per_minute}-{key}.raw"
            if not path.exists():
                _render(program, voice, words_per_minute, text, path)
            yield f"espeak {voice} {words_per_minute}", np.fromfile(path, "<i2").astype(np.int16)


def _render(program: str, voice: str, words_per_minute: int, text: str, path: Path) -> None:
    spoken = subprocess.run(
        [program, "-v", voice, "-s", str(words_per_minute), "--stdout"],
        input=text.encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
    ).stdout
    # A stream's header does not know its length, so the samples are taken from behind it.
    rate_hz = int.from_bytes(spoken[24:28], "little")
    samples = np.frombuffer(spoken[44 : len(spoken) & ~1], "<i2").astype(np.float64)
    samples = soxr.resample(samples, rate_hz, RATE_HZ)
    samples *= 10 ** (ESPEAK_PEAK_DB / 20) * 32767 / np.abs(samples).max()
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_bytes(np.round(samples).astype("<i2").tobytes())
    unfinished.rename(path)


def main() -> None:
    for missing in absent():
        print(f"left out: {missing}")
    seconds = {name: len(samples) / RATE_HZ for name, samples in corpus()}
    print(f"{len(seconds)} pieces, {sum(seconds.values()) / 3600:.1f} hours")


if __name__ == "__main__":
    main()
