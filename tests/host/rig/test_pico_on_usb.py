"""An emulated Pico at the end of a USB cable: its port, its console, its loop-back and its boot loader's drive."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from host_tools.rig.emulated_pico import IMAGE
from host_tools.rig.pico_firmware import pico_flash
from host_tools.rig.pico_on_usb import SERIAL_NUMBER, PicoOnUsb
from host_tools.technician.boards import Board, Kind
from host_tools.technician.console import Console
from host_tools.technician.ports import FolderUsb
from host_tools.technician.waiting import Patience, wait_for_drive, wait_for_port, wait_for_prompt
from tests.host.rig.wired_on_ptys import needs_wired_picos

pytestmark = needs_wired_picos

PATIENCE = Patience(drive_s=60.0, port_s=60.0, answer_s=60.0)
BOARD = Board(SERIAL_NUMBER, "", Kind.STAR57, SERIAL_NUMBER)
SETTINGS = json.dumps({"adapter_id": "bench-01", "adapter_key": "57" * 32}).encode()
# A tone out of GP2, and what the ADC makes of it, on the loop-back plug.
LOOP_BACK = """
from machine import ADC, PWM, Pin, freq
freq(128_000_000)  # 2000 duties, as boards/rp2040/audio_out.py has them
pwm = PWM(Pin(2), freq=64000, duty_u16=32768)
def read(duty, pin):
    pwm.duty_u16(duty)
    return sum(ADC(pin).read_u16() for _ in range(16)) // 16
print([read(duty, pin) for pin in (26, 27) for duty in (16384, 32768, 49152)])
relay, hook = Pin(8, Pin.OUT, value=0), Pin(7, Pin.IN)
told = [hook.value()]
relay.on()
told.append(hook.value())
relay.off()
print(told + [hook.value()])
"""


def test_its_console_answers_and_its_port_goes_and_comes_with_its_power() -> None:
    with PicoOnUsb(pico_flash(IMAGE, {"settings.json": SETTINGS})) as pico:
        usb = FolderUsb(Path(pico.name).parent)
        port = wait_for_port(usb, BOARD, PATIENCE)
        assert (port.name, port.serial_number) == (pico.name, SERIAL_NUMBER)
        with Console(port.name, PATIENCE.answer_s) as console:
            assert console.ask("board.name") == "pico"
        pico.cut()
        assert usb.ports() == []
        pico.power_on(boot_button=True)
        drive = wait_for_drive(usb, BOARD, PATIENCE)
        assert (drive.folder, drive.board_id) == (pico.drive, "RPI-RP2")
        assert pico.in_boot_loader
        pico.cut()
        assert usb.drives() == []
    assert (pico.resets, pico.relay_moves, pico.fault) == (0, 0, None)


def test_the_loop_back_plug_brings_back_what_it_gives() -> None:
    with PicoOnUsb(pico_flash(IMAGE, {}), loop_back=True) as pico:
        usb = FolderUsb(Path(pico.name).parent)
        _, prompt = wait_for_prompt(usb, BOARD, PATIENCE)
        with prompt:
            levels, hook = map(json.loads, prompt.run(LOOP_BACK).splitlines())
            assert not pico.relay
    # 0.3 dB lower, about the middle; two codes of noise, 16 of 65536 each.
    expected = [32768 + round((duty - 32768) * 10 ** (-0.3 / 20)) for duty in (16384, 32768, 49152)] * 2
    assert levels == pytest.approx(expected, abs=48)
    assert hook == [0, 1, 0]
    assert pico.relay_moves == 1


def test_emulated_time_is_waited_for() -> None:
    with PicoOnUsb(pico_flash(IMAGE, {})) as pico:
        pico.wait_for_emulated_ms(200)
        assert Path(pico.name).exists()
        pico.cut()
        began_s = time.monotonic()
        pico.wait_for_emulated_ms(3_600_000)
        assert time.monotonic() - began_s < 60
    assert pico.fault is None
