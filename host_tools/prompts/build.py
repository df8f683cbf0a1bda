"""Builds announcement packs from the texts: `python -m host_tools.prompts.build [FOLDER]`, a folder a language in it.

The files are IMA ADPCM at 8 kHz. At 4 KB a second the pack of a language fits what the firmware leaves free of a Pico's
flash; a sample costs a table look-up and an addition; any computer plays the files, and common tools write them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from host_tools.prompts.language import Language, Prompt
from host_tools.prompts.level import SAMPLE_RATE_HZ, Samples
from host_tools.prompts.recordings import Finding, Recordings
from host_tools.prompts.shaping import shaped
from host_tools.prompts.speech import VoiceMissing, spoken
from host_tools.prompts.texts import EMERGENCY_NUMBER, LANGUAGES, prompts_of

PACKS = Path(__file__).resolve().parents[2] / "firmware" / "prompts"
PACK = PACKS / "en-US"
TEXTS_FILE = "texts.txt"
"""What each file of a pack says, beside the files: NAME, tab, TEXT. A telephone for the deaf shows it."""


@dataclass(frozen=True)
class Built:
    """What became of a pack.

    Attributes:
        language: its code.
        size_bytes: of all its files.
        recorded: how many prompts a speaker says.
        missing: name and text of each that the computer's voice still says.
        findings: what is wrong with recordings.
        unknown: recordings of no prompt.
    """

    language: str
    size_bytes: int
    recorded: int
    missing: Mapping[str, str]
    findings: list[Finding]
    unknown: list[str]


def build(
    folder: Path,
    language: Language,
    recordings: Recordings | None = None,
    emergency_number: str = EMERGENCY_NUMBER,
    advance: Callable[[], None] = lambda: None,
) -> Built:
    """Writes the whole pack of a language into `folder`: a WAV for each text, and the texts. Other WAVs are removed.

    Args:
        folder: is made where there is none.
        language: what it says.
        recordings: used where there is one; the computer's voice says the rest.
        emergency_number: its digits.
        advance: is called after each prompt.

    Raises:
        VoiceMissing: there is no espeak-ng, and no recording for each prompt.
    """
    prompts = prompts_of(language, emergency_number)
    names = {prompt.name for prompt in prompts}
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.wav"):
        if old.stem not in names:
            old.unlink()
    missing, findings = {}, []
    for prompt in prompts:
        speech, faults = recordings.speech(prompt) if recordings else (None, [])
        findings += faults
        if speech is None:
            missing[prompt.name] = prompt.text
            speech = spoken(prompt)
        _write(folder / f"{prompt.name}.wav", shaped(speech))
        advance()
    write_texts(folder, prompts)
    return Built(
        language.code,
        sum(path.stat().st_size for path in folder.iterdir()),
        len(prompts) - len(missing),
        missing,
        findings,
        sorted(recordings.names - names) if recordings else [],
    )


def write_texts(folder: Path, prompts: list[Prompt]) -> None:
    """Writes what each file of a pack says."""
    lines = (f"{prompt.name}\t{prompt.text}\n" for prompt in prompts)
    (folder / TEXTS_FILE).write_text("".join(lines), encoding="utf-8")


def read_texts(pack: Path) -> dict[str, str]:
    """What each file of a pack says, by its name."""
    lines = (pack / TEXTS_FILE).read_text(encoding="utf-8").splitlines()
    return dict(line.split("\t", 1) for line in lines)


def _write(path: Path, samples: Samples) -> None:
    whole = np.round(samples).astype(np.int16)
    soundfile.write(path, whole, SAMPLE_RATE_HZ, format="WAV", subtype="IMA_ADPCM")


if __name__ == "__main__":
    packs = Path(sys.argv[1]) if len(sys.argv) > 1 else PACKS
    try:
        for spoken_language in LANGUAGES.values():
            build(packs / spoken_language.code, spoken_language)
    except VoiceMissing as voice_missing:
        sys.exit(f"star57: {voice_missing}")
