"""`star57 bundle verify`: whether a bundle that a trace centre has released is whole."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from host_tools.cli.answer import JsonOption, answer, stopped
from host_tools.cli.exit_codes import ExitCode
from host_tools.service.bundle_verify import BundleInvalid, KeyUnreadable, in_words, read_public_key
from host_tools.service.bundle_verify import verify as verify_bundle

bundle = typer.Typer(no_args_is_help=True, help="Bundles that a trace centre has released.")


@bundle.callback()
def bundles() -> None:
    """Bundles that a trace centre has released."""


@bundle.command()
def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False)],
    key: Annotated[str, typer.Option(help="The centre's public signing key: a PEM file, or 64 hex digits.")],
    json: JsonOption = False,
) -> None:
    """Say whether nothing in a bundle was changed since its release. Ends with 1 when something was, and says what."""
    try:
        text = Path(key).read_text(encoding="ascii") if Path(key).is_file() else key
        manifest = verify_bundle(file.read_bytes(), read_public_key(text))
    except (OSError, UnicodeDecodeError, KeyUnreadable, BundleInvalid) as error:
        raise stopped(ExitCode.FAILED, str(error), "bundle") from error
    answer(manifest, in_words(manifest).rstrip("\n"), as_json=json)
