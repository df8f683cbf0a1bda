"""`star57 centre new-key`: a key pair that records are sealed to."""

from __future__ import annotations

import typer

from host_tools.cli.centre.passphrase import FolderOption, make_key
from host_tools.service.key_files import KeyKind


def new_key(folder: FolderOption) -> None:
    """Make a key pair that records are sealed to, and print the public key, for STAR57_CENTRE_PUBLIC_KEY.

    The private key is kept in the folder, encrypted with a passphrase. Records that were sealed to an older key
    are opened with that: keep its file.
    """
    typer.echo(make_key(folder, KeyKind.OPENING))
