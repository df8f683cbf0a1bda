"""Signing in by an identity provider: OpenID Connect Core 1.0, the code flow (§3.1) with PKCE (RFC 7636)."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from httpx2 import HTTPError
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from pydantic import TypeAdapter, ValidationError

from host_tools.service.accounts import AccountName
from host_tools.service.people_settings import PeopleSettings
from host_tools.service.roles import Role

_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]
_WITHIN_S = 10.0
_CLOCKS_DIFFER_S = 60


class ProviderUnavailable(Exception):
    """The identity provider does not answer, or not as one."""


class ProviderRefused(Exception):
    """The identity provider lets nobody in by this, or its answer is not to what was asked."""


@dataclass(frozen=True)
class Flow:
    """What is remembered of a sign-in while the browser is at the provider; nobody else must see it."""

    state: str
    nonce: str
    verifier: str
    following: str

    @classmethod
    def new(cls, following: str) -> Self:
        """A new one, which ends at the page `following`."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        return cls(state, nonce, verifier, following)

    def to_bytes(self) -> bytes:
        """As bytes, to be encrypted."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_bytes(cls, kept: bytes) -> Self:
        """Of what `to_bytes` has made."""
        return cls(**json.loads(kept))


@dataclass(frozen=True)
class Identity:
    """Whom the provider has sent.

    Attributes:
        subject: what the provider calls them, for ever.
        name: a name for their account; no name of an account that was added here.
        role: None when the provider says nothing that is a role here.
        has_second_factor: whether they gave one to the provider.
    """

    subject: str
    name: str
    role: Role | None
    has_second_factor: bool

    @property
    def unique_name(self) -> str:
        """A name that no other subject has."""
        return f"oidc:{hashlib.sha256(self.subject.encode()).hexdigest()[:20]}"


class Provider:
    """The identity provider that the settings name."""

    def __init__(self, settings: PeopleSettings) -> None:
        self._settings = settings
        self._issuer = settings.oidc_issuer or ""

    async def begin(self, flow: Flow, redirect_uri: str) -> str:
        """The address to which the browser goes, to come back to `redirect_uri`.

        Raises:
            ProviderUnavailable: it cannot be asked how.
        """
        async with self._client(redirect_uri) as client:
            metadata = await self._metadata(client)
            address, _ = client.create_authorization_url(
                metadata["authorization_endpoint"],
                state=flow.state,
                nonce=flow.nonce,
                code_verifier=flow.verifier,
            )
        return str(address)

    async def finish(self, flow: Flow, redirect_uri: str, query: Mapping[str, str], now: float) -> Identity:
        """Who came back, with this query.

        Args:
            flow: what began in this browser.
            redirect_uri: as at the beginning.
            query: of the address to which the browser was sent.
            now: Unix seconds.

        Raises:
            ProviderRefused: it let nobody in, or not by this flow.
            ProviderUnavailable: it cannot be asked for whom.
        """
        is_of_flow = secrets.compare_digest(query.get("state", "").encode(), flow.state.encode())
        # RFC 9207: the answer of another provider is not sent to this one.
        if not is_of_flow or "code" not in query or query.get("iss", self._issuer) != self._issuer:
            raise ProviderRefused
        async with self._client(redirect_uri) as client:
            metadata = await self._metadata(client)
            id_token = await self._id_token(client, metadata, query["code"], flow.verifier)
            keys = await _json(client, metadata["jwks_uri"])
        return self._identity(self._claims(id_token, keys, flow.nonce, now))

    def _client(self, redirect_uri: str) -> AsyncOAuth2Client:
        secret = self._settings.oidc_client_secret
        return AsyncOAuth2Client(
            client_id=self._settings.oidc_client_id,
            client_secret=secret.get_secret_value() if secret else None,
            token_endpoint_auth_method="client_secret_basic" if secret else "none",
            scope="openid profile",
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
            timeout=_WITHIN_S,
        )

    async def _metadata(self, client: AsyncOAuth2Client) -> dict[str, Any]:
        """What the provider says of itself (OpenID Connect Discovery 1.0 §4)."""
        metadata = await _json(client, f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
        needed = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        if metadata.get("issuer") != self._issuer or not all(
            isinstance(metadata.get(name), str) for name in needed
        ):
            raise ProviderUnavailable
        return metadata

    async def _id_token(
        self, client: AsyncOAuth2Client, metadata: dict[str, Any], code: str, verifier: str
    ) -> str:
        try:
            answer = await client.fetch_token(metadata["token_endpoint"], code=code, code_verifier=verifier)
        except (HTTPError, ValueError) as error:
            raise ProviderUnavailable from error
        except AuthlibBaseError as error:
            raise ProviderRefused from error
        if not isinstance(answer.get("id_token"), str):
            raise ProviderUnavailable
        return str(answer["id_token"])

    def _claims(self, id_token: str, keys: dict[str, Any], nonce: str, now: float) -> dict[str, Any]:
        """The claims of an ID token that is for this service, now, and for this flow (Core §3.1.3.7)."""
        client_id = self._settings.oidc_client_id
        registry = jwt.JWTClaimsRegistry(
            now=int(now),
            leeway=_CLOCKS_DIFFER_S,
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": client_id},
            nonce={"essential": True, "value": nonce},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
        )
        try:
            token = jwt.decode(id_token, KeySet.import_key_set(keys), algorithms=_ALGORITHMS)  # type: ignore[arg-type]
            registry.validate(token.claims)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise ProviderRefused from error
        claims: dict[str, Any] = token.claims
        if claims.get("azp", client_id) != client_id or not isinstance(claims["sub"], str):
            raise ProviderRefused
        return claims

    def _identity(self, claims: dict[str, Any]) -> Identity:
        subject = claims["sub"]
        has_second_factor = self._settings.oidc_has_second_factor or "mfa" in _values(claims.get("amr"))
        identity = Identity(subject, "", role_of(claims, self._settings), has_second_factor)
        try:
            name = TypeAdapter(AccountName).validate_python(str(claims.get("preferred_username")).lower())
        except ValidationError:
            name = identity.unique_name.removeprefix("oidc:")
        return Identity(subject, f"oidc:{name}"[:64], identity.role, has_second_factor)


def role_of(claims: Mapping[str, Any], settings: PeopleSettings) -> Role | None:
    """The first role of the settings' map whose value the claims have."""
    given = _values(_claim(claims, settings.oidc_role_claim))
    return next((role for value, role in settings.oidc_roles.items() if value in given), None)


def _claim(claims: Any, name: str) -> Any:
    """A claim; with dots in its name, one within others (`realm_access.roles`)."""
    if name in claims:
        return claims[name]
    for part in name.split("."):
        claims = claims.get(part) if isinstance(claims, dict) else None
    return claims


def _values(claim: Any) -> list[Any]:
    return claim if isinstance(claim, list) else [claim]


async def _json(client: AsyncOAuth2Client, address: str) -> dict[str, Any]:
    try:
        response = await client.request("GET", address, withhold_token=True)
        response.raise_for_status()
        document = response.json()
    except (HTTPError, ValueError) as error:
        raise ProviderUnavailable from error
    if not isinstance(document, dict):
        raise ProviderUnavailable
    return document
