"""The second factor, by the test vectors of RFC 6238."""

from __future__ import annotations

import base64
import xml.etree.ElementTree as ET

import pytest

from host_tools.service import totp

# RFC 6238 appendix B, SHA-1: its codes have eight digits, of which six are the last.
SECRET = base64.b32encode(b"12345678901234567890").decode()
VECTORS = [
    (59, "287082", 0x1),
    (1111111109, "081804", 0x23523EC),
    (1111111111, "050471", 0x23523ED),
    (1234567890, "005924", 0x273EF07),
    (2000000000, "279037", 0x3F940AA),
    (20000000000, "353130", 0x27BC86AA),
]


@pytest.mark.parametrize(("now", "code", "step"), VECTORS)
def test_codes_are_those_of_rfc_6238(now: int, code: str, step: int) -> None:
    assert totp.step_of(SECRET, code, now) == step


@pytest.mark.parametrize(
    ("away_s", "is_taken"), [(-60, False), (-30, True), (0, True), (29, True), (30, True), (60, False)]
)
def test_a_clock_may_be_half_a_minute_away(away_s: int, is_taken: bool) -> None:
    now, code, step = VECTORS[2]
    begin = now // 30 * 30
    assert totp.step_of(SECRET, code, begin + away_s) == (step if is_taken else None)


@pytest.mark.parametrize(
    "code", ["", "0", "28708", "2870820", "287082 ", "\u0662\u0668\u0667\u0660\u0668\u0662"]
)
def test_what_is_no_code_is_of_no_step(code: str) -> None:
    assert totp.step_of(SECRET, code, 59) is None


def test_a_new_secret_has_160_bits_and_is_never_the_same() -> None:
    made = {totp.new_secret() for _ in range(100)}
    assert len(made) == 100
    assert all(len(base64.b32decode(secret)) == 20 for secret in made)


def test_an_authenticator_is_told_whose_it_is() -> None:
    assert totp.address(SECRET, "jane@example.net") == (
        f"otpauth://totp/Star57:jane%40example.net?secret={SECRET}&issuer=Star57"
    )


def test_the_picture_is_one_element_without_style_and_script() -> None:
    picture = totp.picture(totp.address(SECRET, "jane"))
    element = ET.fromstring(picture)  # noqa: S314 - made here
    assert element.tag == "svg"
    assert {part.tag for part in element.iter()} <= {"svg", "path", "title", "g"}
    assert "style" not in picture
    assert SECRET not in picture
