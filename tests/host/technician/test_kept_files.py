"""A board's files, taken off and put back."""

from __future__ import annotations

from pathlib import Path

import pytest

from host_tools.rig.simulated_boards import SimulatedBoards
from host_tools.technician.faults import BoardRefuses, DoesNotVerify
from host_tools.technician.kept_files import KeptFiles
from host_tools.technician.prompt import Prompt
from tests.host.technician.small_firmware import CALLS, FILES, SETTINGS, SmallFirmware

SERIAL_NUMBER = "E66141"


def test_files_and_folders_are_put_back_as_they_were(firmware: SmallFirmware, tmp_path: Path) -> None:
    kept = KeptFiles(tmp_path)
    with SimulatedBoards(1, firmware.uf2("0.1.0", "aaa1111111"), FILES) as boards:
        with Prompt(boards.boards[0].name) as prompt:
            prompt.run("import os\nos.mkdir('prompts')\nos.mkdir('overlay')")
            prompt.write_file("prompts/one.wav", bytes(range(256)))
            prompt.write_file("overlay/modules.txt", b"of the old image")
            prompt.write_file("boot.py", b"# of the old image")
            kept.take(prompt, SERIAL_NUMBER)
            for name in ("settings.json", "calls.a", "prompts/one.wav", "overlay/modules.txt", "boot.py"):
                prompt.run(f"os.remove({name!r})")
            prompt.run("os.rmdir('prompts')")
            assert kept.put_back(prompt, SERIAL_NUMBER) == 3
            assert kept.put_back(prompt, SERIAL_NUMBER) == 0
        boards.cut(0)
        files = boards.boards[0].files()
        assert (files.read("settings.json"), files.read("calls.a")) == (SETTINGS, CALLS)
        assert files.read("prompts/one.wav") == bytes(range(256))
        assert files.read("boot.py") is None
    assert list(tmp_path.glob("*.json")) == []


def test_what_was_taken_before_an_interruption_stays(firmware: SmallFirmware, tmp_path: Path) -> None:
    """A board that lost its files in between, and was begun anew, does not bring the kept ones to nothing."""
    kept = KeptFiles(tmp_path)
    with (
        SimulatedBoards(1, firmware.uf2("0.1.0", "aaa1111111"), FILES) as boards,
        Prompt(boards.boards[0].name) as prompt,
    ):
        kept.take(prompt, SERIAL_NUMBER)
        prompt.run("import os\nos.remove('settings.json')")
        prompt.write_file("calls.a", b"newer")
        kept.take(prompt, SERIAL_NUMBER)
        assert kept.put_back(prompt, SERIAL_NUMBER) == 2
        assert prompt.read_file("settings.json") == SETTINGS
        assert prompt.read_file("calls.a") == b"newer"


def test_what_is_older_than_the_boards_own_settings_is_known(firmware: SmallFirmware, tmp_path: Path) -> None:
    """A flash was interrupted, and the board provisioned anew before the next."""
    kept = KeptFiles(tmp_path)
    with (
        SimulatedBoards(1, firmware.uf2("0.1.0", "aaa1111111"), FILES) as boards,
        Prompt(boards.boards[0].name) as prompt,
    ):
        kept.take(prompt, SERIAL_NUMBER)
        assert kept.is_newest(prompt, SERIAL_NUMBER)
        prompt.write_file("settings.json", b'{"line": "5555550199"}')
        assert not kept.is_newest(prompt, SERIAL_NUMBER)
        prompt.run("import os\nos.remove('settings.json')")
        assert kept.is_newest(prompt, SERIAL_NUMBER)
        kept.forget(SERIAL_NUMBER)
        assert kept.put_back(prompt, SERIAL_NUMBER) == 0
        with pytest.raises(BoardRefuses, match="without a USB serial number"):
            kept.take(prompt, "")


def test_what_does_not_read_back_is_still_kept(
    firmware: SmallFirmware, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = KeptFiles(tmp_path)
    with (
        SimulatedBoards(1, firmware.uf2("0.1.0", "aaa1111111"), FILES) as boards,
        Prompt(boards.boards[0].name) as prompt,
    ):
        kept.take(prompt, SERIAL_NUMBER)
        with monkeypatch.context() as worn_out:
            worn_out.setattr(prompt, "sha256", lambda _path: "00" * 32)
            with pytest.raises(DoesNotVerify, match="flash the board again"):
                kept.put_back(prompt, SERIAL_NUMBER)
        assert kept.put_back(prompt, SERIAL_NUMBER) == len(FILES)


def test_they_lie_where_only_this_user_can_read_them(
    firmware: SmallFirmware, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with (
        SimulatedBoards(1, firmware.uf2("0.1.0", "aaa1111111"), FILES) as boards,
        Prompt(boards.boards[0].name) as prompt,
    ):
        KeptFiles().take(prompt, "../../E66141")
    (file,) = (tmp_path / "star57" / "kept").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
