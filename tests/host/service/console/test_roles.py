"""Every route as everybody who must not have it: routes that come later are tried without a word here.

A route whose path has a part of a new name needs a value for it in VALUES.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import RouteContext, iter_route_contexts

from host_tools.service.access import PERMISSIONS, Access, Allowed, Permission, Public, Role, SignedIn
from host_tools.service.csrf import SAFE
from tests.host.service.console.conftest import Browser, Console

VALUES = {
    "account_id": "1",
    "adapter_id": "adapter-1",
    "call_id": "0123456789abcdef",
    "case_id": "C-00000001",
    "instrument_id": "1",
    "line": "5555550100",
    "month": "2026-01",
    "note_id": "1",
    "prefix": "555",
    "release_id": "1",
    "sequence": "1",
    "trace_id": "T-00000001",
}
# Files, which are anybody's.
WITHOUT_PEOPLE = {"/openapi.json", "/static"}
# What begins a session has no cookie that another site could use.
WITHOUT_COOKIE = {"/api/sessions"}


@dataclass(frozen=True)
class Declared:
    """A route, one of its methods, and what it says about who may."""

    method: str
    template: str
    access: Access

    @property
    def path(self) -> str:
        """Its path with a value that could be one in each variable part."""
        return re.sub(r"{(\w+)(?::\w+)?}", lambda part: VALUES[part[1]], self.template)

    @property
    def is_for_program(self) -> bool:
        """Whether errors are JSON."""
        return self.template.startswith("/api/")


def accesses(context: RouteContext) -> list[Access]:
    """What a route says about who may; dependencies of dependencies, too."""
    found: list[Access] = []
    waiting = [dependant] if (dependant := getattr(context, "dependant", None)) else []
    while waiting:
        dependant = waiting.pop()
        found += [dependant.call] if isinstance(dependant.call, Access) else []
        waiting += dependant.dependencies
    return found


def people_routes(app: FastAPI) -> Iterator[RouteContext]:
    """The routes that serve people."""
    for context in iter_route_contexts(app.routes):
        if context.path not in WITHOUT_PEOPLE:
            yield context


def declared(console: Console) -> list[Declared]:
    """Every method of every route."""
    return [
        Declared(method, context.path or "", accesses(context)[0])
        for context in people_routes(console.app)
        for method in sorted(context.methods or ())
    ]


async def asked(browser: Browser, route: Declared, *, has_token: bool = True) -> httpx.Response:
    """What a browser gets that asks for a route with nothing in its form."""
    headers = {"x-csrf-token": browser.token()} if has_token else {}
    if route.is_for_program and route.method not in SAFE:
        return await browser.client.request(route.method, route.path, headers=headers, json={})
    return await browser.client.request(route.method, route.path, headers=headers)


async def browser_for(console: Console, route: Declared) -> Browser:
    """A browser of somebody who may, as far as the route says."""
    match route.access:
        case Allowed(permission=permission):
            role = next(role for role in Role if permission in PERMISSIONS[role])
            return await console.sign_in(role)
        case SignedIn(steps=steps) if None not in steps:
            name = next(step.name for step in steps if step is not None)
            return await console.sign_in_as(
                await console.add(
                    Role.OPERATOR,
                    totp_secret=b"a secret" if name == "CODE" else None,
                    password_until=int(console.clock.now) + 60 if name == "PASSWORD" else None,
                ),
                is_complete=name == "PASSWORD",
            )
        case SignedIn():
            return await console.sign_in(Role.TECHNICIAN)
    return console.browser()


def test_every_route_says_exactly_once_who_may(console: Console) -> None:
    contexts = list(people_routes(console.app))
    assert len(contexts) > 20
    for context in contexts:
        assert len(accesses(context)) == 1, f"{context.path} says {len(accesses(context))} times who may"


def test_every_permission_is_somebodys_and_no_role_has_all(console: Console) -> None:
    assert set().union(*PERMISSIONS.values()) == set(Permission)
    assert set(PERMISSIONS) == set(Role)
    assert PERMISSIONS[Role.HOUSEHOLD] == {Permission.OWN_LINE}
    assert PERMISSIONS[Role.AUDITOR] == {Permission.AUDIT}
    for role in set(Role) - {Role.AUDITOR}:
        assert Permission.AUDIT not in PERMISSIONS[role]
    assert [role for role in Role if Permission.RELEASE in PERMISSIONS[role]] == [Role.LIAISON]
    assert [role for role in Role if Permission.ADAPTERS in PERMISSIONS[role]] == [Role.TECHNICIAN]


@pytest.mark.parametrize("role", Role)
async def test_who_must_not_is_refused_and_it_is_in_the_audit_log(console: Console, role: Role) -> None:
    browser = await console.sign_in(role)
    refused = []
    for route in declared(console):
        if not isinstance(route.access, Allowed) or route.access.permission in PERMISSIONS[role]:
            continue
        response = await asked(browser, route)
        assert response.status_code == 403, f"{route.method} {route.path} as {role}: {response.status_code}"
        assert "audit log" in response.text
        refused.append((route.template, route.method, route.access.permission.value))
    rows = await console.audit("access.refused")
    assert len(refused) > 10
    assert [(row.actor.partition("-")[0], row.subject) for row in rows] == [
        (role.value, template[:64]) for template, _, _ in refused
    ]
    for row, (_, method, permission) in zip(rows, refused, strict=True):
        assert f'"method":"{method}"' in row.details.replace(" ", "")
        assert f'"permission":"{permission}"' in row.details.replace(" ", "")


async def test_who_is_not_signed_in_is_sent_to_sign_in(console: Console) -> None:
    browser = console.browser()
    for route in declared(console):
        if isinstance(route.access, Public):
            continue
        response = await asked(browser, route)
        if route.is_for_program:
            assert response.status_code == 401, route
            assert response.headers["www-authenticate"] == "Bearer"
        else:
            assert (response.status_code, response.headers["location"].split("?")[0]) == (303, "/sign-in"), (
                route
            )


async def test_who_has_not_given_the_second_factor_is_sent_to_it(console: Console) -> None:
    account = await console.add(Role.OPERATOR, totp_secret=b"a secret")
    browser = await console.sign_in_as(account, is_complete=False)
    for route in declared(console):
        if isinstance(route.access, Allowed):
            response = await asked(browser, route)
            expected = 401 if route.is_for_program else 303
            assert response.status_code == expected, route
            assert route.is_for_program or response.headers["location"].startswith("/sign-in/code")


async def test_what_changes_something_needs_the_token_of_the_page(console: Console) -> None:
    unsafe = [
        route for route in declared(console) if route.method not in SAFE and route.path not in WITHOUT_COOKIE
    ]
    assert len(unsafe) > 10
    for route in unsafe:
        browser = await browser_for(console, route)
        response = await asked(browser, route, has_token=False)
        assert response.status_code == 403, f"{route.method} {route.path}: {response.status_code}"
        assert "did not come from a page of the service" in response.text
        other = await browser_for(console, route)
        header = {"x-csrf-token": other.token()}
        response = await browser.client.request(route.method, route.path, headers=header)
        assert response.status_code == 403, f"{route.method} {route.path} with another's token"


async def test_what_changes_something_must_not_come_from_another_site(console: Console) -> None:
    for route in declared(console):
        if route.method in SAFE or route.path in WITHOUT_COOKIE:
            continue
        browser = await browser_for(console, route)
        for name, value in (
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("sec-fetch-site", "cross-site"),
        ):
            headers = {"x-csrf-token": browser.token(), name: value}
            response = await browser.client.request(route.method, route.path, headers=headers)
            assert response.status_code == 403, f"{route.method} {route.path} with {name}: {value}"
