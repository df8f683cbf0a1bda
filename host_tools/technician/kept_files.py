"""A board's files, kept on this computer while an image is put on that parts the flash in another way.

An image leaves the file system alone, unless it was made for a smaller one: then the board's settings and calls are
taken off first and put back behind. Until they are back they lie in a file that only this user can read, for the
adapter's key is among them.
"""

from __future__ import annotations

import hashlib
import json
import os
from base64 import b64decode, b64encode
from contextlib import suppress
from pathlib import Path

from host_tools.technician.board_files import SETTINGS_FILE
from host_tools.technician.faults import BoardRefuses, DoesNotVerify
from host_tools.technician.prompt import Prompt

# What is on the board, a file a line. Overlays are the old image's.
_READ_FILES = """
import os
def _files(folder):
    for name, kind, *_ in os.ilistdir(folder or "/"):
        path = folder + "/" + name
        if kind == 0x8000:
            if path != "/boot.py":
                with open(path, "rb") as file:
                    print(path, file.read().hex())
        elif path not in ("/rom", "/overlay", "/lib"):
            _files(path)
_files("")
"""
_MAKE_FOLDER = """
import os
try:
    os.mkdir({!r})
except OSError:
    pass
"""


class KeptFiles:
    """The files of boards that wait to be put back, one file each.

    Args:
        folder: where they lie; without one, this user's own state.
    """

    def __init__(self, folder: Path | None = None) -> None:
        state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
        self._folder = folder or Path(state) / "star57" / "kept"

    def take(self, prompt: Prompt, serial_number: str) -> None:
        """Keeps what is on the board, in addition to what is kept already of a board that was interrupted.

        Raises:
            BoardRefuses: the board has no number that its files could be told by.
        """
        if not serial_number:
            raise BoardRefuses(
                "without a USB serial number its files could not be told from those of other boards"
            )
        rows = (line.partition(" ") for line in prompt.run(_READ_FILES).splitlines())
        files = self._read(serial_number) | {path: bytes.fromhex(data) for path, _, data in rows}
        self._folder.mkdir(parents=True, exist_ok=True)
        beside = self._file(serial_number).with_suffix(".new")
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump({path: b64encode(data).decode() for path, data in files.items()}, file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._file(serial_number))

    def put_back(self, prompt: Prompt, serial_number: str) -> int:
        """Writes what is kept of the board onto it, and forgets it; answers how many files that were.

        Raises:
            DoesNotVerify: one reads back otherwise; all are still kept.
        """
        files = self._read(serial_number)
        for path, data in files.items():
            folder = path.rpartition("/")[0]
            if folder:
                prompt.run(_MAKE_FOLDER.format(folder))
            prompt.write_file(path, data)
            if prompt.sha256(path) != hashlib.sha256(data).hexdigest():
                raise DoesNotVerify(f"{path} is not on the board as it was kept: flash the board again")
        self.forget(serial_number)
        return len(files)

    def is_newest(self, prompt: Prompt, serial_number: str) -> bool:
        """Whether the board has had no other settings since its files were kept, as of a flash that was interrupted."""
        kept = self._read(serial_number).get(f"/{SETTINGS_FILE}")
        return not prompt.has_file(SETTINGS_FILE) or prompt.read_file(SETTINGS_FILE) == kept

    def forget(self, serial_number: str) -> None:
        """Keeps nothing of the board any more."""
        with suppress(FileNotFoundError):
            self._file(serial_number).unlink()

    def _read(self, serial_number: str) -> dict[str, bytes]:
        try:
            kept = json.loads(self._file(serial_number).read_text())
        except FileNotFoundError:
            return {}
        return {path: b64decode(data) for path, data in kept.items()}

    def _file(self, serial_number: str) -> Path:
        # The device chooses its number.
        return self._folder / f"{serial_number.encode().hex()}.json"
