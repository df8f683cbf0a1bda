"""`star57 house` as a household runs it: a process, its settings, its signals, its unit."""

from __future__ import annotations

import asyncio
import configparser
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from host_tools.cli.main import app
from host_tools.gateway.frames import Frame, build
from host_tools.house.mqtt import Broker
from tests.host.gateway.adapter_on_pty import AdapterOnPty
from tests.host.gateway.waiting import until
from tests.host.house.home_assistant import home_assistant
from tests.host.house.mosquitto import PASSWORD, USER, Mosquitto
from tests.host.house.ncid_client import NcidClient, fields
from tests.host.house.telling import JOHN, alive, call
from tests.host.systemd_unit import check_unit

ROOT = Path(__file__).resolve().parents[3]
UNIT = ROOT / "host_tools" / "house" / "star57-house.service"
PROGRAM = "import typer; from host_tools.cli.house import house; typer.run(house)"
DEVICE = "star57_adapter-1"


@asynccontextmanager
async def running(*options: str, **settings: str) -> AsyncIterator[asyncio.subprocess.Process]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("STAR57_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PROGRAM,
        *options,
        env={**inherited, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **settings},
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
        ([], {}, "no adapter would be heard: set --port to a serial port"),
        (["--port", "COM3"], {}, "set STAR57_GATEWAY_PORTS right: 'COM3' is neither a path"),
        (["--ncid-port", "65536"], {}, "set STAR57_HOUSE_NCID_PORT right: "),
        ([], {"STAR57_HOUSE_NAMES": "Home"}, "set STAR57_HOUSE_NAMES right: it is a list of ADAPTER=NAME"),
        (["--adapters-host", "127.0.0.1"], {"STAR57_HOUSE_KEYS_FILE": __file__}, "has a line that is not"),
        (
            ["--port", "/dev/ttyACM*", "--ca-file", __file__, "--service", "https://trace.example"],
            {},
            "holds no certificates that can be read",
        ),
    ],
)
def test_a_wrong_setting_is_one_sentence_and_exit_2(
    options: list[str], settings: dict[str, str], sentence: str
) -> None:
    inherited = {name: None for name in os.environ if name.startswith("STAR57_")}
    result = CliRunner(env={**inherited, **settings}).invoke(app, ["house", *options])
    assert result.exit_code == 2
    assert sentence in result.output
    assert "Traceback" not in result.output


async def test_an_address_that_is_taken_is_one_sentence_and_exit_1() -> None:
    taken = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
    port = taken.sockets[0].getsockname()[1]
    async with running("--adapters-host", "127.0.0.1", "--ncid-port", str(port)) as process:
        output = (await process.communicate())[0].decode()
    taken.close()
    assert process.returncode == 1
    assert "an address is taken or not this computer's" in output
    assert "Traceback" not in output


async def test_from_a_serial_port_to_every_screen_until_it_is_told_to_stop(tmp_path: Path) -> None:
    adapter = AdapterOnPty(tmp_path / "adapter")
    with Mosquitto(tmp_path, secured=True) as mosquitto:
        broker = Broker("127.0.0.1", mosquitto.port, USER, PASSWORD)
        settings = {
            "STAR57_HOUSE_MQTT_PORT": str(mosquitto.port),
            "STAR57_HOUSE_MQTT_USER": USER,
            "STAR57_HOUSE_MQTT_PASSWORD": PASSWORD,
            "STAR57_HOUSE_NAMES": "adapter-1=Home",
        }
        options = ("--port", str(adapter.port), "--ncid-port", "0", "--mqtt-host", "127.0.0.1")
        async with home_assistant(broker) as home, running(*options, **settings) as process:
            assert process.stdout is not None
            said = (await process.stdout.readline()).decode()
            found = re.search(r"ncid at port (\d+)", said)
            assert found is not None, said
            adapter.plug_in()
            async with NcidClient(int(found[1])) as client:
                while DEVICE not in home.devices:
                    adapter.send(build(Frame("e", 0, alive())))
                    await asyncio.sleep(0.1)
                adapter.send(build(Frame("e", 1, call("caller", **JOHN))))
                shown = fields(await client.line_of("CID:"))
                assert (shown["LINE"], shown["NMBR"]) == ("Home", "5555550123")
            await until(lambda: home.available(DEVICE))
            process.send_signal(signal.SIGTERM)
            output = (await process.communicate())[0].decode()
            await until(lambda: not home.available(DEVICE))
        adapter.unplug()
    assert process.returncode == 0
    assert output.endswith("star57 house: stopped\n")
    assert "5555550123" not in output
    assert PASSWORD not in said + output


async def test_a_house_that_is_killed_has_left_a_will(tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as mosquitto:
        broker = Broker("127.0.0.1", mosquitto.port)
        async with home_assistant(broker) as home:
            options = ("--adapters-host", "127.0.0.1", "--ncid-port", "0", "--mqtt-host", "127.0.0.1")
            ports = {"STAR57_HOUSE_MQTT_PORT": str(mosquitto.port), "STAR57_HOUSE_ADAPTERS_PORT": "0"}
            async with running(*options, **ports) as process:
                await until(lambda: home.kept.get("star57/house/availability") == "online")
                process.kill()
                await until(lambda: home.kept.get("star57/house/availability") == "offline")


def test_the_unit_runs_the_command_as_a_user_of_its_own(tmp_path: Path) -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(UNIT.read_text())
    assert unit["Service"]["ExecStart"] == "/opt/star57/bin/star57 house"
    assert unit["Service"]["DynamicUser"] == "yes"
    assert unit["Service"]["RestartPreventExitStatus"] == "2"
    check_unit(UNIT, tmp_path)
