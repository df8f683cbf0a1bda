"""Certificates of a service, of the kinds that an operator may choose between.

Keys on elliptic curves and what they sign are the same each time, from a seed; RSA keys are made anew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

HOST = "trace.example"
"""Whom the certificates are for."""

_SEED = 57
_FROM = datetime(2020, 1, 1, tzinfo=UTC)  # a Pico's clock begins in 2021
_TO = datetime(2050, 1, 1, tzinfo=UTC)

_Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
_MakeKey = Callable[[int], _Key]


@dataclass(frozen=True)
class Chain:
    """A service's certificate, and what it hangs on.

    Attributes:
        name: the kinds of keys, from the service's up to the one that is pinned.
        pinned: what the adapter trusts, DER.
        served: what the service shows: its own certificate, then the CAs between, PEM.
        key: the service's, PEM.
    """

    name: str
    pinned: bytes
    served: bytes
    key: bytes


def self_signed(kind: str) -> Chain:
    """A certificate that is pinned itself."""
    return _chain(f"{kind}, pinned itself", (kind,))


def issued(*kinds: str) -> Chain:
    """A certificate, the CAs that issued it, each the one before, and last the root that is pinned.

    Args:
        kinds: of keys, of KINDS.
    """
    return _chain(" ← ".join(kinds), kinds)


def _curve(curve: ec.EllipticCurve) -> _MakeKey:
    return lambda number: ec.derive_private_key(_SEED + number, curve)


def _rsa(bits: int) -> _MakeKey:
    return lambda _: rsa.generate_private_key(65537, bits)


KINDS: dict[str, _MakeKey] = {
    "P-256": _curve(ec.SECP256R1()),
    "P-384": _curve(ec.SECP384R1()),
    "RSA-2048": _rsa(2048),
    "RSA-4096": _rsa(4096),
}
"""What makes a key, by what it is called."""


def _chain(name: str, kinds: tuple[str, ...]) -> Chain:
    keys = [KINDS[kind](number) for number, kind in enumerate(kinds)]
    names = [
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{kind} {i}")]) for i, kind in enumerate(kinds)
    ]
    holders = list(zip(names, keys, strict=True))
    signed = [_signed(number, holder, issuer) for number, (holder, issuer) in enumerate(pairwise(holders))]
    root = _signed(len(kinds) - 1, holders[-1], holders[-1])
    served = signed or [root]
    return Chain(
        name,
        pinned=root.public_bytes(serialization.Encoding.DER),
        served=b"".join(certificate.public_bytes(serialization.Encoding.PEM) for certificate in served),
        key=keys[0].private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
    )


def _signed(number: int, holder: tuple[x509.Name, _Key], issuer: tuple[x509.Name, _Key]) -> x509.Certificate:
    """The first in a chain, number 0, is the service's; the others are CAs'."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(holder[0])
        .issuer_name(issuer[0])
        .public_key(holder[1].public_key())
        .serial_number(_SEED + number)
        .not_valid_before(_FROM)
        .not_valid_after(_TO)
        .add_extension(x509.BasicConstraints(ca=number > 0, path_length=None), critical=True)
    )
    if number == 0:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
    is_curve = isinstance(issuer[1], ec.EllipticCurvePrivateKey)
    return builder.sign(issuer[1], hashes.SHA256(), ecdsa_deterministic=True if is_curve else None)
