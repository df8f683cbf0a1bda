"""The trace service of a story, as a process: `star57 service` in all but its clock, which tells line time.

    python -m host_tools.stories.service_on_line_time CLOCK_FILE

A story begins at a fixed time and goes as fast as its firmware; an adapter sets its clock by the service. So the
service reads the time from a file of 8 bytes that the story writes: Unix seconds (IEEE 754, little endian), 0 for
real time.
"""

from __future__ import annotations

import mmap
import struct
import sys
import time
from pathlib import Path

from host_tools.service.serve import listen, serve
from host_tools.service.settings import Settings

_TIME = struct.Struct("<d")


class LineClock:
    """The clock in the file at `path`, which is made when it is not there."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(bytes(_TIME.size))
        with path.open("r+b") as file:
            # 8 bytes that lie aligned are written and read at once: no time is ever half an old and half a new one.
            self._shared = mmap.mmap(file.fileno(), _TIME.size)

    def set(self, unix_seconds: float) -> None:
        """It is this time from now on, for whoever has the same file."""
        _TIME.pack_into(self._shared, 0, unix_seconds)

    def now(self) -> float:
        """Unix seconds; the real time for as long as none was set."""
        return float(_TIME.unpack_from(self._shared)[0]) or time.time()

    def close(self) -> None:
        """Lets go of the file."""
        self._shared.close()


def main(clock_file: Path) -> None:
    """Serves with the settings in the environment (`STAR57_...`), and says on one line that it listens."""
    settings = Settings()
    listener = listen(settings)
    sys.stdout.write(f"listening on port {listener.getsockname()[1]}\n")
    sys.stdout.flush()
    serve(settings, listener, LineClock(clock_file).now)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
