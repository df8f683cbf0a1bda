"""Lines of the NCID protocol (Network Caller ID, ncid.sourceforge.io: NCID API 1.10, Feature Sets 1 and 4)."""

from __future__ import annotations

import re
from datetime import datetime, tzinfo

from host_tools.house.household import Call

API = "210 API: 1.10 Feature Set 1 4"
END_OF_LOG = "250 End of call log"
LOG_NOT_SENT = "251 Call log not sent"
LOG_EMPTY = "252 Call log empty"
START_OF_LOG = "254 Start of call log"
END_OF_STARTUP = "300 End of connection startup"

STOPPED = 0
NOT_ANSWERED = -1
HUNG_UP = -2
"""Rings of a CIDINFO line that are none: ringing has stopped; the call has ended without pickup, and after it."""

_MAX_NAME = 50
_MAX_NUMBER = 32
_MAX_MESSAGE = 200
_SPECIAL = {"P": "PRIVATE", "O": "OUT-OF-AREA"}
_LABEL = re.compile(r"([A-Z]{3,7}):")


def server(version: str) -> str:
    """What is said first to whoever connects."""
    return f"200 Server: Star57 (NCID) {version}"


def ring(line_id: str, count: int, at: datetime) -> str:
    """The line of a ring, counted from 1, or of what ends ringing: STOPPED, NOT_ANSWERED or HUNG_UP."""
    return f"CIDINFO: *LINE*{field(line_id)}*RING*{count}*TIME*{at:%H:%M:%S}*"


def call(known: Call, line_id: str, zone: tzinfo | None) -> str:
    """The line of a call, with who is calling; `zone` None is that of this computer."""
    began = known.began.astimezone(zone)
    return (
        f"CID: *DATE*{began:%m%d%Y}*TIME*{began:%H%M}*LINE*{field(line_id)}"
        f"*NMBR*{number(known)}*MESG*NONE*NAME*{name(known)}*"
    )


def end(known: Call, line_id: str, ended: datetime, zone: tzinfo | None) -> str:
    """The line that accounts for a call: when it began and ended, and how."""
    began = known.began.astimezone(zone)
    ended = ended.astimezone(zone)
    how = "BYE" if known.answered else "CANCEL"
    return (
        f"END: *HTYPE*{how}*DATE*{began:%m%d%Y}*TIME*{began:%H%M}"
        f"*SCALL*{began:%m/%d/%Y %H:%M:%S}*ECALL*{ended:%m/%d/%Y %H:%M:%S}*CTYPE*IN*LINE*{field(line_id)}"
        f"*NMBR*{number(known)}*NAME*{name(known)}*"
    )


def message(text: str, line_id: str, at: datetime, written_by: str = "SYS") -> str:
    """The line of a message, of the server ("SYS") or of a client ("USER")."""
    text = field(text, _MAX_MESSAGE)
    return (
        f"MSG: {text} ***DATE*{at:%m%d%Y}*TIME*{at:%H%M}*LINE*{field(line_id)}"
        f"*NMBR*-*MTYPE*{written_by}*NAME*-*"
    )


def of_log(line: str) -> str:
    """`line` as the call log has it: its label ends in LOG."""
    return _LABEL.sub(r"\1LOG:", line, count=1)


def number(known: Call) -> str:
    """The caller's number, or the special name that NCID has in its place."""
    if known.number:
        return field(known.number, _MAX_NUMBER)
    return _SPECIAL.get(known.reason or "", "NO-NUMBER")


def name(known: Call) -> str:
    """The caller's name, or the special name that NCID has in its place."""
    if known.name:
        return field(known.name, _MAX_NAME)
    return _SPECIAL.get(known.name_reason or "", "NO NAME")


def field(text: str, most: int = _MAX_NAME) -> str:
    """`text` as the data of a field: asterisks end fields, and line breaks lines; nothing at all is a dash."""
    printable = "".join(" " if letter == "*" or not letter.isprintable() else letter for letter in text)
    return printable[:most].strip() or "-"
