"""Time stamps of a real authority, and of one that is down, wrong or hostile."""

from __future__ import annotations

from pathlib import Path

import pytest

from host_tools.service.audit.time_stamp import MOST_BYTES, NoTimeStamp, TimeStampAuthority
from host_tools.service.audit.verify import authority_check
from tests.host.service.audit.authority import Authority

DATA = b'{"hash":"00","sequence":57}'


async def test_a_time_stamp_is_over_its_data_alone(client: TimeStampAuthority, authority: Authority) -> None:
    stamp = await client.stamp(DATA)
    assert client.check(DATA, stamp) is None
    assert authority_check(authority.root)(DATA, stamp) is None
    assert "Mismatch between messages" in str(client.check(DATA + b" ", stamp))


async def test_every_changed_byte_of_a_token_is_seen_or_changes_nothing(client: TimeStampAuthority) -> None:
    stamp = await client.stamp(DATA)
    wrong = 0
    for place in range(len(stamp)):
        changed = stamp[:place] + bytes([stamp[place] ^ 1]) + stamp[place + 1 :]
        wrong += client.check(DATA, changed) is not None
    # A few bytes of the wrapping are read by nobody; those that count are hundreds.
    assert wrong > len(stamp) * 0.9


async def test_a_time_stamp_of_another_authority_is_not_taken(
    client: TimeStampAuthority, authority: Authority, tmp_path: Path
) -> None:
    other = Authority(tmp_path / "other")
    other.stop()
    authority.answer = lambda query: (200, other.stamp(query))
    with pytest.raises(NoTimeStamp):
        await client.stamp(DATA)


async def test_an_earlier_answer_is_not_taken(client: TimeStampAuthority, authority: Authority) -> None:
    earlier = await client.stamp(DATA)
    authority.answer = lambda query: (200, earlier)
    with pytest.raises(NoTimeStamp, match="Nonce mismatch"):
        await client.stamp(DATA)


async def test_a_rejection_is_not_taken(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority", digests="sha512")
    try:
        with pytest.raises(NoTimeStamp):
            await TimeStampAuthority(authority.url, authority.root.read_bytes()).stamp(DATA)
    finally:
        authority.stop()
    assert authority.asked


async def test_a_certificate_that_was_good_no_more_is_not_taken(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority", days=-1)
    with pytest.raises(NoTimeStamp, match="verifying certificates"):
        await TimeStampAuthority(authority.url, authority.root.read_bytes()).stamp(DATA)
    (query,) = authority.asked
    authority.stop()
    told = authority_check(authority.root)(DATA, authority.stamp(query))
    assert told == "its time stamp is not of the authority with this certificate"


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (200, b"", "not a time stamp"),
        (200, b"<html>sign in to the network</html>", "not a time stamp"),
        (200, b"\x30\x80" + bytes(200), "not a time stamp"),
        (200, bytes(MOST_BYTES + 1), "more than 16384 bytes"),
        (302, b"", "status 302"),
        (500, b"", "status 500"),
    ],
)
async def test_nonsense_is_told(
    client: TimeStampAuthority, authority: Authority, status: int, body: bytes, words: str
) -> None:
    authority.answer = lambda query: (status, body)
    with pytest.raises(NoTimeStamp, match=words):
        await client.stamp(DATA)


async def test_one_that_is_down_is_told(client: TimeStampAuthority, authority: Authority) -> None:
    authority.stop()
    with pytest.raises(NoTimeStamp, match=r"cannot be reached \(ConnectError\)"):
        await client.stamp(DATA)


def test_roots_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="PEM"):
        TimeStampAuthority("http://127.0.0.1:1/", b"not a certificate")
