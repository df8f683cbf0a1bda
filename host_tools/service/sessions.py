"""Sessions: who is signed in. The browser has the token; the database has only its hash."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update
from sqlalchemy.engine import Connection

from host_tools.service.accounts import Account, Accounts
from host_tools.service.tables import SESSIONS

_TOKEN_BYTES = 32
_SEEN_EVERY_S = 60


@dataclass(frozen=True)
class Lifetime:
    """How long a session lasts, in seconds: since it was last used, and in all."""

    idle_s: int
    longest_s: int


@dataclass(frozen=True)
class Session:
    """A session that lasts. Times are Unix seconds by the service's clock.

    Attributes:
        account: whose it is, as it is now.
        is_complete: whether the second factor was given, or none is asked for.
    """

    account: Account
    is_complete: bool
    began_at: int
    seen_at: int

    def is_to_be_seen(self, now: float) -> bool:
        """Whether its use is worth a write."""
        return now - self.seen_at >= _SEEN_EVERY_S


class Sessions:
    """The sessions in a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def begin(self, account_id: int, now: float, *, is_complete: bool) -> str:
        """Begins a session; answers its token, of 256 bits."""
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        self._connection.execute(
            insert(SESSIONS).values(
                token_sha256=_hashed(token),
                account_id=account_id,
                is_complete=is_complete,
                began_at=int(now),
                seen_at=int(now),
            )
        )
        return token

    def find(self, token: str, now: float, lifetime: Lifetime) -> Session | None:
        """The session of this token, or None: there is none, it has ended, or its account is disabled."""
        row = self._connection.execute(
            select(SESSIONS).where(
                SESSIONS.c.token_sha256 == _hashed(token),
                SESSIONS.c.seen_at > int(now) - lifetime.idle_s,
                SESSIONS.c.began_at > int(now) - lifetime.longest_s,
            )
        ).one_or_none()
        if row is None:
            return None
        account = Accounts(self._connection).by_id(row.account_id)
        if account is None or account.is_disabled:
            return None
        return Session(account, row.is_complete, row.began_at, row.seen_at)

    def saw(self, token: str, now: float) -> None:
        """Notes that the session was used."""
        self._connection.execute(
            update(SESSIONS).where(SESSIONS.c.token_sha256 == _hashed(token)).values(seen_at=int(now))
        )

    def end(self, token: str) -> None:
        """Ends the session of this token."""
        self._connection.execute(delete(SESSIONS).where(SESSIONS.c.token_sha256 == _hashed(token)))


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
