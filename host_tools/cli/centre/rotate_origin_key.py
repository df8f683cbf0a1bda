"""`star57 centre rotate-origin-key`: a new key for the tags of origins."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from host_tools.cli.answer import JsonOption, answer
from host_tools.cli.centre.passphrase import stopped
from host_tools.service.origins import OriginKeys, OriginKeysUnreadable

_DAY_S = 86400


def rotate_origin_key(
    file: Annotated[
        Path,
        typer.Option("--file", envvar="STAR57_ORIGIN_KEYS", help="The file of origin keys of the service."),
    ],
    forget_days: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Forget keys that were replaced so many days ago; not before traces of that age are deleted.",
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Tag new traces with a new key; the old ones still count what was tagged with them.

    The service has made the file at its first start, and reads it when it starts: copy it to each replica, and restart
    them all.
    """
    now = int(time.time())
    forget_before = 0 if forget_days is None else now - forget_days * _DAY_S
    try:
        keys = OriginKeys.load(file).rotated(now, forget_before)
        keys.save(file)
    except OriginKeysUnreadable as error:
        raise stopped(str(error)) from error
    document = {"origin_key": keys.ids[-1], "keys": list(keys.ids)}
    answer(document, f"the origin key is {keys.ids[-1]}, of {len(keys.ids)}", as_json=json)
