"""Certificates in the order that they come, and in that of DER."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder, decode_timestamp_response

from host_tools.service.audit.certificate_order import in_order
from tests.host.service.audit.authority import Authority


def response_of(authority: Authority) -> bytes:
    """A response over something."""
    request = TimestampRequestBuilder().data(b"data").hash_algorithm(HashAlgorithm.SHA256).build()
    return authority.stamp(request.as_bytes())


def test_certificates_of_openssl_are_read_in_any_order(authority: Authority) -> None:
    response = response_of(authority)
    signer, intermediate = (authority.certificate(name) for name in ("signer", "intermediate"))
    assert signer + intermediate in response, "openssl has the signer's first"
    ordered = in_order(response)
    assert b"".join(sorted((signer, intermediate))) in ordered
    assert len(ordered) == len(response)
    assert in_order(ordered) == ordered
    assert decode_timestamp_response(ordered).signed_data.certificates == {signer, intermediate}


def test_what_was_cut_off_stays_as_it_is(authority: Authority) -> None:
    response = response_of(authority)
    for length in range(0, len(response), 5):
        assert in_order(response[:length]) == response[:length]


@given(st.binary(max_size=100))
def test_nothing_makes_it_fail(noise: bytes) -> None:
    assert sorted(in_order(noise)) == sorted(noise)


@pytest.mark.parametrize(
    "noise", [b"\x30", b"\x30\x80", b"\x30\x00", b"\x30\xff" + b"\xff" * 200, b"\x30\x84\x00"]
)
def test_lengths_that_are_wrong_are_left(noise: bytes) -> None:
    assert in_order(noise) == noise
