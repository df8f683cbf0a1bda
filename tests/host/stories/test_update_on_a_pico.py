"""Firmware over the link on an emulated Pico, with its boot selector: the last parts come, and it is tried."""

from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest

from host_tools.exchange.pair import PairBlock
from host_tools.gateway.forward import blocking_forward
from host_tools.gateway.gateway import Gateway
from host_tools.rig import pico_firmware
from host_tools.rig.emulated_pico import IMAGE
from host_tools.rig.flash_image import Layout
from host_tools.rig.micropython import ROOT
from host_tools.rig.pico_firmware import PicoFirmware, PicoSettings, pico_flash
from host_tools.service.adapters import Adapters
from host_tools.service.firmware import Firmware, FirmwareReleases
from host_tools.service.messages import Heartbeat
from host_tools.service.orders import push_update
from host_tools.service.store import run_once
from host_tools.stories.performance import STARTS_AT
from host_tools.stories.trace_service import TraceService
from host_tools.technician import release as releases
from tests.host.stories.on_a_pico import needs_emulated_pico
from tests.host.technician.test_release import KEY, RELEASE_KEY

BLOCK_SAMPLES = 160
SILENCE = np.zeros(BLOCK_SAMPLES, np.int16)
SECTOR_BYTES = 4096
STARTS_AT_S = int(STARTS_AT.timestamp())


def durable_record(payload: bytes) -> bytes:
    """A slot of a DurableRecord (docs/seams.md)."""
    numbers = struct.pack("<II", 1, len(payload))
    return b"S57R" + numbers + struct.pack("<I", zlib.crc32(numbers + payload)) + payload


@needs_emulated_pico
@pytest.mark.hil
def test_the_last_parts_come_and_the_other_slot_runs(tmp_path: Path) -> None:
    """All but the last sectors are in slot b already, as after a power cut: 550 KB take over seven minutes of line."""
    release = releases.sign(releases.package(IMAGE.with_suffix(".json"), 7), KEY)
    firmware = release.firmware["b"]
    manifest = release.manifest
    written = len(firmware) // SECTOR_BYTES * SECTOR_BYTES - SECTOR_BYTES
    push = {
        "sha256": release.sha256,
        "slot": "b",
        "release": 7,
        "size": len(firmware),
        "image_sha256": manifest.slots.b.sha256,
        "state": "receiving",
        "reason": None,
        "written": written,
    }
    layout = Layout.of_board(ROOT / "boards" / "pico" / "mpconfigboard.h")

    def half_filled(*arguments: object, **more: object) -> bytes:
        flash = bytearray(pico_flash(*arguments, **more))  # type: ignore[arg-type]
        at = layout.slot_offset("b")
        flash[at : at + written] = firmware[:written]
        return bytes(flash)

    with TraceService(tmp_path, tmp_path / "cdr.sqlite", "*") as service:
        key = service.add_adapter("adapter-1")
        url = f"sqlite:///{service.database}"
        kept = Firmware(
            release.sha256,
            "pico",
            manifest.version,
            7,
            release.signed,
            release.firmware["a"],
            firmware,
            STARTS_AT_S,
        )
        run_once(url, lambda connection: FirmwareReleases(connection).put(kept))
        run_once(
            url, lambda connection: Adapters(connection).change("adapter-1", **push_update(release.sha256))
        )
        settings = {"adapter_id": "adapter-1", "adapter_key": key, "line": "5555550101"}
        files = {
            "settings.json": json.dumps({**settings, "release_key": RELEASE_KEY}).encode(),
            "update.a": durable_record(json.dumps({"release": 0, "push": push}).encode()),
        }
        service.set_time(STARTS_AT_S)
        service.start()
        serial = Gateway(blocking_forward(service.url)).receive
        pico = PicoFirmware(PicoSettings(files=files, serial=serial))

        def heartbeat() -> Heartbeat | None:
            adapter = run_once(url, lambda connection: Adapters(connection).adapter("adapter-1"))
            assert adapter is not None
            return Heartbeat.model_validate_json(adapter.heartbeat) if adapter.heartbeat else None

        with patch.object(pico_firmware, "pico_flash", half_filled):
            pico.start()
        try:
            told = None
            for block in range(50 * 60):
                pico.exchange_block(PairBlock(BLOCK_SAMPLES, SILENCE, SILENCE, []))
                told = heartbeat() if block % 50 == 0 else told
                if told and told.slot == "b":
                    break
            assert told is not None, pico.log
            assert told.update is not None
            assert (told.slot, told.update.state, told.lost_samples) == ("b", "trying", 0), pico.log
            pico.power_cut()
            pico.start()
            for block in range(50 * 30):
                pico.exchange_block(PairBlock(BLOCK_SAMPLES, SILENCE, SILENCE, []))
                told = heartbeat() if block % 50 == 0 else told
                if told and told.slot == "a":
                    break
            assert told is not None, pico.log
            assert told.update is not None
            assert (told.slot, told.update.state, told.update.reason) == ("a", "returned", "power_on")
        finally:
            pico.stop()
