"""`star57 adapter prompt`: puts a recording in the place of one of an adapter's prompts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import soundfile
import typer
from pydantic import TypeAdapter, ValidationError
from sqlalchemy.engine import Connection

from host_tools.cli.adapter.database import audit, known, stopped, work_on
from host_tools.cli.answer import JsonOption, answer
from host_tools.cli.database import DATABASE, DatabaseOption
from host_tools.service.adapters import Adapters
from host_tools.service.messages import MAX_PROMPT_BYTES, PromptName
from host_tools.service.orders import push_prompt

_SUBTYPES = ("IMA_ADPCM", "PCM_16")


def prompt(
    adapter_id: Annotated[str, typer.Argument(metavar="ID")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="Which prompt, such as traced.")],
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE.wav",
            exists=True,
            dir_okay=False,
            help="Mono, 8 kHz, IMA ADPCM or 16-bit PCM; 65536 bytes at most.",
        ),
    ],
    database: DatabaseOption = DATABASE,
    json: JsonOption = False,
) -> None:
    """Send a recording to an adapter, which plays it from then on in place of the prompt of that name."""
    try:
        TypeAdapter(PromptName).validate_python(name)
    except ValidationError as error:
        raise stopped(2, "a prompt's name has 1 to 32 letters a-z, digits and underscores") from error
    recording = _recording(file)

    def pushing(connection: Connection) -> None:
        adapter = known(connection, adapter_id)
        if adapter.prompt_file is not None and adapter.prompt_name != name:
            raise stopped(
                1, f"{adapter.prompt_name} is still on its way to {adapter_id}: see star57 adapter list"
            )
        Adapters(connection).change(adapter_id, **push_prompt(name, recording))
        audit(connection, "adapter.changed", adapter_id, prompt=name)

    work_on(database, pushing)
    document = {"adapter_id": adapter_id, "prompt": name, "bytes": len(recording)}
    text = f"{name}, {len(recording)} bytes, goes to {adapter_id} with its next heartbeats"
    answer(document, text, as_json=json)


def _recording(file: Path) -> bytes:
    if file.stat().st_size > MAX_PROMPT_BYTES:
        raise stopped(1, f"{file} has more than {MAX_PROMPT_BYTES} bytes")
    try:
        format_ = soundfile.info(file)
    except soundfile.LibsndfileError as error:
        raise stopped(1, f"{file} is no recording") from error
    is_right = (format_.format, format_.channels, format_.samplerate) == ("WAV", 1, 8000)
    if not is_right or format_.subtype not in _SUBTYPES:
        raise stopped(1, f"{file} is not WAV, mono, 8 kHz, IMA ADPCM or 16-bit PCM")
    return file.read_bytes()
