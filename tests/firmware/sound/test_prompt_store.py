"""Prompts that the host has pushed: whole and right, or not there."""

import hashlib
import os

from star57.sound.prompt_store import FAILED, KEPT, RECEIVING, PromptStore

FOLDER = "build/pushed_prompts"
FILE = bytes(byte & 255 for byte in range(3000))
SHA256 = hashlib.sha256(FILE).digest().hex()


def remove(folder):
    try:
        for name in os.listdir(folder):
            remove(folder + "/" + name)
        os.rmdir(folder)
    except OSError:
        try:
            os.remove(folder)
        except OSError:
            pass


def empty(language=None):
    remove(FOLDER)
    return PromptStore(FOLDER, language)


def push(store, data=FILE, sha256=SHA256, upto=None, name="traced"):
    for offset in range(0, len(data) if upto is None else upto, 960):
        store.take(name, len(data), sha256, offset, data[offset : offset + 960])


def kept():
    with open(FOLDER + "/traced.wav", "rb") as file:
        return file.read()


def names():
    return sorted(os.listdir(FOLDER))


def test_a_prompt_comes_in_parts():
    store = empty()
    assert store.progress() is None
    push(store, upto=1000)
    assert store.progress() == {"name": "traced", "sha256": SHA256, "received": 1920, "state": RECEIVING}
    assert names() == ["traced.new"]
    for offset in (1920, 2880):
        store.take("traced", 3000, SHA256, offset, FILE[offset : offset + 960])
    assert store.progress() == {"name": "traced", "sha256": SHA256, "received": 3000, "state": KEPT}
    assert names() == ["traced.wav"]
    assert kept() == FILE


def test_parts_out_of_turn_are_passed_by():
    store = empty()
    store.take("traced", 3000, SHA256, 960, FILE[960:1920])
    assert store.progress() is None
    push(store, upto=1000)
    for offset in (960, 2880):
        store.take("traced", 3000, SHA256, offset, FILE[offset : offset + 960])
    store.take("stored", 3000, SHA256, 1920, FILE[1920:2880])
    assert store.progress()["received"] == 1920
    push(store)
    assert kept() == FILE


def test_a_prompt_that_is_kept_is_not_written_again():
    store = empty()
    push(store)
    push(store)
    assert store.progress()["state"] == KEPT
    assert names() == ["traced.wav"]


def test_a_wrong_hash_keeps_the_old_prompt():
    store = empty()
    push(store)
    push(store, data=b"y" * 2000, sha256="0" * 64)
    assert store.progress() == {"name": "traced", "sha256": "0" * 64, "received": 0, "state": FAILED}
    assert kept() == FILE
    assert names() == ["traced.wav"]
    push(store)
    assert store.progress()["state"] == KEPT


def test_a_power_cut_keeps_the_old_prompt():
    store = empty()
    push(store)
    new = b"z" * 2500
    sha256 = hashlib.sha256(new).digest().hex()
    push(store, data=new, sha256=sha256, upto=1000)
    store = PromptStore(FOLDER)
    assert store.progress() is None
    assert kept() == FILE
    push(store, data=new, sha256=sha256)
    assert kept() == new


def test_a_flash_that_fails_is_told():
    empty()
    with open(FOLDER, "w") as file:
        file.write("in the way")
    store = PromptStore(FOLDER)
    push(store)
    assert store.progress() == {"name": "traced", "sha256": SHA256, "received": 0, "state": FAILED}
    os.remove(FOLDER)
    push(store)
    assert store.progress()["state"] == KEPT


def test_while_the_household_is_spoken_to_nothing_is_taken():
    store = empty()
    push(store, upto=1000)
    store.is_open = False
    store.take("traced", 3000, SHA256, 1920, FILE[1920:2880])
    assert store.progress()["received"] == 1920
    store.is_open = True
    push(store)
    assert kept() == FILE


def test_the_prompts_of_each_language_have_their_folder():
    store = empty("fr-CA")
    assert store.folder == FOLDER + "/fr-CA"
    push(store)
    store.use("es-US")
    assert store.folder == FOLDER + "/es-US"
    assert store.progress() is None
    push(store)
    assert sorted(os.listdir(FOLDER)) == ["es-US", "fr-CA"]
    for language in ("es-US", "fr-CA"):
        assert os.listdir(FOLDER + "/" + language) == ["traced.wav"]
    remove(FOLDER)


def test_a_prompt_that_has_come_in_part_when_the_language_changes_comes_anew():
    store = empty("fr-CA")
    push(store, upto=1000)
    store.use("es-US")
    assert os.listdir(FOLDER + "/fr-CA") == []
    for offset in (1920, 2880):
        store.take("traced", 3000, SHA256, offset, FILE[offset : offset + 960])
    assert store.progress() is None
    push(store)
    assert store.progress()["state"] == KEPT
    with open(FOLDER + "/es-US/traced.wav", "rb") as file:
        assert file.read() == FILE
    remove(FOLDER)
