"""`star57 adapter` as an operator types it, beside a service that runs."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner, Result

from host_tools.cli.adapter.list import row
from host_tools.cli.main import app
from host_tools.service import adapters as service_adapters
from tests.host.service.conftest import (
    CALLED_AT,
    Adapter,
    Centre,
    Service,
    centre,
    new_heartbeat,
    serve,
)

__all__ = ["centre", "serve"]  # fixtures of the service's own tests

Star57 = Callable[..., Result]


@pytest.fixture
def star57(centre: Centre, monkeypatch: pytest.MonkeyPatch) -> Star57:
    """Runs `star57 adapter` on the centre's database."""
    monkeypatch.setenv("STAR57_DATABASE", centre.url)
    return lambda *words: CliRunner().invoke(app, ["adapter", *words])


@pytest.fixture
def address(centre: Centre, serve: Callable[..., Service]) -> Service:
    """A service that runs."""
    return serve(centre.settings())


@pytest.fixture
def adapter(star57: Star57) -> Adapter:
    """An adapter with the key that `add` printed."""
    added = star57("add", "adapter-1")
    settings = json.loads("{" + added.stdout.strip().rstrip(",") + "}")
    assert settings.keys() == {"adapter_id", "adapter_key"}
    return Adapter(settings["adapter_id"], bytes.fromhex(settings["adapter_key"]))


def heard(adapter: Adapter, address: str, **fields: Any) -> dict[str, Any]:
    """The answer to a heartbeat with these fields."""
    reply = adapter.ask(address, new_heartbeat(**fields))
    assert reply.status == 200
    return reply.message


def test_an_adapter_is_known_from_when_it_is_added(
    address: Service, star57: Star57, adapter: Adapter
) -> None:
    assert heard(adapter, address)["message"] == "heartbeat_answer"
    again = star57("add", "adapter-1")
    assert (again.exit_code, again.stdout) == (1, "")
    assert "there is an adapter adapter-1 already" in again.stderr
    assert star57("remove", "adapter-1").exit_code == 0
    assert adapter.ask(address, new_heartbeat()).message["reason"] == "unknown_adapter"


def test_the_key_is_shown_once(address: Service, star57: Star57, adapter: Adapter) -> None:
    heard(adapter, address)
    for words in (["list"], ["set", "adapter-1", "two_stage=true"], ["log", "adapter-1", "--within-s", "0"]):
        result = star57(*words)
        assert adapter.key.hex() not in result.output + result.stderr


def test_settings_go_with_the_next_heartbeat(address: Service, star57: Star57, adapter: Adapter) -> None:
    assert star57("set", "adapter-1", "price_cents=300", "trace_offered=false").exit_code == 0
    values = {"price_cents": 300, "trace_offered": False}
    assert heard(adapter, address)["settings"] == {"revision": 1, "values": values}
    assert heard(adapter, address, settings_revision=1)["settings"] is None


@pytest.mark.parametrize(
    "assignments",
    [
        ["price_cents"],
        ["price_cents="],
        ["price_cents=1001"],
        ["two_stage=yes"],
        ["two_stage=null"],
        ["line=1"],
    ],
)
def test_a_wrong_setting_changes_nothing(
    address: Service, star57: Star57, adapter: Adapter, assignments: list[str]
) -> None:
    result = star57("set", "adapter-1", *assignments)
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert heard(adapter, address)["settings"] is None


def test_a_recording_goes_to_the_adapter(
    address: Service, star57: Star57, adapter: Adapter, tmp_path: Path
) -> None:
    recording = tmp_path / "hello.wav"
    soundfile.write(recording, np.zeros(1000, np.int16), 8000, subtype="PCM_16")
    assert star57("prompt", "adapter-1", "traced", str(recording)).exit_code == 0
    part = heard(adapter, address)["prompt"]
    assert (part["name"], part["size"]) == ("traced", recording.stat().st_size)
    assert part["sha256"] == hashlib.sha256(recording.read_bytes()).hexdigest()
    assert base64.b64decode(part["data"]) == recording.read_bytes()[:960]


def test_a_recording_that_is_on_its_way_is_not_forgotten_for_another(
    address: Service, star57: Star57, adapter: Adapter, tmp_path: Path
) -> None:
    recording = tmp_path / "hello.wav"
    soundfile.write(recording, np.zeros(1000, np.int16), 8000, subtype="PCM_16")
    assert star57("prompt", "adapter-1", "traced", str(recording)).exit_code == 0
    second = star57("prompt", "adapter-1", "stored", str(recording))
    assert second.exit_code == 1
    assert "traced is still on its way to adapter-1" in second.stderr
    assert heard(adapter, address)["prompt"]["name"] == "traced"
    assert star57("prompt", "adapter-1", "traced", str(recording)).exit_code == 0


@pytest.mark.parametrize(
    ("name", "rate_hz", "channels", "samples", "subtype"),
    [
        ("traced", 16000, 1, 100, "PCM_16"),
        ("traced", 8000, 2, 100, "PCM_16"),
        ("traced", 8000, 1, 100, "PCM_24"),
        ("traced", 8000, 1, 40000, "PCM_16"),
        ("../main", 8000, 1, 100, "PCM_16"),
    ],
)
def test_what_the_firmware_cannot_play_is_not_sent(
    star57: Star57,
    adapter: Adapter,
    tmp_path: Path,
    name: str,
    rate_hz: int,
    channels: int,
    samples: int,
    subtype: str,
) -> None:
    recording = tmp_path / "hello.wav"
    soundfile.write(recording, np.zeros((samples, channels), np.int16), rate_hz, subtype=subtype)
    result = star57("prompt", "adapter-1", name, str(recording))
    assert result.exit_code in (1, 2)
    assert result.stderr.startswith("star57 adapter: ")


def test_the_log_is_asked_for_and_shown(address: Service, star57: Star57, adapter: Adapter) -> None:
    waited = star57("log", "adapter-1", "--within-s", "0")
    assert waited.exit_code == 1
    assert "has not sent all" in waited.stderr
    shown: list[Result] = []
    command = threading.Thread(target=lambda: shown.append(star57("log", "adapter-1", "--within-s", "20")))
    command.start()
    log = {
        "message": "log",
        "version": 1,
        "adapter_id": "adapter-1",
        "lines": ["link: network works", "\x1b[2J"],
    }
    while command.is_alive():
        first = heard(adapter, address, log_lines=2)["log_from"]
        if first is not None:
            assert adapter.ask(address, {**log, "first": first}).status == 200
        command.join(0.05)
    assert shown[0].exit_code == 0
    assert shown[0].stdout == "     0 link: network works\n     1 ?[2J\n"


def test_the_list_says_who_is_well(address: Service, star57: Star57, adapter: Adapter) -> None:
    assert star57("list").stdout.splitlines()[1].split() == ["adapter-1", "never"]
    heard(adapter, address)
    assert "pico_w 0.1.0 0123456789" in star57("list").stdout


@pytest.mark.parametrize(
    ("fields", "later_s", "last_heard", "health"),
    [
        ({}, 59, "59 s ago", "well"),
        ({}, 150, "2 min ago", "well"),
        ({}, 7300, "2 h ago", "silent for 2 h"),
        ({"outbox": 2, "lost_samples": 160}, 0, "0 s ago", "2 waiting, 160 samples lost"),
        (
            {"reset_reason": "watchdog", "time_source": "none"},
            0,
            "0 s ago",
            "started after a watchdog reset, has no clock",
        ),
        ({"settings_refused": ["price_cents"]}, 0, "0 s ago", "refused price_cents"),
    ],
)
def test_health_in_words(fields: dict[str, Any], later_s: int, last_heard: str, health: str) -> None:
    known = service_adapters.Adapter(
        "adapter-1", heartbeat=json.dumps(new_heartbeat(**fields)), heard_at=CALLED_AT
    )
    assert row(known, CALLED_AT + later_s) == ("adapter-1", last_heard, "pico_w 0.1.0 0123456789", health)


@pytest.mark.parametrize("words", [["set", "x", "two_stage=true"], ["log", "x"], ["remove", "x"]])
def test_what_is_not_known_is_one_sentence(address: Service, star57: Star57, words: list[str]) -> None:
    result = star57(*words)
    assert (result.exit_code, result.stderr) == (1, "star57 adapter: there is no adapter x\n")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_database_that_is_not_there_is_not_made(centre: Centre, star57: Star57) -> None:
    centre.database.unlink()
    result = star57("list")
    assert result.exit_code == 1
    assert result.stderr.startswith("star57 adapter: there is no database sqlite:///")
    assert not centre.database.exists()
    assert star57("list", "--database", "mysql://x/y").exit_code == 2


@pytest.mark.parametrize("adapter_id", ["", "a b", "a" * 33, "ä"])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_wrong_id_is_not_added(centre: Centre, star57: Star57, adapter_id: str) -> None:
    centre.database.unlink()
    assert star57("add", adapter_id).exit_code == 2
    assert not centre.database.exists()
