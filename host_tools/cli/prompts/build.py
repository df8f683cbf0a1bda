"""`star57 prompts build`: makes packs, with a speaker's recordings where there are any."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group
from rich.table import Table

from host_tools.cli.answer import JsonOption, answer, progress, stopped
from host_tools.cli.exit_codes import ExitCode
from host_tools.cli.prompts.language_option import LanguageOption, chosen
from host_tools.prompts.build import Built
from host_tools.prompts.build import build as build_pack
from host_tools.prompts.language import Language
from host_tools.prompts.recordings import Recordings
from host_tools.prompts.speech import VoiceMissing
from host_tools.prompts.texts import EMERGENCY_NUMBER, prompts_of


def build(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Packs are written here, FOLDER/LANGUAGE.")
    ],
    *,
    language: LanguageOption = None,
    recordings: Annotated[
        Path | None,
        typer.Option(
            exists=True, file_okay=False, help="Folder with NAME.wav of a speaker, for the one language."
        ),
    ] = None,
    emergency: Annotated[
        str, typer.Option(metavar="DIGITS", help="The emergency number.")
    ] = EMERGENCY_NUMBER,
    strict: Annotated[
        bool, typer.Option(help="Fail when a recording is missing, silent or unreadable.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Build packs of prompts: levelled, within the telephone's band. The computer's voice says what nobody recorded."""
    languages = chosen(language)
    if recordings is not None and language is None:
        raise stopped(ExitCode.USAGE, "recordings are of one language: say which with --language")
    if not emergency.isdecimal():
        raise stopped(ExitCode.USAGE, f"{emergency} is no emergency number: digits only")
    spoken_by = None if recordings is None else Recordings(recordings)
    built = [_built(folder, one, spoken_by, emergency, as_json=json) for one in languages]
    answer(built, Group(*(_told(pack, spoken_by is not None) for pack in built)), as_json=json)
    if strict and any(pack.missing for pack in built):
        raise typer.Exit(ExitCode.FAILED)


def _built(
    folder: Path, language: Language, recordings: Recordings | None, emergency: str, *, as_json: bool
) -> Built:
    with progress(language.name, total=len(prompts_of(language)), as_json=as_json) as bar:
        try:
            return build_pack(folder / language.code, language, recordings, emergency, bar.advance)
        except VoiceMissing as missing:
            raise stopped(ExitCode.MISSING, str(missing)) from None


def _told(pack: Built, is_recorded: bool) -> Group:
    prompts = pack.recorded + len(pack.missing)
    lines = [f"{pack.language}: {prompts} prompts, {pack.size_bytes} bytes, {pack.recorded} of them recorded"]
    tables = []
    if is_recorded and pack.missing:
        missing = Table("missing", "what it says", title_justify="left")
        for name, text in pack.missing.items():
            missing.add_row(name, text)
        tables.append(missing)
    if pack.findings:
        findings = Table("recording", "is", "measured")
        for finding in pack.findings:
            findings.add_row(finding.name, finding.fault, finding.measured)
        tables.append(findings)
    if pack.unknown:
        lines.append(f"no prompt has the name of: {', '.join(pack.unknown)}")
    return Group(*lines, *tables)
