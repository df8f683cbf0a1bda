"""`star57 prompts review`: every announcement as the household hears it, to read and to listen to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import soundfile
import typer

from host_tools.cli.answer import JsonOption, answer, stopped
from host_tools.cli.exit_codes import ExitCode
from host_tools.cli.prompts.language_option import LanguageOption, chosen
from host_tools.prompts.announcements import EXAMPLES, as_audio, composed, page
from host_tools.prompts.build import PACKS
from host_tools.prompts.level import SAMPLE_RATE_HZ
from host_tools.rig.micropython import InterpreterMissing, interpreter_command


def review(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Where the page and the WAVs are written.")
    ],
    *,
    language: LanguageOption = None,
    packs: Annotated[
        Path, typer.Option(exists=True, file_okay=False, help="Folder of the packs, as build writes it.")
    ] = PACKS,
    json: JsonOption = False,
) -> None:
    """Write prompts.md, which shows every announcement as heard, and FOLDER/LANGUAGE/*.wav to listen to."""
    codes = [one.code for one in chosen(language)]
    try:
        interpreter = interpreter_command()
    except InterpreterMissing as missing:
        raise stopped(ExitCode.MISSING, str(missing)) from None
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "prompts.md").write_text(page(packs, codes, interpreter), encoding="utf-8")
    written = {code: _recorded(folder / code, packs / code, interpreter) for code in codes}
    counted = ", ".join(f"{len(files)} in {code}" for code, files in written.items())
    answer(written, f"{folder}: prompts.md, and announcements as WAV: {counted}", as_json=json)


def _recorded(folder: Path, pack: Path, interpreter: list[str]) -> list[str]:
    """Writes each announcement of a language, numbered as in the page, and answers their names."""
    folder.mkdir(exist_ok=True)
    examples = [(occasion, example) for occasion, group in EXAMPLES.items() for example in group]
    said = composed(pack.name, [example.expression for _, example in examples], interpreter)
    names = []
    for number, ((occasion, example), items) in enumerate(zip(examples, said, strict=True), start=1):
        name = f"{number:02} {occasion}, {example.title}.wav"
        soundfile.write(folder / name, as_audio(items, pack).astype(np.int16), SAMPLE_RATE_HZ)
        names.append(name)
    return names
