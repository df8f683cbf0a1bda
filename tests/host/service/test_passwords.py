"""Passwords: argon2id, and as long for nobody as for somebody."""

from __future__ import annotations

import asyncio
import threading
from typing import Literal

import pytest
from argon2 import PasswordHasher
from argon2.profiles import RFC_9106_LOW_MEMORY

from host_tools.service.passwords import Busy, Passwords, one_time_password

PASSWORD = "correct horse battery staple"  # noqa: S105 - of nobody
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def test_a_hash_is_argon2id_as_rfc_9106_has_it_and_says_so_itself() -> None:
    low = RFC_9106_LOW_MEMORY
    made = Passwords().hash(PASSWORD)
    expected = f"$argon2id$v=19$m={low.memory_cost},t={low.time_cost},p={low.parallelism}$"
    assert made.startswith(expected)
    assert len(made) <= 128
    assert Passwords().is_right(made, PASSWORD)


def test_the_same_password_has_another_hash_each_time() -> None:
    passwords = Passwords(CHEAP)
    first, second = passwords.hash(PASSWORD), passwords.hash(PASSWORD)
    assert first != second
    assert PASSWORD not in first


@pytest.mark.parametrize("wrong", ["", PASSWORD.upper(), PASSWORD + " ", PASSWORD[:-1], "\0" + PASSWORD])
def test_another_password_is_wrong(wrong: str) -> None:
    passwords = Passwords(CHEAP)
    assert not passwords.is_right(passwords.hash(PASSWORD), wrong)


@pytest.mark.parametrize("broken", ["", "x", "$argon2id$v=19$m=8,t=1,p=1$", "plain text"])
def test_what_is_no_hash_lets_nobody_in(broken: str) -> None:
    assert not Passwords(CHEAP).is_right(broken, PASSWORD)


def test_keyboards_compose_letters_as_they_like() -> None:
    passwords = Passwords(CHEAP)
    assert passwords.is_right(passwords.hash("caf\u00e9 in the morning"), "cafe\u0301 in the morning")


def test_without_a_hash_as_much_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    verified = []

    class Counting(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002 - as there
            verified.append(str(hash).split("$")[3])
            return super().verify(hash, password)

    passwords = Passwords(Counting(time_cost=1, memory_cost=8, parallelism=1))
    assert not passwords.is_right(None, PASSWORD)
    assert not passwords.is_right(passwords.hash(PASSWORD), "another")
    assert verified == ["m=8,t=1,p=1"] * 2


def test_a_hash_that_was_made_in_another_way_is_outdated() -> None:
    made = Passwords(CHEAP).hash(PASSWORD)
    assert not Passwords(CHEAP).is_outdated(made)
    assert Passwords(PasswordHasher(time_cost=2, memory_cost=8, parallelism=1)).is_outdated(made)


async def test_two_at_a_time_are_hashed_and_a_crowd_is_turned_away() -> None:
    crowd_has_come, lock = threading.Event(), threading.Lock()
    present = most = 0

    class Waiting(PasswordHasher):
        def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
            nonlocal present, most
            with lock:
                present += 1
                most = max(most, present)
            crowd_has_come.wait(10)
            with lock:
                present -= 1
            return "a hash"

    passwords = Passwords(Waiting())
    tasks = [asyncio.create_task(passwords.hash_aside(PASSWORD)) for _ in range(40)]
    turned_away = 0
    for task in asyncio.as_completed(tasks):
        try:
            assert await task == "a hash"
        except Busy:
            turned_away += 1
            if turned_away == 6:  # two are hashed, 32 wait
                crowd_has_come.set()
    assert turned_away == 6
    assert most == 2
    assert await passwords.hash_aside(PASSWORD) == "a hash"


def test_one_time_passwords_are_long_and_never_the_same() -> None:
    made = {one_time_password() for _ in range(100)}
    assert len(made) == 100
    assert all(len(password) == 23 and not set("ilo01") & set(password) for password in made)
