"""Accounts, for administrators: add, change, disable, unlock; a new password or second factor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Path, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from host_tools.service.access import Permission, Person, Role, allow
from host_tools.service.account_changes import AccountChanges, LineNeeded, NoAccount
from host_tools.service.accounts import Account, Accounts, LastAdministrator, NameTaken
from host_tools.service.console.errors import answer
from host_tools.service.console.forms import WHOLE, Form, submitted
from host_tools.service.console.input import Input
from host_tools.service.console.rendering import page
from host_tools.service.console.routers import api_router, page_router
from host_tools.service.console.state import now_of, people_of, store_of
from host_tools.service.passwords import one_time_password

Administrator = Annotated[Person, allow(Permission.ACCOUNTS)]
AccountId = Annotated[int, Path(ge=1, le=2**63 - 1)]
Line = Annotated[
    str, Field(pattern=r"^[0-9]{1,15}$", description="a line's number: 1 to 15 digits, nothing between")
]

TAKEN = "There is an account of this name already: choose another."
LAST = "This is the last administrator: make another one first."

router = page_router()
api = api_router("accounts")


class ChangeRole(Input):
    """A role; a household's with its line."""

    role: Annotated[Role, Field(description="one of the roles in the list")]
    line: Line | None = None


class AddAccount(ChangeRole):
    """A new account."""

    name: Annotated[
        str,
        Field(
            pattern=r"^[a-z0-9][a-z0-9._@-]{0,62}$",
            description="small letters, digits and . _ @ -, at most 63, beginning with a letter or digit",
        ),
    ]


class AccountRow(BaseModel):
    """An account as administrators see it. Times are Unix seconds."""

    account_id: int
    name: str
    role: Role
    line: str | None
    has_second_factor: bool
    has_one_time_password: bool
    locked_until: int | None
    is_disabled: bool
    created_at: int

    @classmethod
    def of(cls, account: Account, now: float) -> AccountRow:
        """Of an account as it is now."""
        return cls(
            account_id=account.account_id,
            name=account.name,
            role=account.role,
            line=account.line,
            has_second_factor=account.totp_secret is not None,
            has_one_time_password=account.password_until is not None,
            locked_until=account.locked_until if account.is_locked(now) else None,
            is_disabled=account.is_disabled,
            created_at=account.created_at,
        )


class NewAccount(BaseModel):
    """An account that was added; its one-time password is shown this once."""

    account_id: int
    one_time_password: str


@router.get("/accounts")
async def look(request: Request, _: Administrator) -> Response:
    """Lists the accounts."""
    return await _list(request, Form[AddAccount].blank(role=Role.HOUSEHOLD))


@router.post("/accounts")
async def add(request: Request, person: Administrator) -> Response:
    """Adds an account, and shows its one-time password."""
    form = await submitted(request, AddAccount)
    if form.model is None:
        return await _list(request, form, 422)
    try:
        added = await _add(request, person, form.model)
    except NameTaken:
        return await _list(request, form.wrong("name", TAKEN), 422)
    except LineNeeded as error:
        return await _list(request, form.wrong("line", str(error)), 422)
    return page(request, "accounts/password.html", name=form.model.name, password=added.one_time_password)


@router.get("/accounts/{account_id}")
async def look_at(request: Request, account_id: AccountId, _: Administrator) -> Response:
    """Shows an account."""
    return await _one(request, account_id)


@router.post("/accounts/{account_id}/role")
async def change_role(request: Request, account_id: AccountId, person: Administrator) -> Response:
    """Makes it another role."""
    form = await submitted(request, ChangeRole)
    if form.model is None:
        return await _one(request, account_id, form, 422)
    given = form.model
    try:
        await _change(
            request, person, lambda changes: changes.change_role(account_id, given.role, given.line)
        )
    except LineNeeded as error:
        return await _one(request, account_id, form.wrong("line", str(error)), 422)
    except LastAdministrator:
        return await _one(request, account_id, form.wrong("role", LAST), 422)
    return _back(account_id)


@router.post("/accounts/{account_id}/disable")
async def disable(request: Request, account_id: AccountId, person: Administrator) -> Response:
    """Lets it in no more."""
    try:
        await _change(request, person, lambda changes: changes.disable(account_id))
    except LastAdministrator:
        return await _one(request, account_id, Form[ChangeRole]().wrong(WHOLE, LAST), 422)
    return _back(account_id)


@router.post("/accounts/{account_id}/enable")
async def enable(request: Request, account_id: AccountId, person: Administrator) -> Response:
    """Lets it in again."""
    await _change(request, person, lambda changes: changes.enable(account_id))
    return _back(account_id)


@router.post("/accounts/{account_id}/unlock")
async def unlock(request: Request, account_id: AccountId, person: Administrator) -> Response:
    """Forgets failed sign-ins."""
    await _change(request, person, lambda changes: changes.unlock(account_id))
    return _back(account_id)


@router.post("/accounts/{account_id}/totp")
async def reset_second_factor(request: Request, account_id: AccountId, person: Administrator) -> Response:
    """Forgets its second factor."""
    await _change(request, person, lambda changes: changes.reset_second_factor(account_id))
    return _back(account_id)


@router.post("/accounts/{account_id}/password")
async def give_password(request: Request, account_id: AccountId, person: Administrator) -> Response:
    """Gives a one-time password, and shows it."""
    password = one_time_password()
    password_hash = await people_of(request).passwords.hash_aside(password)
    account = await _change(request, person, lambda changes: changes.give_password(account_id, password_hash))
    return page(request, "accounts/password.html", name=account.name, password=password)


@api.get("/accounts")
async def rows(request: Request, _: Administrator) -> list[AccountRow]:
    """Every account, by name."""
    now = now_of(request)
    accounts = await store_of(request).read(lambda connection: Accounts(connection).all())
    return [AccountRow.of(account, now) for account in accounts]


@api.post("/accounts", status_code=201, response_model=NewAccount)
async def add_row(request: Request, given: AddAccount, person: Administrator) -> Response | NewAccount:
    """Adds an account with a one-time password."""
    try:
        return await _add(request, person, given)
    except NameTaken:
        return answer(request, 422, fields={"name": TAKEN})
    except LineNeeded as error:
        return answer(request, 422, fields={"line": str(error)})


async def _add(request: Request, person: Person, given: AddAccount) -> NewAccount:
    password = one_time_password()
    password_hash = await people_of(request).passwords.hash_aside(password)
    account_id = await _change(
        request, person, lambda changes: changes.add(given.name, given.role, given.line, password_hash)
    )
    return NewAccount(account_id=account_id, one_time_password=password)


async def _change(request: Request, person: Person, change: Callable[[AccountChanges], Any]) -> Any:
    """What `change` answers.

    Raises:
        HTTPException: 404, there is no such account; and what `change` raises.
    """
    now = now_of(request)
    try:
        return await store_of(request).write_audited(
            lambda connection: change(AccountChanges(connection, person.name, now))
        )
    except NoAccount as error:
        raise HTTPException(404) from error


async def _list(request: Request, form: Form[AddAccount], status_code: int = 200) -> Response:
    now = now_of(request)
    accounts = await store_of(request).read(lambda connection: Accounts(connection).all())
    return page(
        request,
        "accounts/list.html",
        accounts=[AccountRow.of(account, now) for account in accounts],
        form=form,
        roles=_ROLES,
        status_code=status_code,
    )


async def _one(
    request: Request, account_id: int, form: Form[ChangeRole] | None = None, status_code: int = 200
) -> Response:
    account = await store_of(request).read(lambda connection: Accounts(connection).by_id(account_id))
    if account is None:
        raise HTTPException(404)
    return page(
        request,
        "accounts/account.html",
        account=AccountRow.of(account, now_of(request)),
        form=form or Form.blank(role=account.role, line=account.line),
        roles=_ROLES,
        status_code=status_code,
    )


def _back(account_id: int) -> Response:
    return RedirectResponse(f"/accounts/{account_id}", 303)


_ROLES = [(role.value, role.value.capitalize()) for role in Role]
