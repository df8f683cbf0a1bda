"""`star57 centre new-key`: a key pair that records are sealed to."""

from __future__ import annotations

from host_tools.cli.answer import JsonOption, answer
from host_tools.cli.centre.passphrase import FolderOption, make_key
from host_tools.service.key_files import KeyKind


def new_key(folder: FolderOption, json: JsonOption = False) -> None:
    """Make a key pair that records are sealed to, and print the public key, for STAR57_CENTRE_PUBLIC_KEY.

    The private key is kept in the folder, encrypted with a passphrase. Records that were sealed to an older key
    are opened with that: keep its file.
    """
    public_key = make_key(folder, KeyKind.OPENING)
    answer({"public_key": public_key}, public_key, as_json=json)
