"""`star57 centre signing-key`: a key pair that what is released is signed with."""

from __future__ import annotations

from host_tools.cli.answer import JsonOption, answer
from host_tools.cli.centre.passphrase import FolderOption, make_key
from host_tools.service.bundle_verify import public_key_pem
from host_tools.service.key_files import KeyKind


def signing_key(folder: FolderOption, json: JsonOption = False) -> None:
    """Make a key pair that signs what is released, and print the public key, to be published: it checks a bundle.

    The private key is kept in the folder, encrypted with a passphrase: with that of the opening key, when one is to
    open both.
    """
    pem = public_key_pem(bytes.fromhex(make_key(folder, KeyKind.SIGNING)))
    answer({"public_key": pem}, pem.rstrip("\n"), as_json=json)
