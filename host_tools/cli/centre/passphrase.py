"""How the verbs of `star57 centre` ask for a passphrase and make a key."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from host_tools.cli import database
from host_tools.service.key_files import KeyFileError, KeyFolder, KeyKind

FolderOption = Annotated[
    Path,
    typer.Option("--out", envvar="STAR57_CENTRE_KEY_FOLDER", help="The folder of the centre's private keys."),
]


def make_key(folder: Path, kind: KeyKind) -> str:
    """Asks for a passphrase twice, keeps a new private key in `folder`, and answers its public key, 64 hex digits.

    Raises:
        typer.Exit: it cannot be kept, or the passphrase is too short; said on stderr.
    """
    passphrase: str = typer.prompt("Passphrase", hide_input=True, confirmation_prompt=True, err=True)
    try:
        return KeyFolder(folder).new_key(kind, passphrase, int(time.time()))
    except KeyFileError as error:
        raise stopped(str(error)) from error


def stopped(sentence: str) -> typer.Exit:
    """Says on stderr what hinders the command, and answers what ends it."""
    return database.stopped("centre", 1, sentence)
