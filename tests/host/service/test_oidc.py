"""What an ID token's claims say of somebody, without a provider."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from host_tools.service.oidc import Flow, role_of
from host_tools.service.people_settings import PeopleSettings
from host_tools.service.roles import Role


def settings(claim: str) -> PeopleSettings:
    """Settings with a map of roles."""
    roles = {"lea": Role.LIAISON, "desk": Role.OPERATOR}
    return PeopleSettings(oidc_issuer="https://id.example.net", oidc_role_claim=claim, oidc_roles=roles)


@pytest.mark.parametrize(
    ("claim", "claims", "role"),
    [
        ("roles", {"roles": ["desk"]}, Role.OPERATOR),
        ("roles", {"roles": "desk"}, Role.OPERATOR),
        ("roles", {"roles": ["desk", "lea"]}, Role.LIAISON),
        ("roles", {"roles": []}, None),
        ("roles", {"roles": None}, None),
        ("roles", {"roles": {"desk": True}}, None),
        ("roles", {"roles": ["DESK", 1, None, {}]}, None),
        ("roles", {}, None),
        ("realm.roles", {"realm": {"roles": ["desk"]}}, Role.OPERATOR),
        ("realm.roles", {"realm": ["roles"]}, None),
        ("https://id.example.net/roles", {"https://id.example.net/roles": ["desk"]}, Role.OPERATOR),
    ],
)
def test_the_first_of_the_map_that_is_given_is_the_role(
    claim: str, claims: dict[str, Any], role: Role | None
) -> None:
    assert role_of(claims, settings(claim)) == role


def test_a_household_comes_from_no_provider() -> None:
    with pytest.raises(ValidationError, match="no identity provider knows"):
        PeopleSettings(oidc_roles={"customer": Role.HOUSEHOLD})


def test_a_flow_is_remembered_whole_and_never_twice_the_same() -> None:
    flow = Flow.new("/desk")
    assert Flow.from_bytes(flow.to_bytes()) == flow
    other = Flow.new("/desk")
    assert len({flow.state, flow.nonce, flow.verifier, other.state, other.nonce, other.verifier}) == 6
    assert all(43 <= len(part) <= 128 for part in (flow.state, flow.nonce, flow.verifier))
