"""How the verbs of `star57 update` name a file, and say what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from host_tools.cli.answer import stopped
from host_tools.cli.exit_codes import ExitCode
from host_tools.technician import release as releases
from host_tools.technician.release import Release, ReleaseFault

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="A release: what package and sign make.")]
KeyOption = Annotated[
    Path,
    typer.Option("--key", envvar="STAR57_RELEASE_KEY_FILE", help="The file of the private release key."),
]


def read(path: Path) -> Release:
    """The release in a file.

    Raises:
        typer.Exit: it is none; said on stderr.
    """
    try:
        return releases.read(path)
    except ReleaseFault as fault:
        raise stopped(ExitCode.FAILED, str(fault)) from fault


def told(release: Release) -> dict[str, Any]:
    """What a release says of itself, for --json; `sha256` is null before it is signed."""
    return {
        **release.manifest.model_dump(),
        "sha256": None if release.signature is None else release.sha256,
    }


def named(release: Release) -> str:
    """The release in a few words."""
    manifest = release.manifest
    return f"release {manifest.release} for {manifest.board}, version {manifest.version}"
