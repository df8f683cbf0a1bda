"""The log: lines of words, or a JSON object a line, to standard error; never anything personal.

The service's rooms say what they say by `logging`, and give programs its parts in `extra`. Whatever anybody raises is
logged by its kind and its place in the program: its text might repeat what somebody has sent.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

import structlog

Format = Literal["json", "text"]
Event = MutableMapping[str, Any]

LEVELS = {"host_tools": logging.DEBUG, "uvicorn": logging.INFO, "uvicorn.access": logging.WARNING}
"""Who is heard below a warning, and from where on at the least: uvicorn would tell what it is sent, and by whom."""


def configure(written_as: Format, level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Writes the log of this process from now on; what was configured before is no more.

    Args:
        written_as: the setting `log_format`.
        level: the least that is written.
        stream: where to; None for standard error.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_formatter(written_as))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for name, least in LEVELS.items():
        logging.getLogger(name).setLevel(max(level, least))


def _formatter(written_as: Format) -> logging.Formatter:
    renderer = structlog.processors.JSONRenderer() if written_as == "json" else _words
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[_when_and_who, _first_line, structlog.stdlib.ExtraAdder(), _without_text],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )


def _when_and_who(_: Any, __: str, event: Event) -> Event:
    record: logging.LogRecord = event["_record"]
    event["time"] = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    event["level"] = record.levelname.lower()
    event["logger"] = record.name
    return event


def _first_line(_: Any, __: str, event: Event) -> Event:
    # asyncio adds what it was about, and there the text of an exception. And a line feed would look like another event.
    event["event"] = str(event["event"]).partition("\n")[0]
    return event


def _without_text(_: Any, __: str, event: Event) -> Event:
    error = event.pop("exc_info", None)
    event.pop("stack_info", None)
    event.pop("color_message", None)  # uvicorn's own sentence again, for a terminal
    if isinstance(error, tuple) and error[0] is not None:
        kind, _raised, trace = error
        event["error"] = kind.__name__
        event["at"] = [
            f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(trace)
        ]
    return event


def _words(_: Any, __: str, event: Event) -> str:
    words = f"{event['time']} {event['level'].upper()} {event['event']}"
    if "error" in event:
        words += f": {event['error']}" + "".join(f"\n    {place}" for place in event["at"])
    return words
