"""A port that is busy for a moment: whoever starts a program holds, until it runs, a copy of each open port, locked."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

_FOR_A_MOMENT_S = 0.5
_TRY_AGAIN_S = 0.05

_Port = TypeVar("_Port")


def opened(open_port: Callable[[], _Port], busy: type[Exception]) -> _Port:
    """What `open_port` opens; while it raises `busy` it is tried again, for half a second, and then that is raised."""
    end_s = time.monotonic() + _FOR_A_MOMENT_S
    while True:
        try:
            return open_port()
        except busy:
            if time.monotonic() > end_s:
                raise
            time.sleep(_TRY_AGAIN_S)
