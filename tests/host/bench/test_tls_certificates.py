"""The bench's certificates: a client that trusts the pinned one believes the service, and nobody else's does."""

from __future__ import annotations

import ssl

import pytest

from bench.tls_certificates import HOST, Chain, issued, self_signed
from tests.host.bench.tls_client import shakes_hands

CHAINS = [
    self_signed("P-256"),
    issued("P-256", "P-256"),
    issued("P-256", "P-384"),
    issued("P-256", "RSA-2048"),
    issued("P-256", "P-256", "P-384"),
]


@pytest.mark.parametrize("chain", CHAINS, ids=lambda chain: chain.name)
def test_whoever_pins_it_believes_the_service(chain: Chain) -> None:
    assert shakes_hands(chain, chain.pinned, HOST).startswith("ECDHE-ECDSA")


def test_another_root_is_not_believed() -> None:
    chain = issued("P-256", "P-256")
    with pytest.raises(ssl.SSLCertVerificationError, match=r"unable to get|self.signed"):
        shakes_hands(chain, issued("P-256", "RSA-2048").pinned, HOST)


def test_another_name_is_not_believed() -> None:
    chain = issued("P-256", "P-256")
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        shakes_hands(chain, chain.pinned, "other.example")


def test_on_curves_it_is_the_same_each_time() -> None:
    assert issued("P-256", "P-384") == issued("P-256", "P-384")


def test_a_chain_is_called_by_its_keys_from_the_service_up() -> None:
    assert issued("P-256", "P-256", "P-384").name == "P-256 ← P-256 ← P-384"
    assert self_signed("P-256").name == "P-256, pinned itself"
