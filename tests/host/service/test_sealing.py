"""Sealed records: only the right key opens them, and only whole."""

from __future__ import annotations

import pytest

from host_tools.service.messages import CallerId
from host_tools.service.sealing import Seal, SealingError, WhoCalled, new_key_pair, open_sealed

WHO = WhoCalled(
    origin="5555550123",
    presented=CallerId(number=None, name="ZOË\x00", reason="P", date_time=None),
    request=bytes(range(256)),
)


def test_the_private_key_opens_what_was_sealed() -> None:
    private_key, public_key = new_key_pair()
    sealed = Seal(public_key).seal(WHO)
    assert b"5555550123" not in sealed
    assert open_sealed(sealed, private_key) == WHO


def test_the_same_record_is_sealed_differently_each_time() -> None:
    seal = Seal(new_key_pair()[1])
    assert seal.seal(WHO) != seal.seal(WHO)


def test_another_key_does_not_open_it() -> None:
    sealed = Seal(new_key_pair()[1]).seal(WHO)
    for key in (new_key_pair()[0], "00", "no key"):
        with pytest.raises(SealingError):
            open_sealed(sealed, key)


@pytest.mark.parametrize("position", [0, 31, 32, 47, 48, -1])
def test_a_changed_record_does_not_open(position: int) -> None:
    private_key, public_key = new_key_pair()
    sealed = bytearray(Seal(public_key).seal(WHO))
    sealed[position] ^= 1
    with pytest.raises(SealingError):
        open_sealed(bytes(sealed), private_key)
    with pytest.raises(SealingError):
        open_sealed(bytes(sealed[:position]), private_key)


@pytest.mark.parametrize("key", ["", "00", "zz" * 32, "00" * 31, "00" * 33, "00" * 32, "no key"])
def test_what_is_no_public_key_seals_nothing(key: str) -> None:
    with pytest.raises(SealingError):
        Seal(key)
