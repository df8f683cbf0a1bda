"""A form: what a browser sent, checked by a pydantic model; what is wrong goes back, with a sentence at each field.

form = await submitted(request, AddAccount)
if form.model is None:
    return page(request, "accounts/list.html", form=form, status_code=422)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Self, TypeVar, get_origin

from fastapi import Request
from pydantic import BaseModel, ValidationError

from host_tools.service import csrf
from host_tools.service.console.input import sentence
from host_tools.service.form_body import FormUnreadable, form_fields

Model = TypeVar("Model", bound=BaseModel)
WHOLE = ""
"""The name under which errors of the whole form stand."""
_TWICE = "This was given twice: open the page anew."
_NO_FORM = "The form did not arrive as one: open the page anew."


@dataclass(frozen=True)
class Form(Generic[Model]):
    """A form as it was sent.

    Attributes:
        values: what stood in its fields.
        errors: a sentence by field; WHOLE for the form itself.
        model: what was filled in; None when something is wrong.
    """

    values: Mapping[str, list[str]] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    model: Model | None = None

    @classmethod
    def blank(cls, **values: object) -> Self:
        """A form that nobody has sent yet, with what stands in it at first; None for nothing."""
        return cls({name: [str(value)] for name, value in values.items() if value is not None})

    def wrong(self, name: str, words: str) -> Self:
        """The same, with a sentence at one field."""
        return replace(self, errors={**self.errors, name: words}, model=None)

    def value(self, name: str) -> str:
        """What stands in a field; "" when nothing does."""
        return next(iter(self.values.get(name, [])), "")

    def error(self, name: str) -> str | None:
        """What is wrong with a field."""
        return self.errors.get(name)


async def submitted(request: Request, model: type[Model]) -> Form[Model]:
    """The form that was sent, checked by `model`. A field that is left empty was not given.

    Nothing raises for what was sent: the answer's `errors` say it. Fields that the model does not have, and those given
    twice that are no lists, are wrong.
    """
    try:
        fields = [(name, value) for name, value in await form_fields(request) if name != csrf.FIELD]
    except FormUnreadable:
        return Form(errors={WHOLE: _NO_FORM})
    values: dict[str, list[str]] = defaultdict(list)
    for name, value in fields:
        values[name].append(value)
    twice = {name: _TWICE for name, given in values.items() if len(given) > 1 and not _is_list(model, name)}
    if twice:
        return Form(values, _at_fields(twice, model))
    given = {name: each if _is_list(model, name) else each[0] for name, each in values.items() if any(each)}
    try:
        return Form(values, model=model.model_validate(given))
    except ValidationError as error:
        return Form(values, _errors(error, model))


def _errors(error: ValidationError, model: type[BaseModel]) -> dict[str, str]:
    found = error.errors(include_input=False, include_url=False)
    return _at_fields(
        {str(each["loc"][0]) if each["loc"] else WHOLE: sentence(each, model) for each in reversed(found)},
        model,
    )


def _at_fields(errors: dict[str, str], model: type[BaseModel]) -> dict[str, str]:
    """What is wrong with a field that no page shows stands at the whole form."""
    return {name if name in model.model_fields else WHOLE: words for name, words in errors.items()}


def _is_list(model: type[BaseModel], name: str) -> bool:
    described: Any = model.model_fields.get(name)
    return described is not None and get_origin(described.annotation) in (list, set, frozenset, tuple)
