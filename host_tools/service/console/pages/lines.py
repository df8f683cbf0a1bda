"""Single lines as an administrator sets them: their adapter, offer, price and the month's cap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import Field, TypeAdapter, ValidationError
from sqlalchemy.engine import Connection

from host_tools.service.access import Permission, Person, allow
from host_tools.service.console.errors import Told, answer
from host_tools.service.console.forms import Form, submitted
from host_tools.service.console.input import Input
from host_tools.service.console.rendering import page
from host_tools.service.console.routers import api_router, page_router
from host_tools.service.console.state import now_of, store_of
from host_tools.service.console.terms_form import Terms, TermsForm, in_dollars
from host_tools.service.lines import LinePolicy, Lines, UnknownAdapter
from host_tools.service.messages import AdapterId, Line
from host_tools.service.policy_changes import set_line
from host_tools.service.policy_in_force import policy_in_force
from host_tools.service.rules import Policy
from host_tools.service.settings import Settings

router = page_router()
api = api_router("lines")

Administrator = Annotated[Person, allow(Permission.POLICY)]
After = Annotated[str, Query(pattern=r"^[0-9]{0,15}$", description="The last line of the page before.")]
KnownId = Annotated[AdapterId, Field(description="an adapter's id: 1 to 32 letters, digits and hyphens")]
LINES_A_PAGE = 100

_LINE = TypeAdapter(Line)
_NO_LINE = "This must be 1 to 15 digits."
_NO_ADAPTER = "There is no such adapter: it is made known with star57 adapter add."
_UNKNOWN_ADAPTER = Told("There is no such adapter", "Make it known with star57 adapter add, then try again.")


class LineForm(TermsForm):
    """What is set of one line."""

    adapter_id: KnownId | None = None
    is_offered: bool | None = None


class WantedLine(Input):
    """Which line is to be shown."""

    line: Line


class LineTerms(Terms):
    """What is set of one line, all of it; null is that of its area, or of no adapter in particular."""

    adapter_id: KnownId | None = None
    is_offered: bool | None = None


@dataclass(frozen=True)
class LineAnswer:
    """What is set of one line, and what holds on it at present."""

    own: LinePolicy
    in_force: Policy


@router.get("/lines")
async def lines_page(
    request: Request, _: Administrator, after: After = "", line: str | None = None
) -> Response:
    """The lines that have something of their own; `line` is one to go to, which need not have."""
    form = Form[WantedLine].blank(line=line)
    if line is not None:
        try:
            return RedirectResponse(f"/lines/{_LINE.validate_python(line.strip())}", 303)
        except ValidationError:
            form = form.wrong("line", _NO_LINE)
    lines = await _page(request, after)
    next_after = lines[-1].line if len(lines) == LINES_A_PAGE else None
    status_code = 422 if form.errors else 200
    return page(
        request, "lines/lines.html", lines=lines, next_after=next_after, form=form, status_code=status_code
    )


@router.get("/lines/{line}")
async def line_page(request: Request, _: Administrator, line: Line) -> Response:
    """One line."""
    at_present = await _line(request, line)
    own = at_present.own
    form = Form[LineForm].blank(
        adapter_id=own.adapter_id,
        is_offered=None if own.is_offered is None else str(own.is_offered).lower(),
        price=in_dollars(own.price_cents),
        monthly_cap=in_dollars(own.monthly_cap_cents),
    )
    return page(request, "lines/line.html", line=line, in_force=at_present.in_force, form=form)


@router.post("/lines/{line}")
async def change(request: Request, person: Administrator, line: Line) -> Response:
    """Sets all of a line."""
    form = await submitted(request, LineForm)
    if form.model is not None:
        try:
            await _set(request, person, _policy(line, form.model))
            return RedirectResponse(f"/lines/{line}", 303)
        except UnknownAdapter:
            form = form.wrong("adapter_id", _NO_ADAPTER)
    in_force = (await _line(request, line)).in_force
    return page(request, "lines/line.html", line=line, in_force=in_force, form=form, status_code=422)


@api.get("/lines")
async def lines_data(request: Request, _: Administrator, after: After = "") -> list[LinePolicy]:
    """The lines that have something of their own: 100 behind `after`."""
    return await _page(request, after)


@api.get("/lines/{line}")
async def line_data(request: Request, _: Administrator, line: Line) -> LineAnswer:
    """What is set of one line, and what holds on it."""
    return await _line(request, line)


@api.put(
    "/lines/{line}",
    response_model=LineAnswer,
    responses={409: {"description": "There is no such adapter"}},
)
async def set_data(
    request: Request, person: Administrator, line: Line, terms: LineTerms
) -> LineAnswer | Response:
    """Sets all of a line; one with nothing of its own is kept no more."""
    try:
        await _set(request, person, LinePolicy(line=line, **terms.model_dump()))
    except UnknownAdapter:
        return answer(request, 409, _UNKNOWN_ADAPTER, fields={"adapter_id": _NO_ADAPTER})
    return await _line(request, line)


def _policy(line: str, form: LineForm) -> LinePolicy:
    return LinePolicy(
        line=line,
        adapter_id=form.adapter_id,
        is_offered=form.is_offered,
        price_cents=form.price,
        monthly_cap_cents=form.monthly_cap,
    )


async def _page(request: Request, after: str) -> list[LinePolicy]:
    return await store_of(request).read(lambda connection: Lines(connection).page(after, LINES_A_PAGE))


async def _line(request: Request, line: str) -> LineAnswer:
    settings: Settings = request.app.state.settings

    def read(connection: Connection) -> LineAnswer:
        own = Lines(connection).find(line) or LinePolicy(line=line)
        return LineAnswer(own, policy_in_force(connection, line, settings))

    return await store_of(request).read(read)


async def _set(request: Request, person: Person, policy: LinePolicy) -> None:
    at = now_of(request)
    await store_of(request).write_audited(
        lambda connection: set_line(connection, policy, actor=person.name, at=at)
    )
