"""The body of a form as browsers send it (`application/x-www-form-urlencoded`), read once a request."""

from __future__ import annotations

from urllib.parse import parse_qsl

from fastapi import Request

URLENCODED = "application/x-www-form-urlencoded"
_MOST_FIELDS = 64


class FormUnreadable(Exception):
    """The body is of another kind, or none that a browser makes."""


async def form_fields(request: Request) -> list[tuple[str, str]]:
    """Names and values in the order in which they came; empty ones too.

    Raises:
        FormUnreadable: the body is no form, is not UTF-8, or has more than 64 fields.
    """
    kept: list[tuple[str, str]] | None = getattr(request.state, "form_fields", None)
    if kept is None:
        kept = fields_of(request.headers.get("content-type", ""), await request.body())
        request.state.form_fields = kept
    return kept


def is_form(request: Request) -> bool:
    """Whether its body says that it is a form."""
    return _kind(request.headers.get("content-type", "")) == URLENCODED


def _kind(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def fields_of(content_type: str, body: bytes) -> list[tuple[str, str]]:
    """Names and values of a body of this kind; as `form_fields`.

    Raises:
        FormUnreadable: it is no form.
    """
    if _kind(content_type) != URLENCODED:
        raise FormUnreadable
    if not body:
        return []
    try:
        return parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=_MOST_FIELDS,
        )
    except ValueError as error:
        raise FormUnreadable from error
