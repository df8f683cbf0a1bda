"""The `star57 prompts` command: the packs of prompts, from texts and from recordings."""

from __future__ import annotations

import typer

from host_tools.cli.prompts.build import build
from host_tools.cli.prompts.review import review
from host_tools.cli.prompts.script import script

prompts = typer.Typer(no_args_is_help=True, help="What the household hears: read out, record, build, review.")

prompts.command("build")(build)
prompts.command("script")(script)
prompts.command("review")(review)
