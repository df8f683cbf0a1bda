"""What a board logs on its link, between the frames (docs/protocol.md, "Serial carrier")."""

from __future__ import annotations

from host_tools.gateway.frames import PREFIX


class LinkLog:
    """The lines on a link that are no frames."""

    def __init__(self) -> None:
        self._rest = b""
        self._lines: list[str] = []

    def feed(self, data: bytes) -> None:
        """Takes what the board has sent, in any pieces."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._lines += [
            line.decode(errors="replace") for line in lines if line and not line.startswith(PREFIX)
        ]

    @property
    def text(self) -> str:
        """All of them, each with its end."""
        return "".join(line + "\n" for line in self._lines)
