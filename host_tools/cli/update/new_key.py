"""`star57 update new-key`: the key pair that signs firmware."""

from __future__ import annotations

import typer

from host_tools.cli.answer import JsonOption, answer, stopped
from host_tools.cli.exit_codes import ExitCode
from host_tools.cli.update.release_file import KeyOption
from host_tools.technician import release_key
from host_tools.technician.release_key import ReleaseKeyFault


def new_key(key: KeyOption, *, json: JsonOption = False) -> None:
    """Make the key pair that signs releases, and print the public key: the setting release_key of every board.

    The private key is kept in the file, encrypted with a passphrase of at least 12 letters. Who loses it can update no
    adapter over the link again; who finds it, with its passphrase, can put anything on all of them.
    """
    passphrase: str = typer.prompt("Passphrase", hide_input=True, confirmation_prompt=True, err=True)
    try:
        public_key = release_key.new_key(key, passphrase)
    except ReleaseKeyFault as fault:
        raise stopped(ExitCode.FAILED, str(fault)) from fault
    answer({"release_key": public_key}, public_key, as_json=json)
