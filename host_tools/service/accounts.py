"""Accounts: who may sign in, as what, and how often they have failed to."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Annotated, Any

from pydantic import StringConstraints
from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from host_tools.service.roles import Role
from host_tools.service.tables import ACCOUNTS, SESSIONS

AccountName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._@-]{0,62}$")]
"""As it is typed. Colons are left to names that the service makes: `oidc:jane`, `adapter:adapter-1`."""
RESERVED = frozenset({"service", "command"})
"""Who else acts in the audit log; no account has their name."""
ONE_TIME_S = 7 * 86400
"""How long a one-time password may wait for its owner."""
_FREE_FAILURES = 5
_FIRST_LOCK_S = 15 * 60
_LONGEST_LOCK_S = 24 * 3600


class NameTaken(Exception):
    """There is an account of this name."""


class LastAdministrator(Exception):
    """Without this account nobody could change accounts any more."""


@dataclass(frozen=True)
class Account:
    """Somebody who may sign in. Times are Unix seconds by the service's clock.

    Attributes:
        line: a household's own; None for every other role.
        password_hash: None when only an identity provider lets them in.
        password_until: the end of a one-time password, which they must replace; None for one of their own.
        totp_secret: encrypted; None without a second factor.
        totp_last_step: the newest step whose code was taken.
        oidc_subject: what the identity provider calls them.
        failures: failed sign-ins since the last that was complete.
        locked_until: until then no sign-in is taken.
    """

    account_id: int
    name: str
    role: Role
    line: str | None
    password_hash: str | None = field(repr=False)
    password_until: int | None
    totp_secret: bytes | None = field(repr=False)
    totp_last_step: int | None
    oidc_subject: str | None
    failures: int
    locked_until: int | None
    is_disabled: bool
    created_at: int

    def is_locked(self, now: float) -> bool:
        """Whether it is locked for failed sign-ins."""
        return self.locked_until is not None and now < self.locked_until

    def may_use_password(self, now: float) -> bool:
        """Whether its password still lets in: a one-time password has an end."""
        return self.password_until is None or now < self.password_until


def lock_s(failures: int) -> int:
    """For how many seconds so many failures in a row lock an account: five for 15 min, each more for twice as long."""
    if failures < _FREE_FAILURES:
        return 0
    doublings = min(failures - _FREE_FAILURES, 10)
    return min(_FIRST_LOCK_S << doublings, _LONGEST_LOCK_S)


class Accounts:
    """The accounts in a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, name: str, role: Role, now: float, *, line: str | None = None, **optional: Any) -> int:
        """Adds an account; answers its number.

        Args:
            name: an AccountName, or one that the service made.
            line: of a household, and of nobody else.
            optional: further attributes of an Account.

        Raises:
            NameTaken: the name, or the identity provider's subject, has an account.
        """
        values = {
            "name": name,
            "role": role.value,
            "line": line,
            "created_at": int(now),
            "failures": 0,
            "is_disabled": False,
            **optional,
        }
        try:
            with self._connection.begin_nested():
                result = self._connection.execute(insert(ACCOUNTS).values(**values))
        except IntegrityError as error:
            raise NameTaken(name) from error
        key = result.inserted_primary_key
        if key is None:
            raise LookupError(name)
        return int(key[0])

    def all(self) -> list[Account]:
        """Every account, by name."""
        rows = self._connection.execute(select(ACCOUNTS).order_by(ACCOUNTS.c.name)).mappings()
        return [_account(row) for row in rows]

    def by_id(self, account_id: int) -> Account | None:
        """The account of this number."""
        return self._one(ACCOUNTS.c.account_id == account_id)

    def by_name(self, name: str) -> Account | None:
        """The account of this name."""
        return self._one(ACCOUNTS.c.name == name)

    def by_subject(self, oidc_subject: str) -> Account | None:
        """The account of whom the identity provider calls so."""
        return self._one(ACCOUNTS.c.oidc_subject == oidc_subject)

    def change(self, account_id: int, **values: Any) -> None:
        """Changes attributes of an account, and signs it out everywhere.

        Raises:
            LastAdministrator: it would leave no administrator who may sign in; nothing is changed.
        """
        if values.get("is_disabled") or ("role" in values and values["role"] != Role.ADMINISTRATOR):
            self._keep_an_administrator(account_id)
        self._set(account_id, **values)
        self.sign_out(account_id)

    def sign_out(self, account_id: int) -> None:
        """Ends every session of an account."""
        self._connection.execute(delete(SESSIONS).where(SESSIONS.c.account_id == account_id))

    def keep_password_hash(self, account_id: int, password_hash: str) -> None:
        """Keeps the same password, hashed as passwords are hashed now."""
        self._set(account_id, password_hash=password_hash)

    def take_step(self, account_id: int, step: int) -> bool:
        """Notes that the code of `step` was given; False: that one, or a newer, was given before."""
        newest = ACCOUNTS.c.totp_last_step
        result = self._connection.execute(
            update(ACCOUNTS)
            .where(ACCOUNTS.c.account_id == account_id, or_(newest.is_(None), newest < step))
            .values(totp_last_step=step)
        )
        return result.rowcount == 1

    def failed(self, account_id: int, now: float) -> int:
        """Counts a failed sign-in; answers for how many seconds the account is locked."""
        result = self._connection.execute(
            update(ACCOUNTS)
            .where(ACCOUNTS.c.account_id == account_id)
            .values(failures=ACCOUNTS.c.failures + 1)
            .returning(ACCOUNTS.c.failures)
        )
        locked_s = lock_s(result.scalar_one())
        if locked_s:
            self._set(account_id, locked_until=int(now) + locked_s)
        return locked_s

    def unlock(self, account_id: int) -> None:
        """Forgets failed sign-ins."""
        self._set(account_id, failures=0, locked_until=None)

    def _set(self, account_id: int, **values: Any) -> None:
        self._connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.account_id == account_id).values(**values))

    def _keep_an_administrator(self, account_id: int) -> None:
        others = select(func.count()).where(
            ACCOUNTS.c.role == Role.ADMINISTRATOR.value,
            ACCOUNTS.c.is_disabled.is_(False),
            ACCOUNTS.c.account_id != account_id,
        )
        account = self.by_id(account_id)
        is_one = account is not None and account.role == Role.ADMINISTRATOR and not account.is_disabled
        if is_one and not self._connection.execute(others).scalar_one():
            raise LastAdministrator

    def _one(self, condition: Any) -> Account | None:
        row = self._connection.execute(select(ACCOUNTS).where(condition)).mappings().one_or_none()
        return None if row is None else _account(row)


_FIELDS = [each.name for each in fields(Account)]


def _account(row: Any) -> Account:
    return Account(**{name: row[name] for name in _FIELDS} | {"role": Role(row["role"])})
