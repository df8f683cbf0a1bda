"""`star57 centre` as the trace centre types it: keys that open and sign, and keys that count."""

from __future__ import annotations

from pathlib import Path

import pytest
from nacl.signing import VerifyKey
from typer.testing import CliRunner, Result

from host_tools.cli.centre.main import centre
from host_tools.service.bundle_verify import read_public_key
from host_tools.service.key_files import KeyFolder
from host_tools.service.origins import OriginKeys
from host_tools.service.sealing import Seal, open_sealed
from tests.host.service.test_key_files import WORDS
from tests.host.service.test_sealing import WHO


def star57(*words: str, typed: str = "") -> Result:
    """Runs `star57 centre`."""
    return CliRunner().invoke(centre, list(words), input=typed, env={"STAR57_CENTRE_KEY_FOLDER": ""})


def test_keys_that_were_made_open_and_sign(tmp_path: Path) -> None:
    out = str(tmp_path / "keys")
    opening = star57("new-key", "--out", out, typed=f"{WORDS}\n{WORDS}\n")
    signing = star57("signing-key", "--out", out, typed=f"{WORDS}\n{WORDS}\n")
    assert (opening.exit_code, signing.exit_code) == (0, 0)
    folder = KeyFolder(tmp_path / "keys")
    seal = Seal(opening.stdout.strip())
    keys = folder.opening_keys([seal.fingerprint], WORDS)
    assert open_sealed(seal.seal(WHO), keys[seal.fingerprint]) == WHO
    signed = folder.signing_key(WORDS).sign(b"said")
    assert VerifyKey(read_public_key(signing.stdout)).verify(signed) == b"said"
    for said in (opening.output, signing.output):
        assert WORDS not in said


@pytest.mark.parametrize("verb", ["new-key", "signing-key"])
def test_a_short_passphrase_or_a_folder_that_is_none_makes_no_key(tmp_path: Path, verb: str) -> None:
    short = star57(verb, "--out", str(tmp_path / "keys"), typed="elevenchars\nelevenchars\n")
    assert (short.exit_code, short.stdout.strip()) == (1, "")
    assert short.stderr.endswith("star57 centre: a passphrase has at least 12 letters\n")
    (tmp_path / "file").touch()
    no_folder = star57(verb, "--out", str(tmp_path / "file"), typed=f"{WORDS}\n{WORDS}\n")
    assert (no_folder.exit_code, no_folder.stdout.strip()) == (1, "")
    assert "cannot be kept" in no_folder.stderr
    assert star57(verb, "--out", str(tmp_path / "keys"), typed=f"{WORDS}\nanother one\n").exit_code != 0
    assert not (tmp_path / "keys").exists()


def test_the_origin_key_is_rotated_and_old_ones_are_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "origins"
    missing = star57("rotate-origin-key", "--file", str(path))
    assert (missing.exit_code, path.exists()) == (1, False)
    first = OriginKeys.load_or_make(path)
    made = star57("rotate-origin-key", "--file", str(path))
    ids = OriginKeys.load(path).ids
    assert made.stdout == f"the origin key is {ids[-1]}, of 2\n"
    assert ids[0] == first.ids[0]
    OriginKeys.new(0).rotated(1).save(path)
    assert star57("rotate-origin-key", "--file", str(path), "--forget-days", "800").exit_code == 0
    assert len(OriginKeys.load(path).ids) == 2
    path.write_text("[]")
    wrong = star57("rotate-origin-key", "--file", str(path))
    assert (wrong.exit_code, wrong.stderr) == (1, "star57 centre: the file holds no origin keys\n")
