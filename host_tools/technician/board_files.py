"""The files at the top of a board's flash: read at its prompt, and changed so that a power cut leaves old or new."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Mapping

from host_tools.technician.faults import DoesNotVerify
from host_tools.technician.prompt import Prompt

SETTINGS_FILE = "settings.json"

_NAMES = "import os\nprint(os.listdir())"
_RENAME = "import os\nos.rename({!r}, {!r})"
_REMOVE = "import os\nos.remove({!r})"


class BoardFiles:
    """Files of the board at a port, whose firmware is interrupted for it, with the phone on the exchange.

    Args:
        port: its path.
    """

    def __init__(self, port: str) -> None:
        self._port = port

    def read(self, *names: str) -> dict[str, bytes]:
        """What is in these files; one that is not there is not in it.

        Raises:
            BoardGone, NoAnswer, BoardRefuses: the board does not do as it is told.
        """
        with Prompt(self._port) as prompt:
            present = _names(prompt)
            return {name: prompt.read_file(name) for name in names if name in present}

    def write(self, files: Mapping[str, bytes], gone: tuple[str, ...] = ()) -> None:
        """Writes files whole, removes those whose names begin with one of `gone`, and starts the board anew.

        Raises:
            DoesNotVerify: what the board read back is something else; nothing is changed.
            BoardGone, NoAnswer, BoardRefuses: as `read`.
        """
        with Prompt(self._port) as prompt:
            for name, data in files.items():
                prompt.write_file(f"{name}.new", data)
                if prompt.sha256(f"{name}.new") != hashlib.sha256(data).hexdigest():
                    raise DoesNotVerify(f"{name} is not on the board as it was written: try again")
            for name in _names(prompt) if gone else ():
                if name.startswith(gone):
                    prompt.run(_REMOVE.format(name))
            for name in files:
                prompt.run(_RENAME.format(f"{name}.new", name))
            prompt.reset()


def _names(prompt: Prompt) -> list[str]:
    return list(ast.literal_eval(prompt.run(_NAMES)))
