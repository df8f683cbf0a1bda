"""Every announcement as the household hears it: composed by the firmware's own code, in MicroPython."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from host_tools.prompts.build import read_texts
from host_tools.prompts.level import SAMPLE_RATE_HZ, Samples

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"

Items = tuple[str | int, ...]
"""What is played in turn: names of prompts, and silences in ms."""

_PAUSE = "·"

_SPEAK = """
import json, sys
from star57.calls import Call
from star57.sound.prompts import Speaker

def call(number=None, reason=None, waiting=False):
    made = Call("0123456789abcdef", 0, "network")
    made.call_waiting = waiting
    made.caller_id = {"number": number, "reason": reason}
    return made

def unidentified():
    made = call()
    made.caller_id = None
    return made

NUMBER = "5555550123"
CAME = (5, 3, 15, 5)
said = []
language, expressions = json.load(sys.stdin)
speaker = Speaker(language)
for expression in expressions:
    items = eval(expression)
    said.append([item if isinstance(item, str) else item.duration_ms for item in items])
print(json.dumps(said))
"""


@dataclass(frozen=True)
class Example:
    """An announcement with values.

    Attributes:
        title: what it is, in a few words.
        expression: what makes it, in MicroPython; `speaker` is a star57.sound.prompts.Speaker.
    """

    title: str
    expression: str


def _announced(title: str, name: str, cents: int = 0) -> Example:
    return Example(title, f"speaker.announcement({name!r}, {cents})")


EXAMPLES = {
    "The trace code": (
        _announced("The offer, at a price", "offer", 550),
        _announced("The offer, without a price", "offer"),
        _announced("A newer call has come in", "newer_call", 100),
        _announced("The request is kept", "please_wait"),
        _announced("Traced", "traced", 500),
        _announced("Traced, without a charge", "traced"),
        _announced("Traced, and enough for action", "traced_action_open", 121),
        _announced("Not traceable", "not_traceable"),
        _announced("Traced before", "already_traced"),
        _announced("There is no call", "no_call"),
        _announced("Not confirmed", "not_confirmed"),
        _announced("Stored, to be sent later", "stored"),
        _announced("The store is full", "store_full"),
        _announced("The store failed", "store_failed"),
    ),
    "The answer to an earlier request": (
        _announced("Traced", "earlier_traced", 500),
        _announced("Traced, and enough for action", "earlier_traced_action_open", 500),
        _announced("Not traceable", "earlier_not_traceable"),
        _announced("Traced before", "earlier_already_traced"),
        _announced("Refused", "earlier_not_offered"),
    ),
    "The last call": (
        Example("With its number", "speaker.last_call(call(NUMBER), CAME, None)"),
        Example("Of today", "speaker.last_call(call(NUMBER), CAME, (5, 3, 15, 9))"),
        Example("Of yesterday", "speaker.last_call(call(NUMBER), CAME, (5, 4, 0, 0))"),
        Example("A call that waited", "speaker.last_call(call(NUMBER, waiting=True), CAME, None)"),
        Example("A private number", "speaker.last_call(call(reason='P'), CAME, None)"),
        Example("A number that is not available", "speaker.last_call(call(reason='O'), CAME, None)"),
        Example("A number without a time", "speaker.last_call(call(NUMBER), None, None)"),
        Example("Without caller ID", "speaker.last_call(unidentified(), CAME, None)"),
        Example("There is none", "speaker.last_call(None, None, None)"),
    ),
    "The traces": (
        Example("One", "speaker.traces(1, [(5, 1, 0, 1)], None)"),
        Example(
            "Several", "speaker.traces(3, [(8, 31, 1, 21), (5, 3, 12, 30), (1, 21, 21, 0)], (8, 31, 9, 0))"
        ),
        Example("More than have a date", "speaker.traces(21, [(12, 25, 20, 16), (12, 24, 13, 11)], None)"),
        Example("None", "speaker.traces(0, [], None)"),
    ),
    "The outcome of the last request": (
        Example("Traced", "speaker.outcome('traced', 500)"),
        Example("Refused", "speaker.outcome('not_offered')"),
        Example("No answer yet", "speaker.no_answer_yet()"),
        Example("There was no request", "speaker.no_request()"),
    ),
    "The language": (
        Example("The choice", "speaker.languages([1, 2, 3])"),
        Example("There is only one", "speaker.one_language()"),
        Example("It is chosen", "speaker.language_chosen()"),
    ),
}
"""Every announcement, by the occasion."""


def composed(language: str, expressions: Sequence[str], interpreter: Sequence[str]) -> list[Items]:
    """What the firmware plays for each expression, as in Example.

    Args:
        language: code of a language.
        expressions: what makes each.
        interpreter: the command that starts MicroPython.
    """
    answer = subprocess.run(
        [*interpreter, "-X", "heapsize=64M", "-c", _SPEAK],
        env={"MICROPYPATH": f"{FIRMWARE}:.frozen"},
        input=json.dumps([language, list(expressions)]).encode(),
        check=True,
        stdout=subprocess.PIPE,
    )
    return [tuple(items) for items in json.loads(answer.stdout)]


def as_text(items: Items, texts: dict[str, str]) -> str:
    """The words of what is played; a pause between sentences or groups of digits is a dot."""
    return " ".join(texts[item] if isinstance(item, str) else _PAUSE for item in items)


def as_audio(items: Items, pack: Path) -> Samples:
    """What is played, at 8 kHz, in 16-bit units."""
    parts = [
        soundfile.read(pack / f"{item}.wav", dtype="int16")[0]
        if isinstance(item, str)
        else np.zeros(item * SAMPLE_RATE_HZ // 1000)
        for item in items
    ]
    return np.concatenate(parts).astype(np.float64)


def length_s(items: Items, pack: Path) -> float:
    """How long it takes to play."""
    return sum(
        soundfile.info(pack / f"{item}.wav").duration if isinstance(item, str) else item / 1000
        for item in items
    )


def page(packs: Path, languages: Sequence[str], interpreter: Sequence[str]) -> str:
    """The page of all announcements in all languages, in Markdown."""
    examples = [example for group in EXAMPLES.values() for example in group]
    expressions = [example.expression for example in examples]
    heard = {
        language: dict(zip(examples, composed(language, expressions, interpreter), strict=True))
        for language in languages
    }
    texts = {language: read_texts(packs / language) for language in languages}
    lines = [_HEAD]
    for occasion, group in EXAMPLES.items():
        lines.append(f"\n## {occasion}\n")
        for example in group:
            lines.append(f"\n**{example.title}**\n\n| | as heard | s |\n|---|---|---:|\n")
            for language in languages:
                items = heard[language][example]
                said, seconds = as_text(items, texts[language]), length_s(items, packs / language)
                lines.append(f"| {language} | {said} | {seconds:.1f} |\n")
    return "".join(lines)


_HEAD = """# What the household hears

Every announcement in every language, put together by the firmware from the files in `firmware/prompts`, with how long
it lasts. A dot is a pause: 350 ms between sentences, 250 ms between the groups of a number.
`star57 prompts review FOLDER` writes this page anew, and each announcement as one WAV to listen to.
"""
