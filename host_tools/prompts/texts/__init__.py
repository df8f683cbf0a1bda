"""What each prompt says, in plain words for somebody who has just been frightened: one table a language.

A technician who records the prompts anew reads these aloud (`star57 prompts script`).
"""

from __future__ import annotations

from host_tools.prompts.language import Language, Prompt
from host_tools.prompts.texts.en_us import EN_US
from host_tools.prompts.texts.es_us import ES_US
from host_tools.prompts.texts.fr_ca import FR_CA

LANGUAGES = {language.code: language for language in (EN_US, ES_US, FR_CA)}
"""In the order of the digits that choose them, as in firmware/star57/settings.py."""

EMERGENCY_NUMBER = "911"
"""Of the United States and Canada."""


def prompts_of(language: Language, emergency_number: str = EMERGENCY_NUMBER) -> list[Prompt]:
    """The prompts of a language's pack: its own, and the offer of each language in that language's voice."""
    emergency = " ".join(emergency_number)
    own = [
        Prompt(name, text.replace("{emergency}", emergency), language)
        for name, text in language.texts.items()
    ]
    offers = [
        Prompt(f"language_{digit}", other.choice, other)
        for digit, other in enumerate(LANGUAGES.values(), start=1)
    ]
    return own + offers


TEXTS = {prompt.name: prompt.text for prompt in prompts_of(EN_US)}
"""The name of each prompt and its text, in American English."""
