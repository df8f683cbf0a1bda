"""Orders: what the answers to heartbeats say, heartbeat by heartbeat, to an adapter that does as it is told."""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from host_tools.service import orders
from host_tools.service.adapters import Adapter
from host_tools.service.messages import Heartbeat, HeartbeatAnswer, Log, Slot
from host_tools.service.orders import (
    Pushed,
    RevisionsExhausted,
    cancel_update,
    push_prompt,
    push_settings,
    push_update,
    want_log,
)
from tests.host.service.conftest import CALLED_AT, new_heartbeat

FILE = bytes(range(256)) * 10
SHA256 = hashlib.sha256(FILE).hexdigest()
SIGNED = b"a signature, and a manifest"
RELEASE = hashlib.sha256(SIGNED).hexdigest()


class Release:
    """A release whose firmware is FILE, for slot a backwards."""

    def part(self, slot: Slot | None, offset: int) -> bytes:
        whole = {None: SIGNED, "a": FILE[::-1], "b": FILE}[slot]
        return whole[offset : offset + 960]


class Service:
    """The adapter's row, and what changes in it."""

    def __init__(self) -> None:
        self.adapter = Adapter("adapter-1")
        self.release: Release | None = Release()

    def change(self, changed: dict[str, Any]) -> None:
        self.adapter = replace(self.adapter, **changed)

    def hear(self, **fields: Any) -> HeartbeatAnswer:
        """The answer to a heartbeat with these fields."""
        heartbeat = Heartbeat.model_validate_json(json.dumps(new_heartbeat(**fields)))
        following = orders.heard(self.adapter, heartbeat, CALLED_AT, self.release)
        self.change(following.changed)
        assert isinstance(following.answer, HeartbeatAnswer)
        return following.answer

    def log(self, first: int, *lines: str) -> None:
        """Lines come."""
        sent = {"message": "log", "version": 1, "adapter_id": "adapter-1", "first": first, "lines": lines}
        self.change(orders.logged(self.adapter, Log.model_validate_json(json.dumps(sent)), CALLED_AT))

    @property
    def lines(self) -> list[list[Any]]:
        lines: list[list[Any]] = json.loads(self.adapter.log_lines)
        return lines


@pytest.fixture
def service() -> Service:
    return Service()


def progress(received: int, state: str = "receiving", **fields: Any) -> dict[str, Any]:
    return {"name": "traced", "sha256": SHA256, "received": received, "state": state, **fields}


def offered(answer: HeartbeatAnswer) -> tuple[int, bool] | None:
    """Where the part begins that is offered, and whether the next heartbeat may come at once."""
    return (answer.prompt.offset, answer.again) if answer.prompt else None


def test_without_orders_there_is_only_the_time(service: Service) -> None:
    assert service.hear() == HeartbeatAnswer(unix_seconds=CALLED_AT)


def test_settings_are_offered_until_they_are_taken(service: Service) -> None:
    service.change(push_settings(service.adapter, Pushed(price_cents=300)))
    for _ in range(2):
        answer = service.hear()
        assert answer.settings is not None
        assert (answer.settings.revision, answer.settings.values) == (1, {"price_cents": 300})
        assert not answer.again
    assert service.hear(settings_revision=1).settings is None
    again = service.hear(settings_revision=0)  # a new flash
    assert again.settings is not None


def test_a_push_has_what_was_pushed_before_too(service: Service) -> None:
    service.change(push_settings(service.adapter, Pushed(price_cents=300, two_stage=False)))
    service.change(push_settings(service.adapter, Pushed(price_cents=400)))
    pushed = service.hear(settings_revision=1).settings
    assert pushed is not None
    assert (pushed.revision, pushed.values) == (2, {"price_cents": 400, "two_stage": False})


def test_a_revision_is_greater_than_the_adapters(service: Service) -> None:
    service.hear(settings_revision=41)  # of a service that knew it before
    service.change(push_settings(service.adapter, Pushed(two_stage=True)))
    assert service.adapter.settings_revision == 42
    service.hear(settings_revision=2**53 - 1)
    with pytest.raises(RevisionsExhausted):
        push_settings(service.adapter, Pushed(two_stage=True))


@pytest.mark.parametrize("before", [1, 7])
def test_an_adapter_that_was_added_again_takes_what_is_pushed(service: Service, before: int) -> None:
    """It has settings of a revision that this service has forgotten; the push came before its first heartbeat."""
    service.change(push_settings(service.adapter, Pushed(price_cents=300)))
    pushed = service.hear(settings_revision=before).settings
    assert pushed is not None
    assert (pushed.revision, pushed.values) == (before + 1, {"price_cents": 300})
    assert service.hear(settings_revision=before).settings == pushed
    assert service.hear(settings_revision=before + 1).settings is None


@pytest.mark.parametrize(
    "values", [{"price_cents": 1001}, {"two_stage": 1}, {"answer_timeout_ms": None}, {"adapter_key": "00"}]
)
def test_only_settings_of_a_host_are_pushed(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Pushed.model_validate(values)


def test_a_prompt_goes_part_by_part(service: Service) -> None:
    service.change(push_prompt("traced", FILE))
    received = bytearray()
    heard: dict[str, Any] | None = None
    for offset in (0, 960, 1920):
        answer = service.hear(prompt=heard)
        assert offered(answer) == (offset, True)
        assert answer.prompt is not None
        assert (answer.prompt.name, answer.prompt.size, answer.prompt.sha256) == ("traced", len(FILE), SHA256)
        received += b64decode(answer.prompt.data)
        heard = progress(len(received))
    assert received == FILE
    assert offered(service.hear(prompt=progress(len(FILE), "kept"))) is None
    assert service.adapter.prompt_file is None
    assert offered(service.hear(prompt=None)) is None  # it has started anew, and still has its prompt


def test_a_part_that_did_not_arrive_comes_again_a_minute_later(service: Service) -> None:
    service.change(push_prompt("traced", FILE))
    assert offered(service.hear()) == (0, True)
    assert offered(service.hear()) == (0, False)
    assert offered(service.hear(prompt=progress(960))) == (960, True)
    assert offered(service.hear(prompt=progress(960))) == (960, False)
    assert offered(service.hear(prompt=None)) == (0, True)  # it has started anew


def test_a_prompt_that_fails_three_times_is_given_up(service: Service) -> None:
    service.change(push_prompt("traced", FILE))
    service.hear(prompt=progress(1920))
    for _ in range(2):
        assert offered(service.hear(prompt=progress(0, "failed"))) == (0, True)
        service.hear(prompt=progress(1920))
    assert offered(service.hear(prompt=progress(0, "failed"))) is None
    assert offered(service.hear(prompt=progress(0, "failed"))) is None
    service.change(push_prompt("traced", FILE))
    assert offered(service.hear(prompt=None)) == (0, True)


@pytest.mark.parametrize("other", [{"name": "stored"}, {"sha256": "0" * 64}])
@pytest.mark.parametrize("state", ["receiving", "kept", "failed"])
def test_what_the_adapter_says_of_another_prompt_is_of_another(
    service: Service, other: dict[str, Any], state: str
) -> None:
    service.change(push_prompt("traced", FILE))
    assert offered(service.hear(prompt=progress(960, state, **other))) == (0, True)
    assert service.adapter.prompt_failures == 0


def test_a_newer_prompt_takes_the_place_of_one_on_its_way(service: Service) -> None:
    service.change(push_prompt("traced", FILE))
    service.hear(prompt=progress(960))
    service.change(push_prompt("stored", b"another"))
    answer = service.hear(prompt=progress(1920))
    assert answer.prompt is not None
    assert (answer.prompt.name, answer.prompt.offset, answer.prompt.size) == ("stored", 0, 7)


@given(received=st.integers(0, 2**53 - 1), state=st.sampled_from(["receiving", "kept", "failed"]))
def test_whatever_the_adapter_says_the_part_lies_within_the_file(received: int, state: str) -> None:
    service = Service()
    service.change(push_prompt("traced", FILE))
    part = service.hear(prompt=progress(received, state)).prompt
    assert (part is None) == (state == "kept")
    if part:
        data = b64decode(part.data)
        assert data == FILE[part.offset : part.offset + len(data)]


def test_settings_a_prompt_and_the_log_at_once(service: Service) -> None:
    service.change(push_settings(service.adapter, Pushed(two_stage=True)))
    service.change(push_prompt("traced", FILE))
    service.change(want_log())
    answer = service.hear()
    assert answer.settings is not None
    assert offered(answer) == (0, True)
    assert answer.log_from == 0


def updating(received: int, state: str = "receiving", **fields: Any) -> dict[str, Any]:
    return {"release": 7, "sha256": RELEASE, "received": received, "state": state, "reason": None, **fields}


def part_of(answer: HeartbeatAnswer) -> tuple[Slot | None, int, bool] | None:
    """Which slot's firmware is offered, where the part begins, and whether the next heartbeat may come at once."""
    return (answer.update.slot, answer.update.offset, answer.again) if answer.update else None


@pytest.mark.parametrize(("runs", "slot", "whole"), [("a", "b", FILE), ("b", "a", FILE[::-1])])
def test_an_update_goes_part_by_part_to_the_slot_that_does_not_run(
    service: Service, runs: Slot, slot: Slot, whole: bytes
) -> None:
    service.change(push_update(RELEASE))
    answer = service.hear(slot=runs)
    assert part_of(answer) == (None, 0, True)
    assert answer.update is not None
    assert (answer.update.sha256, b64decode(answer.update.data)) == (RELEASE, SIGNED)
    received = bytearray()
    for offset in (0, 960, 1920):
        answer = service.hear(slot=runs, update=updating(offset))
        assert part_of(answer) == (slot, offset, True)
        assert answer.update is not None
        received += b64decode(answer.update.data)
    assert received == whole
    for state in ("receiving", "kept"):
        assert part_of(service.hear(slot=runs, update=updating(len(FILE), state))) is None
    assert part_of(service.hear(slot=slot, update=updating(len(FILE), "trying"))) is None
    assert service.adapter.update_sha256 == RELEASE
    assert part_of(service.hear(slot=slot, update=updating(len(FILE), "confirmed"))) is None
    assert service.adapter.update_sha256 is None


def test_a_part_of_an_update_that_is_not_taken_comes_again_a_minute_later(service: Service) -> None:
    service.change(push_update(RELEASE))
    for again in (True, False):
        assert part_of(service.hear()) == (None, 0, again)
    for again in (True, False):
        assert part_of(service.hear(update=updating(960))) == ("b", 960, again)
    assert part_of(service.hear(update=None)) == (None, 0, True)


@pytest.mark.parametrize("state", ["returned", "refused"])
def test_what_came_to_nothing_is_not_offered_again_but_when_it_is_pushed_again(
    service: Service, state: str
) -> None:
    service.change(push_update(RELEASE))
    service.hear()
    assert part_of(service.hear(update=updating(0, state, reason="watchdog"))) is None
    assert service.adapter.update_sha256 is None
    assert part_of(service.hear(update=updating(0, state, reason="watchdog"))) is None
    service.change(push_update(RELEASE))
    assert part_of(service.hear(update=updating(0, state, reason="watchdog"))) == (None, 0, True)
    assert part_of(service.hear(update=updating(0))) == ("b", 0, True)


def test_what_runs_already_is_not_offered(service: Service) -> None:
    service.change(push_update(RELEASE))
    assert part_of(service.hear(slot="b", update=updating(len(FILE), "confirmed"))) is None
    assert service.adapter.update_sha256 is None


def test_another_release_takes_the_place_of_one_on_its_way_or_ended(service: Service) -> None:
    service.change(push_update(RELEASE))
    for state in ("receiving", "kept", "confirmed", "returned", "refused"):
        assert part_of(service.hear(update=updating(960, state, sha256="0" * 64))) is not None
    assert service.adapter.update_sha256 == RELEASE


def test_no_update_for_whom_it_is_not_meant(service: Service) -> None:
    assert part_of(service.hear()) is None
    service.change(push_update(RELEASE))
    assert part_of(service.hear(slot=None)) is None
    assert service.adapter.update_sha256 is None
    service.change(push_update(RELEASE))
    service.release = None  # it is not its turn, or gone
    assert part_of(service.hear()) is None
    service.release = Release()
    service.change(cancel_update())
    assert part_of(service.hear(update=updating(960))) is None


def test_a_prompt_goes_before_an_update(service: Service) -> None:
    service.change(push_update(RELEASE))
    service.change(push_prompt("stored", b"short"))
    answer = service.hear(update=updating(960))
    assert answer.prompt is not None
    assert answer.update is None
    assert len(answer.model_dump_json()) <= 2048
    kept = {"name": "stored", "sha256": answer.prompt.sha256, "received": 5, "state": "kept"}
    assert part_of(service.hear(update=updating(960), prompt=kept)) == ("b", 960, True)


def test_the_largest_answer_with_an_update_fits(service: Service) -> None:
    service.change(push_update(RELEASE))
    everything = Pushed(two_stage=False, trace_offered=False, price_cents=1000, answer_timeout_ms=60000)
    service.change(push_settings(service.adapter, everything))
    service.change(want_log())
    answer = service.hear(update=updating(960))
    assert answer.settings is not None
    assert answer.update is not None
    assert len(answer.model_dump_json()) <= 2048


@given(
    received=st.integers(0, 2**53 - 1),
    state=st.sampled_from(["receiving", "kept", "trying", "confirmed", "returned", "refused"]),
    release=st.integers(0, 2**53 - 1),
    offered=st.none() | st.integers(-1, 2**20),
    slot=st.sampled_from(["a", "b"]),
)
def test_whatever_the_adapter_says_the_part_lies_within_the_firmware(
    received: int, state: str, release: int, offered: int | None, slot: Slot
) -> None:
    service = Service()
    service.change({"update_sha256": RELEASE, "update_offered": offered})
    answer = service.hear(slot=slot, update=updating(received, state, release=release))
    if answer.update is None:
        assert not answer.again
        return
    data = b64decode(answer.update.data)
    whole = {None: SIGNED, "a": FILE[::-1], "b": FILE}[answer.update.slot]
    assert answer.update.slot != slot
    assert data == whole[answer.update.offset : answer.update.offset + 960]


def test_the_log_is_pulled_until_it_is_there(service: Service) -> None:
    service.change(want_log())
    assert service.hear(log_lines=50).log_from == 0
    service.log(18, *(f"line {n}" for n in range(18, 34)))
    assert service.adapter.log_wanted
    assert service.hear(log_lines=50).log_from == 34  # the rest did not arrive
    service.log(34, *(f"line {n}" for n in range(34, 50)))
    assert not service.adapter.log_wanted
    assert service.lines == [[n, f"line {n}"] for n in range(18, 50)]
    assert service.hear(log_lines=60).log_from is None


def test_lines_that_come_twice_are_kept_once(service: Service) -> None:
    service.change(want_log())
    service.hear(log_lines=3)
    for first in (0, 0, 1):
        service.log(first, *(f"line {n}" for n in range(first, 3)))
    assert service.lines == [[0, "line 0"], [1, "line 1"], [2, "line 2"]]


def test_an_adapter_that_starts_meanwhile_counts_anew(service: Service) -> None:
    service.change(want_log())
    service.hear(log_lines=50)
    service.log(18, "before")
    assert service.hear(log_lines=2).log_from == 0
    service.log(0, "after", "and")
    assert service.lines == [[0, "after"], [1, "and"]]
    assert not service.adapter.log_wanted


def test_a_log_without_lines_is_all_there(service: Service) -> None:
    service.change(want_log())
    assert service.hear(log_lines=0).log_from is None
    assert not service.adapter.log_wanted


def test_the_kept_lines_are_bounded(service: Service) -> None:
    for first in range(0, 400, 16):
        service.log(first, *(f"line {n}" for n in range(first, first + 16)))
    assert [number for number, _ in service.lines] == list(range(400 - orders.MOST_LOG_LINES, 400))
