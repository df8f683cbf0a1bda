"""What a table of texts holds: one language as the household hears it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Language:
    """The words of one language, and how espeak-ng says them. Every language has the same shape.

    Attributes:
        code: the name of its pack.
        name: in English.
        voice: of espeak-ng.
        words_per_minute: how fast that voice is to speak to somebody who has been frightened.
        choice: offers this language, in its own words; every pack holds the offers of all languages.
        texts: the name of each prompt and what it says. "{emergency}" stands for the emergency number, digit by digit.
        sounds: what espeak-ng is given in place of the text where it would say the text wrongly: the phonemes of its
            own alphabet, in [[ ]].
    """

    code: str
    name: str
    voice: str
    words_per_minute: int
    choice: str
    texts: Mapping[str, str]
    sounds: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Prompt:
    """One file of a pack.

    Attributes:
        name: of the file, without ".wav".
        text: what it says.
        language: whose voice says it.
    """

    name: str
    text: str
    language: Language

    @property
    def sound(self) -> str:
        """What espeak-ng is given."""
        return self.language.sounds.get(self.name, self.text)
