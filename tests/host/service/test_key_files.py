"""The centre's private keys: each in its file, opened by its passphrase and by nothing else."""

from __future__ import annotations

import errno
import json
import os
import stat
from pathlib import Path

import pytest
from nacl.signing import VerifyKey

from host_tools.service.key_files import (
    Cost,
    KeyFileDamaged,
    KeyFileError,
    KeyFolder,
    KeyKind,
    NoSuchKey,
    PassphraseTooShort,
    WrongPassphrase,
)
from host_tools.service.sealing import Seal, fingerprint, open_sealed
from tests.host.service.test_sealing import WHO

WORDS = "correct horse battery staple"
CHEAP = Cost(passes=1, memory_bytes=8192)


@pytest.fixture
def folder(tmp_path: Path) -> KeyFolder:
    return KeyFolder(tmp_path / "keys", CHEAP)


def test_a_record_is_opened_with_the_key_of_the_folder(folder: KeyFolder) -> None:
    seal = Seal(folder.new_key(KeyKind.OPENING, WORDS, 0))
    keys = folder.opening_keys([seal.fingerprint], WORDS)
    assert open_sealed(seal.seal(WHO), keys[seal.fingerprint]) == WHO


def test_after_a_rotation_each_record_is_opened_with_its_own_key(folder: KeyFolder) -> None:
    old, new = (Seal(folder.new_key(KeyKind.OPENING, WORDS, at)) for at in (0, 1))
    assert folder.fingerprints(KeyKind.OPENING) == sorted([old.fingerprint, new.fingerprint])
    keys = folder.opening_keys([old.fingerprint, new.fingerprint], WORDS)
    for seal in (old, new):
        assert open_sealed(seal.seal(WHO), keys[seal.fingerprint]) == WHO


def test_the_newest_signing_key_signs(folder: KeyFolder) -> None:
    folder.new_key(KeyKind.SIGNING, WORDS, 1)
    newest = folder.new_key(KeyKind.SIGNING, WORDS, 3)
    folder.new_key(KeyKind.SIGNING, WORDS, 2)
    folder.new_key(KeyKind.OPENING, WORDS, 4)
    signed = folder.signing_key(WORDS).sign(b"said")
    assert VerifyKey(bytes.fromhex(newest)).verify(signed) == b"said"


def test_a_file_is_named_by_its_fingerprint_and_is_for_its_owner_alone(
    folder: KeyFolder, tmp_path: Path
) -> None:
    public_key = folder.new_key(KeyKind.OPENING, WORDS, 0)
    (file,) = (tmp_path / "keys").iterdir()
    assert file.name == f"{fingerprint(bytes.fromhex(public_key))}.opening-key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    private_key = folder.opening_keys(folder.fingerprints(KeyKind.OPENING), WORDS).popitem()[1]
    assert private_key not in file.read_text()
    assert WORDS not in file.read_text()


@pytest.mark.parametrize("passphrase", ["", "Correct horse battery staple", WORDS + " ", "\0" * 30])
def test_another_passphrase_opens_nothing(folder: KeyFolder, passphrase: str) -> None:
    seal = Seal(folder.new_key(KeyKind.OPENING, WORDS, 0))
    folder.new_key(KeyKind.SIGNING, WORDS, 0)
    with pytest.raises(WrongPassphrase):
        folder.opening_keys([seal.fingerprint], passphrase)
    with pytest.raises(WrongPassphrase):
        folder.signing_key(passphrase)


def test_a_key_that_is_not_there(folder: KeyFolder) -> None:
    with pytest.raises(NoSuchKey):
        folder.signing_key(WORDS)
    with pytest.raises(NoSuchKey):
        folder.opening_keys(["0123456789abcdef"], WORDS)
    with pytest.raises(NoSuchKey):
        folder.opening_keys(["../../../etc/passwd"], WORDS)


def test_a_short_passphrase_keeps_no_key(folder: KeyFolder, tmp_path: Path) -> None:
    with pytest.raises(PassphraseTooShort, match="at least 12 letters"):
        folder.new_key(KeyKind.OPENING, "elevenchars", 0)
    assert not (tmp_path / "keys").exists()


@pytest.mark.parametrize(
    "changed",
    [
        {"memory_bytes": 2**40},
        {"passes": 0},
        {"salt": ""},
        {"sealed": "AAAA"},
        {"sealed": "é"},
        {"kind": "signing"},
        {"public_key": "00" * 32},
        {"format": "another"},
        {"more": 1},
    ],
)
def test_a_damaged_file_is_named(folder: KeyFolder, tmp_path: Path, changed: dict[str, object]) -> None:
    folder.new_key(KeyKind.OPENING, WORDS, 0)
    (file,) = (tmp_path / "keys").iterdir()
    file.write_text(json.dumps({**json.loads(file.read_text()), **changed}))
    with pytest.raises(KeyFileError) as error:
        folder.opening_keys(folder.fingerprints(KeyKind.OPENING), WORDS)
    assert isinstance(error.value, KeyFileDamaged | WrongPassphrase)
    assert file.name.split(".")[0] in str(error.value)


def test_a_key_that_cannot_be_written_whole_is_not_kept(
    folder: KeyFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.new_key(KeyKind.SIGNING, WORDS, 0)
    before = sorted((tmp_path / "keys").iterdir())
    with monkeypatch.context() as full:
        full.setattr("os.fsync", _disk_is_full)
        with pytest.raises(KeyFileError, match="No space left on device"):
            folder.new_key(KeyKind.SIGNING, WORDS, 1)
    assert sorted((tmp_path / "keys").iterdir()) == before
    folder.signing_key(WORDS)


def _disk_is_full(_: int) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_passphrase_is_the_same_however_a_keyboard_composes_it(folder: KeyFolder) -> None:
    composed, decomposed = "Zo\u00eb has a horse", "Zoe\u0308 has a horse"
    seal = Seal(folder.new_key(KeyKind.OPENING, decomposed, 0))
    assert folder.opening_keys([seal.fingerprint], composed) == folder.opening_keys(
        [seal.fingerprint], decomposed
    )


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(KeyFileError, match="cannot be kept"):
        KeyFolder(tmp_path / "file" / "keys", CHEAP).new_key(KeyKind.OPENING, WORDS, 0)
