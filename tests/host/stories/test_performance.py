"""Every story of the demo, from the first ring to the last word, and its files."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import cache
from pathlib import Path

import pytest
import soundfile
from nacl.public import PrivateKey, SealedBox

from host_tools.stories.catalogue import CALLER, OTHER_CALLER, STORIES
from host_tools.stories.performance import Performance, perform

Perform = Callable[[str], Performance]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Perform:
    """Plays a story by its name, once for all tests of this file."""
    folder = tmp_path_factory.mktemp("stories")
    by_name = {story.name: story for story in STORIES}

    @cache
    def play(name: str) -> Performance:
        return perform(by_name[name], folder / name, lambda event: None)

    return play


def said(performance: Performance) -> str:
    return " | ".join(performance.result.heard)


def sealed(performance: Performance) -> list[bytes]:
    """What the trace service keeps of who called, one blob a trace."""
    with closing(sqlite3.connect(performance.folder / "traces.sqlite")) as database:
        return [row[0] for row in database.execute("SELECT sealed FROM traces")]


@pytest.mark.parametrize(
    ("name", "number", "reason", "outcome", "charge_cents"),
    [
        ("traced", CALLER, None, "traced", 500),
        ("private", None, "P", "traced", 500),
        ("out_of_area", None, "O", "not_traceable", 0),
        ("not_offered", CALLER, None, "not_offered", 0),
        ("stored", CALLER, None, "stored", 500),
        ("call_waiting", OTHER_CALLER, None, "traced", 500),
        ("late", CALLER, None, "traced", 500),
    ],
)
def test_a_story_ends_as_it_should(
    played: Perform, name: str, number: str | None, reason: str | None, outcome: str, charge_cents: int
) -> None:
    result = played(name).result
    assert result.caller_id is not None
    assert (result.caller_id["number"], result.caller_id["reason"]) == (number, reason)
    assert result.caller_id["date_time"] == "12011730"
    assert (result.outcome, result.charge_cents) == (outcome, charge_cents)
    assert (result.trace_id is not None) == (charge_cents > 0)


def test_no_call_has_no_caller_and_costs_nothing(played: Perform) -> None:
    result = played("no_call").result
    assert (result.caller_id, result.outcome, result.trace_id, result.charge_cents) == (
        None,
        "no_call",
        None,
        0,
    )


def test_the_household_hears_what_call_trace_is_and_what_became_of_it(played: Perform) -> None:
    heard = said(played("traced"))
    for words in (
        "dial tone",
        "This is call trace.",
        "The charge is five dollars for each successful trace.",
        "To trace the last call, dial 1. To leave, hang up.",
        "The last call was traced.",
        "dial 9 1 1",
        "After three traces",
        "You will not be given the caller's name or number.",
    ):
        assert words in heard


def test_reorder_has_120_interruptions_a_minute(played: Perform) -> None:
    assert "reorder tone, 120 interruptions a minute" in said(played("not_offered"))


def test_the_household_never_hears_the_caller(played: Perform) -> None:
    for story in STORIES:
        assert "5550" not in said(played(story.name))


def test_the_line_is_the_exchanges_again_when_a_story_is_over(played: Perform) -> None:
    for story in STORIES:
        recording = played(story.name).stage.pair.recording
        assert not recording.relay_energised[-1]
        assert any(recording.relay_energised)


def test_the_service_sealed_who_called_of_a_private_call(played: Perform) -> None:
    performance = played("private")
    (blob,) = sealed(performance)
    opened = SealedBox(PrivateKey(performance.centre_key)).decrypt(blob)
    assert CALLER.encode() in opened


def test_a_stored_request_is_delivered_once(played: Perform) -> None:
    performance = played("stored")
    assert len(sealed(performance)) == 1
    assert performance.result.trace_id == "T-00000001"


def test_a_story_leaves_audio_and_a_picture(played: Perform) -> None:
    performance = played("traced")
    for name in ("phone_heard.wav", "exchange_heard.wav"):
        info = soundfile.info(performance.folder / name)
        assert (info.samplerate, info.channels, info.subtype) == (8000, 1, "PCM_16")
        assert info.frames == performance.stage.blocks * 160
    assert (performance.folder / "line.png").read_bytes().startswith(b"\x89PNG")


def test_a_story_is_told_the_same_each_time(played: Perform, tmp_path: Path) -> None:
    first = played("traced")
    again = perform(first.story, tmp_path / "again", lambda event: None)
    assert again.stage.events == first.stage.events
    for name in ("phone_heard.wav", "exchange_heard.wav"):
        assert (again.folder / name).read_bytes() == (first.folder / name).read_bytes()


def test_no_log_names_a_caller(played: Perform) -> None:
    for story in STORIES:
        folder = played(story.name).folder
        for log in ("firmware.log", "service.log"):
            text = (folder / log).read_text()
            assert CALLER not in text
            assert OTHER_CALLER not in text
