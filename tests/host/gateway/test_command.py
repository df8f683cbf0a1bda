"""`star57 gateway` as an operator runs it: a process, its settings, its signals, its unit."""

from __future__ import annotations

import asyncio
import configparser
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from host_tools.cli.main import app
from host_tools.gateway.settings import Settings
from tests.host.gateway.adapter_on_pty import AdapterOnPty
from tests.host.gateway.http_service import HttpService, answer_to
from tests.host.systemd_unit import check_unit

ROOT = Path(__file__).resolve().parents[3]
UNIT = ROOT / "host_tools" / "gateway" / "star57-gateway.service"
PROGRAM = "import typer; from host_tools.cli.gateway import gateway; typer.run(gateway)"
BODY = b"eyJhbGciOiJIUzI1NiJ9." + b"x" * 900 + b".c2ln"


def environment(**settings: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("STAR57_")}
    paths = [str(ROOT), *filter(None, [inherited.get("PYTHONPATH")])]
    return {
        **inherited,
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONUNBUFFERED": "1",
        "COLUMNS": "200",
        **settings,
    }


@asynccontextmanager
async def running(*options: str, **settings: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PROGRAM,
        *options,
        env=environment(**settings),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.mark.parametrize(
    ("options", "settings", "sentence"),
    [
        ([], {}, "there is no port to serve: set STAR57_GATEWAY_PORTS or --port, such as /dev/ttyACM*"),
        (
            [],
            {"STAR57_GATEWAY_PORTS": " , "},
            "there is no port to serve: set STAR57_GATEWAY_PORTS or --port",
        ),
        (
            ["--port", "COM3"],
            {},
            "set STAR57_GATEWAY_PORTS or --port right: 'COM3' is neither a path such as /dev/ttyACM0",
        ),
        (
            ["--port", "/dev/ttyACM*", "--service", "trace.example"],
            {},
            "set STAR57_GATEWAY_SERVICES or --service right: trace.example is no http or https address",
        ),
        (
            ["--port", "/dev/ttyACM*"],
            {"STAR57_GATEWAY_CA_FILE": "/no/such/ca.pem"},
            "set STAR57_GATEWAY_CA_FILE or --ca-file right: Path does not point to a file",
        ),
        (
            ["--port", "/dev/ttyACM*", "--ca-file", str(UNIT)],
            {},
            f"{UNIT} holds no certificates that can be read: set STAR57_GATEWAY_CA_FILE or --ca-file to",
        ),
        (
            ["--port", "/dev/ttyACM*"],
            {"STAR57_GATEWAY_TIMEOUT_S": "0"},
            "set STAR57_GATEWAY_TIMEOUT_S or --timeout-s right: Input should be greater than",
        ),
    ],
)
def test_what_hinders_it_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, options: list[str], settings: dict[str, str], sentence: str
) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"STAR57_GATEWAY_{name.upper()}", raising=False)
    run = CliRunner().invoke(app, ["gateway", *options], env=settings)
    assert run.stderr.startswith(f"star57 gateway: {sentence}")
    assert run.stderr.count("\n") == 1
    assert run.exit_code == 2


def test_settings_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAR57_GATEWAY_PORTS", "/dev/ttyACM*, usb:E6614C311B7A2F29")
    monkeypatch.setenv("STAR57_GATEWAY_SERVICES", "https://a.example,http://b.example:5757/trace/")
    monkeypatch.setenv("STAR57_GATEWAY_CA_FILE", "")
    settings = Settings()
    assert settings.ports == ("/dev/ttyACM*", "usb:E6614C311B7A2F29")
    assert settings.services == ("https://a.example/v1/messages", "http://b.example:5757/trace/")
    assert settings.ca_file is None
    assert settings.timeout_s == 3.0


def test_a_password_in_an_address_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAR57_GATEWAY_SERVICES", "https://user:secret@a.example")
    with pytest.raises(ValidationError) as error:
        Settings(ports=("/dev/ttyACM0",))
    assert "secret" not in str(error.value)


async def test_it_serves_until_it_is_told_to_stop(tmp_path: Path) -> None:
    adapter = AdapterOnPty(tmp_path / "ttyACM0")
    adapter.plug_in()
    async with (
        HttpService() as service,
        running("--port", f"{tmp_path}/tty*", "--service", service.url) as process,
    ):
        assert await adapter.ask(BODY) == (200, answer_to(BODY))
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            said, _ = await process.communicate()
    adapter.unplug()
    assert process.returncode == 0
    first, *_, counts, last = said.decode().splitlines()
    assert first == f"star57 gateway: serving {tmp_path}/tty* to {service.url}/v1/messages"
    assert counts.endswith(
        f"INFO port {adapter.port}: connected=no questions=1 answered=1 unavailable=0 damaged_frames=0 reconnects=0"
    )
    assert last == "star57 gateway: stopped"
    assert b"eyJ" not in said


async def test_it_stops_while_no_port_is_there(tmp_path: Path) -> None:
    async with running(STAR57_GATEWAY_PORTS=f"{tmp_path}/tty*,usb:E6614C311B7A2F29") as process:
        assert process.stdout
        assert b"serving" in await process.stdout.readline()
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(10):
            assert await process.stdout.read() == b"star57 gateway: stopped\n"
            assert await process.wait() == 0


def test_the_unit_runs_the_command_without_rights() -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(UNIT)
    service = unit["Service"]
    assert service["ExecStart"].endswith("/star57 gateway")
    assert service["EnvironmentFile"]
    assert (service["Restart"], service["RestartPreventExitStatus"]) == ("always", "2")
    assert (service["DynamicUser"], service["SupplementaryGroups"]) == ("yes", "dialout")
    assert (service["NoNewPrivileges"], service["ProtectSystem"]) == ("yes", "strict")
    assert service["CapabilityBoundingSet"] == ""
    assert "PrivateDevices" not in service  # it would hide the ports


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    check_unit(UNIT, tmp_path)
