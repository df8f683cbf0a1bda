"""The service's secret, in its file."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest

from host_tools.service.secret import NotOurs, Secret, SecretUnusable


def test_it_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    tag = Secret(path).mac("use", "text")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(bytes.fromhex(path.read_text())) == 32
    assert Secret(path).mac("use", "text") == tag
    assert [file.name for file in tmp_path.iterdir()] == ["secret"]


def test_nothing_is_made_before_it_is_used(tmp_path: Path) -> None:
    Secret(tmp_path / "secret")
    assert not list(tmp_path.iterdir())


def test_processes_that_begin_at_once_have_one_secret(tmp_path: Path) -> None:
    tags: list[str] = []
    barrier = threading.Barrier(8)

    def begin(number: int) -> None:
        secret = Secret(tmp_path / "secret")
        barrier.wait()
        tags.append(secret.mac("use", "text"))

    threads = [threading.Thread(target=begin, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tags) == 8
    assert len(set(tags)) == 1


def test_each_use_has_its_own_key(tmp_path: Path) -> None:
    secret = Secret(tmp_path / "secret")
    assert secret.mac("one", "text") != secret.mac("two", "text")
    encrypted = secret.encrypt("one", b"plain")
    assert secret.decrypt("one", encrypted) == b"plain"
    assert b"plain" not in encrypted
    with pytest.raises(NotOurs):
        secret.decrypt("two", encrypted)


@pytest.mark.parametrize("changed", [b"", b"x", b"x" * 100])
def test_what_is_not_ours_is_not_decrypted(tmp_path: Path, changed: bytes) -> None:
    with pytest.raises(NotOurs):
        Secret(tmp_path / "secret").decrypt("use", changed)


def test_one_changed_bit_is_seen(tmp_path: Path) -> None:
    secret = Secret(tmp_path / "secret")
    encrypted = bytearray(secret.encrypt("use", b"plain"))
    for place in range(len(encrypted)):
        encrypted[place] ^= 1
        with pytest.raises(NotOurs):
            secret.decrypt("use", bytes(encrypted))
        encrypted[place] ^= 1


@pytest.mark.parametrize("content", ["", "00", "0" * 63, "0" * 66, "zz" * 32, "\xff" * 64])
def test_a_file_that_holds_no_secret_is_not_used(tmp_path: Path, content: str) -> None:
    path = tmp_path / "secret"
    path.write_text(content, "latin-1")
    with pytest.raises(SecretUnusable, match="secret"):
        Secret(path).mac("use", "text")
    assert path.read_text("latin-1") == content


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(SecretUnusable):
        Secret(tmp_path / "none" / "secret").mac("use", "text")
