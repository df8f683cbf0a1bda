"""The verbs of `star57 centre`."""

from __future__ import annotations

import typer

from host_tools.cli.centre.new_key import new_key
from host_tools.cli.centre.rotate_origin_key import rotate_origin_key
from host_tools.cli.centre.signing_key import signing_key

centre = typer.Typer(no_args_is_help=True, help="The keys of the trace centre.")
for verb in (new_key, signing_key, rotate_origin_key):
    centre.command()(verb)
