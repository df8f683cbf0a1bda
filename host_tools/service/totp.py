"""The second factor: time-based one-time passwords (RFC 6238), of six digits and 30 s."""

from __future__ import annotations

import io

import pyotp
import segno
from pyotp.utils import strings_equal

STEP_S = 30
_ISSUER = "Star57"
_STEPS_AWAY = 1


def new_secret() -> str:
    """A new secret of 160 bits, in base 32."""
    return pyotp.random_base32()


def step_of(secret: str, code: str, now: float) -> int | None:
    """The step of 30 s since 1970 of which `code` is, or None: of none that is near.

    A step once used must not be taken again (RFC 6238 §5.2): whoever calls remembers it.

    Args:
        secret: in base 32.
        code: six digits.
        now: Unix seconds; the clock that made the code may be 30 s away.
    """
    totp = pyotp.TOTP(secret)
    present = int(now) // STEP_S
    for step in range(present - _STEPS_AWAY, present + _STEPS_AWAY + 1):
        if strings_equal(totp.generate_otp(step), code):
            return step
    return None


def address(secret: str, account_name: str) -> str:
    """The `otpauth://` address that an authenticator takes."""
    return pyotp.TOTP(secret).provisioning_uri(name=account_name, issuer_name=_ISSUER)


def picture(otpauth: str) -> str:
    """The address as a QR code: an SVG element for a page, without style or script."""
    drawing = io.BytesIO()
    segno.make(otpauth, error="m").save(
        drawing, kind="svg", scale=5, border=4, xmldecl=False, svgns=False, light="#fff", dark="#000",
        title="QR code of the new authenticator", svgclass="qr", lineclass=None, omitsize=False,
    )  # fmt: skip
    return drawing.getvalue().decode()
