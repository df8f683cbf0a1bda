"""How many files a command that serves may have open: each adapter holds one."""

from __future__ import annotations

import resource


def allow_many_files() -> None:
    """Raises this process's limit from what is usual, 1024 (select(2) knows no more), to all that it may have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
