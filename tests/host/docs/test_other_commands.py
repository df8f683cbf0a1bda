"""What the documents have a reader type beside `star57`: targets of make, modules, options of pytest, and the system's.

Every block of code in the documents is of a kind that stands here. What is not ours is named with the reason why no
test runs it; what is ours must be there.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from host_tools.rig.micropython import ROOT
from tests.host.docs.documents import Block, Command, blocks, commands_of, mentions

OF_THE_SYSTEM = {
    "apt": "installs what Debian has; names of its packages are held below",
    "cat": "writes the file that stands behind it",
    "cd": "the folder that the sentence names",
    "chgrp": "rights of the user that the block makes",
    "cp": "copies a unit, which must be there",
    "echo": "writes a line of a settings file",
    "export": "names a settings file",
    "install": "makes a folder, or an empty file, with the rights that the sentence names",
    "journalctl": "shows a unit's log",
    "mkdir": "makes a folder",
    "openssl": "run as it stands by tests/host/service/test_bundle.py and tests/host/service/audit",
    "pg_dump": "run as it stands by tests/host/service/test_backup.py",
    "pg_restore": "run as it stands by tests/host/service/test_backup.py",
    "pip": "installs what requirements.lock pins; tests/host/cli/test_installed.py installs the package",
    "pipx": "installs the package as pip does; tests/host/cli/test_installed.py",
    "printf": "writes what a time stamp covers; tests/host/service/audit",
    "sha256sum": "of the system; run by tests/host/service/test_bundle.py",
    "sudo": "makes a database as PostgreSQL's own user",
    "sysctl": "a setting of the kernel, which a sentence explains",
    "systemctl": "starts a unit; the units are held by tests/host/service/test_systemd.py",
    "useradd": "makes the user of the unit",
}
"""Programs that are not ours, and why it is enough to know them."""

NO_COMMANDS = {
    "docs/audit.md": "rows of an export, and what their hash covers",
    "docs/billing.md": "a bill as CSV",
    "docs/call_records.md": "SQL; tests/host/service/test_call_records.py makes the same indices",
    "docs/codes.md": "settings as JSON",
    "docs/decode.md": "events as JSON; tests/host/cli/test_decode.py",
    "docs/gateway.md": "a line of the log",
    "docs/house.md": "Home Assistant's own configuration, and systemd's",
    "docs/monitor.md": "what a verb prints, and what is typed at the board's console",
    "docs/protocol.md": "a frame",
    "docs/release.md": "states of a case",
    "docs/seams.md": "seams",
    "docs/service.md": "nginx's configuration, PromQL, a line of the log",
    "docs/technician.md": "a sheet",
    "docs/tty.md": "what a TTY shows",
    "docs/update.md": "a manifest as JSON",
}
"""Documents that have blocks which nobody types in a shell, and what stands in those."""

DEBIAN_PACKAGES = {
    "chromium", "cmake", "espeak-ng", "g++", "git", "make", "mosquitto", "mosquitto-clients", "ngspice", "nodejs",
    "npm", "openssl", "postgresql", "pipx", "python3", "python3-venv", "xz-utils",
}  # fmt: skip
"""Packages that documents and the Makefile ask for, each looked up in Debian 12."""

# What a document has copied somewhere, and where it stands here.
COPIED_ANYWHERE = {
    "verify.py": "host_tools/service/audit/verify.py",
    "bundle_verify.py": "host_tools/service/bundle_verify.py",
}
OURS = ("star57", "make", "pytest", "python", "python3")
SHELL_BLOCKS = [
    block
    for block in blocks()
    if commands_of(block) and commands_of(block)[0].text.split(" ")[0] in (*OURS, *OF_THE_SYSTEM)
]


def every_command() -> Iterator[Command]:
    for block in SHELL_BLOCKS:
        yield from commands_of(block)
    for mention in mentions():
        if mention.text.split(" ")[0] in (*OURS, *OF_THE_SYSTEM) and " " in mention.text:
            yield mention


def of(program: str) -> list[Command]:
    return [command for command in every_command() if command.text.split(" ")[0] == program]


def test_every_block_is_of_a_kind_that_is_known() -> None:
    unknown = [
        f"{block.document}:{block.line}: {block.lines[0]}"
        for block in blocks()
        if block not in SHELL_BLOCKS and block.document not in NO_COMMANDS
    ]
    assert unknown == []


def test_every_command_of_a_shell_block_is_known() -> None:
    unknown = [
        f"{command.document}: {command.text}"
        for block in SHELL_BLOCKS
        for command in commands_of(block)
        if command.text.split(" ")[0] not in (*OURS, *OF_THE_SYSTEM)
    ]
    assert unknown == []


def test_no_kind_is_kept_that_no_document_has() -> None:
    typed = {command.text.split(" ")[0] for command in every_command()}
    assert set(OF_THE_SYSTEM) <= typed
    others: set[str] = {block.document for block in blocks() if not _is_shell(block)}
    assert set(NO_COMMANDS) == others


def _is_shell(block: Block) -> bool:
    return block in SHELL_BLOCKS


def test_every_target_and_variable_of_make_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    build = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "host_tools" / "rig").glob("*.sh"))
    targets = set(re.findall(r"^([a-z_]+):", makefile, re.MULTILINE))
    for command in of("make"):
        words = shlex.split(command.text)[1:]
        for variable in (word.partition("=")[0] for word in words if "=" in word):
            assert variable in makefile + build, f"{command.document}: {command.text}"
        assert {word for word in words if "=" not in word} <= targets, f"{command.document}: {command.text}"


@pytest.mark.parametrize("program", ["python", "python3"])
def test_every_module_and_file_that_python_runs_is_there(program: str) -> None:
    commands = of(program)
    assert commands
    for command in commands:
        words = shlex.split(command.text)
        if words[1] == "-m":
            assert find_spec(words[2]), f"{command.document}: {command.text}"
        else:
            assert (ROOT / COPIED_ANYWHERE[words[1]]).is_file(), f"{command.document}: {command.text}"


def test_every_option_of_pytest_is_there(pytestconfig: pytest.Config) -> None:
    for command in of("pytest"):
        for word in shlex.split(command.text)[1:]:
            if word.startswith("-"):
                pytestconfig.getoption(word.partition("=")[0])  # a ValueError where there is none
            else:
                assert (ROOT / word).exists(), f"{command.document}: {command.text}"


def test_every_package_is_debians() -> None:
    asked = [
        (command, package)
        for command in of("apt")
        for package in command.text.split()[2:]
        if command.text.split()[1] == "install"
    ]
    assert asked
    for command, package in asked:
        assert package in DEBIAN_PACKAGES, f"{command.document}: {command.text}"


def test_every_file_that_is_copied_is_there() -> None:
    for command in of("cp"):
        source = shlex.split(command.text)[1]
        assert (ROOT / source).is_file(), f"{command.document}: {command.text}"
