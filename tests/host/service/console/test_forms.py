"""Forms: what is right becomes a model, what is wrong a sentence."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from fastapi import Request
from pydantic import Field, SecretStr, field_validator

from host_tools.service.console.addresses import next_page
from host_tools.service.console.forms import WHOLE, Form, submitted
from host_tools.service.console.input import Input


class Fruit(StrEnum):
    """Something to choose."""

    APPLE = "apple"
    PEAR = "pear"


class Order(Input):
    """A form with a field of each kind."""

    name: Annotated[str, Field(min_length=2, max_length=5)]
    code: Annotated[str, Field(pattern="^[0-9]+$", description="a number of digits")] = "0"
    line: Annotated[str, Field(pattern="^[0-9]+$", description="a line")] | None = None
    amount: Annotated[int, Field(ge=1, le=9)] = 1
    fruit: Fruit = Fruit.APPLE
    kind: Literal["one", "two"] = "one"
    on: date | None = None
    is_gift: bool = False
    secret: Annotated[SecretStr, Field(min_length=3, max_length=5)] | None = None
    colours: Annotated[list[str], Field(max_length=2, default_factory=list)]

    @field_validator("name")
    @classmethod
    def _not_nobody(cls, name: str) -> str:
        if name == "nobo":
            raise ValueError("Nobody may not order.")
        return name


async def sent(body: bytes, kind: str = "application/x-www-form-urlencoded") -> Form[Order]:
    """The form that a browser has sent."""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    scope = {"type": "http", "method": "POST", "headers": [(b"content-type", kind.encode())]}
    return await submitted(Request(scope, receive), Order)


async def test_what_is_right_is_a_model() -> None:
    form = await sent(
        b"csrf_token=x&name=jane&line=&amount=9&fruit=pear&on=2026-01-31&is_gift=true&colours=red&colours=blue"
    )
    assert form.errors == {}
    assert form.model == Order(
        name="jane", amount=9, fruit=Fruit.PEAR, on=date(2026, 1, 31), is_gift=True, colours=["red", "blue"]
    )


@pytest.mark.parametrize(
    ("body", "field", "sentence"),
    [
        (b"", "name", "Fill this in."),
        (b"name=", "name", "Fill this in."),
        (b"name=x", "name", "Write at least 2 characters."),
        (b"name=janeth", "name", "Write at most 5 characters."),
        (b"name=nobo", "name", "Nobody may not order."),
        (b"name=jane&name=sam", "name", "This was given twice: open the page anew."),
        (b"name=jane&code=x", "code", "This must be a number of digits."),
        (b"name=jane&line=x", "line", "This must be a line."),
        (b"name=jane&amount=0", "amount", "This must be 1 or more."),
        (b"name=jane&amount=10", "amount", "This must be 9 or less."),
        (b"name=jane&amount=1.5", "amount", "This must be a whole number."),
        (b"name=jane&amount=1e1", "amount", "This must be a whole number."),
        (b"name=jane&amount=" + b"9" * 5000, "amount", "This is not what belongs here."),
        (b"name=jane&fruit=plum", "fruit", "Choose one of 'apple' or 'pear'."),
        (b"name=jane&kind=three", "kind", "Choose one of 'one' or 'two'."),
        (b"name=jane&on=yesterday", "on", "This must be a date such as 2026-01-31."),
        (b"name=jane&on=2026-02-30", "on", "This must be a date such as 2026-01-31."),
        (b"name=jane&is_gift=perhaps", "is_gift", "This must be yes or no."),
        (b"name=jane&secret=x", "secret", "Write at least 3 characters."),
        (b"name=jane&secret=xxxxxx", "secret", "Write at most 5 characters."),
        (b"name=jane&colours=1&colours=2&colours=3", "colours", "Choose at most 2."),
        (b"name=jane&more=1", WHOLE, "There is no such field here: open the page anew."),
        (b"name=jane&__class__=1", WHOLE, "There is no such field here: open the page anew."),
        (b"name=ja%00e", WHOLE, "There are characters in it that nobody can type: write it anew."),
        (b"name=ja%1be", WHOLE, "There are characters in it that nobody can type: write it anew."),
        (b"name=ja%c2%85", WHOLE, "There are characters in it that nobody can type: write it anew."),
        (b"name=%ff", WHOLE, "The form did not arrive as one: open the page anew."),
    ],
)
async def test_what_is_wrong_is_one_sentence_at_its_field(body: bytes, field: str, sentence: str) -> None:
    form = await sent(body)
    assert form.model is None
    assert form.errors == {field: sentence}


async def test_each_wrong_field_has_its_sentence_and_every_value_comes_back() -> None:
    form = await sent(b"name=x&amount=10&fruit=plum&colours=red&colours=blue")
    assert set(form.errors) == {"name", "amount", "fruit"}
    assert (form.value("name"), form.value("amount"), form.value("line")) == ("x", "10", "")
    assert form.values["colours"] == ["red", "blue"]


async def test_what_the_store_says_is_added() -> None:
    form = (await sent(b"name=jane")).wrong("name", "There is one already.")
    assert form.model is None
    assert form.error("name") == "There is one already."
    assert form.value("name") == "jane"


def test_a_form_that_nobody_has_sent_has_first_values() -> None:
    form = Form[Order].blank(name="jane", amount=3, line=None)
    assert (form.value("name"), form.value("amount"), form.value("line")) == ("jane", "3", "")
    assert form.errors == {}


@pytest.mark.parametrize(
    ("given", "page"),
    [
        ("/desk", "/desk"),
        ("/desk/lines?line=5555550100", "/desk/lines?line=5555550100"),
        (None, "/"),
        ("", "/"),
        ("desk", "/"),
        ("//evil.example", "/"),
        ("///evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/a\\b", "/"),
        ("https://evil.example", "/"),
        ("https:/evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/a\r\nb", "/"),
        ("/\t/evil.example", "/"),
        ("/caf\u00e9", "/"),
        ("/" + "x" * 512, "/"),
    ],
)
def test_only_pages_of_the_service_come_next(given: str | None, page: str) -> None:
    assert next_page(given) == page
