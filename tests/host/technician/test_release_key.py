"""The release key: kept under a passphrase, and opened by nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from host_tools.technician.release_key import (
    PassphraseTooShort,
    ReleaseKeyFault,
    WrongPassphrase,
    modulus,
    new_key,
    open_key,
)

PASSPHRASE = "correct horse battery"  # noqa: S105 - of a test


def test_a_key_is_kept_and_opened_by_its_passphrase_alone(tmp_path: Path) -> None:
    path = tmp_path / "release.pem"
    public = new_key(path, PASSPHRASE)
    assert len(public) == 768
    assert set(public) <= set("0123456789abcdef")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
    assert modulus(open_key(path, PASSPHRASE)) == public
    with pytest.raises(WrongPassphrase):
        open_key(path, "incorrect horse battery")
    before = path.read_bytes()
    with pytest.raises(ReleaseKeyFault, match="already"):
        new_key(path, PASSPHRASE)
    assert path.read_bytes() == before


def test_a_passphrase_has_twelve_letters_and_may_be_composed_in_two_ways(tmp_path: Path) -> None:
    path = tmp_path / "release.pem"
    with pytest.raises(PassphraseTooShort):
        new_key(path, "eleven char")
    assert not path.exists()
    new_key(path, "caf\u00e9 au lait, noir")
    open_key(path, "cafe\u0301 au lait, noir")


def test_what_is_no_release_key_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "release.pem"
    with pytest.raises(ReleaseKeyFault, match="cannot be read"):
        open_key(path, PASSPHRASE)
    with pytest.raises(ReleaseKeyFault, match="cannot be kept"):
        new_key(tmp_path / "nowhere" / "release.pem", PASSPHRASE)
    under = BestAvailableEncryption(PASSPHRASE.encode())
    small = rsa.generate_private_key(65537, 2048)
    curve = ec.generate_private_key(ec.SECP256R1())
    cases = [
        (b"no key", "no private key"),
        (small.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, under), "not RSA of 3072 bits"),
        (curve.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, under), "not RSA of 3072 bits"),
        (curve.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), "under no passphrase"),
    ]
    for pem, fault in cases:
        path.write_bytes(pem)
        with pytest.raises(ReleaseKeyFault, match=fault):
            open_key(path, PASSPHRASE)
