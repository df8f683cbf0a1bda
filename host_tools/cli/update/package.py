"""`star57 update package`: a release of what was built."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from host_tools.cli.answer import JsonOption, answer, stopped
from host_tools.cli.exit_codes import ExitCode
from host_tools.cli.update.release_file import named, told
from host_tools.technician import release as releases
from host_tools.technician.release import GREATEST_RELEASE, ReleaseFault


def package(
    out: Annotated[Path, typer.Argument(metavar="FILE", help="The release's file, to be written.")],
    *,
    image: Annotated[Path, typer.Option(help="The JSON file beside the image: .cache/pico/pico.json.")],
    release: Annotated[
        int,
        typer.Option(
            min=1, max=GREATEST_RELEASE, help="Its number: greater than that of any release before it."
        ),
    ],
    json: JsonOption = False,
) -> None:
    """Put the firmware for both slots of a kind of board into one file, to be signed."""
    try:
        packaged = releases.package(image, release)
        releases.write(packaged, out)
    except ReleaseFault as fault:
        raise stopped(ExitCode.FAILED, str(fault)) from fault
    answer(told(packaged), f"{out}: {named(packaged)}; it is not signed yet", as_json=json)
