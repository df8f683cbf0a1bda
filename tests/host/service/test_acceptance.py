"""Acceptance: what becomes of the requests of one transaction, together and after others; on both databases."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.engine import Connection

from host_tools.service import signing
from host_tools.service.acceptance import Pending, Terms, accept
from host_tools.service.adapters import Adapters
from host_tools.service.cases import Cases, OpenedFor
from host_tools.service.charges import Charge, Charges
from host_tools.service.directory import Subscriber
from host_tools.service.lines import AreaPolicy, Areas, LinePolicy, Lines
from host_tools.service.matching import FoundCall
from host_tools.service.messages import CallerId, Decoded, Outcome, Refused, TraceAnswer, TraceRequest
from host_tools.service.origins import OriginKeys
from host_tools.service.reasons import Reason
from host_tools.service.sealing import Seal, new_key_pair, open_sealed
from host_tools.service.settings import Settings
from host_tools.service.signing import Signed
from host_tools.service.store import Store
from host_tools.service.tables import AUDIT, COUNTERS, TABLES, TRACES
from host_tools.service.traces import TraceIdsExhausted, Traces
from tests.host.service.conftest import CALLED_AT, LINE, new_heartbeat, new_request

JANE, JOHN = "5555550123", "5555550144"
OTHER_LINE = "5555550101"
RECEIVED_AT = CALLED_AT + 61
END_OF_JANUARY = 1769921999  # 2026-01-31 23:59:59 in New York
KEYS = {name: hashlib.sha256(name.encode()).digest() for name in ("adapter-1", "adapter-2")}
NO_RECORD = Reason.NO_CALL_RECORD


@dataclass(frozen=True)
class Ask:
    """A request: which it is, for which call of which line, and who made that call or why nobody knows.

    Attributes:
        request: a name; the same one is the same request.
        call: a name; that of the request where there is none.
        origin: the calling number, or why it is not known.
        sequence: None for the next of its adapter.
        signed_by: whose key; that of the adapter where there is none.
        came_s: when the call came, seconds after CALLED_AT.
    """

    request: str
    call: str = ""
    origin: str | Reason = JANE
    line: str = LINE
    adapter: str = "adapter-1"
    sequence: int | None = None
    signed_by: str = ""
    received_at: int = RECEIVED_AT
    came_s: int = 0


def ask(request: str, call: str = "", origin: str | Reason = JANE, **fields: Any) -> Ask:
    """An `Ask`."""
    return Ask(request, call, origin, **fields)


def digits(name: str, length: int) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:length]


@dataclass
class Service:
    """A store, and the terms on which it accepts; `numbers` are the adapters' sequence numbers."""

    store: Store
    terms: Terms
    private_key: str
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(100))

    def pending(self, asked: Ask, **fields: Any) -> Pending:
        """The request that waits; `fields` of it or of its call."""
        called_at = CALLED_AT + asked.came_s
        message = new_request(
            request_id=digits(asked.request, 32),
            call_id=digits(asked.call or asked.request, 16),
            adapter_id=asked.adapter,
            line=asked.line,
            at=called_at,
            caller=None if isinstance(asked.origin, Reason) else asked.origin,
            **fields,
        )
        payload = json.dumps(message).encode()
        key = KEYS.get(asked.signed_by or asked.adapter, b"\0" * 32)
        sequence = next(self.numbers) if asked.sequence is None else asked.sequence
        token = signing.sign(payload, key, asked.adapter, sequence, "ask")
        return Pending(
            TraceRequest.model_validate_json(payload),
            Signed(asked.adapter, sequence, key, payload, token),
            asked.origin
            if isinstance(asked.origin, Reason)
            else FoundCall(asked.origin, asked.line, called_at, None, is_answered=True),
            None,
            asked.received_at,
        )

    async def accept(self, *pendings: Pending) -> list[TraceAnswer | Refused]:
        """The answers to requests of one transaction."""
        return await self.store.together(lambda connection: accept(connection, self.terms, pendings))

    async def said(self, batch: Sequence[Ask]) -> list[str]:
        """The answers to a batch in words."""
        return [in_words(answer) for answer in await self.accept(*map(self.pending, batch))]

    async def read(self, work: Any) -> Any:
        return await self.store.read(work)

    def with_settings(self, **settings: Any) -> Service:
        """The same store under other settings."""
        chosen = self.terms.settings.model_copy(update=settings)
        return replace(self, terms=replace(self.terms, settings=chosen))


def in_words(answer: TraceAnswer | Refused) -> str:
    """`traced T-1 500 action`, or `refused old_sequence 7`: without what is not there."""
    if isinstance(answer, Refused):
        number = "" if answer.newest_sequence is None else f" {answer.newest_sequence}"
        return f"refused {answer.reason}{number}"
    words = [answer.outcome.value]
    if answer.trace_id is not None:
        words.append(f"T-{int(answer.trace_id[2:])}")
    if answer.outcome is Outcome.TRACED:
        words.append(str(answer.charge_cents))
    return " ".join(words + ["action"] * answer.action_open)


@pytest.fixture
async def service(database_url: str) -> AsyncIterator[Service]:
    store = Store(database_url)
    private_key, public_key = new_key_pair()
    settings = Settings(centre_public_key=public_key, database=database_url)

    def add(connection: Connection) -> None:
        for adapter_id, key in KEYS.items():
            Adapters(connection).add(adapter_id, key)

    await store.together(add)
    yield Service(store, Terms(settings, Seal(public_key), OriginKeys.new()), private_key)
    await store.close()


CAPPED: dict[str, Any] = {"monthly_cap_cents": 800}


@dataclass(frozen=True)
class Case:
    """Batches one after another, and what is answered to each of their requests."""

    name: str
    batches: Sequence[tuple[Sequence[Ask], Sequence[str]]]
    settings: dict[str, Any] = field(default_factory=dict)


CASES = [
    Case("nothing is asked", [([], [])]),
    Case(
        "calls are traced in the order of their requests",
        [
            ([ask("a"), ask("b", origin=JOHN)], ["traced T-1 500", "traced T-2 500"]),
            ([ask("c", origin="5555550155")], ["traced T-3 500"]),
        ],
    ),
    Case("a request twice in a batch", [([ask("a"), ask("a")], ["traced T-1 500"] * 2)]),
    Case(
        "a request that was accepted before is answered as it was, whatever is found now",
        [
            ([ask("a"), ask("b", origin=NO_RECORD)], ["traced T-1 500", "not_traceable"]),
            ([ask("b"), ask("a", origin=NO_RECORD)], ["not_traceable", "traced T-1 500"]),
        ],
    ),
    Case(
        "the identity of another adapter's request is another request",
        [([ask("a"), ask("a", call="b", adapter="adapter-2")], ["traced T-1 500", "traced T-2 500"])],
    ),
    Case(
        "a call twice in a batch",
        [([ask("a", "call"), ask("b", "call")], ["traced T-1 500", "already_traced T-1"])],
    ),
    Case(
        "a call in two batches",
        [
            ([ask("a", "call")], ["traced T-1 500"]),
            ([ask("b", "call"), ask("b", "call")], ["already_traced T-1"] * 2),
        ],
    ),
    Case(
        "a call that could not be traced before",
        [
            (
                [ask("a", "call", NO_RECORD), ask("b", "call"), ask("c", "call", NO_RECORD)],
                ["not_traceable", "traced T-1 500", "already_traced T-1"],
            )
        ],
    ),
    Case(
        "one name of a call on two lines",
        [([ask("a", "call"), ask("b", "call", line=OTHER_LINE)], ["traced T-1 500", "traced T-2 500"])],
    ),
    Case(
        "a call of the call records under another name",
        [
            ([ask("a"), ask("b")], ["traced T-1 500", "already_traced T-1"]),
            (
                [ask("c", origin=f"+1{JANE}"), ask("d", came_s=1), ask("e", origin=JOHN)],
                ["already_traced T-1", "traced T-2 500", "traced T-3 500"],
            ),
            ([ask("f", line=OTHER_LINE)], ["traced T-4 500"]),
        ],
        {"call_records": "sqlite:///cdr.sqlite"},
    ),
    Case(
        "a cap that is used up within a batch",
        [
            (
                [ask("a"), ask("b", origin=JOHN), ask("c", origin="5555550155"), ask("d", line=OTHER_LINE)],
                ["traced T-1 500", "traced T-2 300", "traced T-3 0", "traced T-4 500"],
            )
        ],
        CAPPED,
    ),
    Case(
        "a cap that is used up by batches, of the month of New York",
        [
            ([ask("a", received_at=END_OF_JANUARY)], ["traced T-1 500"]),
            (
                [
                    ask("b", origin=JOHN, received_at=END_OF_JANUARY),
                    ask("c", origin=JOHN, received_at=END_OF_JANUARY + 1),
                ],
                ["traced T-2 300", "traced T-3 500"],
            ),
            ([ask("d", origin=NO_RECORD)], ["not_traceable"]),
        ],
        {**CAPPED, "time_zone": "America/New_York"},
    ),
    Case(
        "three of one origin in a batch, and one more",
        [
            (
                [ask("a"), ask("b"), ask("x", origin=JOHN), ask("c"), ask("d")],
                [
                    "traced T-1 500",
                    "traced T-2 500",
                    "traced T-3 500",
                    "traced T-4 500 action",
                    "traced T-5 500 action",
                ],
            )
        ],
    ),
    Case(
        "three of one origin by batches, however its number is written",
        [
            ([ask("a")], ["traced T-1 500"]),
            ([ask("b", origin=f"+1{JANE}"), ask("b")], ["traced T-2 500"] * 2),
            ([ask("c", origin=f"1{JANE}")], ["traced T-3 500 action"]),
            ([ask("c"), ask("d", "c")], ["traced T-3 500 action", "already_traced T-3"]),
        ],
    ),
    Case(
        "two lines have three of one origin together, and what failed does not count",
        [
            (
                [ask("a"), ask("b", line=OTHER_LINE), ask("c", origin=NO_RECORD), ask("d")],
                ["traced T-1 500", "traced T-2 500", "not_traceable", "traced T-3 500"],
            )
        ],
    ),
    Case(
        "an old sequence number within a batch",
        [
            (
                [ask("a", sequence=8), ask("b", sequence=7), ask("c", sequence=8), ask("d", sequence=9)],
                ["traced T-1 500", "refused old_sequence 8", "refused old_sequence 8", "traced T-2 500"],
            ),
            (
                [ask("b", sequence=9), ask("b", sequence=10)],
                ["refused old_sequence 9", "traced T-3 500 action"],
            ),
        ],
    ),
    Case(
        "an adapter whose key was changed, or that is not known, stops nobody and takes no number",
        [
            (
                [
                    ask("a", signed_by="adapter-2", sequence=9000),
                    ask("b", adapter="nobody", sequence=9000),
                    ask("c", sequence=5),
                ],
                ["refused unknown_adapter", "refused unknown_adapter", "traced T-1 500"],
            ),
            ([ask("a", sequence=6)], ["traced T-2 500"]),
        ],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_a_batch(service: Service, case: Case) -> None:
    service = service.with_settings(**case.settings)
    for batch, answers in case.batches:
        assert await service.said(batch) == answers
    rows = await service.read(lambda connection: connection.execute(select(TRACES)).all())
    traced = [row for row in rows if row.outcome == "traced"]
    charged = await service.read(
        lambda connection: {
            charge.trace_id: charge.charge_cents
            for month in Charges(connection).months()
            for charge in Charges(connection).of_month(month)
        }
    )
    # Each request is a row, each successful trace a charge, each decision an entry.
    assert charged == {row.trace_id: row.charge_cents for row in traced}
    entries = await service.read(decided_entries)
    assert sorted(entry.subject for entry in entries) == sorted(
        row.trace_id or row.request_id for row in rows
    )
    assert sorted(charged) == [f"T-{number:08}" for number in range(1, len(traced) + 1)]


def decided_entries(connection: Connection) -> list[Any]:
    of = select(AUDIT).where(AUDIT.c.action == "trace.decided").order_by(AUDIT.c.sequence)
    return list(connection.execute(of))


async def test_the_line_of_another_adapter_and_what_is_not_offered(service: Service) -> None:
    def put(connection: Connection) -> None:
        Lines(connection).put(LinePolicy(line="5555550102", adapter_id="adapter-2", price_cents=900))
        Lines(connection).put(LinePolicy(line="5555550103", is_offered=False))
        Areas(connection).put(AreaPolicy(prefix="444", name="Elsewhere", is_offered=False))
        Lines(connection).put(LinePolicy(line="4445550104", is_offered=True, price_cents=1000))

    await service.store.together(put)
    batch = [
        ask("a", line="5555550102"),
        ask("b", line="5555550102", adapter="adapter-2"),
        ask("c", adapter="adapter-2"),
        ask("d", line="5555550103"),
        ask("e", line="4445550105"),
        ask("f", line="4445550104"),
    ]
    assert await service.said(batch) == [
        "not_offered",
        "traced T-1 900",
        "not_offered",
        "not_offered",
        "not_offered",
        "traced T-2 1000",
    ]
    details = [json.loads(entry.details) for entry in await service.read(decided_entries)]
    of_another = Reason.LINE_OF_ANOTHER_ADAPTER.value
    assert [each["reason"] for each in details] == [
        of_another,
        None,
        of_another,
        "not_offered",
        "not_offered",
        None,
    ]


async def test_three_count_across_a_new_origin_key(service: Service) -> None:
    first = service.terms.origin_keys
    assert await service.said([ask("a")]) == ["traced T-1 500"]
    second = first.rotated(1)
    service.terms = replace(service.terms, origin_keys=second)
    assert await service.said([ask("b"), ask("c")]) == ["traced T-2 500", "traced T-3 500 action"]
    third = second.rotated(2)
    service.terms = replace(service.terms, origin_keys=third)
    assert await service.said([ask("d")]) == ["traced T-4 500 action"]
    rows = await service.read(
        lambda connection: connection.execute(select(TRACES).order_by(TRACES.c.trace_id)).all()
    )
    tags = [keys.tag(LINE, f"+1{JANE}") for keys in (first, second, second, third)]
    assert [(row.origin_key, row.origin_tag) for row in rows] == tags
    assert len(set(tags)) == 3


async def test_what_makes_action_possible_is_one_case(service: Service) -> None:
    await service.said([ask("a"), ask("b"), ask("x", origin=JOHN)])
    assert await service.read(lambda connection: Cases(connection).of_line(LINE)) == []
    await service.said([ask("c"), ask("d")])
    (case,) = await service.read(lambda connection: Cases(connection).of_line(LINE))
    assert case.opened_for is OpenedFor.THREE_TRACES
    assert case.trace_ids == ("T-00000001", "T-00000002", "T-00000004", "T-00000005")


async def test_an_origin_that_never_ends_to_call_stops_nobody(service: Service) -> None:
    """More traces of one origin by one line than a query has parameters."""
    await service.said([ask("a")])

    def multiply(connection: Connection) -> None:
        row = connection.execute(select(TRACES)).mappings().one()
        rows = [
            {**row, "request_id": f"{n:032}", "call_id": f"{n:016}", "trace_id": f"T-{n:08}", "sealed": None}
            for n in range(2, 33_002)
        ]
        connection.execute(insert(TRACES), rows)
        connection.execute(update(COUNTERS).where(COUNTERS.c.name == "trace").values(value=33_001))

    await service.store.together(multiply)
    assert await service.said([ask("b"), ask("c", line=OTHER_LINE)]) == [
        "traced T-33002 500 action",
        "traced T-33003 500",
    ]


async def test_when_the_numbers_are_given_nothing_is_stored(service: Service) -> None:
    last = update(COUNTERS).where(COUNTERS.c.name == "trace").values(value=99_999_998)
    await service.store.together(lambda connection: connection.execute(last))
    with pytest.raises(TraceIdsExhausted):
        await service.said([ask("a", sequence=5), ask("b", sequence=6)])
    assert await service.read(lambda connection: connection.execute(select(TRACES)).all()) == []
    assert await service.said([ask("a", sequence=5)]) == ["traced T-99999999 500"]
    with pytest.raises(TraceIdsExhausted):
        await service.said([ask("b", sequence=6), ask("c", origin=NO_RECORD, sequence=7)])
    # What needs no number is answered on.
    assert await service.said([ask("a", sequence=6), ask("c", origin=NO_RECORD, sequence=7)]) == [
        "traced T-99999999 500",
        "not_traceable",
    ]


async def test_what_is_written_of_a_trace(service: Service) -> None:
    service = service.with_settings(monthly_cap_cents=300)
    pendings = [service.pending(ask("a")), service.pending(ask("b", origin=Reason.SEVERAL_CALLS))]
    await service.accept(*pendings)
    charges = await service.read(lambda connection: Charges(connection).of_month("2026-01"))
    assert charges == [Charge("T-00000001", LINE, "2026-01", RECEIVED_AT, 500, 300)]
    entries = await service.read(decided_entries)
    details = [json.loads(entry.details) for entry in entries]
    sealed = {row.request_id: row.sealed for row in await service.read(lambda c: Traces(c).of_line(LINE))}
    vouched = [told.pop("sealed_sha256") for told in details]
    assert vouched == [sha256(sealed[each.request.request_id] or b"").hexdigest() for each in pendings]
    told = zip(entries, details, strict=True)
    assert [(entry.at, entry.actor, entry.subject, detail) for entry, detail in told] == [
        (
            RECEIVED_AT,
            "adapter:adapter-1",
            "T-00000001",
            {"outcome": "traced", "reason": None, "line": LINE, "charge_cents": 300},
        ),
        (
            RECEIVED_AT,
            "adapter:adapter-1",
            pendings[1].request.request_id,
            {"outcome": "not_traceable", "reason": "several_calls", "line": LINE, "charge_cents": 0},
        ),
    ]
    standing = await service.read(lambda connection: Adapters(connection).adapter("adapter-1"))
    assert standing.newest_sequence == pendings[1].signed.sequence


DECODED: dict[str, Any] = {"standard": "bell202", "level_dbm0": -20, "snr_db": 31, "twist_db": -2}


async def test_what_is_captured_of_a_trace(service: Service) -> None:
    heartbeat = json.dumps(new_heartbeat(decoded=DECODED))
    await service.store.together(
        lambda connection: Adapters(connection).change("adapter-1", heartbeat=heartbeat)
    )
    asked = service.pending(ask("a"), rings=3, answered=False, call_waiting=True)
    found = FoundCall(f"+1{JANE}", LINE, CALLED_AT + 2, OTHER_LINE, is_answered=True)
    pending = replace(asked, call=found, subscriber=Subscriber(JANE, "JANE DOE", "57 MAIN STREET"))
    await service.accept(pending)
    (row,) = await service.read(lambda connection: connection.execute(select(TRACES)).all())
    assert row.sealed_to == service.terms.seal.fingerprint
    assert open_sealed(row.sealed, service.private_key).model_dump() == {
        "trace_id": "T-00000001",
        "line": LINE,
        "origin": f"+1{JANE}",
        "name": "JANE DOE",
        "address": "57 MAIN STREET",
        "presented": CallerId(number=JANE, name="JANE DOE", reason=None, date_time="01011200").model_dump(),
        "presentation": "presented",
        "time_source": "network",
        "called_at": CALLED_AT + 2,
        "requested_at": CALLED_AT + 60,
        "received_at": RECEIVED_AT,
        "rings": 3,
        "answered": True,
        "forwarded_from": OTHER_LINE,
        "call_waiting": True,
        "decoded": Decoded(**DECODED).model_dump(),
        "request": pending.signed.token,
    }


async def test_of_a_call_that_is_not_traced_nobody_is_named(service: Service) -> None:
    asked = service.pending(ask("a"), rings=0, answered=False)
    await service.accept(replace(asked, subscriber=Subscriber(JANE, "JANE DOE", "57 MAIN STREET")))
    (row,) = await service.read(lambda connection: connection.execute(select(TRACES)).all())
    assert (row.outcome, row.reason, row.origin_tag) == ("not_traceable", "no_connection", None)
    captured = open_sealed(row.sealed, service.private_key)
    assert (captured.origin, captured.name, captured.address) == (None, None, None)
    assert captured.request == asked.signed.token


@pytest.mark.parametrize("kept", [json.dumps({**new_heartbeat(), "of_before": 1}), "{}", "no JSON"])
async def test_a_heartbeat_that_an_older_service_has_kept_stops_nobody(service: Service, kept: str) -> None:
    await service.store.together(lambda connection: Adapters(connection).change("adapter-1", heartbeat=kept))
    assert await service.said([ask("a"), ask("b", adapter="adapter-2")]) == [
        "traced T-1 500",
        "traced T-2 500",
    ]
    rows = await service.read(lambda connection: connection.execute(select(TRACES)).all())
    assert {open_sealed(row.sealed, service.private_key).decoded for row in rows} == {None}


async def test_who_called_is_in_no_table_in_clear(service: Service) -> None:
    asked = service.pending(ask("a"))
    jane = Subscriber(JANE, "JANE DOE", "57 MAIN STREET")
    await service.accept(replace(asked, subscriber=jane), *map(service.pending, [ask("b"), ask("c")]))

    def everything(connection: Connection) -> str:
        rows = [row for table in TABLES.sorted_tables for row in connection.execute(select(table))]
        return "\n".join(str(cell) for row in rows for cell in row)

    stored = await service.read(everything)
    assert "T-00000003" in stored
    assert "C-00000001" in stored
    for text in (JANE, "JANE", "MAIN STREET", asked.signed.token.decode()):
        assert text not in stored
    rows = await service.read(lambda connection: connection.execute(select(TRACES)).all())
    assert len({row.origin_tag for row in rows}) == 1
    assert {len(row.origin_tag) for row in rows} == {64}
    assert {row.sealed_to for row in rows} == {service.terms.seal.fingerprint}
