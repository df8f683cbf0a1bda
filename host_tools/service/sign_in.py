"""Signing in: password, then second factor; what fails is counted and locks, and is never told apart."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.engine import Connection

from host_tools.service import totp
from host_tools.service.accounts import Account, Accounts, LastAdministrator
from host_tools.service.audit.log import AuditLog
from host_tools.service.oidc import Identity
from host_tools.service.people import People
from host_tools.service.rate_limit import network_of
from host_tools.service.sessions import Sessions
from host_tools.service.store import Store

_TOTP = "totp"


class SignInRefused(Exception):
    """Name, password or code are wrong, or the account may not sign in now; nobody is told which."""


@dataclass(frozen=True)
class SignIn:
    """Signs people in.

    Attributes:
        now: Unix seconds.
    """

    store: Store
    people: People
    now: float

    async def by_password(self, name: str, password: str, address: str) -> str:
        """Begins a session; answers its token. Whether it is complete, the session says.

        Args:
            address: from where it is tried.

        Raises:
            SignInRefused: no.
            TooMany: tried too often.
            passwords.Busy: too many sign in at once.
        """
        self.people.by_address.take(network_of(address))
        self.people.by_name.take(name)
        account = await self.store.read(lambda connection: Accounts(connection).by_name(name))
        password_hash = account.password_hash if account else None
        is_right = await self.people.passwords.is_right_aside(password_hash, password)
        newer_hash = None
        if is_right and password_hash and self.people.passwords.is_outdated(password_hash):
            newer_hash = await self.people.passwords.hash_aside(password)
        token = await self.store.write_audited(
            lambda connection: self._with_password(
                connection, name, password_hash if is_right else None, newer_hash
            )
        )
        return _taken(token)

    async def by_code(self, token: str, account_id: int, code: str) -> str:
        """Completes a session by the second factor; answers its new token.

        Raises:
            SignInRefused: no.
            TooMany: tried too often.
        """
        self.people.by_code.take(str(account_id))
        new = await self.store.write_audited(
            lambda connection: self._with_code(connection, token, account_id, code)
        )
        return _taken(new)

    async def enrol(self, account_id: int, secret: str, code: str) -> str:
        """Makes `secret` the second factor of an account that has none; answers the token of a complete session.

        Raises:
            SignInRefused: the code is not of this secret, or the account has a second factor already.
            TooMany: tried too often.
        """
        self.people.by_code.take(str(account_id))
        new = await self.store.write_audited(
            lambda connection: self._with_new_secret(connection, account_id, secret, code)
        )
        return _taken(new)

    async def replace_second_factor(self, account_id: int, secret: str, code: str, present_code: str) -> str:
        """Makes `secret` the second factor instead of the one that shows `present_code`; answers as `enrol`.

        Raises:
            SignInRefused: one of the codes is wrong; a wrong `present_code` is counted.
            TooMany: tried too often.
        """
        self.people.by_code.take(str(account_id))
        new = await self.store.write_audited(
            lambda connection: self._with_other_secret(connection, account_id, secret, code, present_code)
        )
        return _taken(new)

    async def confirm(self, account: Account, password: str) -> None:
        """Makes sure that it is its owner who is signed in.

        Raises:
            SignInRefused: the password is wrong, which is counted, or the account is locked.
            TooMany: tried too often.
            passwords.Busy: too many sign in at once.
        """
        self.people.by_name.take(account.name)
        is_right = await self.people.passwords.is_right_aside(account.password_hash, password)
        if account.is_locked(self.now):
            raise SignInRefused
        if not is_right:
            await self.store.write_audited(lambda connection: self._failed(connection, account, "password"))
            raise SignInRefused

    async def replace_password(self, account: Account, password: str) -> str:
        """Gives an account a password of its own, and signs it out everywhere but here; answers the new token.

        Raises:
            passwords.Busy: too many sign in at once.
        """
        password_hash = await self.people.passwords.hash_aside(password)

        def work(connection: Connection) -> str:
            Accounts(connection).change(account.account_id, password_hash=password_hash, password_until=None)
            self._note(connection, account.name, "account.changed", account.name, changed="password")
            return Sessions(connection).begin(account.account_id, self.now, is_complete=True)

        return await self.store.write_audited(work)

    async def by_provider(self, identity: Identity) -> str:
        """Begins the session of somebody whom the identity provider has sent; their account is made at the first time.

        Raises:
            SignInRefused: the provider gives them no role here, or takes the last administrator's, or the account is
                disabled. Who has a role no more is signed out everywhere.
        """

        def work(connection: Connection) -> str | None:
            try:
                account = self._account_of(connection, identity)
            except LastAdministrator:
                return self._refused(connection, None, "last_administrator")
            # A lock is for guesses at a password, which the provider has not asked for.
            if account is None or account.is_disabled:
                return self._refused(connection, account, "no_role" if account is None else "disabled")
            is_complete = identity.has_second_factor or not self._must_give_code(account)
            return self._begin(connection, account, is_complete=is_complete)

        token = await self.store.write_audited(work)
        return _taken(token)

    async def refused_by_provider(self) -> None:
        """Notes that the identity provider has let nobody in by what a browser brought."""
        await self.store.write_audited(lambda connection: self._refused(connection, None, "provider"))

    async def end(self, account: Account, token: str) -> None:
        """Signs out."""

        def work(connection: Connection) -> None:
            Sessions(connection).end(token)
            self._note(connection, account.name, "sign_in.ended", account.name)

        await self.store.write_audited(work)

    def _with_password(
        self, connection: Connection, name: str, right_hash: str | None, newer_hash: str | None
    ) -> str | None:
        accounts = Accounts(connection)
        account = accounts.by_name(name)
        if account is None or self._may_not(account) or not account.may_use_password(self.now):
            return self._refused(connection, account, "unknown" if account is None else "disabled_or_locked")
        if account.password_hash is None:
            # Nothing to be guessed: who knows the name must not lock out whom the provider lets in.
            return self._refused(connection, account, "password")
        if right_hash is None or account.password_hash != right_hash:
            return self._failed(connection, account, "password")
        if newer_hash is not None:
            accounts.keep_password_hash(account.account_id, newer_hash)
        return self._begin(connection, account, is_complete=not self._must_give_code(account))

    def _with_code(self, connection: Connection, token: str, account_id: int, code: str) -> str | None:
        account = Accounts(connection).by_id(account_id)
        if account is None or self._may_not(account):
            return self._refused(connection, account, "disabled_or_locked")
        if not self._takes(connection, account, code):
            return self._failed(connection, account, "code")
        Sessions(connection).end(token)
        return self._begin(connection, account, is_complete=True)

    def _with_new_secret(self, connection: Connection, account_id: int, secret: str, code: str) -> str | None:
        account = Accounts(connection).by_id(account_id)
        if account is None or account.totp_secret is not None:
            return None
        return self._enrolled(connection, account, secret, code)

    def _with_other_secret(
        self, connection: Connection, account_id: int, secret: str, code: str, present_code: str
    ) -> str | None:
        account = Accounts(connection).by_id(account_id)
        if account is None or self._may_not(account):
            return None
        if not self._takes(connection, account, present_code):
            return self._failed(connection, account, "code")
        return self._enrolled(connection, account, secret, code)

    def _enrolled(self, connection: Connection, account: Account, secret: str, code: str) -> str | None:
        step = totp.step_of(secret, code, self.now)
        if step is None:
            return None
        encrypted = self.people.secret.encrypt(_TOTP, secret.encode())
        Accounts(connection).change(account.account_id, totp_secret=encrypted, totp_last_step=step)
        self._note(connection, account.name, "account.changed", account.name, changed="second_factor")
        return self._begin(connection, account, is_complete=True)

    def _takes(self, connection: Connection, account: Account, code: str) -> bool:
        """Whether `code` is of now, and is given for the first time."""
        if account.totp_secret is None:
            return False
        secret = self.people.secret.decrypt(_TOTP, account.totp_secret).decode()
        step = totp.step_of(secret, code, self.now)
        return step is not None and Accounts(connection).take_step(account.account_id, step)

    def _failed(self, connection: Connection, account: Account, reason: str) -> str | None:
        locked_s = Accounts(connection).failed(account.account_id, self.now)
        return self._refused(connection, account, reason, locked_s=locked_s)

    def _begin(self, connection: Connection, account: Account, *, is_complete: bool) -> str:
        if is_complete:
            Accounts(connection).unlock(account.account_id)
            self._note(connection, account.name, "sign_in.done", account.name)
        return Sessions(connection).begin(account.account_id, self.now, is_complete=is_complete)

    def _refused(
        self, connection: Connection, account: Account | None, reason: str, **details: int
    ) -> str | None:
        # A name that is unknown may be a password that was typed into the wrong field.
        subject = account.name if account else "unknown"
        self._note(connection, "service", "sign_in.refused", subject, reason=reason, **details)
        return None

    def _account_of(self, connection: Connection, identity: Identity) -> Account | None:
        """The account of an identity, with the role that its provider gives it now; None without a role."""
        accounts = Accounts(connection)
        account, role = accounts.by_subject(identity.subject), identity.role
        if account is not None and account.role != role:
            accounts.sign_out(account.account_id)
        if role is None:
            return None
        if account is None:
            name = identity.name if accounts.by_name(identity.name) is None else identity.unique_name
            account_id = accounts.add(name, role, self.now, oidc_subject=identity.subject)
            self._note(connection, "service", "account.added", name, role=role.value)
            return accounts.by_id(account_id)
        if account.role != role:
            accounts.change(account.account_id, role=role, line=None)
            self._note(connection, "service", "account.changed", account.name, role=role.value)
        return accounts.by_id(account.account_id)

    def _note(
        self, connection: Connection, actor: str, action: str, subject: str, **details: str | int
    ) -> None:
        AuditLog(connection).append(self.now, actor, action, subject, **details)

    def _may_not(self, account: Account) -> bool:
        return account.is_disabled or account.is_locked(self.now)

    def _must_give_code(self, account: Account) -> bool:
        return account.totp_secret is not None or account.role in self.people.settings.totp_roles


def _taken(token: str | None) -> str:
    if token is None:
        raise SignInRefused
    return token
