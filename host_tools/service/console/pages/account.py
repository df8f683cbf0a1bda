"""Somebody's own account: their password, and their second factor."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from host_tools.service import enrolment
from host_tools.service.access import Visit, signed_in
from host_tools.service.console.forms import WHOLE, Form, submitted
from host_tools.service.console.input import Input
from host_tools.service.console.pages.sign_in import (
    DIFFERENT,
    ENDED,
    WRONG_CODE,
    Code,
    NewPassword,
    NewSecondFactor,
    Password,
    show_enrolment,
)
from host_tools.service.console.rendering import page, set_session
from host_tools.service.console.routers import page_router
from host_tools.service.console.state import now_of, people_of, sign_in_of
from host_tools.service.sign_in import SignInRefused

WRONG_PASSWORD = "This is not your password, or it was wrong too often: wait for 15 minutes."  # noqa: S105 - a sentence

router = page_router()


class ChangePassword(Input):
    """A new password, and the present one."""

    present: Password
    password: NewPassword
    again: Password


class FirstSecondFactor(NewSecondFactor):
    """A second factor where there was none."""

    present: Password


class OtherSecondFactor(NewSecondFactor):
    """A second factor instead of the present one."""

    present_code: Code


@router.get("/account")
async def look(request: Request, visit: Annotated[Visit, signed_in()]) -> Response:
    """Shows the account."""
    return _account(request, visit, Form[ChangePassword].blank())


@router.post("/account/password")
async def change_password(request: Request, visit: Annotated[Visit, signed_in()]) -> Response:
    """Takes a new password."""
    form = await submitted(request, ChangePassword)
    if form.model is not None and form.model.password != form.model.again:
        form = form.wrong("again", DIFFERENT)
    if form.model is None:
        return _account(request, visit, form, 422)
    given, sign_in = form.model, sign_in_of(request)
    try:
        await sign_in.confirm(visit.account, given.present.get_secret_value())
    except SignInRefused:
        return _account(request, visit, form.wrong("present", WRONG_PASSWORD), 422)
    token = await sign_in.replace_password(visit.account, given.password.get_secret_value())
    return _back(request, token)


@router.get("/account/totp")
async def show_second_factor(request: Request, visit: Annotated[Visit, signed_in()]) -> Response:
    """Shows a new second factor."""
    return show_enrolment(request, visit, "account/totp.html", Form.blank())


@router.post("/account/totp")
async def take_second_factor(request: Request, visit: Annotated[Visit, signed_in()]) -> Response:
    """Takes the first code of a new second factor."""
    model = FirstSecondFactor if visit.account.totp_secret is None else OtherSecondFactor
    form: Form[Any] = await submitted(request, model)
    if form.model is None:
        return show_enrolment(request, visit, "account/totp.html", form, 422)
    try:
        token = await _enrolled(request, visit, form.model)
    except enrolment.EnrolmentEnded:
        form = form.wrong(WHOLE, ENDED)
    except _NotTheOwner:
        form = form.wrong("present", WRONG_PASSWORD)
    except SignInRefused:
        form = form.wrong("code", WRONG_CODE)
    else:
        return _back(request, token)
    return show_enrolment(request, visit, "account/totp.html", form, 422)


class _NotTheOwner(Exception):
    """The present password is wrong."""


async def _enrolled(request: Request, visit: Visit, given: FirstSecondFactor | OtherSecondFactor) -> str:
    sign_in, account_id = sign_in_of(request), visit.account.account_id
    secret = enrolment.read(people_of(request).secret, given.enrolment, account_id, now_of(request))
    if isinstance(given, OtherSecondFactor):
        return await sign_in.replace_second_factor(account_id, secret, given.code, given.present_code)
    try:
        await sign_in.confirm(visit.account, given.present.get_secret_value())
    except SignInRefused as error:
        raise _NotTheOwner from error
    return await sign_in.enrol(account_id, secret, given.code)


def _account(request: Request, visit: Visit, form: Form[ChangePassword], status_code: int = 200) -> Response:
    return page(request, "account/account.html", account=visit.account, form=form, status_code=status_code)


def _back(request: Request, token: str) -> Response:
    response = RedirectResponse("/account", 303)
    set_session(response, request, token)
    return response
