"""A small identity provider (OpenID Connect Core 1.0, the code flow with PKCE) on a real socket, for one test."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

CLIENT_ID = "star57"
CLIENT_SECRET = "the client's secret"  # noqa: S105 - of a provider that lives as long as a test

_KEY = RSAKey.generate_key(2048, {"kid": "key-1", "use": "sig"})


@dataclass
class IdentityProvider:
    """A provider that lets somebody in at once, with these claims.

    Attributes:
        now: Unix seconds, by its clock.
        claims: of whoever comes next, beside those that every ID token has; None of a name leaves that claim out.
        signs_with: the key of its tokens; `published` are those that it says it has.
        metadata: what it says of itself otherwise than it is.
        redirect_uri: the only one that it knows.
        broken: paths that answer with this status and body.
    """

    now: float
    redirect_uri: str
    claims: dict[str, Any] = field(default_factory=dict)
    signs_with: RSAKey = field(default_factory=lambda: _KEY)
    algorithm: str = "RS256"
    metadata: dict[str, Any] = field(default_factory=dict)
    broken: dict[str, tuple[int, bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.published = KeySet([self.signs_with])
        self._asked: dict[str, dict[str, str]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        """Stops."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, path: str, query: dict[str, str], form: dict[str, str], basic: str) -> tuple[int, Any]:
        """Status and JSON, or the address to which a browser is sent."""
        match path:
            case "/.well-known/openid-configuration":
                return 200, self._configuration()
            case "/keys":
                return 200, self.published.as_dict(private=False)
            case "/authorize":
                return self._authorize(query)
            case "/token":
                return self._token(form, basic)
        return 404, {}

    def _configuration(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            **self.metadata,
        }

    def _authorize(self, query: dict[str, str]) -> tuple[int, Any]:
        asked = (query.get("response_type"), query.get("client_id"), query.get("redirect_uri"))
        if asked != ("code", CLIENT_ID, self.redirect_uri) or query.get("code_challenge_method") != "S256":
            return 400, {"error": "invalid_request"}
        assert query["scope"].split()[0] == "openid"
        code = secrets.token_urlsafe()
        self._asked[code] = query
        back = {"code": code, "state": query["state"], "iss": self.issuer}
        return 302, f"{self.redirect_uri}?{urlencode(back)}"

    def _token(self, form: dict[str, str], basic: str) -> tuple[int, Any]:
        if base64.b64decode(basic) != f"{CLIENT_ID}:{CLIENT_SECRET}".encode():
            return 401, {"error": "invalid_client"}
        asked = self._asked.pop(form.get("code", ""), None)  # a code is taken once
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        is_right = (
            asked and asked["code_challenge"] == challenge and form.get("redirect_uri") == self.redirect_uri
        )
        if not asked or not is_right or form.get("grant_type") != "authorization_code":
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": "x", "token_type": "Bearer", "id_token": self.id_token(asked["nonce"])}

    def id_token(self, nonce: str) -> str:
        """An ID token for whoever comes next."""
        claims = {
            "iss": self.issuer,
            "sub": "subject-1",
            "aud": CLIENT_ID,
            "iat": int(self.now),
            "exp": int(self.now) + 300,
            "nonce": nonce,
            **self.claims,
        }
        known = {name: value for name, value in claims.items() if value is not None}
        header = {"alg": self.algorithm, "kid": self.signs_with.kid}
        return jwt.encode(header, known, self.signs_with, algorithms=[self.algorithm])


def _handler(provider: IdentityProvider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            self._answer(_first(body))

        def _answer(self, form: dict[str, str]) -> None:
            address = urlsplit(self.path)
            basic = self.headers.get("authorization", "").removeprefix("Basic ")
            status, said = provider.answer(address.path, _first(address.query), form, basic)
            body = b"" if status == 302 else json.dumps(said).encode()
            status, body = provider.broken.get(address.path, (status, body))
            self.send_response(status)
            if status == 302:
                self.send_header("location", said)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            pass

    return Handler


def _first(encoded: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(encoded).items()}
