"""Signing in at a browser, step by step, and out."""

from __future__ import annotations

from typing import Annotated

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from pydantic import Field, SecretStr

from host_tools.service import enrolment, totp
from host_tools.service.access import Step, Visit, public, signed_in
from host_tools.service.console.addresses import next_page
from host_tools.service.console.forms import WHOLE, Form, submitted
from host_tools.service.console.input import Input
from host_tools.service.console.rendering import forget_session, page, set_session
from host_tools.service.console.routers import page_router
from host_tools.service.console.state import address_of, now_of, people_of, sign_in_of
from host_tools.service.passwords import LONGEST, SHORTEST
from host_tools.service.sign_in import SignInRefused

NewPassword = Annotated[SecretStr, Field(min_length=SHORTEST, max_length=LONGEST)]
Password = Annotated[SecretStr, Field(max_length=LONGEST)]
Code = Annotated[str, Field(pattern=r"^[0-9]{6}$", description="six digits, as the authenticator shows them")]
Next = Annotated[str, Field(max_length=512)]

REFUSED = (
    "That is not right, or the account cannot sign in now. "
    "After five failures it is locked for 15 minutes and longer: wait, or ask an administrator."
)
WRONG_CODE = "This is not the code of now. Wait for the next one: each is taken once."
ENDED = "This took too long: scan the new picture."
DIFFERENT = "The two are not the same."
ONE_TIME = "This is the one-time password, which somebody else knows: choose another."

router = page_router()


class NameAndPassword(Input):
    """The first step."""

    name: Annotated[str, Field(max_length=64)]
    password: Password
    next: Next = "/"


class CodeOfNow(Input):
    """The second step."""

    code: Code
    next: Next = "/"


class NewSecondFactor(Input):
    """The second step, for the first time."""

    enrolment: Annotated[str, Field(max_length=512)]
    code: Code
    next: Next = "/"


class OwnPassword(Input):
    """The last step with a one-time password."""

    password: NewPassword
    again: Password
    next: Next = "/"


@router.get("/sign-in")
async def ask(request: Request, _: Annotated[None, public()], next: str = "/") -> Response:  # noqa: A002 - its name
    """Asks for name and password."""
    return _first(request, Form[NameAndPassword].blank(next=next_page(next)))


@router.post("/sign-in")
async def begin(request: Request, _: Annotated[None, public(has_form=True)]) -> Response:
    """Takes name and password."""
    form = await submitted(request, NameAndPassword)
    if form.model is None:
        return _first(request, form, 422)
    given = form.model
    try:
        token = await sign_in_of(request).by_password(
            given.name, given.password.get_secret_value(), address_of(request)
        )
    except SignInRefused:
        return _first(request, form.wrong(WHOLE, REFUSED), 422)
    return _onward(request, token, given.next)


@router.get("/sign-in/code")
async def ask_code(
    request: Request,
    _: Annotated[Visit, signed_in(Step.CODE)],
    next: str = "/",  # noqa: A002 - its name
) -> Response:
    """Asks for the code of now."""
    return page(request, "sign_in/code.html", form=Form[CodeOfNow].blank(next=next_page(next)))


@router.post("/sign-in/code")
async def take_code(request: Request, visit: Annotated[Visit, signed_in(Step.CODE)]) -> Response:
    """Takes the code of now."""
    form = await submitted(request, CodeOfNow)
    if form.model is None:
        return page(request, "sign_in/code.html", form=form, status_code=422)
    try:
        token = await sign_in_of(request).by_code(visit.token, visit.account.account_id, form.model.code)
    except SignInRefused:
        return page(request, "sign_in/code.html", form=form.wrong("code", WRONG_CODE), status_code=422)
    return _onward(request, token, form.model.next)


@router.get("/sign-in/totp")
async def ask_second_factor(
    request: Request,
    visit: Annotated[Visit, signed_in(Step.ENROL)],
    next: str = "/",  # noqa: A002 - its name
) -> Response:
    """Shows a new second factor."""
    return show_enrolment(
        request, visit, "sign_in/totp.html", Form[NewSecondFactor].blank(next=next_page(next))
    )


@router.post("/sign-in/totp")
async def take_second_factor(request: Request, visit: Annotated[Visit, signed_in(Step.ENROL)]) -> Response:
    """Takes the first code of the new second factor."""
    form = await submitted(request, NewSecondFactor)
    template, account_id = "sign_in/totp.html", visit.account.account_id
    if form.model is None:
        return show_enrolment(request, visit, template, form, 422)
    try:
        secret = enrolment.read(people_of(request).secret, form.model.enrolment, account_id, now_of(request))
        token = await sign_in_of(request).enrol(account_id, secret, form.model.code)
    except enrolment.EnrolmentEnded:
        return show_enrolment(request, visit, template, form.wrong(WHOLE, ENDED), 422)
    except SignInRefused:
        return show_enrolment(request, visit, template, form.wrong("code", WRONG_CODE), 422)
    return _onward(request, token, form.model.next)


@router.get("/sign-in/password")
async def ask_own_password(
    request: Request,
    _: Annotated[Visit, signed_in(Step.PASSWORD)],
    next: str = "/",  # noqa: A002 - its name
) -> Response:
    """Asks for a password of one's own."""
    return page(request, "sign_in/password.html", form=Form[OwnPassword].blank(next=next_page(next)))


@router.post("/sign-in/password")
async def take_own_password(request: Request, visit: Annotated[Visit, signed_in(Step.PASSWORD)]) -> Response:
    """Takes a password of one's own instead of the one-time password."""
    form = await submitted(request, OwnPassword)
    if form.model is not None and form.model.password != form.model.again:
        form = form.wrong("again", DIFFERENT)
    if form.model is not None and await _is_one_time(request, visit, form.model):
        form = form.wrong("password", ONE_TIME)
    if form.model is None:
        return page(request, "sign_in/password.html", form=form, status_code=422)
    token = await sign_in_of(request).replace_password(visit.account, form.model.password.get_secret_value())
    return _onward(request, token, form.model.next)


@router.post("/sign-out")
async def sign_out(request: Request, visit: Annotated[Visit, signed_in(None, *Step)]) -> Response:
    """Ends the session."""
    await sign_in_of(request).end(visit.account, visit.token)
    response = RedirectResponse(Step.SIGN_IN, 303)
    forget_session(response, request)
    return response


def show_enrolment(
    request: Request, visit: Visit, template: str, form: Form[NewSecondFactor], status_code: int = 200
) -> Response:
    """A page with a second factor to be set up: the one that was shown before, while it lasts, or a new one."""
    secret, now, account = people_of(request).secret, now_of(request), visit.account
    try:
        sealed = form.value("enrolment")
        totp_secret = enrolment.read(secret, sealed, account.account_id, now)
    except enrolment.EnrolmentEnded:
        totp_secret, sealed = enrolment.new(secret, account.account_id, now)
    picture = totp.picture(totp.address(totp_secret, account.name))
    return page(
        request,
        template,
        form=form,
        enrolment=sealed,
        totp_secret=totp_secret,
        picture=picture,
        status_code=status_code,
    )


async def _is_one_time(request: Request, visit: Visit, given: OwnPassword) -> bool:
    password = given.password.get_secret_value()
    return await people_of(request).passwords.is_right_aside(visit.account.password_hash, password)


def _first(request: Request, form: Form[NameAndPassword], status_code: int = 200) -> Response:
    has_provider = people_of(request).settings.oidc_issuer is not None
    return page(
        request, "sign_in/sign_in.html", form=form, has_provider=has_provider, status_code=status_code
    )


def _onward(request: Request, token: str, following: str) -> Response:
    """To the page that was asked for; what the sign-in still lacks is asked there."""
    response = RedirectResponse(next_page(following), 303)
    set_session(response, request, token)
    return response
