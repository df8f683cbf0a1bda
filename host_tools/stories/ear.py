"""What the household heard, in sentences, from the audio of the earpiece alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from host_tools.prompts.recognise import PromptHeard, ToneHeard, prompts_heard, tones_heard
from host_tools.prompts.texts import TEXTS
from host_tools.rig.micropython import ROOT

PACK = ROOT / "firmware" / "prompts" / "en-US"
SAME_SENTENCE_S = 0.3
"""Prompts that follow each other more closely than this are said in one breath."""


@dataclass(frozen=True)
class Sentence:
    """Something that was heard.

    Attributes:
        at_s: when it began, in seconds of the audio.
        text: the words of the prompts, or the name of the tone.
        names: the prompts, or the tone.
    """

    at_s: float
    text: str
    names: tuple[str, ...]


def sentences(audio: npt.NDArray[np.int16], pack: Path = PACK) -> list[Sentence]:
    """The sentences and tones in 8 kHz audio, in the order in which they began."""
    heard = [*_spoken(prompts_heard(audio, pack)), *(_tone(tone) for tone in tones_heard(audio))]
    return sorted(heard, key=lambda sentence: sentence.at_s)


def _spoken(prompts: list[PromptHeard]) -> list[Sentence]:
    breaths: list[list[PromptHeard]] = []
    for prompt in prompts:
        last = breaths[-1][-1] if breaths else None
        if last and prompt.start_s - last.start_s - last.duration_s < SAME_SENTENCE_S:
            breaths[-1].append(prompt)
        else:
            breaths.append([prompt])
    return [
        Sentence(
            breath[0].start_s,
            " ".join(TEXTS[prompt.name] for prompt in breath),
            tuple(prompt.name for prompt in breath),
        )
        for breath in breaths
    ]


def _tone(tone: ToneHeard) -> Sentence:
    text = f"{tone.name} tone"
    if tone.interruptions_per_minute:
        text += f", {tone.interruptions_per_minute:.0f} interruptions a minute"
    return Sentence(tone.start_s, text, (tone.name,))
