"""Changes of accounts, each with its row in the audit log; works of `Store.write_audited`."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.engine import Connection

from host_tools.service.accounts import ONE_TIME_S, RESERVED, Account, Accounts, NameTaken
from host_tools.service.audit.log import AuditLog
from host_tools.service.roles import Role


class NoAccount(Exception):
    """There is no such account."""


class LineNeeded(ValueError):
    """A household has a line, and nobody else has one."""


@dataclass(frozen=True)
class AccountChanges:
    """Changes accounts in a transaction, as `actor`, at `at` (Unix seconds).

    Who is changed is signed out everywhere. Each change of an account that there is not raises NoAccount; whatever
    raises has changed nothing.
    """

    connection: Connection
    actor: str
    at: float

    def add(self, name: str, role: Role, line: str | None, one_time_hash: str) -> int:
        """Adds an account with a one-time password, of which this is the hash; answers its number.

        Raises:
            LineNeeded: the line does not fit the role.
            NameTaken: there is an account of this name.
        """
        _check_line(role, line)
        if name in RESERVED:
            raise NameTaken(name)
        account_id = self._accounts.add(
            name,
            role,
            self.at,
            line=line,
            password_hash=one_time_hash,
            password_until=int(self.at) + ONE_TIME_S,
        )
        self._note("account.added", name, role=role.value)
        return account_id

    def give_password(self, account_id: int, one_time_hash: str) -> Account:
        """Gives a one-time password, and forgets failed sign-ins."""
        account = self._account(account_id)
        until = int(self.at) + ONE_TIME_S
        self._accounts.change(account_id, password_hash=one_time_hash, password_until=until)
        self._accounts.unlock(account_id)
        self._note("account.changed", account.name, changed="one_time_password")
        return account

    def change_role(self, account_id: int, role: Role, line: str | None) -> None:
        """Makes it another role, or gives it another line.

        Raises:
            LineNeeded: the line does not fit the role.
            LastAdministrator: there would be none.
        """
        _check_line(role, line)
        account = self._account(account_id)
        self._accounts.change(account_id, role=role.value, line=line)
        self._note("account.changed", account.name, changed="role", role=role.value)

    def disable(self, account_id: int) -> None:
        """Lets it in no more.

        Raises:
            LastAdministrator: there would be none.
        """
        account = self._account(account_id)
        self._accounts.change(account_id, is_disabled=True)
        self._note("account.changed", account.name, changed="disabled")

    def enable(self, account_id: int) -> None:
        """Lets it in again."""
        account = self._account(account_id)
        self._accounts.change(account_id, is_disabled=False)
        self._note("account.changed", account.name, changed="enabled")

    def unlock(self, account_id: int) -> None:
        """Forgets failed sign-ins, and lets it sign in at once."""
        account = self._account(account_id)
        self._accounts.unlock(account_id)
        self._note("account.changed", account.name, changed="unlocked")

    def reset_second_factor(self, account_id: int) -> None:
        """Forgets its second factor; its owner sets up another when they sign in."""
        account = self._account(account_id)
        self._accounts.change(account_id, totp_secret=None, totp_last_step=None)
        self._note("account.changed", account.name, changed="second_factor_reset")

    @property
    def _accounts(self) -> Accounts:
        return Accounts(self.connection)

    def _account(self, account_id: int) -> Account:
        account = self._accounts.by_id(account_id)
        if account is None:
            raise NoAccount(account_id)
        return account

    def _note(self, action: str, subject: str, **details: str) -> None:
        AuditLog(self.connection).append(self.at, self.actor, action, subject, **details)


def _check_line(role: Role, line: str | None) -> None:
    if (role == Role.HOUSEHOLD) != (line is not None):
        raise LineNeeded("A household needs its line; nobody else has one.")
