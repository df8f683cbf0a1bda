"""Tags of origins: equal for one origin of one line, and for nothing else; keys that rotate."""

from __future__ import annotations

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from host_tools.service.origins import OriginKeys, OriginKeysUnreadable

LINE = "5555550100"
CALLER = "5555550123"
DAY_S = 86400


def test_one_origin_of_one_line_has_one_tag() -> None:
    keys = OriginKeys.new()
    key_id, tag = keys.tag(LINE, CALLER)
    assert (key_id, tag) == keys.tag(LINE, CALLER)
    assert keys.tags(LINE, CALLER) == [tag]
    assert key_id == keys.ids[-1]
    assert (len(key_id), len(tag)) == (16, 64)


def test_a_number_with_a_plus_is_the_same_number() -> None:
    keys = OriginKeys.new()
    assert keys.tag(LINE, f"+1{CALLER}") == keys.tag(LINE, f"1{CALLER}")


def test_tags_of_two_lines_or_two_origins_or_two_keys_are_different() -> None:
    keys = OriginKeys.new()
    tags = {
        keys.tag(LINE, CALLER)[1],
        keys.tag("5555550101", CALLER)[1],
        keys.tag(LINE, "5555550124")[1],
        keys.tag(CALLER, LINE)[1],
        keys.tag(f"{LINE}5", CALLER[1:])[1],
        OriginKeys.new().tag(LINE, CALLER)[1],
    }
    assert len(tags) == 6


def test_the_tag_is_an_hmac_by_sha256(tmp_path: Path) -> None:
    path = tmp_path / "origin.keys"
    path.write_text(json.dumps([{"id": "0" * 16, "key": "0b" * 32, "made_at": 0}]))
    tag = OriginKeys.load(path).tag("1", "2")[1]
    # printf '1 2' | openssl mac -digest SHA256 -macopt hexkey:0b0b... HMAC
    assert tag == "295ca87ee29bc3efef49346d61c2b689e19c018ebc13ef6b8decb027fd7509e1"


def test_after_rotation_the_newest_key_tags_and_every_key_counts() -> None:
    old = OriginKeys.new(0)
    new = old.rotated(10)
    assert new.ids[0] == old.ids[0]
    assert len(new.ids) == 2
    assert new.tag(LINE, CALLER)[0] == new.ids[1]
    assert new.tag(LINE, CALLER) != old.tag(LINE, CALLER)
    assert new.tags(LINE, CALLER) == [old.tag(LINE, CALLER)[1], new.tag(LINE, CALLER)[1]]


def test_a_key_is_forgotten_by_when_it_was_replaced() -> None:
    keys = OriginKeys.new(0).rotated(10 * DAY_S).rotated(20 * DAY_S)
    assert keys.rotated(30 * DAY_S, 0).ids[:-1] == keys.ids
    assert keys.rotated(30 * DAY_S, 10 * DAY_S).ids[:-1] == keys.ids
    assert keys.rotated(30 * DAY_S, 10 * DAY_S + 1).ids[:-1] == keys.ids[1:]
    assert keys.rotated(30 * DAY_S, 20 * DAY_S + 1).ids[:-1] == keys.ids[2:]


def test_the_file_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "origin.keys"
    keys = OriginKeys.load_or_make(path, 5)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert OriginKeys.load_or_make(path).ids == keys.ids
    assert OriginKeys.load(path).tag(LINE, CALLER) == keys.tag(LINE, CALLER)
    keys.rotated(6).save(path)
    assert len(OriginKeys.load(path).ids) == 2
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '[{"id": "0000000000000000", "key": "00", "made_at": 0}]',
        '[{"id": "../../etc/passwd", "key": "' + "0b" * 32 + '", "made_at": 0}]',
    ],
)
def test_what_holds_no_keys_is_said_without_its_content(tmp_path: Path, content: str) -> None:
    path = tmp_path / "origin.keys"
    path.write_text(content)
    with pytest.raises(OriginKeysUnreadable, match=r"^the file holds no origin keys$"):
        OriginKeys.load(path)


def test_a_file_that_is_not_there_or_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(OriginKeysUnreadable, match="cannot be read: No such file"):
        OriginKeys.load(tmp_path / "none")
    with pytest.raises(OriginKeysUnreadable, match="cannot be written: No such file"):
        OriginKeys.new().save(tmp_path / "none" / "keys")


def test_no_key_is_shown() -> None:
    keys = OriginKeys.new()
    assert "key=" not in repr(keys._keys)


def test_of_replicas_that_start_together_all_have_the_same_keys(tmp_path: Path) -> None:
    path = tmp_path / "origin.keys"
    together = Barrier(4)

    def start(_: int) -> list[str]:
        together.wait(10)
        return OriginKeys.load_or_make(path).ids

    with ThreadPoolExecutor(4) as replicas:
        (ids,) = {tuple(each) for each in replicas.map(start, range(4))}
    assert OriginKeys.load(path).ids == list(ids)
    assert list(tmp_path.iterdir()) == [path]


def test_keys_that_another_replica_has_made_meanwhile_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "origin.keys"
    first = OriginKeys.new(1)
    first.save(path)
    monkeypatch.setattr(Path, "exists", lambda _: False)
    assert OriginKeys.load_or_make(path).ids == first.ids
