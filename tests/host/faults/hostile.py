"""Peers that mean harm, at each end that listens: the gateway, the firmware, the trace service.

What they say is drawn from a seed. Nothing of it may be accepted or believed, nothing but the errors that have a name
may come of it, and no memory may stay behind.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import socket
import sqlite3
import subprocess
import tracemalloc
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Self

import httpx
from jwt.utils import base64url_decode, base64url_encode
from sqlalchemy.engine import Connection

from host_tools.gateway.frames import MAX_PAYLOAD_BYTES, NUMBERS, Frame, FrameReader, build
from host_tools.gateway.messages import MAX_BODY_BYTES
from host_tools.gateway.questions import MAX_PART_BYTES, AdapterEnd
from host_tools.rig.micropython import ROOT, interpreter_command
from host_tools.service import signing
from host_tools.service.adapters import Adapters
from host_tools.service.desk import STATUS_OF_REFUSAL, Desk, Reply
from host_tools.service.messages import RefusalReason, Refused, parse_ask
from host_tools.service.sealing import new_key_pair
from host_tools.service.settings import Settings
from host_tools.service.store import Store, run_once
from host_tools.stories.trace_service import TraceService
from tests.host.faults.mutation import damaged
from tests.host.faults.tally import Tally

LINE = "5555550100"
CALLER = "5555550123"
NOW = 1_795_000_000

MOST_GROWTH_BYTES = 64 * 1024
"""Of what is in use, between the first tenth of the cases and the last."""
MOST_FIRMWARE_GROWTH_BYTES = 4096
"""The messages that a case has left, and what a collector takes for pointers; growth is more, and goes on."""
MOST_PROCESS_GROWTH_BYTES = 8 * 1024 * 1024
"""Of a process, whose allocator keeps what it once had."""

_COLLECT_EVERY = 1000
_HONEST_ASKS = 8
_PROGRAM = ROOT / "tests" / "firmware" / "programs" / "hostile_peers.py"
_FIRMWARE_PATH = [ROOT / "firmware", ROOT / "boards" / "emulated", ROOT / "tests" / "firmware"]


class Broken(AssertionError):
    """An end did what it must not; the text says what."""


def _request(chance: Random, adapter_id: str) -> dict[str, Any]:
    return {
        "message": "trace_request",
        "version": 1,
        "request_id": chance.randbytes(16).hex(),
        "adapter_id": adapter_id,
        "line": LINE,
        "requested_at": NOW + 60,
        "time_source": "network",
        "call": {
            "call_id": chance.randbytes(8).hex(),
            "at": NOW,
            "rings": 2,
            "answered": True,
            "call_waiting": False,
            "caller_id": {"number": CALLER, "name": "A CALLER", "reason": None, "date_time": None},
        },
    }


@dataclass(frozen=True)
class _Adapter:
    """An adapter that is known, and what it asks."""

    adapter_id: str
    key: bytes

    def token(self, payload: bytes, sequence: int) -> bytes:
        return signing.sign(payload, self.key, self.adapter_id, sequence, "ask")

    def asks(self, chance: Random, count: int) -> list[bytes]:
        """Requests, signed under the numbers 0, 1, and so on."""
        requests = (_request(chance, self.adapter_id) for _ in range(count))
        return [self.token(json.dumps(request).encode(), number) for number, request in enumerate(requests)]


# Memory


class _Memory:
    """What this process has in use in the first and in the last tenth of `count` cases, and its size between them.

    All allocations of a tenth are traced; to trace all of them would take four times as long.
    """

    def __init__(self, count: int) -> None:
        self._tenth = max(1, count // 10)
        self._count = count
        self._cases = 0
        self._peaks: list[int] = []
        self._kept: list[int] = []
        self._resident: list[int] = []

    def __enter__(self) -> Self:
        tracemalloc.start()
        return self

    def __exit__(self, *_: object) -> None:
        tracemalloc.stop()

    def case(self) -> None:
        """A case is over."""
        self._cases += 1
        if self._cases % _COLLECT_EVERY == 0:
            gc.collect()  # so that garbage in cycles is no growth
        if self._cases == self._tenth:
            self._end_of_tenth()
            self._resident.append(_resident_bytes(os.getpid()))
        if self._cases == self._count - self._tenth:
            self._resident.append(_resident_bytes(os.getpid()))
            tracemalloc.start()
        if self._cases == self._count:
            self._end_of_tenth()

    def check(self) -> dict[str, object]:
        """What it came to. Raises Broken when it grew."""
        for first, last, most in (
            (*self._peaks, MOST_GROWTH_BYTES),
            (*self._kept, MOST_GROWTH_BYTES),
            (*self._resident, MOST_PROCESS_GROWTH_BYTES),
        ):
            if last > first + most:
                raise Broken(f"memory grew from {first} to {last} bytes")
        return _memory(*self._peaks)

    def _end_of_tenth(self) -> None:
        gc.collect()
        kept, peak = tracemalloc.get_traced_memory()
        self._kept.append(kept)
        self._peaks.append(peak)
        tracemalloc.stop()


def _memory(first_bytes: int, later_bytes: int) -> dict[str, object]:
    # As a text, for runs that are added.
    return {"memory": f"{first_bytes:,} bytes, later {later_bytes:,}"}


def _resident_bytes(process_id: int) -> int:
    pages = Path(f"/proc/{process_id}/statm").read_text().split()[1]  # proc_pid_statm(5)
    page_bytes: int = os.sysconf("SC_PAGESIZE")
    return int(pages) * page_bytes


# At the gateway


class _Line:
    """What comes over a serial line whose adapter is honest now and then: its frames, whole, damaged, mixed."""

    def __init__(self, chance: Random, bodies: list[bytes]) -> None:
        self._chance = chance
        self._bodies = bodies
        self._frames = [list(self._question(body, chance.randrange(NUMBERS))) for body in bodies]
        self._cases: tuple[Callable[[], bytes], ...] = (
            self._noise,
            self._damaged_frame,
            self._damaged_frame,
            self._damaged_frame,
            self._cut_or_joined,
            self._oversized,
            self._out_of_range,
            self._interleaved,
            self._honest,
        )

    def next(self) -> bytes:
        """The next bytes."""
        return self._chance.choice(self._cases)()

    def _question(self, body: bytes, number: int, part_bytes: int = MAX_PART_BYTES) -> Iterator[bytes]:
        for offset in range(0, len(body), part_bytes):
            part = body[offset : offset + part_bytes]
            yield build(Frame("q", number, b"%d %d %s" % (offset, len(body), part)))

    def _frame(self) -> bytes:
        chance = self._chance
        if chance.random() < 0.7:
            body = chance.choice(self._bodies)
            offset = chance.randrange(len(body))
            payload = b"%d %d %s" % (offset, len(body), body[offset : offset + 32])
            return build(Frame("q", chance.randrange(NUMBERS), payload))
        return chance.choice(chance.choice(self._frames))

    def _noise(self) -> bytes:
        return self._chance.randbytes(self._chance.randint(1, 120))

    def _damaged_frame(self) -> bytes:
        return damaged(self._chance, self._frame())

    def _cut_or_joined(self) -> bytes:
        first, second = self._frame(), self._frame()
        return first[: self._chance.randint(0, len(first))] + second

    def _oversized(self) -> bytes:
        return self._frame()[:-1] + self._chance.randbytes(self._chance.randint(500, 3000)) + b"\n"

    def _out_of_range(self) -> bytes:
        """A frame that is whole, and says what no adapter says."""
        chance = self._chance
        odd = (
            b"%d" % chance.randrange(-9, 5000),
            b"0%d" % chance.randrange(99),
            b"9" * chance.randint(4, 400),
            b"",
        )
        words = [chance.choice(odd) for _ in range(chance.randint(0, 3))] + [b"x" * chance.randint(0, 40)]
        number = chance.choice((chance.randrange(NUMBERS), chance.randrange(NUMBERS, 10**6)))
        kind = chance.choice("qqmmgwaxz")
        return build(Frame(kind, number, b" ".join(words)[: MAX_PAYLOAD_BYTES + chance.randint(0, 9)]))

    def _interleaved(self) -> bytes:
        """Two questions under one number, part by part, in any order."""
        chance = self._chance
        number, part_bytes = chance.randrange(NUMBERS), chance.choice((64, 200, 512))
        parts = [
            part
            for body in chance.sample(self._bodies, 2)
            for part in self._question(body, number, part_bytes)
        ]
        head, *rest = parts
        chance.shuffle(rest)
        return head + b"".join(rest)

    def _honest(self) -> bytes:
        """A question, whole, and what asks for its answer."""
        number = self._chance.randrange(NUMBERS)
        question = b"".join(self._question(self._chance.choice(self._bodies), number))
        more = build(
            Frame("m", number, b"%d %d" % (self._chance.randrange(3500), self._chance.randint(0, 600)))
        )
        return question + more


def at_the_gateway(seed: int, count: int) -> Tally:
    """`count` pieces of a hostile line, some lines each, into the host's end of the serial carrier.

    Raises:
        Broken: it took more memory with time, or said more than it was asked for.
    """
    chance = Random(seed)
    adapter = _Adapter("hostile-1", chance.randbytes(signing.KEY_BYTES))
    sent = adapter.asks(chance, 16)
    line, end, seen = _Line(chance, sent), AdapterEnd(), Counter[str]()
    with _Memory(count) as memory:
        for _ in range(count):
            data = line.next()
            replies = end.receive(data)
            seen["lines"] += sum(map(bool, data.split(b"\n")))
            _check_replies(data, replies)
            question = end.take_question()
            if question is not None:
                seen[_what_it_is(question.body, sent, adapter.key)] += 1
                # Half of them are answered, so that there are answers to be asked for.
                if chance.random() < 0.5:
                    end.answered(question.number, 200, sent[0][: chance.randint(0, 900)])
            memory.case()
        used = memory.check()
    return Tally(
        fault="hostile line at the gateway",
        faults=count,
        messages=0,
        lost=0,
        twice=0,
        wrong=seen["wrong and accepted"],
        more={
            "lines": seen["lines"],
            "damaged frames": end.damaged_frames,
            "questions taken as sent": seen["as sent"],
            "other questions taken, all refused by their signature": seen["wrong and refused"],
            **used,
        },
    )


def _what_it_is(body: bytes, sent: list[bytes], key: bytes) -> str:
    if body in sent:
        return "as sent"
    try:
        signing.verify(body, key)
    except Refused:
        return "wrong and refused"
    return "wrong and accepted"


def _check_replies(data: bytes, replies: bytes) -> None:
    """The host sends one frame for each that it gets, and no more."""
    reader = FrameReader()
    frames = reader.feed(replies)
    # A line that this piece ends may have begun in the one before.
    if len(frames) > data.count(b"\n") or reader.damaged or any(frame.kind not in "gwax" for frame in frames):
        raise Broken(f"{data!r} was answered by {replies!r}")


# At the firmware


def at_the_firmware(kind: str, seed: int, count: int, folder: Path) -> Tally:
    """`count` cases of a kind into the firmware's link, in MicroPython.

    Args:
        kind: one of FIRMWARE_KINDS.
        seed: what they are drawn from.
        count: how many.
        folder: for prompts that are believed.

    Raises:
        Broken: an exception came of it that has no name there, or memory grew.
    """
    ran = subprocess.run(
        [
            *interpreter_command(),
            "-X",
            "heapsize=8M",
            str(_PROGRAM),
            kind,
            str(seed),
            str(count),
            str(folder),
        ],
        env={"MICROPYPATH": ":".join([*map(str, _FIRMWARE_PATH), ".frozen"])},
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        raise Broken(f"{kind}, seed {seed}: {ran.stderr[-2000:]}")
    told = json.loads(ran.stdout)
    growth_bytes = told["memory_highest"] - told["memory_before"]
    if growth_bytes > MOST_FIRMWARE_GROWTH_BYTES:
        raise Broken(f"{kind}, seed {seed}: memory grew by {growth_bytes} bytes")
    return Tally(
        fault=f"hostile {FIRMWARE_KINDS[kind]} at the firmware",
        faults=told["cases"],
        messages=0,
        lost=0,
        twice=0,
        wrong=told["wrong"],
        more={**told["outcomes"], **_memory(told["memory_before"], told["memory_highest"])},
    )


FIRMWARE_KINDS = {
    "frames": "frames while a question is asked,",
    "tokens": "signed answers",
    "payloads": "payloads, signed by the service's own key,",
    "responses": "HTTP responses",
}
"""What comes at the firmware, and what it is called in a table."""


# At the service


@dataclass(frozen=True)
class _Forgery:
    """A token that must not be taken; `reasons` are those it may be refused for."""

    token: bytes
    reasons: frozenset[RefusalReason]


_UNSIGNED = frozenset({RefusalReason.MALFORMED, RefusalReason.BAD_SIGNATURE, RefusalReason.UNKNOWN_ADAPTER})
_ANY_UNSIGNED = _UNSIGNED | {RefusalReason.TOO_LARGE}


class _Forger:
    """Makes tokens of what two adapters have signed, and of what one of them alone can sign."""

    def __init__(self, chance: Random, adapter: _Adapter, other: _Adapter, taken: list[bytes]) -> None:
        self._chance = chance
        self._adapter = adapter
        self._other = other
        self._taken = taken
        self._known = frozenset(taken)
        self._cases: tuple[Callable[[], _Forgery], ...] = (
            self._noise,
            self._damaged,
            self._damaged,
            self._damaged,
            self._spliced,
            self._replayed,
            self._other_key,
            self._other_kid,
            self._unknown_kid,
            self._reflected,
            self._odd_header,
            self._damaged_payload,
            self._other_payload,
            self._old_number,
            self._too_large,
        )

    def next(self) -> _Forgery:
        """One more."""
        return self._chance.choice(self._cases)()

    def _noise(self) -> _Forgery:
        return _Forgery(self._chance.randbytes(self._chance.randint(0, 300)), _ANY_UNSIGNED)

    def _damaged(self) -> _Forgery:
        while (token := damaged(self._chance, self._token())) in self._known:
            pass
        return _Forgery(token, _ANY_UNSIGNED)

    def _spliced(self) -> _Forgery:
        """Header, payload and signature of different messages."""
        parts = [self._token().split(b".")[place] for place in range(3)]
        token = b".".join(parts)
        return self._replayed() if token in self._known else _Forgery(token, _UNSIGNED)

    def _replayed(self) -> _Forgery:
        return _Forgery(self._token(), frozenset({RefusalReason.OLD_SEQUENCE}))

    def _other_key(self) -> _Forgery:
        forger = _Adapter(self._adapter.adapter_id, self._chance.choice((self._other.key, self._key())))
        return _Forgery(
            forger.token(self._payload(), self._number()), frozenset({RefusalReason.BAD_SIGNATURE})
        )

    def _other_kid(self) -> _Forgery:
        forger = _Adapter(self._other.adapter_id, self._adapter.key)
        return _Forgery(
            forger.token(self._payload(), self._number()), frozenset({RefusalReason.BAD_SIGNATURE})
        )

    def _unknown_kid(self) -> _Forgery:
        forger = _Adapter(f"unknown-{self._chance.randrange(10**6)}", self._adapter.key)
        return _Forgery(
            forger.token(self._payload(), self._number()), frozenset({RefusalReason.UNKNOWN_ADAPTER})
        )

    def _reflected(self) -> _Forgery:
        """The service's own kind of message."""
        token = signing.sign(self._payload(), self._adapter.key, self._adapter.adapter_id, self._number())
        return _Forgery(token, frozenset({RefusalReason.MALFORMED}))

    def _odd_header(self) -> _Forgery:
        header = {"alg": "HS256", "typ": "ask", "kid": self._adapter.adapter_id, "seq": self._number()}
        odd: dict[str, object] = {
            "alg": self._chance.choice(("none", "HS512", "RS256", None)),
            "typ": self._chance.choice(("JWT", "answer", 1)),
            "seq": self._chance.choice((-1, 2**53, 1.5, "1", True, None)),
            "jwk": {"kty": "oct", "k": base64url_encode(self._key()).decode()},
            "crit": ["exp"],
            "b64": False,
        }
        name = self._chance.choice(list(odd))
        text = base64url_encode(json.dumps({**header, name: odd[name]}).encode())
        signature = self._chance.choice((self._token().rsplit(b".", 1)[1], b""))
        token = text + b"." + base64url_encode(self._payload()) + b"." + signature
        return _Forgery(token, frozenset({RefusalReason.MALFORMED}))

    def _damaged_payload(self) -> _Forgery:
        """Signed rightly under a new number, as only the adapter itself can, and nothing that it may ask."""
        while not _is_refused(payload := damaged(self._chance, self._payload()), self._adapter.adapter_id):
            pass
        reasons = frozenset({RefusalReason.MALFORMED, RefusalReason.TOO_LARGE})
        return _Forgery(self._adapter.token(payload, self._number()), reasons)

    def _other_payload(self) -> _Forgery:
        """Signed rightly, in the name of the other adapter."""
        payload = json.dumps(_request(self._chance, self._other.adapter_id)).encode()
        return _Forgery(self._adapter.token(payload, self._number()), frozenset({RefusalReason.MALFORMED}))

    def _old_number(self) -> _Forgery:
        """A new ask under a number that was taken."""
        payload = json.dumps(_request(self._chance, self._adapter.adapter_id)).encode()
        number = self._chance.randrange(len(self._taken))
        return _Forgery(self._adapter.token(payload, number), frozenset({RefusalReason.OLD_SEQUENCE}))

    def _too_large(self) -> _Forgery:
        token = self._token() + b"A" * self._chance.randint(MAX_BODY_BYTES, 2 * MAX_BODY_BYTES)
        return _Forgery(token, frozenset({RefusalReason.TOO_LARGE}))

    def _token(self) -> bytes:
        return self._chance.choice(self._taken)

    def _payload(self) -> bytes:
        return base64url_decode(self._token().split(b".")[1])

    def _key(self) -> bytes:
        return self._chance.randbytes(signing.KEY_BYTES)

    def _number(self) -> int:
        """One that has not been taken."""
        return self._chance.choice((len(self._taken), self._chance.randrange(10**9, 2**53)))


def _is_refused(payload: bytes, adapter_id: str) -> bool:
    try:
        parse_ask(payload, adapter_id)
    except Refused:
        return True
    return False


Ask = Callable[[bytes], Awaitable[Reply]]


async def _attack(
    chance: Random, count: int, adapters: tuple[_Adapter, _Adapter], ask: Ask, case: Callable[[], None]
) -> Counter[str]:
    """Lets an adapter ask honestly, then puts `count` forgeries to the service; answers what was refused, by reason.

    "wrong" counts what was taken, or refused for another reason than it must be, or signed when it must not be.
    """
    adapter, other = adapters
    taken = adapter.asks(chance, _HONEST_ASKS)
    for token in taken:
        reply = await ask(token)
        if reply.status != httpx.codes.OK:
            raise Broken(f"an honest ask was refused: {reply.body!r}")
    forger, seen = _Forger(chance, adapter, other, taken), Counter[str]()
    for _ in range(count):
        forgery = forger.next()
        reply = await ask(forgery.token)
        reason = _refused_for(reply, adapter)
        seen[reason if reason in {wanted.value for wanted in forgery.reasons} else "wrong"] += 1
        case()
    return seen


def _refused_for(reply: Reply, adapter: _Adapter) -> str:
    """The reason, when the reply is a refusal with its right status; else what it is."""
    if reply.status == httpx.codes.OK:
        return "taken"
    body = signing.verify(reply.body, adapter.key, "answer") if reply.is_signed else reply.body
    reason = RefusalReason(json.loads(body)["reason"])
    if STATUS_OF_REFUSAL[reason] != reply.status:
        return f"{reason} with status {reply.status}"
    if reason is RefusalReason.OLD_SEQUENCE and not reply.is_signed:
        return "old_sequence in clear"
    return reason.value


def _differences(database: Path, adapters: tuple[_Adapter, _Adapter]) -> int:
    """In how many things the store is not what the honest asks of the first adapter alone bring about."""
    ids = [adapter.adapter_id for adapter in adapters]
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        (traces,) = connection.execute(
            "SELECT count(*) FROM traces WHERE adapter_id IN (?, ?)", ids
        ).fetchone()
        newest = dict(
            connection.execute(
                "SELECT adapter_id, newest_sequence FROM adapters WHERE adapter_id IN (?, ?)", ids
            )
        )
    return int(traces != _HONEST_ASKS) + int(newest != {ids[0]: _HONEST_ASKS - 1, ids[1]: None})


def _pair(chance: Random, seed: int) -> tuple[_Adapter, _Adapter]:
    return (
        _Adapter(f"attacked-{seed}", chance.randbytes(signing.KEY_BYTES)),
        _Adapter(f"other-{seed}", chance.randbytes(signing.KEY_BYTES)),
    )


def _make_known(database: Path, adapters: tuple[_Adapter, ...]) -> None:
    def adding(connection: Connection) -> None:
        for adapter in adapters:
            Adapters(connection).add(adapter.adapter_id, adapter.key)

    run_once(f"sqlite:///{database}", adding)


def at_the_desk(seed: int, count: int, folder: Path) -> Tally:
    """`count` forgeries to the service's desk, in this process.

    Raises:
        Broken: it took more memory with time, counted wrongly, or refused an honest ask.
    """
    chance = Random(seed)
    adapters = _pair(chance, seed)
    database = folder / f"desk-{seed}.sqlite"
    _make_known(database, adapters)
    settings = Settings(
        centre_public_key=new_key_pair()[1],
        database=f"sqlite:///{database}",
        secret=folder / "secret",
        origin_keys=folder / "origins",
    )

    async def attack() -> tuple[Counter[str], Counter[str], dict[str, object]]:
        store = Store(settings.database)
        desk = Desk(settings, store, lambda: NOW + 60.0)
        try:
            with _Memory(count) as memory:
                seen = await _attack(chance, count, adapters, desk.reply, memory.case)
                used = memory.check()
        finally:
            await desk.close()
            await store.close()
        return seen, Counter({reason.value: times for reason, times in desk.refusals.counts.items()}), used

    with _silent():
        seen, counted, used = asyncio.run(attack())
    return _tally("at the service's desk", count, seen, counted, _differences(database, adapters), used)


def at_the_service(seed: int, count: int, service: TraceService) -> Tally:
    """`count` forgeries to a service that runs, over HTTP, and one piece of what is no HTTP for each 20 of them.

    Args:
        seed: what they are drawn from.
        count: how many.
        service: it has been started.

    Raises:
        Broken: its process took more memory with time, it counted wrongly, or refused an honest ask.
    """
    chance = Random(seed)
    adapters = _pair(chance, seed)
    _make_known(service.database, adapters)
    counted_before = _counted(service)
    resident: list[int] = []
    cases = 0

    def case() -> None:
        nonlocal cases
        cases += 1
        if cases % 20 == 0:
            _no_http(chance, service.port)
        if cases in (max(1, count // 10), count):
            resident.append(_resident_bytes(service.process_id))

    async def attack() -> Counter[str]:
        async with httpx.AsyncClient(headers={"Content-Type": "application/jose"}) as client:
            return await _attack(chance, count, adapters, partial(_post, client, service.url), case)

    seen = asyncio.run(attack())
    if resident[-1] > resident[0] + MOST_PROCESS_GROWTH_BYTES:
        raise Broken(f"the service's memory grew from {resident[0]} to {resident[-1]} bytes")
    counted = _counted(service) - counted_before
    if "unavailable" not in seen:
        del counted["unavailable"]  # what is no HTTP, or for no path that there is, is refused so
    used = _memory(resident[0], resident[-1])
    return _tally("at the service", count, seen, counted, _differences(service.database, adapters), used)


def _tally(
    where: str, count: int, seen: Counter[str], counted: Counter[str], differs: int, used: dict[str, object]
) -> Tally:
    refused = {reason: times for reason, times in seen.items() if reason != "wrong"}
    if not seen["wrong"] and counted != refused:
        raise Broken(f"refused {refused}, and counted {counted}")
    return Tally(
        fault=f"hostile tokens {where}",
        faults=count,
        messages=_HONEST_ASKS,
        lost=0,
        twice=0,
        wrong=seen["wrong"] + differs,
        more={**{f"refused: {reason}": times for reason, times in sorted(refused.items())}, **used},
    )


async def _post(client: httpx.AsyncClient, url: str, token: bytes) -> Reply:
    response = await client.post(url, content=token)
    is_signed = response.headers["content-type"] == "application/jose"
    return Reply(response.status_code, response.content, is_signed)


def _no_http(chance: Random, port: int) -> None:
    """Says what no client says, and hangs up."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection, suppress(OSError):
        connection.sendall(damaged(chance, b"POST /v1/nothing HTTP/1.1\r\nContent-Length: 9\r\n\r\n"))
        connection.sendall(chance.randbytes(chance.randint(0, 3000)))


def _counted(service: TraceService) -> Counter[str]:
    """How many refusals the service has counted, by reason."""
    health = httpx.get(f"http://127.0.0.1:{service.port}/health").json()
    return Counter(health["refusals"])


@contextmanager
def _silent() -> Iterator[None]:
    """The log of a million refusals goes nowhere."""
    logger = logging.getLogger("host_tools.service")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)
