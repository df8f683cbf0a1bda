"""Signed messages: what is right is read, and nothing else is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jwt.utils import base64url_encode

from host_tools.service import signing
from host_tools.service.messages import RefusalReason, Refused, parse_ask
from host_tools.service.signing import KEY_BYTES, Unverified, new_key, read, sign, verify
from tests.host.service.vectors import SIGNED, key_of, name_of

ASKS, ANSWERS = SIGNED["asks"], SIGNED["answers"]
GOOD = ASKS["valid"][0]
TOKEN: bytes = GOOD["token"].encode()
KEY = key_of("adapter-1")
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def opened(token: bytes) -> bytes:
    """The payload as the service opens it, by the key that the token names; raises Refused."""
    unverified = read(token)
    if unverified.adapter_id not in SIGNED["keys"]:
        raise Refused(RefusalReason.UNKNOWN_ADAPTER)
    payload = verify(token, key_of(unverified.adapter_id))
    if payload:
        parse_ask(payload, unverified.adapter_id)
    return payload


@pytest.mark.parametrize("vector", ASKS["valid"], ids=name_of)
def test_a_valid_ask_is_read(vector: dict[str, Any]) -> None:
    token = vector["token"].encode()
    assert read(token) == Unverified(vector["adapter_id"], vector["sequence"])
    assert opened(token) == vector["payload"].encode()


@pytest.mark.parametrize("vector", ASKS["invalid"], ids=name_of)
def test_an_invalid_ask_is_refused_with_its_reason(vector: dict[str, Any]) -> None:
    with pytest.raises(Refused) as refused:
        opened(vector["token"].encode())
    assert refused.value.reason == vector["reason"]


@pytest.mark.parametrize(
    "vector", [vector for vector in ANSWERS["valid"] if "order" not in vector["name"]], ids=name_of
)
def test_an_answer_is_signed_byte_for_byte(vector: dict[str, Any]) -> None:
    adapter_id = vector["adapter_id"]
    token = sign(vector["payload"].encode(), key_of(adapter_id), adapter_id, vector["sequence"])
    assert token == vector["token"].encode()
    assert verify(token, key_of(adapter_id), "answer") == vector["payload"].encode()


@pytest.mark.parametrize("vector", ANSWERS["valid"], ids=name_of)
def test_an_answer_is_no_ask(vector: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="malformed"):
        read(vector["token"].encode())


@given(
    payload=st.binary(max_size=2048),
    sequence=st.integers(0, 2**53 - 1),
    key=st.binary(min_size=32, max_size=32),
)
def test_what_is_signed_is_read(payload: bytes, sequence: int, key: bytes) -> None:
    token = sign(payload, key, "adapter-1", sequence, "ask")
    assert len(token) <= signing.MAX_TOKEN_BYTES
    assert read(token) == Unverified("adapter-1", sequence)
    assert verify(token, key) == payload


@given(st.binary(max_size=3100))
def test_any_bytes_are_refused(token: bytes) -> None:
    with pytest.raises(Refused):
        read(token)


@given(st.lists(st.text(ALPHABET, max_size=300), min_size=1, max_size=5))
def test_any_parts_are_refused(parts: list[str]) -> None:
    with pytest.raises(Refused):
        opened(".".join(parts).encode())


@given(position=st.integers(0, len(TOKEN) - 1), byte=st.integers(0, 255))
def test_a_token_with_one_byte_changed_is_refused(position: int, byte: int) -> None:
    token = bytearray(TOKEN)
    if token[position] == byte:
        return
    token[position] = byte
    with pytest.raises(Refused):
        opened(bytes(token))


@given(
    member=st.sampled_from(["alg", "typ", "kid", "seq", "cty"]),
    value=st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers()),
)
def test_any_header_is_the_protocols_or_refused(member: str, value: Any) -> None:
    header = {"alg": "HS256", "typ": "ask", "kid": "adapter-1", "seq": 57, member: value}
    token = b".".join([base64url_encode(json.dumps(header).encode()), *TOKEN.split(b".")[1:]])
    try:
        unverified = read(token)
    except Refused as refused:
        assert refused.reason in (RefusalReason.MALFORMED, RefusalReason.TOO_LARGE)  # noqa: PT017
        return
    assert {"adapter_id": header["kid"], "sequence": header["seq"]} == vars(unverified)
    assert type(header["seq"]) is int


@pytest.mark.parametrize("length", [0, 2, 5])
def test_a_part_more_or_less_is_refused(length: int) -> None:
    with pytest.raises(Refused, match="malformed"):
        read(b".".join([TOKEN.split(b".")[0]] * length))


def test_a_key_is_32_random_bytes() -> None:
    assert len(new_key()) == KEY_BYTES
    assert new_key() != new_key()


def test_a_signed_ask_does_not_show_its_key_nor_its_payload() -> None:
    shown = repr(signing.Signed("adapter-1", 1, b"the key", b"the payload", b"the token"))
    assert "the key" not in shown
    assert "the payload" not in shown
    assert "the token" not in shown
