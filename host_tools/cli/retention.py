"""`star57 retention`: deletes what is due, by record class."""

from __future__ import annotations

import time
from collections import Counter
from typing import Annotated

import typer

from host_tools.cli.answer import JsonOption, answer
from host_tools.cli.audit.settings import OptionalDatabase
from host_tools.cli.database import ACTOR, stopped, store_settings, work_on
from host_tools.service.retention import Purged, RecordClass, Retention, RetentionRefused, due, purge
from host_tools.service.settings import Settings

_NAMES = {
    RecordClass.SEALED: "sealed records",
    RecordClass.TRACES: "traces",
    RecordClass.CALL_LOG: "calls of households' logs",
    RecordClass.CHARGES: "charges",
    RecordClass.CASES: "cases",
    RecordClass.ADAPTER_LOGS: "logs of adapters",
    RecordClass.SESSIONS: "sessions",
    RecordClass.AUDIT: "rows of the audit log",
}


def retention(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what is due, and delete nothing.")] = False,
    database: OptionalDatabase = None,
    json: JsonOption = False,
) -> None:
    """Delete what is due by STAR57_RETENTION_..._DAYS, but for what is under legal hold; run it daily.

    Of the audit log a beginning goes, up to a checkpoint: `star57 audit checkpoint` makes them.
    """
    settings = store_settings("retention", database)
    now = time.time()
    try:
        chosen = retention_of(settings)
    except RetentionRefused as error:
        raise stopped("retention", 2, f"set STAR57_RETENTION_..._DAYS right: {error}") from error
    counts: Counter[RecordClass] = Counter()
    if dry_run:
        counts.update(
            work_on(settings.database, lambda connection: due(connection, now, chosen), command="retention")
        )
    else:
        is_complete = False
        while not is_complete:
            purged: Purged = work_on(
                settings.database,
                lambda connection: purge(connection, now, chosen, ACTOR),
                command="retention",
            )
            counts.update(purged.counts)
            is_complete = purged.is_complete
    sentences = []
    for record_class, name in _NAMES.items():
        days = chosen.days(record_class)
        rule = "kept for ever" if days is None else f"older than {days} days"
        sentences.append(f"{counts[record_class]:9} {name} ({rule}) {'due' if dry_run else 'deleted'}")
    document = {"is_dry_run": dry_run, "counts": {each.value: counts[each] for each in _NAMES}}
    answer(document, "\n".join(sentences), as_json=json)


def retention_of(settings: Settings) -> Retention:
    """The days of the settings.

    Raises:
        RetentionRefused: they contradict each other.
    """
    days = {f"{each}_days": getattr(settings, f"retention_{each}_days") for each in RecordClass}
    return Retention(**days, audit_is_stamped=settings.time_stamp_url is not None)
