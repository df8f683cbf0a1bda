"""Bad input over everything: each field of each form and body, wrong in every way; a clear answer, and nothing stored.

Routes and models that come later are tried without a word here; a form, or a body, needs its right values in RIGHT.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.engine import Connection

from host_tools.service.access import PERMISSIONS, Allowed, Role
from host_tools.service.adapters import Adapters
from host_tools.service.call_log import CallLog
from host_tools.service.cases import Cases
from host_tools.service.console.desk import CloseOrder, HoldOrder, ReleaseOrder
from host_tools.service.console.pages import accounts, areas, calls, sign_in
from host_tools.service.csrf import FIELD, SAFE
from host_tools.service.instruments import Instrument
from host_tools.service.lines import AreaPolicy, Areas
from host_tools.service.tables import AUDIT, SESSIONS, TABLES
from tests.host.service.console.conftest import PASSWORD, Browser, Console, hidden
from tests.host.service.console.test_desk import SUBPOENA
from tests.host.service.console.test_roles import VALUES, Declared, declared
from tests.host.service.logged_calls import add_call
from tests.host.service.traced import LINE, add_trace

CASE = "C-00000001"
Values = Mapping[str, Any]
LONG = "x" * 5000
MARK = "x57mark"
"""A text that is nowhere by itself: where it comes back, it is looked at."""
INJECTIONS = (
    f"<script>alert('{MARK}')</script>",
    f"\"><img src=x onerror='{MARK}'>",
    f"{MARK}{{{{57*57}}}}{{% for a in (1,2) %}}${{57*57}}",
    f"=cmd|' /C calc'!A0 {MARK}",
    f"{MARK}' OR '1'='1'; DROP TABLE traces; --",
    f"{MARK}\r\nSet-Cookie: evil=1\r\n\r\n<b>",
    f"//evil.example/{MARK}",
    f"../../../../etc/passwd%00{MARK}",
)
NEVER_TYPED = ("\x00", "a\x1b[2Jb", "a\x07", "\x9f", "\x08")
"""Of no field: what nobody can type."""
WRONG_IN_JSON: tuple[Any, ...] = (
    None,
    True,
    7,
    -1,
    1.5,
    2**70,
    "",
    "x",
    LONG,
    "\ud800",
    [],
    [[]],
    {},
    {"a": []},
    *NEVER_TYPED,
)

# What is right of each form, and each body: (method, template) to values.
RIGHT: dict[tuple[str, str], Values] = {
    ("POST", "/sign-in"): {"name": "nobody", "password": PASSWORD, "next": "/line"},
    ("POST", "/sign-in/code"): {"code": "123456", "next": "/"},
    ("POST", "/sign-in/totp"): {"enrolment": "e", "code": "123456", "next": "/"},
    ("POST", "/sign-in/password"): {"password": f"{PASSWORD}!", "again": f"{PASSWORD}!", "next": "/"},
    ("POST", "/account/password"): {"present": PASSWORD, "password": f"{PASSWORD}!", "again": f"{PASSWORD}!"},
    ("POST", "/account/totp"): {"enrolment": "e", "code": "123456", "present": PASSWORD},
    ("POST", "/accounts"): {"name": "new-one", "role": "technician"},
    ("POST", "/accounts/{account_id}/role"): {"role": "household", "line": LINE},
    ("POST", "/areas"): {"prefix": "777", "name": "Hills", "price": "4.00", "monthly_cap": "9.00"},
    ("POST", "/areas/{prefix}"): {
        "name": "Hills",
        "price": "4.00",
        "monthly_cap": "9.00",
        "is_offered": "yes",
    },
    ("POST", "/lines/{line}"): {"adapter_id": "adapter-1", "price": "4.00", "is_offered": "no"},
    ("POST", "/calls/switch"): {"is_on": "yes"},
    ("POST", "/calls/{adapter_id}/{call_id}/notes"): {"note": "He hung up."},
    ("POST", "/desk/cases"): {"line": LINE, "trace_ids": ["T-00000001"]},
    ("POST", "/desk/cases/{case_id}/instrument"): SUBPOENA,
    ("POST", "/desk/cases/{case_id}/release"): {"instrument_id": "1", "passphrase": "a passphrase"},
    ("POST", "/desk/cases/{case_id}/hold"): {"is_held": "yes"},
    ("POST", "/desk/cases/{case_id}/close"): {"reason": "withdrawn"},
    ("POST", "/api/sessions"): {"name": "nobody", "password": PASSWORD, "code": "123456"},
    ("POST", "/api/adapters"): {"adapter_id": "adapter-9", "key": "5a" * 32, "line": None},
    ("POST", "/api/accounts"): {"name": "new-one", "role": "technician", "line": None},
    ("PUT", "/api/areas/{prefix}"): {
        "name": "Hills",
        "price_cents": 400,
        "monthly_cap_cents": 900,
        "is_offered": True,
    },
    ("PUT", "/api/lines/{line}"): {
        "adapter_id": "adapter-1",
        "price_cents": 400,
        "monthly_cap_cents": None,
        "is_offered": None,
    },
    ("PUT", "/api/calls/switch"): {"is_on": True},
    ("POST", "/api/calls/{adapter_id}/{call_id}/notes"): {"note": "He hung up."},
    ("POST", "/api/cases"): {"line": LINE, "trace_ids": ["T-00000001"]},
    ("POST", "/api/cases/{case_id}/instruments"): SUBPOENA,
    ("POST", "/api/cases/{case_id}/release"): {"instrument_id": 1, "passphrase": "a passphrase"},
    ("POST", "/api/cases/{case_id}/hold"): {"is_held": True},
    ("POST", "/api/cases/{case_id}/close"): {"reason": "withdrawn"},
}
# What changes something at a button's press: a form of the token alone, or no body.
PRESSED = {
    ("POST", "/sign-out"),
    ("POST", "/line/danger"),
    ("POST", "/calls/delete"),
    ("POST", "/calls/notes/{note_id}/withdraw"),
    ("POST", "/accounts/{account_id}/disable"),
    ("POST", "/accounts/{account_id}/enable"),
    ("POST", "/accounts/{account_id}/unlock"),
    ("POST", "/accounts/{account_id}/totp"),
    ("POST", "/accounts/{account_id}/password"),
    ("POST", "/areas/{prefix}/remove"),
    ("POST", "/audit/verify"),
    ("POST", "/api/audit/verification"),
    ("POST", "/api/line/danger"),
    ("POST", "/api/calls/notes/{note_id}/withdrawal"),
    ("DELETE", "/api/calls"),
    ("DELETE", "/api/areas/{prefix}"),
    ("DELETE", "/api/session"),
}
ASKED_BY_NAME = ("line", "skip", "actor", "action", "subject", "since", "until", "before", "next")
NEEDED: dict[str, type[BaseModel]] = {
    "/accounts": accounts.AddAccount,
    "/accounts/{account_id}/role": accounts.ChangeRole,
    "/areas": areas.NewAreaForm,
    "/sign-in": sign_in.NameAndPassword,
    "/calls/switch": calls.SwitchOrder,
    "/calls/{adapter_id}/{call_id}/notes": calls.NewNote,
    "/desk/cases/{case_id}/instrument": Instrument,
    "/desk/cases/{case_id}/release": ReleaseOrder,
    "/desk/cases/{case_id}/hold": HoldOrder,
    "/desk/cases/{case_id}/close": CloseOrder,
}
"""Which model a form has, where something in it is needed."""


@pytest.fixture
async def world(console: Console) -> Console:
    """A console with an adapter, an area, three traces and their case, and a call with a note."""

    def work(connection: Connection) -> None:
        Adapters(connection).add("adapter-1", bytes(32))
        Areas(connection).put(AreaPolicy(prefix="555", name="Town", is_offered=True))
        ids = [add_trace(connection, number) for number in (1, 2, 3)]
        Cases(connection).open_for_three(LINE, ids, int(console.clock.now))
        secret, at = console.people.secret, int(console.clock.now)
        add_call(connection, secret, call_id=VALUES["call_id"])
        log = CallLog(connection, secret, LINE)
        log.add_note("adapter-1", VALUES["call_id"], "He said nothing.", by="a-household", at=at)

    await console.write(work)
    return console


class Browsers:
    """A browser of each role, signed in once."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._of: dict[Role, Browser] = {}

    async def of(self, role: Role) -> Browser:
        if role not in self._of:
            self._of[role] = await self._console.sign_in(role, name=f"a-{role.value}")
        return self._of[role]

    async def who_may(self, route: Declared) -> Browser:
        """Somebody who may, as far as the route says; of a sign-in nobody in particular."""
        match route.access:
            case Allowed(permission=permission):
                return await self.of(next(role for role in Role if permission in PERMISSIONS[role]))
        return await self.of(Role.TECHNICIAN)


async def stored(console: Console) -> dict[str, list[str]]:
    """Every row of every table, but for the audit log and sessions, where a refusal is noted."""

    def read(connection: Connection) -> dict[str, list[str]]:
        return {
            table.name: sorted(repr(tuple(row)) for row in connection.execute(select(table)))
            for table in TABLES.sorted_tables
            if table not in (AUDIT, SESSIONS)
        }

    return await console.read(read)


async def sent(browser: Browser, route: Declared, fields: list[tuple[str, Any]] | Values) -> httpx.Response:
    """Sends a form with its token, or a body of JSON."""
    token = browser.token()
    if route.is_for_program:
        body = json.dumps(fields)
        headers = {"x-csrf-token": token, "content-type": "application/json"}
        return await browser.client.request(route.method, route.path, content=body, headers=headers)
    pairs = list(fields.items()) if isinstance(fields, Mapping) else fields
    spread = [
        (name, each) for name, value in pairs for each in (value if isinstance(value, list) else [value])
    ]
    headers = {"content-type": "application/x-www-form-urlencoded"}
    content = urlencode([(FIELD, token), *spread])
    return await browser.client.request(route.method, route.path, content=content, headers=headers)


def forms(console: Console) -> Iterator[tuple[Declared, Values]]:
    """Each form of a page, and what is right in it."""
    for route in declared(console):
        if not route.is_for_program and (route.method, route.template) in RIGHT:
            yield route, RIGHT[route.method, route.template]


def bodies(console: Console) -> Iterator[tuple[Declared, Values]]:
    """Each body of the API, and what is right in it."""
    for route in declared(console):
        if route.is_for_program and (route.method, route.template) in RIGHT:
            yield route, RIGHT[route.method, route.template]


def is_clear(response: httpx.Response) -> bool:
    """Whether it is refused, with a sentence, and without anything that was sent coming back as marks or headers."""
    if not 400 <= response.status_code < 500:
        # Who is signed in already has no sign-in to do: that is said by showing the first page.
        return response.status_code == 303 and response.headers["location"] == "/"
    if response.headers["content-type"].startswith("application/problem+json"):
        return bool(response.json()["detail"])
    return bool(re.search(r"[A-Z][^<>]{8,}[.:]", response.text))


def test_every_form_and_body_is_tried(console: Console) -> None:
    unsafe = {(route.method, route.template) for route in declared(console) if route.method not in SAFE}
    assert unsafe == RIGHT.keys() | PRESSED


async def test_each_field_of_each_form_wrong_in_every_way(world: Console, is_thorough: bool) -> None:
    browsers = Browsers(world)
    for role in Role:
        await browsers.of(role)
    before = await stored(world)
    for route, right in forms(world):
        browser = await browsers.who_may(route)
        for name, value in right.items():
            others = [(other, what) for other, what in right.items() if other != name]
            never_typed = NEVER_TYPED if is_thorough else NEVER_TYPED[:2]
            wrong = [[(name, each), *others] for each in (LONG, *never_typed)]
            if not isinstance(value, list):
                wrong.append([(name, value), (name, value), *others])
            wrong.append([(name, value), *others, ("no_such_field", "1")])
            for fields in wrong:
                response = await sent(browser, route, fields)
                assert is_clear(response), f"{route.path}: {fields}: {response.status_code}"
    assert await stored(world) == before


async def test_a_form_that_lacks_what_it_needs(world: Console) -> None:
    browsers = Browsers(world)
    for role in Role:
        await browsers.of(role)
    before = await stored(world)
    for route, right in forms(world):
        model = NEEDED.get(route.template)
        names = [name for name, field in model.model_fields.items() if field.is_required()] if model else []
        browser = await browsers.who_may(route)
        for name in names:
            response = await sent(
                browser, route, {each: what for each, what in right.items() if each != name}
            )
            assert is_clear(response), f"{route.path} without {name}: {response.status_code}"
    assert await stored(world) == before


async def test_each_field_of_each_body_wrong_in_every_way(world: Console) -> None:
    browsers = Browsers(world)
    for role in Role:
        await browsers.of(role)
    before = await stored(world)
    for route, right in bodies(world):
        browser = await browsers.who_may(route)
        for name, value in right.items():
            for wrong in WRONG_IN_JSON:
                if wrong == value or is_maybe_right(value, wrong):
                    continue
                response = await sent(browser, route, {**right, name: wrong})
                assert is_clear(response), f"{route.path}: {name}={wrong!r}: {response.status_code}"
        response = await sent(browser, route, {**right, "no_such_field": 1})
        assert is_clear(response), f"{route.path}: one more"
    assert await stored(world) == before


def is_maybe_right(right: Any, other: Any) -> bool:
    """Whether a field of this right value might take the other one: a name another name, a flag another flag."""
    if other is None or right is None:
        return True  # what may be missing
    if isinstance(right, list):
        return bool(other == [])
    if isinstance(right, str):
        return other in ("x", "")
    return isinstance(other, int)


NO_JSON = (
    b"",
    b"{",
    b"[" * 5000,
    b"null",
    b"7",
    b'"text"',
    b"[]",
    b"\xff\xfe{}",
    b'{"name": 1, "name": 2}',
    b"{}" + b" " * 70_000,
    b'{"a": NaN}',
)


async def test_a_body_that_is_none(world: Console, is_thorough: bool) -> None:
    browsers = Browsers(world)
    for role in Role:
        await browsers.of(role)
    before = await stored(world)
    for route in [route for route, _ in (*forms(world), *bodies(world))]:
        browser = await browsers.who_may(route)
        for kind in ("application/json", "text/plain", "multipart/form-data; boundary=b", ""):
            # Of another kind than JSON, a body is not looked into.
            for body in NO_JSON if is_thorough or kind == "application/json" else NO_JSON[:2]:
                headers = {"x-csrf-token": browser.token(), "content-type": kind}
                response = await browser.client.request(
                    route.method, route.path, content=body, headers=headers
                )
                assert is_clear(response), f"{route.path}: {kind}: {body[:20]!r}: {response.status_code}"
    assert await stored(world) == before


async def test_what_is_right_by_a_role_that_must_not(world: Console) -> None:
    browsers = Browsers(world)
    for role in Role:
        await browsers.of(role)
    before = await stored(world)
    for route, right in (*forms(world), *bodies(world)):
        if not isinstance(route.access, Allowed):
            continue
        for role in Role:
            if route.access.permission not in PERMISSIONS[role]:
                response = await sent(await browsers.of(role), route, right)
                assert response.status_code == 403, f"{route.path} as {role}"
    assert await stored(world) == before


async def test_in_the_wrong_order_of_steps(world: Console) -> None:
    liaison, household = (
        await world.sign_in(Role.LIAISON),
        await world.sign_in(Role.HOUSEHOLD, line="5555550199"),
    )
    administrator = await world.sign_in(Role.ADMINISTRATOR)
    half = await world.sign_in_as(await world.add(Role.OPERATOR, totp_secret=b"a secret"), is_complete=False)
    before = await stored(world)
    desk = f"/desk/cases/{CASE}"
    for browser, path, fields in (
        (
            liaison,
            f"{desk}/release",
            {"instrument_id": "1", "passphrase": "a passphrase"},
        ),  # without an instrument
        (liaison, f"{desk}/close", {"reason": "released"}),  # nothing was
        (liaison, "/desk/cases/C-00000099/instrument", SUBPOENA),
        (liaison, "/desk/cases", {"line": "5555550199"}),  # nothing was traced
        (household, "/line/danger", {}),  # the same
        (administrator, "/areas/999/remove", {}),
        (administrator, "/areas/999", {"name": "Nowhere", "is_offered": "yes"}),
        (administrator, "/accounts/999/disable", {}),
        (half, f"{desk}/hold", {"is_held": "yes"}),  # before the second factor
        (half, "/sign-in/totp", {"enrolment": "e", "code": "123456"}),  # there is one already
    ):
        response = await browser.post(path, **fields)
        is_sent_back = response.status_code == 303 and response.headers["location"].startswith("/sign-in")
        assert is_sent_back or is_clear(response), f"{path}: {response.status_code}"
    assert await stored(world) == before


def is_harmless(response: httpx.Response) -> bool:
    """Whether nothing of an injection works in the answer."""
    text = response.text if "text" in response.headers.get("content-type", "") else ""
    return (
        response.status_code < 500
        and "evil" not in response.headers.get("set-cookie", "")
        and not re.match(r"(https?:)?[/\\]{2}evil|https?://evil", response.headers.get("location", ""))
        and "<script>alert" not in text
        and "<img src=x" not in text
        and "3249" not in text
    )


async def test_injections_in_every_field_of_every_form(world: Console) -> None:
    """What is taken is shown on every page afterwards, and works nowhere."""
    browsers = Browsers(world)
    traces = (await stored(world))["traces"]
    for route, right in forms(world):
        browser = await browsers.who_may(route)
        for name, value in right.items():
            for injection in INJECTIONS:
                response = await sent(
                    browser, route, {**right, name: [injection] if isinstance(value, list) else injection}
                )
                assert is_harmless(response), f"{route.path}: {name}={injection!r}: {response.status_code}"
    assert (await stored(world))["traces"] == traces
    shown = 0
    for route in declared(world):
        if route.method != "GET" or route.template.startswith("/api/") or "provider" in route.template:
            continue
        browser = await browsers.who_may(route)
        if not isinstance(route.access, Allowed):
            browser = await browsers.of(Role.LIAISON)
        response = await browser.get(route.path)
        assert is_harmless(response), f"{route.path} shows it"
        shown += MARK in response.text
        if "csv" in response.headers.get("content-type", ""):
            cells = [cell for row in csv.reader(io.StringIO(response.text)) for cell in row]
            assert not [cell for cell in cells if cell.startswith(("=", "+", "@", "\t", "\r"))], route.path
    assert shown >= 2, "a case and an area show what was written"


IN_ADDRESSES = (*INJECTIONS, *NEVER_TYPED, LONG, "-1", str(2**70), "1.5", "%", "\u202e", "\ud7ff")
ONE_OF_EACH_KIND = (
    INJECTIONS[0],
    INJECTIONS[2],
    INJECTIONS[4],
    *INJECTIONS[6:],
    NEVER_TYPED[0],
    LONG,
    "-1",
    "%",
)


async def test_injections_in_every_part_of_every_address(world: Console, is_thorough: bool) -> None:
    browsers = Browsers(world)
    for role in Role:
        await browsers.of(role)
    before = await stored(world)
    for route in declared(world):
        if route.method != "GET" or "provider" in route.template:
            continue
        browser = await browsers.who_may(route)
        for injection in IN_ADDRESSES if is_thorough else ONE_OF_EACH_KIND:
            for part in re.findall(r"{(\w+)}", route.template):
                path = route.template.replace(f"{{{part}}}", quote(injection, safe=""))
                path = re.sub(r"{(\w+)}", lambda other: VALUES[other[1]], path)
                response = await browser.get(path)
                assert is_harmless(response), f"{path}: {response.status_code}"
                assert response.status_code in {303, 404, 405, 422}, f"{path}: {response.status_code}"
            response = await browser.get(route.path, params=dict.fromkeys(ASKED_BY_NAME, injection))
            assert is_harmless(response), f"{route.path}?...={injection!r}: {response.status_code}"
    assert await stored(world) == before


async def test_after_a_sign_in_nobody_goes_elsewhere(world: Console) -> None:
    account = await world.add(Role.TECHNICIAN)
    for elsewhere in (
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "\t//evil.example",
        "javascript:1",
    ):
        browser = world.browser()
        page = await browser.get("/sign-in", params={"next": elsewhere})
        assert hidden(page, "next") == "/"
        fields = {"name": account.name, "password": PASSWORD, "next": elsewhere}
        done = await browser.client.post("/sign-in", data={FIELD: hidden(page, FIELD), **fields})
        assert (done.status_code, done.headers.get("location", "/")) in {(303, "/"), (422, "/")}


async def test_what_an_adapter_says_of_itself_is_text(world: Console) -> None:
    technician = await world.sign_in(Role.TECHNICIAN)
    for injection in INJECTIONS:
        text = injection.replace("\r\n", " ")[:64]
        heartbeat = json.dumps({"board": text, "firmware": text, "commit": text})

        def work(connection: Connection, heartbeat: str = heartbeat, text: str = text) -> None:
            Adapters(connection).change(
                "adapter-1", heartbeat=heartbeat, log_lines=json.dumps([text]), heard_at=1
            )

        await world.write(work)
        for path in ("/adapters", "/adapters/adapter-1"):
            assert is_harmless(await technician.get(path)), path
