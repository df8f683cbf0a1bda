"""What people and programs fill in: models that refuse what nobody can type, and sentences about what is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic.fields import FieldInfo

_ALLOWED_CONTROLS = "\n\r\t"
_TYPED = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$"


def _say_what_can_be_typed(schema: dict[str, Any]) -> None:
    """Every text of the schema that has no pattern gets one, so that programs know."""
    for described in schema.get("properties", {}).values():
        for kind in (described, described.get("items", {}), *described.get("anyOf", [])):
            if kind.get("type") == "string" and not {"pattern", "format", "enum", "const"} & kind.keys():
                kind["pattern"] = _TYPED


class Input(BaseModel):
    """Base of the models of forms and of the API's bodies.

    A field's `description` ends the sentence "This must be ...".
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, json_schema_extra=_say_what_can_be_typed
    )

    @model_validator(mode="before")
    @classmethod
    def _is_typed(cls, given: Any) -> Any:
        if isinstance(given, Mapping) and not all(_can_be_typed(value) for value in _texts(given)):
            raise ValueError("There are characters in it that nobody can type: write it anew.")
        return given


def _texts(given: Any) -> Iterable[str]:
    if isinstance(given, str):
        yield given
    elif isinstance(given, Mapping):
        for name, value in given.items():
            yield from _texts(name)
            yield from _texts(value)
    elif isinstance(given, list):
        for value in given:
            yield from _texts(value)


def _can_be_typed(text: str) -> bool:
    return all(
        letter in _ALLOWED_CONTROLS
        or not (letter < " " or "\x7f" <= letter <= "\x9f" or "\ud800" <= letter <= "\udfff")
        for letter in text
    )


_SENTENCES = {
    "missing": "Fill this in.",
    "string_too_short": "Write at least {min_length} characters.",
    "string_too_long": "Write at most {max_length} characters.",
    "too_short": "Write at least {min_length} characters.",
    "too_long": "Write at most {max_length} characters.",
    "greater_than_equal": "This must be {ge} or more.",
    "greater_than": "This must be more than {gt}.",
    "less_than_equal": "This must be {le} or less.",
    "less_than": "This must be less than {lt}.",
    "literal_error": "Choose one of {expected}.",
    "enum": "Choose one of {expected}.",
    "int_parsing": "This must be a whole number.",
    "int_type": "This must be a whole number.",
    "bool_parsing": "This must be yes or no.",
    "date_from_datetime_parsing": "This must be a date such as 2026-01-31.",
    "date_parsing": "This must be a date such as 2026-01-31.",
    "json_invalid": "The body must be JSON.",
    "extra_forbidden": "There is no such field here: open the page anew.",
}
_OF_LISTS = {"too_short": "Choose at least {min_length}.", "too_long": "Choose at most {max_length}."}
_LENGTHS = frozenset({"missing", "string_too_short", "string_too_long", "too_short", "too_long"})
# What somebody wrote in a model is already a sentence.
_WRITTEN = {"value_error": "Value error, ", "assertion_error": "Assertion failed, "}


def sentence(error: Mapping[str, Any], model: type[BaseModel] | None = None) -> str:
    """One sentence about an error of pydantic; it never repeats what was given."""
    kind, context = error["type"], error.get("ctx", {})
    if kind in _WRITTEN:
        return str(error["msg"]).removeprefix(_WRITTEN[kind])
    described = _description(error["loc"], model)
    if described and kind not in _LENGTHS:
        return f"This must be {described}."
    is_list = kind in _OF_LISTS and context.get("field_type") != "Value"
    words = _OF_LISTS[kind] if is_list else _SENTENCES.get(kind, "This is not what belongs here.")
    return words.format(**context)


def _description(place: tuple[int | str, ...], model: type[BaseModel] | None) -> str | None:
    name = str(place[0]) if place else ""
    field = model.model_fields.get(name) if model else None
    if field is None:
        return None
    # Of what may be missing, the description is that of the type beside None.
    kinds = [info for kind in get_args(field.annotation) for info in getattr(kind, "__metadata__", ())]
    described = [field, *(info for info in kinds if isinstance(info, FieldInfo))]
    return next((info.description for info in described if info.description), None)
