"""The areas as an administrator sets them: where trace is offered, its price and the month's cap."""

from __future__ import annotations

from typing import Annotated

from fastapi import HTTPException, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import Field

from host_tools.service.access import Permission, Person, allow
from host_tools.service.console.forms import Form, submitted
from host_tools.service.console.rendering import page
from host_tools.service.console.routers import api_router, page_router
from host_tools.service.console.state import now_of, store_of
from host_tools.service.console.terms_form import Terms, TermsForm, in_dollars
from host_tools.service.lines import AreaName, AreaPolicy, Areas
from host_tools.service.messages import Line
from host_tools.service.policy_changes import remove_area, set_area
from host_tools.service.settings import Settings

router = page_router()
api = api_router("areas")

Administrator = Annotated[Person, allow(Permission.POLICY)]
Name = Annotated[AreaName, Field(description="1 to 64 characters that can be seen")]

_IS_THERE = "There is this area already: choose it in the table."


class AreaForm(TermsForm):
    """What is set of an area."""

    name: Name
    is_offered: bool = False


class NewAreaForm(AreaForm):
    """A new area."""

    prefix: Annotated[Line, Field(description="1 to 15 digits")]


class AreaTerms(Terms):
    """What is set of an area, all of it."""

    name: Name
    is_offered: bool


@router.get("/areas")
async def areas_page(request: Request, _: Administrator) -> Response:
    """The areas, and a form for a new one."""
    return await _areas_page(request, Form[NewAreaForm].blank(is_offered="true"))


@router.post("/areas")
async def add(request: Request, person: Administrator) -> Response:
    """Adds an area."""
    form = await submitted(request, NewAreaForm)
    if form.model is not None and await _find(request, form.model.prefix):
        form = form.wrong("prefix", _IS_THERE)
    if form.model is None:
        return await _areas_page(request, form, status_code=422)
    await _set(request, person, _policy(form.model.prefix, form.model))
    return RedirectResponse("/areas", 303)


@router.get("/areas/{prefix}")
async def area_page(request: Request, _: Administrator, prefix: Line) -> Response:
    """One area."""
    area = await _existing(request, prefix)
    form = Form[AreaForm].blank(
        name=area.name,
        is_offered=str(area.is_offered).lower(),
        price=in_dollars(area.price_cents),
        monthly_cap=in_dollars(area.monthly_cap_cents),
    )
    return page(request, "areas/area.html", area=area, form=form)


@router.post("/areas/{prefix}")
async def change(request: Request, person: Administrator, prefix: Line) -> Response:
    """Sets all of an area."""
    area = await _existing(request, prefix)
    form = await submitted(request, AreaForm)
    if form.model is None:
        return page(request, "areas/area.html", area=area, form=form, status_code=422)
    await _set(request, person, _policy(prefix, form.model))
    return RedirectResponse("/areas", 303)


@router.post("/areas/{prefix}/remove")
async def remove(request: Request, person: Administrator, prefix: Line) -> Response:
    """Forgets an area."""
    await _remove(request, person, prefix)
    return RedirectResponse("/areas", 303)


@api.get("/areas")
async def areas_data(request: Request, _: Administrator) -> list[AreaPolicy]:
    """The areas, by prefix."""
    return await _all(request)


@api.put("/areas/{prefix}")
async def set_data(request: Request, person: Administrator, prefix: Line, terms: AreaTerms) -> AreaPolicy:
    """Sets all of an area, which may be a new one."""
    policy = AreaPolicy(prefix=prefix, **terms.model_dump())
    await _set(request, person, policy)
    return policy


@api.delete("/areas/{prefix}", status_code=204, responses={404: {"description": "There is no such area"}})
async def remove_data(request: Request, person: Administrator, prefix: Line) -> None:
    """Forgets an area: its lines are of the area with a shorter prefix, or have the operator's settings."""
    await _remove(request, person, prefix)


def _policy(prefix: str, form: AreaForm) -> AreaPolicy:
    return AreaPolicy(
        prefix=prefix,
        name=form.name,
        is_offered=form.is_offered,
        price_cents=form.price,
        monthly_cap_cents=form.monthly_cap,
    )


async def _areas_page(request: Request, form: Form[NewAreaForm], status_code: int = 200) -> Response:
    areas = await _all(request)
    settings: Settings = request.app.state.settings
    return page(
        request, "areas/areas.html", areas=areas, form=form, operator=settings, status_code=status_code
    )


async def _all(request: Request) -> list[AreaPolicy]:
    return await store_of(request).read(lambda connection: Areas(connection).all())


async def _find(request: Request, prefix: str) -> AreaPolicy | None:
    return await store_of(request).read(lambda connection: Areas(connection).find(prefix))


async def _existing(request: Request, prefix: str) -> AreaPolicy:
    area = await _find(request, prefix)
    if area is None:
        raise HTTPException(404)
    return area


async def _set(request: Request, person: Person, policy: AreaPolicy) -> None:
    at = now_of(request)
    await store_of(request).write_audited(
        lambda connection: set_area(connection, policy, actor=person.name, at=at)
    )


async def _remove(request: Request, person: Person, prefix: str) -> None:
    at = now_of(request)
    is_removed = await store_of(request).write_audited(
        lambda connection: remove_area(connection, prefix, actor=person.name, at=at)
    )
    if not is_removed:
        raise HTTPException(404)
