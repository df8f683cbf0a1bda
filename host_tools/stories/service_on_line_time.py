"""The trace service of a story, as a process: `star57 service` in all but its clock, which tells line time.

    python -m host_tools.stories.service_on_line_time CLOCK_FILE

A story begins at a fixed time and goes as fast as its firmware; an adapter sets its clock by the service. So the
service reads the time from a file of 8 bytes that the story writes: Unix seconds (IEEE 754), 0 for real time.
"""

from __future__ import annotations

import mmap
import sys
import time
from pathlib import Path

from host_tools.service.serve import listen, serve
from host_tools.service.settings import Settings

_TIME_BYTES = 8


class LineClock:
    """The clock in the file at `path`, which is made when it is not there."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(bytes(_TIME_BYTES))
        with path.open("r+b") as file:
            self._file = mmap.mmap(file.fileno(), _TIME_BYTES)
        # Its one double is written and read at once. What `struct` packs is cleared first: 0 for a moment.
        self._seconds = memoryview(self._file).cast("d")

    def set(self, unix_seconds: float) -> None:
        """It is this time from now on, for whoever has the same file."""
        self._seconds[0] = unix_seconds

    def now(self) -> float:
        """Unix seconds; the real time for as long as none was set."""
        return self._seconds[0] or time.time()

    def close(self) -> None:
        """Lets go of the file."""
        self._seconds.release()
        self._file.close()


def main(clock_file: Path) -> None:
    """Serves with the settings in the environment (`STAR57_...`), and says on one line that it listens."""
    settings = Settings()
    listener = listen(settings)
    sys.stdout.write(f"listening on port {listener.getsockname()[1]}\n")
    sys.stdout.flush()
    serve(settings, listener, LineClock(clock_file).now)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
