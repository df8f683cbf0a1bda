"""The Pico's line interface on paper: its filters in ngspice, and the document, drawing and pins that go with them."""

import csv
import itertools
import math
import random
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import numpy.typing as npt
import pytest

from host_tools.exchange.pair import COUPLING_DB
from tests.host.boards.micropython_source import constants_of

_REPOSITORY = Path(__file__).parents[3]
_BOARD = _REPOSITORY / "boards" / "pico"
_EMULATOR = _REPOSITORY / "boards" / "line_emulator"
_WIRING = (_BOARD / "WIRING.md").read_text(encoding="utf-8")
_AUDIO_OUT = constants_of(_REPOSITORY / "boards" / "rp2040" / "audio_out.py")
_CARRIER_HZ = _AUDIO_OUT["CLOCK_HZ"] / _AUDIO_OUT["_DUTIES"]
_NETLISTS = {
    "receive": _BOARD / "filters" / "receive.cir",
    "transmit": _BOARD / "filters" / "transmit.cir",
    "coupling": _BOARD / "filters" / "coupling.cir",
    "wire": _EMULATOR / "filter.cir",
}
_OUTPUT_NODE = {"receive": "adc", "transmit": "vin", "coupling": "tip", "wire": "adc"}
_UNITS = {"ohm": 1.0, "kohm": 1e3, "pF": 1e-12, "nF": 1e-9, "uF": 1e-6}
_SPICE_UNITS = {"": 1.0, "k": 1e3, "p": 1e-12, "n": 1e-9, "u": 1e-6}
_SWEEP = "dec 400 5 200k"
_DRAWS = 150
# The gain that makes 3.156 Vpp (+3.17 dBm in 600 ohm) the 3.3 Vpp of the ADC, and the other way round.
_GAIN_DB = 0.386
_FULL_SCALE_DBM = 3.17

needs_ngspice = pytest.mark.skipif(
    shutil.which("ngspice") is None, reason="ngspice is not installed: apt install ngspice"
)


@dataclass(frozen=True)
class Response:
    """Gain over frequency."""

    hz: npt.NDArray[np.float64]
    gain_db: npt.NDArray[np.float64]

    def at(self, hz: float) -> float:
        return float(np.interp(hz, self.hz, self.gain_db))

    def between(self, lowest_hz: float, highest_hz: float) -> npt.NDArray[np.float64]:
        """The gains at 60 frequencies, both ends among them."""
        return np.interp(np.linspace(lowest_hz, highest_hz, 60), self.hz, self.gain_db)

    def with_hold(self) -> "Response":
        """Behind samples that are held for 125 us each: sin(x)/x."""
        hold = np.abs(np.sinc(self.hz / 8000))
        return Response(self.hz, self.gain_db + 20 * np.log10(np.maximum(hold, 1e-9)))


def _netlist(name: str) -> str:
    return _NETLISTS[name].read_text(encoding="utf-8")


def _parts(netlist: str) -> dict[str, float]:
    """The resistors and capacitors that a technician fits: those with a number of three digits."""
    found = re.findall(r"^([RC]\d{3})\s+\w+\s+\w+\s+([\d.]+)([kpnu]?)\s*$", netlist, re.MULTILINE)
    return {name: float(number) * _SPICE_UNITS[unit] for name, number, unit in found}


def _ngspice(name: str, variants: list[dict[str, float]], folder: Path) -> list[Response]:
    """The response with each variant's values in place of the netlist's, in one run of ngspice."""
    circuit = re.sub(r"^\.control.*?^\.endc\n", "", _netlist(name), flags=re.MULTILINE | re.DOTALL)
    commands = ["set wr_singlescale"]
    for index, values in enumerate(variants):
        commands += [f"alter {part.lower()} = {value:.6e}" for part, value in values.items()]
        commands += [
            f"ac {_SWEEP}",
            f"wrdata {folder / str(index)}.txt vdb({_OUTPUT_NODE[name]})",
            "destroy all",
        ]
    control = "\n".join([".control", *commands, ".endc", ".end", ""])
    deck = folder / f"{name}.cir"
    deck.write_text(re.sub(r"^\.end\n", "", circuit, flags=re.MULTILINE) + control)
    command = [shutil.which("ngspice") or "ngspice", "-b", str(deck)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    tables = [folder / f"{index}.txt" for index in range(len(variants))]
    assert all(table.exists() for table in tables), ran.stdout + ran.stderr
    return [Response(*np.loadtxt(table, unpack=True)) for table in tables]


def _draws(name: str, capacitor_tolerance: float) -> list[dict[str, float]]:
    """Boards as a technician may get them: resistors of 1 %; on every second board each part is at an end of its
    tolerance, the one or the other, on the rest anywhere in it.
    """
    chance = random.Random(57)
    boards = []
    for index in range(_DRAWS):
        at_the_ends = index % 2 == 1
        board = {}
        for part, value in _parts(_netlist(name)).items():
            tolerance = 0.01 if part.startswith("R") else capacitor_tolerance
            error = chance.choice((-1.0, 1.0)) if at_the_ends else chance.uniform(-1.0, 1.0)
            board[part] = value * (1 + tolerance * error)
        boards.append(board)
    return boards


@pytest.fixture(scope="module")
def responses(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Response]:
    """All filters as drawn."""
    return {
        name: _ngspice(name, [_parts(_netlist(name))], tmp_path_factory.mktemp(name))[0]
        for name in _OUTPUT_NODE
    }


def _rows(heading: str) -> list[list[str]]:
    """The cells of the table whose first line begins with `heading`, without its two first lines."""
    table = _WIRING.split(f"\n{heading}", 1)[1].split("\n\n", 1)[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


def _pins() -> list[tuple[str, str]]:
    """(pin, signal) of the document's table."""
    return [(row[0], row[1]) for row in _rows("| pin | signal |")]


@needs_ngspice
def test_the_receive_filter_passes_the_voice_band(responses: dict[str, Response]) -> None:
    voice = responses["receive"].between(200, 3400)

    assert voice.min() > _GAIN_DB - 0.45
    assert voice.max() < _GAIN_DB + 0.35
    assert np.ptp(voice) < 0.7


@needs_ngspice
def test_the_transmit_filter_makes_the_droop_of_the_hold_good(responses: dict[str, Response]) -> None:
    voice = responses["transmit"].with_hold().between(200, 3400)

    assert np.abs(voice + _GAIN_DB).max() < 0.45
    assert np.ptp(voice) < 0.7
    assert responses["transmit"].at(3400) > 1.9  # without the hold


@needs_ngspice
@pytest.mark.parametrize(
    ("name", "lowest_hz", "highest_hz"), [("receive", 14.4, 3616), ("transmit", 2, 3764)]
)
def test_the_corners_are_where_the_document_puts_them(
    responses: dict[str, Response], name: str, lowest_hz: float, highest_hz: float
) -> None:
    response = responses[name]
    passed = response.hz[response.gain_db > response.at(1004) - 3]

    assert passed.min() < max(lowest_hz * 1.05, 5.1)
    assert passed.max() == pytest.approx(highest_hz, rel=0.01)
    assert response.at(30) > response.at(1004) - 1


@needs_ngspice
@pytest.mark.parametrize(
    ("hz", "receive_db", "transmit_db"),
    [
        (4000, -9.9, -11.8),
        (4600, -19.5, -23.0),
        (5000, -24.5, -29.0),
        (6000, -34.5, -43.0),
        (8000, -49.0, -100.0),
    ],
)
def test_aliases_and_images_are_weakened(
    responses: dict[str, Response], hz: float, receive_db: float, transmit_db: float
) -> None:
    assert responses["receive"].at(hz) < receive_db
    assert responses["transmit"].with_hold().at(hz) < transmit_db


@needs_ngspice
def test_the_carrier_of_the_pwm_is_gone(responses: dict[str, Response]) -> None:
    assert f"The carrier, {_CARRIER_HZ / 1000:.3f} kHz: more than 130 dB down" in _WIRING
    assert responses["transmit"].at(_CARRIER_HZ) < -130
    assert responses["receive"].at(_CARRIER_HZ) < -130


@needs_ngspice
@pytest.mark.parametrize(
    ("capacitor_tolerance", "within_db", "most_db"), [(0.05, 3.1, 2.3), (0.02, 1.6, 1.1)]
)
def test_boards_within_tolerance_still_hear_and_speak(
    tmp_path: Path, capacitor_tolerance: float, within_db: float, most_db: float
) -> None:
    for name, design_db in (("receive", _GAIN_DB), ("transmit", -_GAIN_DB)):
        boards = _ngspice(name, _draws(name, capacitor_tolerance), tmp_path)
        if name == "transmit":
            boards = [board.with_hold() for board in boards]
        worst_db = np.array([np.abs(board.between(200, 3400) - design_db).max() for board in boards])

        assert worst_db.max() < within_db
        assert np.percentile(worst_db, 90) < most_db
        # Mark and space of Bell 202, and the ends of DTMF, stay together; what aliases to 3.4 kHz stays out.
        assert max(abs(board.at(2200) - board.at(1200)) for board in boards) < 1.5
        assert max(abs(board.at(1633) - board.at(697)) for board in boards) < 1.1
        assert max(board.at(4600) for board in boards) < -16


@needs_ngspice
def test_the_table_of_levels_is_what_the_filters_make(responses: dict[str, Response]) -> None:
    rows = _rows("| dBm0 |")
    assert {float(row[0]) for row in rows} >= {_FULL_SCALE_DBM, 0.0, -36.0}
    for row in rows:
        dbm = float(row[0])
        vrms = math.sqrt(600 * 1e-3 * 10 ** (dbm / 10))
        line_vpp = 2 * math.sqrt(2) * vrms
        full_scale = 10 ** ((dbm - _FULL_SCALE_DBM) / 20)
        lowest, highest = (int(code) for code in row[4].split(" to "))

        assert [float(cell) for cell in row[1:3]] == pytest.approx([vrms, line_vpp], abs=6e-5)
        assert float(row[3]) == pytest.approx(line_vpp * 10 ** (_GAIN_DB / 20), abs=1e-4)
        assert (lowest, highest) == (
            max(0, round(2048 - 2048 * full_scale)),
            min(4095, round(2048 + 2048 * full_scale)),
        )
        assert [int(row[5]), int(row[6])] == [
            round(32767 * full_scale),
            round(_AUDIO_OUT["_MIDDLE"] * full_scale),
        ]
        # A tone of 1004 Hz at the line, and a sample at VIN, within the ripple.
        at_the_adc = line_vpp * 10 ** (responses["receive"].at(1004) / 20)
        assert 20 * math.log10(at_the_adc / float(row[3])) == pytest.approx(0, abs=0.35)
        at_vin = 3.3 * full_scale * 10 ** (responses["transmit"].with_hold().at(1004) / 20)
        assert 20 * math.log10(at_vin / float(row[2])) == pytest.approx(0, abs=0.35)


@needs_ngspice
def test_the_table_of_gains_is_what_ngspice_measures(responses: dict[str, Response]) -> None:
    rows = _rows("| Hz | receive | transmit |")
    assert {float(row[0]) for row in rows} >= {200, 3400, 4000, 4600, 5000, 6000, 8000}
    for row in rows:
        hz = float(row[0])
        measured = [responses["receive"].at(hz), responses["transmit"].at(hz)]
        if hz != 8000:
            measured.append(responses["transmit"].with_hold().at(hz))
        assert [float(cell) for cell in row[1:] if cell != "none"] == pytest.approx(measured, abs=0.02)


@needs_ngspice
def test_what_the_loop_back_plug_brings_back(responses: dict[str, Response]) -> None:
    for hz, db, peak in _rows("| Hz | transmit, hold and receive"):
        way_db = responses["transmit"].with_hold().at(float(hz)) + responses["receive"].at(float(hz))
        assert float(db) == pytest.approx(way_db, abs=0.02)
        assert int(peak) == pytest.approx(8071 * 10 ** (way_db / 20), abs=20)


@needs_ngspice
def test_the_wire_between_two_boards_passes_the_voice_band(responses: dict[str, Response]) -> None:
    wire = responses["wire"]
    voice = wire.between(200, 3400)

    assert voice.max() > -0.75
    assert np.ptp(voice) < 1.7
    assert np.all(np.diff(voice) < 0)
    assert abs(wire.at(2200) - wire.at(1200)) < 0.6
    assert abs(wire.at(1633) - wire.at(697)) < 0.4


@needs_ngspice
def test_the_wire_between_two_boards_takes_the_carrier_away(responses: dict[str, Response]) -> None:
    assert responses["wire"].at(_CARRIER_HZ) < -38
    assert responses["wire"].at(2 * _CARRIER_HZ) < -54


@needs_ngspice
def test_the_table_of_the_wire_is_what_ngspice_measures(responses: dict[str, Response]) -> None:
    rows = _rows("| Hz | wire |")
    assert {float(row[0]) for row in rows} >= {200, 1004, 3400, _CARRIER_HZ}
    for hz, db in rows:
        assert float(db) == pytest.approx(responses["wire"].at(float(hz)), abs=0.02)


@needs_ngspice
def test_wires_within_tolerance_pass_the_voice_band(tmp_path: Path) -> None:
    for wire in _ngspice("wire", _draws("wire", 0.1), tmp_path):
        assert np.ptp(wire.between(200, 3400)) < 2.0
        assert wire.at(_CARRIER_HZ) < -35.5


def _impedance_ohm(hz: list[float], powered: bool, folder: Path) -> list[float]:
    """Of the coupling, as the pair sees it: what 1 A makes in volts."""
    circuit = re.sub(r"^\.control.*", "", _netlist("coupling"), flags=re.MULTILINE | re.DOTALL)
    circuit = circuit.replace(" AC 1", "")
    circuit = re.sub(r"^REXCHANGE.*\n^RPHONE.*$", "IPAIR 0 tip AC 1", circuit, flags=re.MULTILINE)
    if not powered:
        circuit = re.sub(r"^XU10.*$", "", circuit, flags=re.MULTILINE)
    table = folder / f"{powered}.txt"
    control = f".control\nset wr_singlescale\nac {_SWEEP}\nwrdata {table} vm(tip)\n.endc\n.end\n"
    deck = folder / f"{powered}.cir"
    deck.write_text(circuit + control)
    command = [shutil.which("ngspice") or "ngspice", "-b", str(deck)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert table.exists(), ran.stdout + ran.stderr
    at_hz, ohm = np.loadtxt(table, unpack=True)
    return [float(np.interp(each, at_hz, ohm)) for each in hz]


@needs_ngspice
def test_the_coupling_has_the_loss_of_the_seam(responses: dict[str, Response]) -> None:
    coupling = responses["coupling"]

    assert f"{COUPLING_DB} dB" in _WIRING
    for hz in (353, 444):
        assert coupling.at(hz) == pytest.approx(-COUPLING_DB, abs=0.6)
    assert coupling.at(10) < -30


@needs_ngspice
def test_couplings_within_tolerance_keep_their_level(tmp_path: Path) -> None:
    for coupling in _ngspice("coupling", _draws("coupling", 0.1), tmp_path):
        assert coupling.at(353) == pytest.approx(-COUPLING_DB, abs=1.0)
        assert coupling.at(444) == pytest.approx(-COUPLING_DB, abs=1.1)


@needs_ngspice
def test_the_table_of_the_coupling_is_what_ngspice_measures(
    responses: dict[str, Response], tmp_path: Path
) -> None:
    rows = _rows("| Hz | coupling, dB |")
    hz = [float(row[0]) for row in rows]
    assert {20.0, 353.0, 444.0, 1004.0, 3400.0} <= set(hz)
    assert [float(row[1]) for row in rows] == pytest.approx(
        [responses["coupling"].at(at) for at in hz], abs=0.06
    )
    for column, powered in ((2, True), (3, False)):
        ohm = _impedance_ohm(hz, powered, tmp_path)
        assert [1000 * float(row[column]) for row in rows] == pytest.approx(ohm, rel=0.02)
        assert min(ohm) > 5000


@pytest.mark.parametrize("name", ["receive", "transmit", "coupling", "wire"])
def test_the_document_names_the_parts_of_the_netlist(name: str) -> None:
    hundreds, least = {
        "receive": ("1", 15),
        "transmit": ("3", 15),
        "coupling": ("8", 8),
        "wire": ("5", 6),
    }[name]
    found = re.findall(r"^\| ([RC]\d{3}) \| ([\d.]+) (\w+) \|$", _WIRING, re.MULTILINE)
    documented = {part: float(number) * _UNITS[unit] for part, number, unit in found if part[1] == hundreds}

    assert len(documented) >= least
    assert documented == pytest.approx(_parts(_netlist(name)))


def test_the_values_can_be_bought() -> None:
    e24 = {10, 11, 12, 13, 15, 16, 18, 20, 22, 24, 27, 30, 33, 36, 39, 43, 47, 51, 56, 62, 68, 75, 82, 91}
    e12 = {10, 12, 15, 18, 22, 27, 33, 39, 47, 56, 68, 82}
    for name in _OUTPUT_NODE:
        for part, value in _parts(_netlist(name)).items():
            digits = int(f"{value:.1e}".split("e")[0].replace(".", ""))
            assert digits in (e24 if part.startswith("R") else e12), part


def test_pins_csv_is_the_table_of_pins() -> None:
    with (_BOARD / "pins.csv").open(encoding="utf-8", newline="") as file:
        listed = {(f"GP{pin.removeprefix('GPIO')}", name) for name, pin in csv.reader(file)}

    assert listed == set(_pins())
    # For the network chips of the Pico W and the W5500-EVB-Pico.
    kept_free = {f"GP{number}" for number in (16, 17, 18, 19, 20, 21, 23, 24, 29)}
    assert not kept_free & {pin for pin, _ in listed}


def test_the_drawing_names_every_pin() -> None:
    drawing = ET.parse(_BOARD / "wiring.svg")  # noqa: S314 - our own file
    words = {element.text for element in drawing.iter("{http://www.w3.org/2000/svg}text")}

    assert len(_pins()) >= 14
    for pin, signal in _pins():
        assert {pin, signal} <= words, pin
    assert "(wiring.svg)" in _WIRING


def _joints() -> list[tuple[str, str, str, str]]:
    """(pin of the emulator, signal there, pin of the board under test, its signal) of the document's table."""
    rows = [row for row in _rows("| emulator | signal there |") if row[0].startswith("GP")]
    return [(row[0].split(",")[0], row[1], row[2].split(",")[0], row[3]) for row in rows]


def test_the_wires_join_pins_that_both_boards_have() -> None:
    with (_EMULATOR / "pins.csv").open(encoding="utf-8", newline="") as file:
        emulated = {(f"GP{pin.removeprefix('GPIO')}", name) for name, pin in csv.reader(file)}
    joints = _joints()

    assert {(pin, name) for pin, name, _, _ in joints} == emulated - {("GP25", "LED")}
    assert {(pin, name) for _, _, pin, name in joints} <= set(_pins())
    # What is an output here is an input there, and the digital wires join namesakes.
    audio = {"LINE_OUT": "LINE_IN", "PHONE_OUT": "PHONE_IN", "AUDIO_IN": "AUDIO_OUT"}
    assert all(audio.get(name, name) == tested for _, name, _, tested in joints)


def test_the_second_drawing_names_every_wire() -> None:
    drawing = ET.parse(_BOARD / "two_boards.svg")  # noqa: S314 - our own file
    words = [element.text for element in drawing.iter("{http://www.w3.org/2000/svg}text")]

    for joint in _joints():
        assert set(joint) <= set(words), joint
    for part in _parts(_netlist("wire")):
        assert part in words, part
    assert "(two_boards.svg)" in _WIRING


def _longest_below_ms(ring_hz: float, *, signed: bool) -> float:
    """How long ringing makes an on-hook pair look off-hook: from below 20 V until above 40 V, at worst."""
    step_ms = 0.05
    times = np.arange(0, 3000 / ring_hz, step_ms) / 1000
    longest = 0
    for battery, vrms in itertools.product((44.0, 48.0, 52.0, 56.0), range(30, 151, 5)):
        volts = battery + vrms * math.sqrt(2) * np.sin(2 * np.pi * ring_hz * times)
        for lasted in _below(volts if signed else np.abs(volts)):
            longest = max(longest, lasted)
    return longest * step_ms


def _below(volts: npt.NDArray[np.float64]) -> Iterator[int]:
    """For each time the detector with its hysteresis tells off-hook: for how many samples."""
    # What is neither below 20 V nor above 40 V leaves the detector as it was.
    decided = np.where(volts < 20, 1, np.where(volts > 40, 0, -1))
    last = np.maximum.accumulate(np.where(decided >= 0, np.arange(len(volts)), 0))
    state = decided[last]
    for value, run in itertools.groupby(state):
        if value == 1:
            yield len(list(run))


def test_ringing_is_not_off_hook_and_dial_pulses_pass() -> None:
    firmware = (_REPOSITORY / "firmware" / "star57" / "line" / "hook.py").read_text(encoding="utf-8")
    off_hook_ms, _, longest_break_ms = (
        int(number) for number in re.findall(r'"US": \((\d+), (\d+), (\d+)', firmware)[0]
    )
    bounce_ms = int(re.findall(r"_BOUNCE_SAMPLES = const\(8 \* (\d+)\)", firmware)[0])
    rows = _rows("| ring Hz |")
    assert [float(row[0]) for row in rows] == [15.3, 20, 25]
    for ring_hz, magnitude_ms, signed_ms in rows:
        for documented_ms, signed in ((magnitude_ms, False), (signed_ms, True)):
            longest_ms = _longest_below_ms(float(ring_hz), signed=signed)
            assert float(documented_ms) == pytest.approx(longest_ms, abs=0.15)
            # Slow towards off-hook, and at once back.
            assert longest_ms - 12 < off_hook_ms

    shortest_make_ms, longest_pulse_ms, slowest_ms = 30, 80, 22
    assert shortest_make_ms - slowest_ms >= bounce_ms
    assert longest_pulse_ms + slowest_ms < longest_break_ms
