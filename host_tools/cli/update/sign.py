"""`star57 update sign`: signs a release."""

from __future__ import annotations

import typer

from host_tools.cli.answer import JsonOption, answer, stopped
from host_tools.cli.exit_codes import ExitCode
from host_tools.cli.update.release_file import FileArgument, KeyOption, named, read, told
from host_tools.technician import release as releases
from host_tools.technician.release import ReleaseFault
from host_tools.technician.release_key import ReleaseKeyFault, open_key


def sign(file: FileArgument, key: KeyOption, *, json: JsonOption = False) -> None:
    """Sign a release, in its file, with the private release key, whose passphrase is asked for."""
    release = read(file)
    passphrase: str = typer.prompt("Passphrase", hide_input=True, err=True)
    try:
        signed = releases.sign(release, open_key(key, passphrase))
        releases.write(signed, file)
    except (ReleaseKeyFault, ReleaseFault) as fault:
        raise stopped(ExitCode.FAILED, str(fault)) from fault
    answer(told(signed), f"{file}: {named(signed)}, is signed", as_json=json)
