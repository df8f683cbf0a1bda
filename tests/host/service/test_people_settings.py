"""Settings about people, as an operator writes them into the environment."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from host_tools.service.roles import Role
from host_tools.service.settings import Settings
from tests.host.service.conftest import Centre


def test_the_desk_gives_a_second_factor_where_nothing_else_is_said(centre: Centre) -> None:
    assert centre.settings().totp_roles == {Role.OPERATOR, Role.LIAISON, Role.AUDITOR, Role.ADMINISTRATOR}


def test_they_come_from_the_environment(centre: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "TOTP_ROLES": "operator, technician",
        "SESSION_IDLE_MIN": "5",
        "PUBLIC_URL": "https://trace.example.net",
        "OIDC_ISSUER": "https://id.example.net/realms/star57",
        "OIDC_CLIENT_SECRET": "the client's secret",
        "OIDC_ROLES": '{"lea": "liaison", "desk": "operator"}',
    }.items():
        monkeypatch.setenv(f"STAR57_{name}", value)
    settings = centre.settings()
    assert settings.totp_roles == {Role.OPERATOR, Role.TECHNICIAN}
    assert settings.session_idle_min == 5
    assert settings.public_url == "https://trace.example.net"
    assert list(settings.oidc_roles.items()) == [("lea", Role.LIAISON), ("desk", Role.OPERATOR)]
    assert "the client's secret" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("totp_roles", "emperor"),
        ("session_idle_min", 0),
        ("session_idle_min", 1441),
        ("session_hours", 169),
        ("sign_ins_per_name_min", 0),
        ("public_url", "trace.example.net"),
        ("public_url", "https://trace.example.net/"),
        ("oidc_issuer", "id.example.net"),
        ("oidc_roles", {"customer": "household"}),
        ("oidc_roles", {"x": "emperor"}),
    ],
)
def test_what_is_no_setting_is_refused(centre: Centre, name: str, value: Any) -> None:
    with pytest.raises(ValidationError) as refused:
        Settings(**{"centre_public_key": centre.public_key, name: value})
    assert {error["loc"][0] for error in refused.value.errors()} == {name}
