"""Routers of pages and of the API."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from pydantic import BaseModel

PROBLEM_JSON = "application/problem+json"


class WrongField(BaseModel):
    """A field that is wrong, and one sentence about it."""

    field: str
    sentence: str


class Problem(BaseModel):
    """Why a call was not done, and what to do (RFC 9457)."""

    title: str
    status: int
    detail: str
    fields: list[WrongField] = []


_PROBLEMS = {
    400: "The body is no JSON",
    401: "Nobody is signed in",
    403: "The role may not, or the call comes from another site",
    408: "The body did not arrive in time",
    413: "More than 64 KB",
    422: "Something in it is wrong",
    429: "Too often",
    503: "Not now",
}


def _problem_schema() -> dict[str, Any]:
    """The schema of a problem in one piece: references would point into the whole description."""
    schema = Problem.model_json_schema()
    del schema["$defs"]
    schema["properties"]["fields"]["items"] = WrongField.model_json_schema()
    return schema


def page_router() -> APIRouter:
    """A router of pages, which are no part of the API's description."""
    return APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


def api_router(*tags: str) -> APIRouter:
    """A router of calls under `/api`."""
    return APIRouter(
        prefix="/api",
        tags=list(tags),
        responses={
            status: {"description": words, "content": {PROBLEM_JSON: {"schema": _problem_schema()}}}
            for status, words in _PROBLEMS.items()
        },
    )
