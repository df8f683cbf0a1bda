"""Sealed records: only the right key opens them, and only whole."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from host_tools.service import signing
from host_tools.service.messages import CallerId, Decoded
from host_tools.service.sealing import (
    Seal,
    SealingError,
    WhoCalled,
    fingerprint,
    new_key_pair,
    open_sealed,
    presentation_of,
)

WHO = WhoCalled(
    trace_id="T-00000001",
    line="5555550100",
    origin="5555550123",
    name="Zoë O'Hara",
    address="1 Main Street",
    presented=CallerId(number=None, name="ZOË\x00", reason="P", date_time=None),
    presentation="private",
    time_source="network",
    called_at=1767268800,
    requested_at=1767268860,
    received_at=1767268861,
    rings=2,
    answered=True,
    forwarded_from="5555550199",
    call_waiting=False,
    decoded=Decoded(standard="bell_202", level_dbm0=-13, snr_db=30, twist_db=None),
    request=b"header.payload.signature",
)


def test_the_private_key_opens_what_was_sealed() -> None:
    private_key, public_key = new_key_pair()
    sealed = Seal(public_key).seal(WHO)
    assert b"5555550123" not in sealed
    assert open_sealed(sealed, private_key) == WHO


@pytest.mark.parametrize(
    ("request_bytes", "request_id"),
    [
        (signing.sign(b'{"request_id": "0123"}', bytes(32), "adapter-1", 1, "ask"), "0123"),
        (b"", None),
        (b"a.b", None),
        (b"a.!!!.c", None),
        (b"a./w.c", None),
        (b"a.W10.c", None),
        (b"a.e30.c", None),
        (b"a.MQ.c", None),
    ],
)
def test_the_request_within_says_which_it_is(request_bytes: bytes, request_id: str | None) -> None:
    assert WHO.model_copy(update={"request": request_bytes}).request_id == request_id


def test_any_bytes_of_a_request_come_back() -> None:
    private_key, public_key = new_key_pair()
    who = WHO.model_copy(update={"request": bytes(range(256))})
    assert open_sealed(Seal(public_key).seal(who), private_key).request == bytes(range(256))


def test_the_same_record_is_sealed_differently_each_time() -> None:
    seal = Seal(new_key_pair()[1])
    assert seal.seal(WHO) != seal.seal(WHO)


def test_the_length_of_a_sealed_record_does_not_tell_whose_name_it_holds() -> None:
    seal = Seal(new_key_pair()[1])
    short = WHO.model_copy(update={"name": None, "address": None, "origin": None})
    assert len(seal.seal(short)) == len(seal.seal(WHO)) == 2048 + 48


def test_a_seal_is_known_by_the_fingerprint_of_its_key() -> None:
    public_key = new_key_pair()[1]
    assert Seal(public_key).fingerprint == fingerprint(bytes.fromhex(public_key))
    assert Seal(public_key).fingerprint != Seal(new_key_pair()[1]).fingerprint
    assert fingerprint(b"abc") == "ba7816bf8f01cfea"  # FIPS 180-4, the example of SHA-256


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


@pytest.mark.parametrize("wrong", [{"rings": "many"}, {"presentation": "hidden"}, {"called_line": "1"}])
def test_a_record_of_another_kind_is_refused_without_saying_what_it_held(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError) as error:
        WhoCalled.model_validate({**WHO.model_dump(), **wrong})
    assert "5555550123" not in str(error.value)


@pytest.mark.parametrize(
    ("number", "reason", "expected"),
    [
        ("5555550123", None, "presented"),
        (None, "P", "private"),
        (None, "O", "out_of_area"),
        ("", None, "none"),
        (None, "?", "none"),
    ],
)
def test_what_the_line_presented_of_the_number(number: str | None, reason: str | None, expected: str) -> None:
    assert presentation_of(CallerId(number=number, name=None, reason=reason, date_time=None)) == expected


def test_a_line_that_presented_nothing() -> None:
    assert presentation_of(None) == "none"
