"""The API as it describes itself: whatever fits the description or does not, by whoever, is answered as described."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from host_tools.service.accounts import Accounts
from host_tools.service.lines import AreaPolicy, Areas
from host_tools.service.roles import Role
from host_tools.service.sessions import Sessions
from host_tools.service.store import run_once
from tests.host.service.conftest import CALLED_AT, LINE, Adapter, Centre, Service, new_heartbeat, new_request
from tests.host.service.console.test_roles import VALUES

Serve = Callable[..., Service]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
SEED = 57
EXAMPLES = {GenerationMode.POSITIVE: 2, GenerationMode.NEGATIVE: 1}
THOROUGH_EXAMPLES = {GenerationMode.POSITIVE: 3, GenerationMode.NEGATIVE: 2}
"""How many calls of each operation, by whoever."""
NOBODY = "nobody"
ENDS_THE_SESSION = ("DELETE", "/api/session")


@schemathesis.serializer("application/jose")
def signed_message(_: Any, text: Any) -> bytes:
    """What an adapter sends, which is no more than text here."""
    return str(text).encode(errors="replace")


@pytest.fixture
def address(centre: Centre, adapter: Adapter, serve: Serve) -> Service:
    """A service with something of everything in it, that asks for no second factor."""
    limits = dict.fromkeys(
        ("sign_ins_per_address_min", "sign_ins_per_name_min", "requests_per_person_min"), 1_000_000
    )
    service = serve(centre.settings(totp_roles="", **limits))
    for _ in range(3):
        assert adapter.ask(service, new_request()).message["outcome"] == "traced"
    adapter.ask(service, new_heartbeat())
    area = AreaPolicy(prefix="555", name="Town", is_offered=True)
    run_once(centre.url, lambda connection: Areas(connection).put(area))
    return service


def token_of(centre: Centre, role: Role) -> str:
    """The token of a session of somebody in this role."""

    def sign_in(connection: Any) -> str:
        line = LINE if role == Role.HOUSEHOLD else None
        account_id = Accounts(connection).add(f"a-{role.value}", role, CALLED_AT, line=line)
        return Sessions(connection).begin(account_id, CALLED_AT, is_complete=True)

    return run_once(centre.url, sign_in)


def operations(address: str) -> Iterator[Any]:
    """What the service describes, but for what ends the session that the others need."""
    schema = schemathesis.openapi.from_url(f"{address}/openapi.json")
    for described in schema.get_all_operations():
        assert isinstance(described, Ok)
        operation = described.ok()
        if (operation.method.upper(), operation.path) != ENDS_THE_SESSION:
            yield operation


def with_what_is_there(case: Any, is_there: bool) -> Any:
    """The case, of the adapter, line or case that there is, in place of one that was made up."""
    if is_there:
        for name in case.path_parameters or {}:
            case.path_parameters[name] = VALUES[name]
    return case


def try_all(address: str, headers: dict[str, str], examples: dict[GenerationMode, int]) -> int:
    """Tries every operation in both ways; answers how many."""
    tried = 0
    for operation in operations(address):
        for mode, count in examples.items():

            @seed(SEED)
            @settings(
                max_examples=count,
                database=None,
                deadline=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            @given(case=operation.as_strategy(generation_mode=mode), is_there=st.booleans())
            def tries(case: Any, is_there: bool) -> None:
                nonlocal tried
                tried += 1
                case = with_what_is_there(case, is_there)
                case.call_and_validate(base_url=address, headers=headers, checks=CHECKS)

            # Of what takes nothing there is no wrong call.
            with suppress(Unsatisfiable) if mode is GenerationMode.NEGATIVE else nullcontext():
                tries()
    return tried


@pytest.mark.parametrize("who", [NOBODY, *Role], ids=str)
def test_whatever_is_called_is_answered_as_described(
    centre: Centre, address: str, who: Role | str, is_thorough: bool
) -> None:
    random.seed(SEED)
    headers = {} if who == NOBODY else {"authorization": f"Bearer {token_of(centre, Role(who))}"}
    assert try_all(address, headers, THOROUGH_EXAMPLES if is_thorough else EXAMPLES) > 100
    if who != NOBODY:
        assert httpx.get(f"{address}/api/session", headers=headers).json()["role"] == who
    assert httpx.get(f"{address}/health").status_code == 200


def test_every_call_is_described(address: str) -> None:
    described = {(operation.method.upper(), operation.path) for operation in operations(address)}
    assert ("POST", "/v1/messages") in described
    assert ("POST", "/api/sessions") in described
    assert ("GET", "/health/ready") in described
    assert len(described) > 25
