"""The `star57 audit` command: the audit log of the trace service, also while the service runs."""

from __future__ import annotations

import typer

from host_tools.cli.audit.checkpoint import checkpoint
from host_tools.cli.audit.export import export
from host_tools.cli.audit.verify import verify

audit = typer.Typer(no_args_is_help=True, help="The audit log: verify it, export it, make checkpoints of it.")

audit.command("verify")(verify)
audit.command("export")(export)
audit.command("checkpoint")(checkpoint)
