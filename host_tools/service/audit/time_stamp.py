"""Time stamps of a time-stamping authority over HTTP (RFC 3161): proof that something was there before a time."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import httpx
from cryptography.x509 import Certificate, load_pem_x509_certificates
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from host_tools.service.audit.certificate_order import in_order
from host_tools.service.audit.verify import Check

WITHIN_S = 10.0
MOST_BYTES = 16384
"""Of a response: a checkpoint with it still fits into a line of an export."""


class NoTimeStamp(Exception):
    """The authority has not given one that is right; the text says why, and can be shown."""


class TimeStampAuthority:
    """An authority at `url`, whose certificates' chain begins with one of `roots` (PEM).

    Raises:
        ValueError: `roots` are no certificates.
    """

    def __init__(self, url: str, roots: bytes) -> None:
        self.url = url
        self._roots = load_pem_x509_certificates(roots)

    async def stamp(self, data: bytes) -> bytes:
        """A time stamp over `data`: the DER of a response that `check` finds right.

        Raises:
            NoTimeStamp: there is none; the authority may be asked again later.
        """
        request = TimestampRequestBuilder().data(data).hash_algorithm(HashAlgorithm.SHA256).build()
        response = await self._ask(request.as_bytes())
        wrong = _what_is_wrong(response, data, VerifierBuilder.from_request(request), self._roots)
        if wrong:
            raise NoTimeStamp(f"{self.url}: {wrong}")
        return response

    def check(self, data: bytes, stamp: bytes) -> str | None:
        """What is wrong with a time stamp over `data`, or None."""
        wrong = _what_is_wrong(stamp, data, VerifierBuilder(), self._roots)
        return f"its time stamp is not right: {wrong}" if wrong else None

    async def _ask(self, query: bytes) -> bytes:
        # RFC 3161, 3.4
        headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
        try:
            async with (
                httpx.AsyncClient(timeout=WITHIN_S) as client,
                client.stream("POST", self.url, content=query, headers=headers) as response,
            ):
                if response.status_code != httpx.codes.OK:
                    raise NoTimeStamp(f"{self.url}: answers with status {response.status_code}")
                return await _read(response)
        except httpx.HTTPError as error:
            raise NoTimeStamp(f"{self.url}: cannot be reached ({type(error).__name__})") from error


async def _read(response: httpx.Response) -> bytes:
    body = bytearray()
    async for part in response.aiter_bytes():
        body += part
        if len(body) > MOST_BYTES:
            raise NoTimeStamp(f"{response.url}: answers with more than {MOST_BYTES} bytes")
    return bytes(body)


def _what_is_wrong(
    response: bytes, data: bytes, builder: VerifierBuilder, roots: Iterable[Certificate]
) -> str | None:
    try:
        decoded = decode_timestamp_response(in_order(response))
    except ValueError:
        return "the answer is not a time stamp"
    try:
        _verify(decoded, data, builder, roots)
    except (VerificationError, ValueError) as error:
        return str(error)
    return None


def _verify(
    response: TimeStampResponse, data: bytes, builder: VerifierBuilder, roots: Iterable[Certificate]
) -> None:
    for root in roots:
        builder = builder.add_root_certificate(root)
    builder.build().verify_message(response, data)


def check_by(certificates: Path | None) -> Check | None:
    """Checks time stamps against the root certificates in a PEM file; None without one.

    Of a file that has none every time stamp is wrong, and the verification says why.
    """
    if certificates is None:
        return None
    try:
        return TimeStampAuthority("", certificates.read_bytes()).check
    except (OSError, ValueError):
        return lambda _data, _stamp: (
            f"its time stamp cannot be checked: {certificates.name} has no certificate"
        )
