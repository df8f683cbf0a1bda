"""`star57 audit checkpoint`: keeps the log's hash, and has it time-stamped."""

from __future__ import annotations

import time

from host_tools.cli.answer import JsonOption, answer
from host_tools.cli.audit.database import stopped, work_on
from host_tools.cli.audit.settings import OptionalDatabase, authority_of
from host_tools.cli.database import ACTOR, shown, store_settings
from host_tools.service.audit.checkpoint import EmptyLog, make_checkpoint


def checkpoint(database: OptionalDatabase = None, json: JsonOption = False) -> None:
    """Make a checkpoint of the audit log, time-stamped by STAR57_TIME_STAMP_URL (RFC 3161); run it daily.

    Without an answer of the authority the checkpoint is kept, the exit status is 1, and the next run asks again.
    """
    settings = store_settings("audit", database)
    authority = authority_of("audit", settings)
    try:
        made = work_on(settings.database, lambda store: make_checkpoint(store, time.time(), ACTOR, authority))
    except EmptyLog as error:
        raise stopped(1, "there is no row to make a checkpoint of") from error
    sentences = [
        f"checkpoint at row {made.checkpoint.sequence}: {made.checkpoint.hash}",
        *(f"time-stamped: the checkpoint at row {sequence}" for sequence in made.stamped),
    ]
    document = {
        "row": made.checkpoint.sequence,
        "hash": made.checkpoint.hash,
        "time_stamped": list(made.stamped),
    }
    if not (json and made.trouble):
        answer(document, "\n".join(sentences), as_json=json)
    if made.trouble:
        raise stopped(
            1,
            f"the checkpoint is kept without a time stamp, and the next run asks again: {shown(made.trouble)}",
        )
