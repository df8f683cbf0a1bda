"""Setting up a second factor: the new secret is with the browser, encrypted, until its first code has come."""

from __future__ import annotations

import base64
import json

from host_tools.service import totp
from host_tools.service.secret import NotOurs, Secret

_USE = "enrolment"
_WITHIN_S = 15 * 60


class EnrolmentEnded(Exception):
    """What the browser has sent is not of this account, or too old."""


def new(secret: Secret, account_id: int, now: float) -> tuple[str, str]:
    """A new secret of the second factor, in base 32, and what the browser sends back with the first code."""
    totp_secret = totp.new_secret()
    kept = json.dumps([account_id, int(now), totp_secret]).encode()
    return totp_secret, base64.urlsafe_b64encode(secret.encrypt(_USE, kept)).decode()


def read(secret: Secret, sent: str, account_id: int, now: float) -> str:
    """The new secret out of what the browser has sent.

    Raises:
        EnrolmentEnded: it is not of this account, older than 15 min, or no such thing.
    """
    try:
        kept = json.loads(secret.decrypt(_USE, base64.b64decode(sent.encode(), b"-_", validate=True)))
    except (NotOurs, ValueError) as error:
        raise EnrolmentEnded from error
    for_account, began_at, totp_secret = kept
    if for_account != account_id or now > began_at + _WITHIN_S:
        raise EnrolmentEnded
    return str(totp_secret)
