"""Settings about people: who must give a second factor, for how long they stay signed in, who says who they are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode

from host_tools.service.roles import Role


def split(value: object) -> object:
    """What an operator wrote with commas between."""
    if isinstance(value, str):
        return frozenset(item.strip() for item in value.split(",") if item.strip())
    return value


def _of_staff(roles: dict[str, Role]) -> dict[str, Role]:
    if Role.HOUSEHOLD in roles.values():
        raise ValueError("a household has a line, which no identity provider knows")
    return roles


class PeopleSettings(BaseModel):
    """What an operator may choose about people; part of `Settings`."""

    secret: Path = Path("star57.secret")
    """The service's secret: 32 bytes in hex, made when there is none. Replicas share the file."""
    totp_roles: Annotated[frozenset[Role], BeforeValidator(split), NoDecode] = frozenset(
        {Role.OPERATOR, Role.LIAISON, Role.AUDITOR, Role.ADMINISTRATOR}
    )
    """Roles that must give a second factor, with commas between."""
    session_idle_min: Annotated[int, Field(ge=1, le=1440)] = 30
    """Who does nothing for as long is signed out."""
    session_hours: Annotated[int, Field(ge=1, le=168)] = 12
    """Who has signed in signs in anew after so long, whatever they do."""
    sign_ins_per_address_min: Annotated[int, Field(ge=1, le=1000000)] = 30
    """How many sign-ins one address may try in a minute."""
    sign_ins_per_name_min: Annotated[int, Field(ge=1, le=1000000)] = 10
    """How many sign-ins may be tried with one name in a minute."""
    requests_per_person_min: Annotated[int, Field(ge=1, le=1000000)] = 600
    """How many pages and calls of the API one person may ask for in a minute."""
    public_url: Annotated[str, Field(pattern=r"^https?://[^/?#\s]+$")] | None = None
    """Where people reach the service, such as https://trace.example.net; without it, what their browser says."""
    oidc_issuer: Annotated[str, Field(pattern=r"^https?://[^?#\s]+$")] | None = None
    """The identity provider by which people may sign in (OpenID Connect); None: by password alone."""
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr | None = None
    """None: a public client, which PKCE alone protects."""
    oidc_role_claim: str = "roles"
    """The claim of the ID token whose values say what somebody is."""
    oidc_roles: Annotated[dict[str, Role], AfterValidator(_of_staff)] = {}
    """Which value of that claim is which role; as JSON. Somebody with several takes the first of this map."""
    oidc_has_second_factor: bool = False
    """Whether the provider always asks for a second factor itself; otherwise the service asks for its own, unless the
    provider says `mfa` in the claim `amr` (RFC 8176)."""
