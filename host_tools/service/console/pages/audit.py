"""The audit log, for auditors: look through it, verify it, take it away. Who reads it is in it too.

Who looks is told once an hour; who exports or verifies each time.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Self
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field, ValidationError, model_validator
from starlette.exceptions import HTTPException

from host_tools.service.access import Permission, Person, allow
from host_tools.service.audit.checkpoint import Checkpoint, Checkpoints
from host_tools.service.audit.entry import Scalar
from host_tools.service.audit.export import Overtaken, exported, tell_verified, verified
from host_tools.service.audit.log import AuditLog, Filter, Shown
from host_tools.service.audit.time_stamp import check_by
from host_tools.service.audit.verify import Report
from host_tools.service.console.forms import WHOLE, Form
from host_tools.service.console.input import Input, sentence
from host_tools.service.console.rendering import page
from host_tools.service.console.routers import api_router, page_router
from host_tools.service.console.state import now_of, store_of
from host_tools.service.local_time import in_words
from host_tools.service.settings import Settings

Auditor = Annotated[Person, allow(Permission.AUDIT)]
Before = Annotated[int | None, Field(ge=1, le=2**53 - 1, description="the number of a row")]

ROWS_A_PAGE = 50
MOST_ROWS = 500
JSON_LINES = "application/jsonl"
_HASH = re.compile("[0-9a-f]{64}")

router = page_router()
api = api_router("audit")


class Look(Input):
    """Which rows an auditor looks for; what is not given narrows nothing."""

    actor: Annotated[str | None, Field(max_length=64)] = None
    action: Annotated[
        str | None,
        Field(
            max_length=48,
            pattern=r"^[a-z_]+(\.[a-z_]+)*\.?$",
            description='an action such as case.opened, or with a dot at its end all of a kind: "case."',
        ),
    ] = None
    subject: Annotated[str | None, Field(max_length=64)] = None
    since: Annotated[date | None, Field(ge=date(1970, 1, 2), le=date(9998, 12, 31))] = None
    """Its day is the first, by the operator's time zone."""
    until: Annotated[date | None, Field(ge=date(1970, 1, 2), le=date(9998, 12, 31))] = None
    """Its day is the last."""
    before: Before = None
    """Only rows that came before this one."""

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        if self.since and self.until and self.since > self.until:
            raise ValueError("The last day comes before the first.")
        return self

    def filter(self, zone: ZoneInfo) -> Filter:
        """As the log takes it."""
        return Filter(
            self.actor,
            self.action,
            self.subject,
            _begin(self.since, zone) if self.since else None,
            _begin(self.until + timedelta(days=1), zone) if self.until else None,
        )


class AuditRow(BaseModel):
    """A row of the log; `at` in Unix seconds."""

    sequence: int
    at: int
    actor: str
    action: str
    subject: str
    details: dict[str, Scalar]
    hash: str


class AuditRows(BaseModel):
    """Rows, newest first; `next_before` is what `before` is for the next of them, null when there are none."""

    rows: list[AuditRow]
    next_before: int | None


class CheckpointRow(BaseModel):
    """A checkpoint; `made_at` in Unix seconds. Rows up to one that is pruned may have been deleted."""

    sequence: int
    hash: str
    made_at: int
    is_time_stamped: bool
    is_pruned: bool


class VerificationResult(BaseModel):
    """What a verification of the whole log found.

    `last_time_stamped` is the last checkpoint whose time stamp was checked and is right; `findings` are at most 100
    sentences, `wrong` counts all.
    """

    is_proven: bool
    rows: int
    first: int
    last: int
    hash: str
    checkpoints: int
    last_checkpoint: int | None
    time_stamps: int
    last_time_stamped: int | None
    are_time_stamps_checked: bool
    findings: list[str]
    wrong: int


@router.get("/audit")
async def look(request: Request, person: Auditor) -> Response:
    """Shows the newest rows that are looked for."""
    form = _looked_for(request)
    if form.model is None:
        return _page(request, form, [], None, 422)
    found = await _rows(request, person, form.model, ROWS_A_PAGE)
    older = None
    if found.next_before is not None:
        asked = {name: each[0] for name, each in form.values.items()}
        older = "/audit?" + urlencode({**asked, "before": found.next_before})
    return _page(request, form, found.rows, older)


@router.post("/audit/verify")
async def verify(request: Request, person: Auditor) -> Response:
    """Verifies the whole log, and shows what was found."""
    return page(request, "audit/verification.html", found=await _verify(request, person))


@router.get("/audit/export")
async def export(request: Request, person: Auditor) -> Response:
    """The whole log as JSON Lines, as the verifier reads it."""
    return await _export(request, person)


@router.get("/audit/checkpoints")
async def checkpoints(
    request: Request, person: Auditor, before: Annotated[Before, Query()] = None
) -> Response:
    """Shows the newest checkpoints."""
    rows = await _checkpoints(request, person, before, ROWS_A_PAGE)
    older = f"/audit/checkpoints?before={rows[-1].sequence}" if len(rows) == ROWS_A_PAGE else None
    return page(request, "audit/checkpoints.html", checkpoints=rows, older=older, moment=_moment)


@api.get("/audit")
async def rows(
    request: Request,
    person: Auditor,
    which: Annotated[Look, Query()],
) -> AuditRows:
    """Rows of the log, newest first, at most 500."""
    return await _rows(request, person, which, MOST_ROWS)


@api.post("/audit/verification")
async def verification(request: Request, person: Auditor) -> VerificationResult:
    """Verifies the whole log."""
    return await _verify(request, person)


@api.get(
    "/audit/export",
    response_class=StreamingResponse,
    responses={200: {"description": "JSON Lines", "content": {JSON_LINES: {"schema": {"type": "string"}}}}},
)
async def export_lines(request: Request, person: Auditor) -> Response:
    """The whole log as JSON Lines, as the verifier reads it."""
    return await _export(request, person)


@api.get("/audit/checkpoints")
async def checkpoint_rows(
    request: Request, person: Auditor, before: Annotated[Before, Query()] = None
) -> list[CheckpointRow]:
    """Checkpoints, newest first, at most 500; `before`: only those before this row."""
    return await _checkpoints(request, person, before, MOST_ROWS)


async def _rows(request: Request, person: Person, which: Look, most: int) -> AuditRows:
    await _note_reading(request, person)
    narrowed = which.filter(_settings(request).zone)
    found: list[Shown] = await store_of(request).read(
        lambda connection: AuditLog(connection).newest(most + 1, narrowed, which.before)
    )
    shown = [AuditRow(**_members(row)) for row in found[:most]]
    return AuditRows(rows=shown, next_before=shown[-1].sequence if len(found) > most else None)


async def _checkpoints(
    request: Request, person: Person, before: int | None, most: int
) -> list[CheckpointRow]:
    await _note_reading(request, person)
    found: list[Checkpoint] = await store_of(request).read(
        lambda connection: Checkpoints(connection).newest(most, before)
    )
    return [
        CheckpointRow(
            sequence=each.sequence,
            hash=each.hash,
            made_at=each.made_at,
            is_time_stamped=each.time_stamp is not None,
            is_pruned=each.is_pruned,
        )
        for each in found
    ]


async def _verify(request: Request, person: Person) -> VerificationResult:
    check = check_by(_settings(request).time_stamp_certificates)
    try:
        report = await verified(store_of(request), check)
    except Overtaken as error:
        raise HTTPException(503) from error
    now = now_of(request)

    await store_of(request).write_audited(
        lambda connection: tell_verified(connection, now, person.name, report)
    )
    return _result(report, is_checked=check is not None)


async def _export(request: Request, person: Person) -> Response:
    now = now_of(request)
    await store_of(request).write_audited(
        lambda connection: AuditLog(connection).append(now, person.name, "audit.exported", "")
    )
    some = exported(store_of(request))
    first = await anext(some)  # a database that cannot do it now is told by a page

    async def body() -> AsyncIterator[bytes]:
        yield b"".join(first)
        async for lines in some:
            yield b"".join(lines)

    day = datetime.fromtimestamp(now, _settings(request).zone)
    headers = {"Content-Disposition": f'attachment; filename="audit-{day:%Y-%m-%d}.jsonl"'}
    return StreamingResponse(body(), media_type=JSON_LINES, headers=headers)


async def _note_reading(request: Request, person: Person) -> None:
    now = now_of(request)
    await store_of(request).write_audited(
        lambda connection: AuditLog(connection).append_hourly(now, person.name, "audit.read", "")
    )


def _page(
    request: Request, form: Form[Look], rows: list[AuditRow], older: str | None, status_code: int = 200
) -> Response:
    return page(
        request,
        "audit/log.html",
        form=form,
        rows=rows,
        older=older,
        moment=_moment,
        brief=_brief,
        status_code=status_code,
    )


def _looked_for(request: Request) -> Form[Look]:
    values: dict[str, list[str]] = {}
    for name, value in request.query_params.multi_items():
        values.setdefault(name, []).append(value)
    given = {name: each[0] for name, each in values.items() if any(each)}
    try:
        return Form({name: values[name] for name in given}, model=Look.model_validate(given))
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False)
        errors = {str(each["loc"][0]) if each["loc"] else WHOLE: sentence(each, Look) for each in found}
        shown = {name if name in _FIELDS else WHOLE: words for name, words in errors.items()}
        return Form(values, shown)


_FIELDS = ("actor", "action", "subject", "since", "until")


def _result(report: Report, *, is_checked: bool) -> VerificationResult:
    return VerificationResult(
        is_proven=report.is_proven,
        rows=report.rows,
        first=report.first,
        last=report.last,
        hash=report.hash,
        checkpoints=report.checkpoints,
        last_checkpoint=report.checkpoint,
        time_stamps=report.stamps,
        last_time_stamped=report.stamped,
        are_time_stamps_checked=is_checked,
        findings=[str(finding) for finding in report.findings],
        wrong=report.wrong,
    )


def _members(row: Shown) -> dict[str, Any]:
    return {name: getattr(row, name) for name in AuditRow.model_fields}


def _begin(day: date, zone: ZoneInfo) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())


def _moment(at: int, zone: ZoneInfo) -> str:
    """The moment in words; what somebody put in its place as it is."""
    try:
        return in_words(at, zone)
    except (ValueError, OverflowError, OSError):
        return str(at)


def _brief(value: Scalar) -> str:
    """A detail for a table; of a hash its beginning, the export has all of it."""
    if isinstance(value, str):
        return f"{value[:12]}…" if _HASH.fullmatch(value) else value
    return json.dumps(value)


def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings
