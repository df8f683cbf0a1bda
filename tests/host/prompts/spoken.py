"""What the firmware says with every value that there can be, in one run of MicroPython a language."""

from __future__ import annotations

from functools import cache

from host_tools.prompts.announcements import EXAMPLES, Items, as_text, composed
from host_tools.prompts.build import PACKS, read_texts
from host_tools.rig.micropython import interpreter_command

CENTS = range(1001)
NUMBERS = range(100)
DAYS = [(month, day) for month in range(1, 13) for day in range(1, 32)]
MINUTES = [(hour, minute) for hour in range(24) for minute in range(60)]

EXPRESSIONS = (
    *(f"speaker.number({number})" for number in NUMBERS),
    *(f"speaker.money({cents})" for cents in CENTS),
    *(f"speaker.announcement('offer', {cents})" for cents in CENTS),
    *(f"speaker.traces({count}, [], None)" for count in NUMBERS),
    *(f"speaker.date_time({month}, {day}, 15, 5)" for month, day in DAYS),
    *(f"speaker.date_time(5, 3, {hour}, {minute})" for hour, minute in MINUTES),
    *(example.expression for group in EXAMPLES.values() for example in group),
)


@cache
def everything_said(language: str) -> dict[str, Items]:
    """What is played for each expression."""
    return dict(zip(EXPRESSIONS, composed(language, EXPRESSIONS, interpreter_command()), strict=True))


def words(language: str, expression: str) -> str:
    """The words of what is played, parted by single blanks; hyphens are blanks, as prompts meet where they stand."""
    texts = read_texts(PACKS / language)
    return as_text(everything_said(language)[expression], texts).replace("-", " ")
