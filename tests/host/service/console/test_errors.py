"""Errors: what happened and what to do, as a page or as JSON, whatever comes."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator

import pytest
from fastapi import Request
from sqlalchemy.exc import OperationalError

from host_tools.service.access import Role
from host_tools.service.console import body_limit
from host_tools.service.console.errors import TOLD
from host_tools.service.passwords import Busy
from tests.host.service.console.conftest import Console

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@SQLITE
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/api/nowhere", 404),
        ("DELETE", "/sign-in", 405),
        ("PUT", "/api/sessions", 405),
        ("GET", "/static/none.css", 404),
        ("GET", "/static/../application.py", 404),
        ("GET", "/static/%2e%2e/application.py", 404),
        ("GET", "/%00", 404),
        ("GET", "/" + "x" * 5000, 404),
    ],
)
async def test_what_is_not_there_is_said(console: Console, method: str, path: str, status: int) -> None:
    sent = await console.browser().client.request(method, path)
    assert sent.status_code == status
    told = TOLD[status]
    if path.startswith("/api/"):
        assert sent.json() == {"title": told.title, "status": status, "detail": told.what_to_do, "fields": []}
    else:
        assert f"<h1>{told.title}</h1>" in sent.text
        assert told.what_to_do in sent.text
    if status == 405:
        assert sent.headers["allow"]


@SQLITE
@pytest.mark.parametrize(
    ("error", "status"),
    [
        (OperationalError("SELECT 5555550123", {}, Exception("5555550123")), 503),
        (OSError("disk full at /secret/path"), 503),
        (Busy(), 503),
        (RuntimeError("5555550123"), 500),
    ],
)
@pytest.mark.parametrize("path", ["/boom", "/api/boom"])
async def test_what_fails_says_nothing_of_itself(
    console: Console, path: str, error: Exception, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    @console.app.get(path)
    async def boom(_: Request) -> None:
        raise error

    sent = await console.browser().get(path)
    assert sent.status_code == status
    assert TOLD[status].what_to_do in sent.text
    assert "5555550123" not in sent.text
    assert "secret" not in sent.text
    assert "5555550123" not in caplog.text
    assert (status == 503) == ("retry-after" in sent.headers)
    assert sent.headers["cache-control"] == "no-store"
    assert sent.headers["content-security-policy"].startswith("default-src 'self'")


@SQLITE
@pytest.mark.parametrize("path", ["/sign-in", "/api/sessions"])
@pytest.mark.parametrize("is_chunked", [False, True])
async def test_a_body_of_more_than_64_kb_is_not_read(
    console: Console, path: str, *, is_chunked: bool
) -> None:
    sent_bytes = 0

    async def parts() -> AsyncIterator[bytes]:
        nonlocal sent_bytes
        for _ in range(64):
            sent_bytes += 65536
            yield b"x" * 65536

    browser = console.browser()
    await browser.get("/sign-in")
    kind = "application/json" if path.startswith("/api") else "application/x-www-form-urlencoded"
    headers = {"content-type": kind, "x-csrf-token": browser.token()}
    body = parts() if is_chunked else b"x" * 65537
    sent = await browser.client.post(path, content=body, headers=headers)
    assert sent.status_code == 413
    assert "Send less than 64 KB." in sent.text
    assert sent_bytes <= 3 * 65536


@SQLITE
@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\n'),
        ("application/json", b'{"name": "jane", "password": "x"}'),
        ("text/plain", b"name=jane&password=x"),
        ("application/x-www-form-urlencoded", b"name=%ff&password=x"),
        ("application/x-www-form-urlencoded", b"name"),
        ("application/x-www-form-urlencoded", b"\xff\xfe"),
        ("application/x-www-form-urlencoded", b"&".join(b"a%d=1" % n for n in range(65))),
        ("", b"name=jane&password=x"),
    ],
)
async def test_what_is_no_form_is_not_taken_for_one(console: Console, kind: str, body: bytes) -> None:
    browser = console.browser()
    await browser.get("/sign-in")
    headers = {"content-type": kind, "x-csrf-token": browser.token()}
    sent = await browser.client.post("/sign-in", content=body, headers=headers)
    assert sent.status_code == 422
    assert "The form did not arrive as one" in sent.text


@SQLITE
@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b""),
        ("application/json", b"{"),
        ("application/json", b"\xff"),
        ("application/json", b"[" * 5000),
        ("application/json", b'{"name": "jane", "name": 7, "password": []}'),
        ("text/plain", b'{"name": "jane", "password": "x"}'),
        ("application/x-www-form-urlencoded", b"name=jane&password=x"),
    ],
)
async def test_what_is_no_json_is_said(console: Console, kind: str, body: bytes) -> None:
    sent = await console.browser().client.post("/api/sessions", content=body, headers={"content-type": kind})
    assert sent.status_code in (400, 422)
    assert sent.headers["content-type"] == "application/problem+json"
    assert sent.json()["detail"]


@SQLITE
@pytest.mark.parametrize(
    "cookie",
    [b"star57-session=", b"star57-session=x; star57-session=y", b"star57-session=\xff", b";;=;", b"x" * 9000],
)
async def test_a_cookie_that_is_none_is_nobody(console: Console, cookie: bytes) -> None:
    sent = await console.browser().client.get("/account", headers=[(b"cookie", cookie)])
    assert sent.status_code == 303


@SQLITE
@pytest.mark.parametrize("path", ["/sign-in", "/api/sessions"])
async def test_a_body_that_does_not_arrive_is_not_waited_for(
    console: Console, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never_ending() -> AsyncIterator[bytes]:
        yield b"name"
        await asyncio.Event().wait()

    monkeypatch.setattr(body_limit, "WITHIN_S", 0.05)
    kind = "application/json" if path.startswith("/api") else "application/x-www-form-urlencoded"
    sent = await console.browser().client.post(path, content=never_ending(), headers={"content-type": kind})
    assert sent.status_code == 408
    assert "Try again" in sent.text


@SQLITE
async def test_a_lost_secret_is_no_riddle(console: Console) -> None:
    sam = await console.add(Role.OPERATOR, totp_secret=b"of another secret")
    browser = await console.sign_in_as(sam, is_complete=False)
    sent = await browser.post("/sign-in/code", code="123456")
    assert sent.status_code == 503


def test_openapi_describes_the_problems(console: Console) -> None:
    paths = console.app.openapi()["paths"]
    assert "/sign-in" not in paths
    problem = paths["/api/accounts"]["get"]["responses"]["403"]["content"]
    assert list(problem) == ["application/problem+json"]
    assert "$" not in json.dumps(problem)
    name = console.app.openapi()["components"]["schemas"]["NewSession"]["properties"]["name"]
    assert re.match(name["pattern"], "jane")
    assert not re.match(name["pattern"], "ja\x1bne")
