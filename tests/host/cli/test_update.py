"""`star57 update` as an operator types it: from what was built to a service that runs."""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from typer.testing import CliRunner, Result

from host_tools.cli.main import app
from host_tools.service.adapters import Adapters
from host_tools.service.orders import push_update
from host_tools.service.store import run_once
from host_tools.service.tables import AUDIT, FIRMWARE
from host_tools.technician import release as releases
from tests.host.service.conftest import Adapter, Centre, Service, centre, new_heartbeat, serve
from tests.host.technician.test_release import FIRMWARE as IMAGES
from tests.host.technician.test_release import KEY, RELEASE_KEY, built

__all__ = ["built", "centre", "serve"]  # fixtures of others' tests

Star57 = Callable[..., Result]
PASSPHRASE = "correct horse battery"  # noqa: S105 - of a test


@pytest.fixture
def star57(centre: Centre, monkeypatch: pytest.MonkeyPatch) -> Star57:
    """Runs `star57 update` on the centre's database."""
    monkeypatch.setenv("STAR57_DATABASE", centre.url)
    return lambda *words, typed="": CliRunner().invoke(app, ["update", *map(str, words)], input=typed)


@pytest.fixture
def address(centre: Centre, serve: Callable[..., Service]) -> Service:
    """A service that runs, on the time of day."""
    return serve(centre.settings())


@pytest.fixture
def signed(tmp_path: Path) -> Path:
    """A signed release, number 7, for a pico_w."""
    path = tmp_path / "pico_w-7.star57"
    release = releases.new("pico_w", "0.2.0", "0123abc", 7, IMAGES)
    releases.write(releases.sign(release, KEY), path)
    return path


def heard(adapter: Adapter, address: str, **fields: Any) -> dict[str, Any]:
    """The answer to a heartbeat with these fields."""
    reply = adapter.ask(address, new_heartbeat(adapter_id=adapter.adapter_id, **fields))
    assert reply.status == 200
    return reply.message


def progress(path: Path, received: int, state: str, **fields: Any) -> dict[str, Any]:
    sha256 = releases.read(path).sha256
    return {"release": 7, "sha256": sha256, "received": received, "state": state, "reason": None, **fields}


def outcomes(result: Result) -> dict[str, str]:
    return {row["adapter_id"]: row["outcome"] for row in json.loads(result.stdout)["adapters"]}


def listed(star57: Star57) -> dict[str, dict[str, Any]]:
    return {row["adapter_id"]: row for row in json.loads(star57("list", "--json").stdout)}


def test_from_the_build_to_a_signed_release(star57: Star57, built: Path, tmp_path: Path) -> None:
    key, file = tmp_path / "release.pem", tmp_path / "pico-7.star57"
    made = star57("new-key", "--key", key, typed=f"{PASSPHRASE}\n{PASSPHRASE}\n")
    assert made.exit_code == 0
    release_key = made.stdout.strip()
    assert len(release_key) == 768
    packaged = star57("package", file, "--image", built, "--release", 7, "--json")
    assert packaged.exit_code == 0
    document = json.loads(packaged.stdout)
    assert (document["release"], document["board"], document["sha256"]) == (7, "pico", None)
    assert star57("push", file, "--all").exit_code == 1  # it is not signed
    assert star57("sign", file, "--key", key, typed="incorrect horse battery\n").exit_code == 1
    result = star57("sign", file, "--key", key, typed=f"{PASSPHRASE}\n")
    assert result.exit_code == 0
    releases.verify(releases.read(file), release_key)
    for each in (made, packaged, result):
        assert PASSPHRASE not in each.output
        assert "PRIVATE" not in each.output


def test_a_key_that_cannot_be_made_and_files_that_are_none(
    star57: Star57, built: Path, tmp_path: Path
) -> None:
    short = star57("new-key", "--key", tmp_path / "release.pem", typed="short\nshort\n")
    assert (short.exit_code, (tmp_path / "release.pem").exists()) == (1, False)
    assert star57("package", tmp_path / "x", "--image", built, "--release", 0).exit_code == 2
    assert star57("package", tmp_path / "x", "--image", tmp_path / "no.json", "--release", 1).exit_code == 1
    wrong = star57("push", built, "--all", "--json")
    assert (wrong.exit_code, json.loads(wrong.stdout)["exit_code"]) == (1, 1)


def test_what_is_pushed_goes_to_the_adapter_and_is_listed_until_it_is_confirmed(
    centre: Centre, address: Service, star57: Star57, signed: Path
) -> None:
    adapter = centre.add_adapter()
    assert heard(adapter, address)["update"] is None
    assert star57("push", signed, "adapter-1").exit_code == 0
    assert listed(star57)["adapter-1"]["state"] == "waiting"
    part = heard(adapter, address)["update"]
    assert (part["slot"], b64decode(part["data"])) == (None, releases.read(signed).signed)
    assert part["sha256"] == releases.read(signed).sha256
    part = heard(adapter, address, update=progress(signed, 960, "receiving"))["update"]
    assert (part["slot"], part["offset"], b64decode(part["data"])) == ("b", 960, IMAGES["b"][960:1920])
    row = listed(star57)["adapter-1"]
    assert (row["state"], row["received_bytes"], row["size_bytes"]) == ("receiving", 960, len(IMAGES["b"]))
    assert (row["wanted_release"], row["release"], row["slot"]) == (7, 7, "a")
    assert f"{100 * 960 // len(IMAGES['b'])} %" in star57("list").stdout
    heard(adapter, address, slot="b", firmware="0.2.0", update=progress(signed, 2800, "confirmed"))
    row = listed(star57)["adapter-1"]
    assert (row["state"], row["wanted_release"], row["firmware"]) == ("confirmed", None, "0.2.0")
    assert outcomes(star57("push", signed, "adapter-1", "--json")) == {"adapter-1": "runs it already"}


def test_every_push_is_in_the_audit_log_and_the_release_is_kept_once(
    centre: Centre, star57: Star57, signed: Path
) -> None:
    for name in ("adapter-1", "adapter-2"):
        centre.add_adapter(name)
    assert star57("push", signed, "--all").exit_code == 0
    assert star57("cancel", "adapter-2").exit_code == 0
    rows = run_once(centre.url, lambda connection: connection.execute(select(AUDIT)).all())
    told = [(row.subject, json.loads(row.details).get("update")) for row in rows]
    assert told == [("adapter-1", 7), ("adapter-2", 7), ("adapter-2", None)]
    kept = run_once(centre.url, lambda connection: connection.execute(select(FIRMWARE)).all())
    assert [(row.release, bytes(row.slot_b)) for row in kept] == [(7, IMAGES["b"])]


def test_who_cannot_have_it_is_named(centre: Centre, address: Service, star57: Star57, signed: Path) -> None:
    other, single, silent = (centre.add_adapter(name) for name in ("other", "single", "silent"))
    heard(other, address, board="pico")
    heard(single, address, slot=None)
    assert silent.adapter_id == "silent"
    result = star57("push", signed, "other", "single", "nobody", "--json")
    assert result.exit_code == 3
    assert outcomes(result) == {
        "other": "is a pico",
        "single": "takes no updates",
        "nobody": "is not known",
    }
    assert listed(star57)["single"]["state"] == "takes no updates"
    assert star57("push", signed, "single", "silent").exit_code == 4
    result = star57("push", signed, "--all", "--json")
    assert (result.exit_code, outcomes(result)["silent"]) == (0, "pushed")
    assert star57("push", signed).exit_code == 2
    assert star57("push", signed, "silent", "--all").exit_code == 2


def test_a_few_come_first(centre: Centre, star57: Star57, signed: Path) -> None:
    for number in range(5):
        centre.add_adapter(f"adapter-{number}")
    assert list(outcomes(star57("push", signed, "--all", "--first", 2, "--json"))) == [
        "adapter-0",
        "adapter-1",
    ]
    wanted = {name for name, row in listed(star57).items() if row["wanted_release"] == 7}
    assert wanted == {"adapter-0", "adapter-1"}


def test_what_is_cancelled_is_sent_no_more(
    centre: Centre, address: Service, star57: Star57, signed: Path
) -> None:
    adapter = centre.add_adapter()
    star57("push", signed, "adapter-1")
    assert heard(adapter, address)["update"] is not None
    cancelled = star57("cancel", "--all", "--json")
    assert json.loads(cancelled.stdout) == {"cancelled": ["adapter-1"]}
    assert heard(adapter, address, update=progress(signed, 960, "receiving"))["update"] is None
    assert json.loads(star57("cancel", "adapter-1", "--json").stdout) == {"cancelled": []}
    assert star57("cancel", "nobody").exit_code == 3
    assert star57("cancel").exit_code == 2


def test_what_came_back_is_listed_with_its_reason_and_may_be_pushed_again(
    centre: Centre, address: Service, star57: Star57, signed: Path
) -> None:
    adapter = centre.add_adapter()
    star57("push", signed, "adapter-1")
    heard(adapter, address)
    back = progress(signed, 2800, "returned", reason="not_healthy")
    assert heard(adapter, address, update=back)["update"] is None
    row = listed(star57)["adapter-1"]
    assert (row["state"], row["reason"], row["wanted_release"]) == ("returned", "not_healthy", None)
    assert "not_healthy" in star57("list").stdout
    assert star57("push", signed, "adapter-1").exit_code == 0
    assert heard(adapter, address, update=back)["update"]["slot"] is None


def test_a_release_that_is_gone_from_the_store_hinders_no_heartbeat(
    centre: Centre, address: Service, star57: Star57
) -> None:
    adapter = centre.add_adapter()
    gone = push_update(hashlib.sha256(b"gone").hexdigest())
    run_once(centre.url, lambda connection: Adapters(connection).change("adapter-1", **gone))
    assert heard(adapter, address)["update"] is None
    assert listed(star57)["adapter-1"]["wanted_release"] is None
    assert len(RELEASE_KEY) == 768
