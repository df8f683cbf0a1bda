"""The log: every line is what it says it is, and whatever happens, nobody is in it."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pyotp
import pytest

from host_tools.service import csrf, logs
from host_tools.service.accounts import Accounts
from host_tools.service.desk import Desk
from host_tools.service.passwords import Passwords
from host_tools.service.roles import Role
from host_tools.service.store import run_once
from tests.host.service.conftest import (
    CALLED_AT,
    LINE,
    Adapter,
    Centre,
    Service,
    new_heartbeat,
    new_request,
    post,
)
from tests.host.service.console.conftest import CHEAP, hidden

Serve = Callable[..., Service]


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Where `logs.configure` writes to; the log is the test run's again after it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers = []  # those of pytest stay open
    levels = {name: logging.getLogger(name).level for name in logs.LEVELS}
    yield io.StringIO()
    root.handlers, root.level = handlers, level
    for name, former in levels.items():
        logging.getLogger(name).setLevel(former)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_of_json_has_its_parts(stream: io.StringIO) -> None:
    logs.configure("json", stream=stream)
    logging.getLogger("host_tools.service.some").info("done: %s", "7", extra={"outcome": "traced"})
    (line,) = lines(stream)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", line.pop("time"))
    assert line == {
        "event": "done: 7",
        "level": "info",
        "logger": "host_tools.service.some",
        "outcome": "traced",
    }


def test_a_line_of_text_is_a_sentence(stream: io.StringIO) -> None:
    logs.configure("text", stream=stream)
    logging.getLogger("host_tools.service.some").warning("done: %s", "7", extra={"outcome": "traced"})
    assert re.fullmatch(r"\S+ WARNING done: 7\n", stream.getvalue())


@pytest.mark.parametrize("written_as", ["json", "text"])
def test_an_error_is_its_kind_and_its_place(written_as: logs.Format, stream: io.StringIO) -> None:
    logs.configure(written_as, stream=stream)
    try:
        int("5555550123 is a secret")
    except ValueError:
        logging.getLogger("uvicorn.error").exception("failed\nat 5555550123")
    text = stream.getvalue()
    assert "ValueError" in text
    assert "test_logs.py:" in text
    assert "5555550123" not in text


def test_a_line_feed_makes_no_other_line(stream: io.StringIO) -> None:
    logs.configure("text", stream=stream)
    logging.getLogger("host_tools").warning("one\n2026-01-01 INFO two")
    assert stream.getvalue().count("\n") == 1


def test_libraries_are_heard_when_they_warn(stream: io.StringIO) -> None:
    logs.configure("json", logging.DEBUG, stream)
    for name in (
        "alembic.runtime.migration",
        "sqlalchemy.engine.Engine",
        "httpx",
        "python_multipart",
        "asyncio",
    ):
        logging.getLogger(name).info("5555550123")
        logging.getLogger(name).warning("something is wrong")
    assert {line["event"] for line in lines(stream)} == {"something is wrong"}


def people(centre: Centre) -> dict[Role, str]:
    """An account of every role, with its password, and the second factor of each: one secret."""
    passwords = Passwords(CHEAP)
    words = {role: f"password of the {role} for this test" for role in Role}
    for role, password in words.items():
        line = LINE if role == Role.HOUSEHOLD else None
        run_once(
            centre.url,
            lambda connection, role=role, password=password, line=line: Accounts(connection).add(  # type: ignore[misc]
                f"name-of-{role}", role, 0.0, line=line, password_hash=passwords.hash(password)
            ),
        )
    return words


def signed_in(address: str, name: str, password: str) -> tuple[httpx.Client, str]:
    """A browser in which somebody has signed in; and the secret of their second factor, if it was asked for."""
    browser = httpx.Client(base_url=address, follow_redirects=True, timeout=30)
    page = browser.get("/sign-in")
    fields = {csrf.FIELD: hidden(page, csrf.FIELD), "name": name, "password": password}
    page = browser.post("/sign-in", data=fields)
    secret = ""
    if page.url.path == "/sign-in/totp":
        shown = re.search(r'<span class="secret">([^<]+)</span>', page.text)
        assert shown
        secret = shown[1].replace(" ", "")
        fields = {name: hidden(page, name) for name in (csrf.FIELD, "enrolment")}
        page = browser.post("/sign-in/totp", data={**fields, "code": pyotp.TOTP(secret).at(CALLED_AT + 60)})
    assert page.status_code == 200
    assert not page.url.path.startswith("/sign-in")
    return browser, secret


def test_nobody_is_in_the_log(
    centre: Centre, adapter: Adapter, serve: Serve, stream: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs.configure("json", logging.DEBUG, stream)
    words = people(centre)
    subscribers = centre.folder / "subscribers.csv"
    subscribers.write_text("number,name,address\n5555550123,Jane Doe,12 Elm Street\n")
    records = {"call_records": centre.call_records((0, "5555550123")), "subscribers": str(subscribers)}
    address = serve(centre.settings(**records, log_format="json"))
    told: list[str] = ["5555550123", "JANE", "Jane", "Elm", LINE, *words.values(), adapter.key.hex()]
    told += [centre.private_key, *(f"name-of-{role}" for role in Role)]

    # Adapters, known or not.
    assert adapter.ask(address, new_request()).status == 200
    assert adapter.ask(address, new_heartbeat()).status == 200
    for token in (
        b"5555550123",
        Adapter("stranger").token(new_request()),
        adapter.token(b'{"line":"5555550123"}'),
    ):
        assert post(address, token).status_code >= 400
    told.append(Adapter("adapter-1", adapter.key).token(new_request(), 99).decode().split(".")[2])

    # People who sign in, who do not, and who may not.
    for role, password in words.items():
        browser, secret = signed_in(address, f"name-of-{role}", password)
        cookies = list(browser.cookies.values())
        told += [*cookies, *([secret] if secret else [])]
        for path in (
            "/line",
            "/desk",
            "/accounts",
            "/audit",
            "/adapters",
            "/desk/cases/C-00000001",
            "/5555550123",
        ):
            assert browser.get(path).status_code in {200, 403, 404}
        browser.post("/desk/cases/C-00000001/release", data={"passphrase": "the passphrase of the centre"})
        browser.close()
    wrong = {"name": "somebody-else", "password": "what somebody tried"}
    assert httpx.post(f"{address}/api/sessions", json=wrong).status_code == 401
    told += ["the passphrase of the centre", *wrong.values()]

    # What breaks.
    subscribers.unlink()
    assert adapter.ask(address, new_request(call_id="0" * 16)).status == 200

    async def broken(*_: Any) -> None:
        raise RuntimeError(f"the text of an error says 5555550123, {adapter.key.hex()}")

    monkeypatch.setattr(Desk, "reply", broken)
    assert post(address, adapter.token(new_request())).status_code == 503
    with httpx.Client(base_url=address) as client:
        assert client.get("/line?number=5555550123&token=5555550123").status_code in {200, 303}
        assert client.request("MKCOL", "/5555550123").status_code == 404

    text = stream.getvalue()
    assert "trace request" in text
    assert "refused: " in text
    assert "RuntimeError" in text
    assert [secret for secret in told if secret in text] == []
    assert not re.search(
        r"\b\d{7,15}\b(?!\.)", re.sub(r'"(time|request_id)": "[^"]*"|trace request \w+', "", text)
    )
    assert lines(stream)
