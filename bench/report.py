"""All tables and pictures of the bench as one page, docs/bench.md.

A section is a heading and the parts of its Markdown, as they are measured. What a section needs and is not here (an
image for the Pico, a peer) is left out, and said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from bench import (
    alert_table,
    decode_speed,
    dtmf_caller_id_table,
    limits,
    peers,
    pico_cost,
    progress_table,
    pulse_table,
    speech,
)
from bench.caller_id_table import CallerIdBench, Sending, Star57
from bench.curves import Curve, draw
from bench.dtmf_table import DtmfBench
from bench.micropython import FIRMWARE
from bench.table import Row, heading, line
from host_tools.rig.emulated_pico import IMAGE

LEAST_LIMIT_SNR_DB = -3.0  # below the least SNR that receivers are measured at, theory still has something
LEAST_DIGIT_LIMIT_SNR_DB = -13.0
PICTURES = "bench"  # the folder beside the page
SEED = 57


@dataclass(frozen=True)
class Size:
    """How much is measured.

    Attributes:
        calls, wrong_calls: at a point of the caller-ID table, and at an SNR at which wrong callers are counted.
        digits: at a point of the DTMF table.
        alert_trials: call-waiting alerts at a point.
        tone_trials: of each call-progress tone.
        pulse_trials: digits and flashes of each kind.
        speech_pieces: so many at most of bench/speech.py, None for all.
        curve_step_db: between two points of a caller-ID curve.
        limit_trials: messages, and ten times as many digits, that are simulated for a point of theory's limits.
        decode_minutes: of audio.
        only_rows: of caller ID and DTMF; texts in their names, none for all.
    """

    calls: int = 200
    wrong_calls: int = 1000
    digits: int = 800
    alert_trials: int = 800
    tone_trials: int = 4
    pulse_trials: int = 20
    speech_pieces: int | None = None
    curve_step_db: float = 0.5
    limit_trials: int = 1000
    decode_minutes: int = 60
    only_rows: Sequence[str] = ()


FULL = Size()
QUICK = Size(20, 50, 160, 96, 1, 6, 6, 1.0, 200, 6)


@dataclass(frozen=True)
class Section:
    """A part of the page; `parts` are Markdown, written into a page in the folder."""

    name: str
    title: str
    parts: Callable[[Size, Path], Iterator[str]]


def write(page: Path, size: Size, only: Sequence[str], tell: Callable[[str], None]) -> None:
    """Measures the sections, all if none is named, and writes the page with its pictures.

    Args:
        page: the Markdown file; pictures come into a folder beside it.
        size: how much is measured.
        only: names of sections.
        tell: is given each part as soon as it is there.
    """
    parts = [_introduction()]
    for section in SECTIONS:
        if only and section.name not in only:
            continue
        for part in chain([f"\n## {section.title}\n\n"], section.parts(size, page.parent)):
            parts.append(part)
            tell(part)
    page.parent.mkdir(parents=True, exist_ok=True)
    parts.insert(1, _summary(parts))
    page.write_text("".join(parts))


def _introduction() -> str:
    missing = ", ".join(peers.absent() + speech.absent()) or "nothing"
    versions = (
        ", ".join(f"{name} {version}" for name, version in peers.versions().items()) or "none is installed"
    )
    return f"""# What the receivers do, measured

Written by `make bench`. Star57's figures are of the firmware's receivers, run in MicroPython on 8 kHz samples. The
peers heard the same samples: {versions}. Left out, as it is not installed: {missing}.
Everything random has a seed, so that a second run measures the same audio. Levels are dBm0 (a sine of peak 32767 has
+3.17). SNR is the power of the signal over that of the noise in 300 to 3400 Hz; the noise is Gaussian and white over 0
to 4000 Hz. `host_tools/exchange/impairments.py` defines what else a line does.
"""


def _summary(parts: Sequence[str]) -> str:
    """How many rows hold, and the names of those that do not."""
    lines = "".join(parts).splitlines()
    short = [text.split(" | ")[0].removeprefix("| ") for text in lines if text.endswith("| NO |")]
    held = sum(text.endswith("| yes |") for text in lines)
    told = f"; these do not: {'; '.join(short)}" if short else ""
    return f"\n{held} of {held + len(short)} rows hold{told}.\n"


def _table(rows: Iterable[Row], columns: Sequence[str] = ()) -> Iterator[str]:
    yield heading(columns)
    for row in rows:
        yield line(row, columns)


def _caller_id(size: Size, folder: Path) -> Iterator[str]:
    bench = CallerIdBench(
        [Star57(), *peers.caller_id_peers()],
        size.calls,
        size.wrong_calls,
        size.speech_pieces,
        size.curve_step_db,
    )
    yield f"""{size.calls} calls a point, each of random content: MDMF of 30 bytes, at -13 dBm0, unless the row says
otherwise. A caller is read when number, name, date and reason are as sent; one that differs, or was never sent, is
wrong. Where the row names no SNR it is 25 dB. spandsp is set to the standard; multimon-ng's CLIPFSK takes both for one;
minimodem is set to the tones, and its bytes are framed and checked by the bench, for its own caller-ID mode does not
look at the checksum. Star57 is told nothing. Bursts "sent by spandsp" are of its own sender, which changes from bit to
bit at whole samples, as most senders in software do.

"""
    yield from _table(bench.rows(size.only_rows), bench.peers)
    for sending in bench.sendings:
        if sending.sender is None:
            yield _caller_id_picture(bench, sending, size, folder)


def _caller_id_picture(bench: CallerIdBench, sending: Sending, size: Size, folder: Path) -> str:
    standard = sending.standard
    name = f"caller_id_{standard.name.lower().replace(' ', '_').replace('.', '')}.svg"
    snrs_db = _limit_snrs_db(LEAST_LIMIT_SNR_DB, bench.curve_snrs_db)
    rng = np.random.default_rng(SEED)
    several = {
        bits: {db: limits.several_bits(db, standard, bits, size.limit_trials, rng) for db in snrs_db}
        for bits in (3, 5)
    }
    whole = {db: limits.whole_message(db, standard, size.limit_trials, rng) for db in snrs_db}
    curves = [
        *bench.curves(sending),
        Curve("limit, one bit", {db: limits.one_bit(db, standard) for db in snrs_db}, is_limit=True),
        *(Curve(f"limit, {bits} bits", shares, is_limit=True) for bits, shares in several.items()),
        Curve("limit, whole message", whole, is_limit=True),
    ]
    draw(folder / PICTURES / name, f"Caller ID, {standard.name}, 30 bytes", "messages read", curves)
    return (
        f"\n![{standard.name}: messages read against SNR]({PICTURES}/{name})\n\nThe limits are of receivers that know "
        "the tones and the bits' times, and read 300 bits: one bit at a time, or the middle one of 3 or 5, the phase "
        "unknown; or the whole message at once, the phase and the start and stop bits known.\n"
    )


def _limit_snrs_db(least_db: float, measured_db: Sequence[float]) -> list[float]:
    """Where limits are drawn: from the least on in the steps of the measured ones, and at these."""
    step_db = measured_db[1] - measured_db[0]
    return [*np.arange(least_db, measured_db[0], step_db).tolist(), *measured_db]


def _dtmf(size: Size, folder: Path) -> Iterator[str]:
    bench = DtmfBench(peers.dtmf_peers(), size.digits, size.speech_pieces)
    yield f"""{size.digits} digits a point, all sixteen equally often, 50 ms of tone at -10 dBm0 each, unless the row
says otherwise. `extra` are digits that were not sent, or told twice. The peers do not say when they heard a digit:
theirs are matched in order. spandsp has its dial-tone filter off, as it is by default.

"""
    wanted = size.only_rows
    yield from _table(
        (row for row in bench.rows() if not wanted or any(text in row.name for text in wanted)), bench.peers
    )
    rng = np.random.default_rng(SEED)
    curves = bench.curves()
    snrs_db = _limit_snrs_db(LEAST_DIGIT_LIMIT_SNR_DB, sorted(curves[0].shares))
    limit = {db: limits.digits(db, 10 * size.limit_trials, rng) for db in snrs_db}
    draw(
        folder / PICTURES / "dtmf.svg",
        "DTMF, digits of 50 ms",
        "digits told",
        [*curves, Curve("limit, one false in 8 h", limit, is_limit=True)],
    )
    yield (
        f"\n![DTMF: digits told against SNR]({PICTURES}/dtmf.svg)\n\nThe limit is of a receiver that only has to tell "
        "the two tones from noise, one false digit in 8 hours; it need not refuse speech, nor tones too short, too "
        "unequal or off frequency.\n"
    )


def _dtmf_caller_id(size: Size, _folder: Path) -> Iterator[str]:
    yield f"""{size.calls} calls a scheme: keys and pauses of 70 ms, -10 dBm0 a tone, at 15 dB of SNR. Star57 listens
for all schemes at once, but for those that begin with what a household dials too: each of these by itself.

"""
    columns = [] if peers.spandsp() is None else ["spandsp"]
    yield from _table(dtmf_caller_id_table.rows(size.calls, speech_pieces=size.speech_pieces), columns)


def _progress(size: Size, _folder: Path) -> Iterator[str]:
    bench = progress_table.Bench(size.tone_trials)
    yield from _table(
        chain(bench.tone_table(), [bench.of_any_country()], progress_table.false_rows(size.speech_pieces))
    )


def _alert(size: Size, folder: Path) -> Iterator[str]:
    bench = alert_table.AlertBench(size.alert_trials, size.speech_pieces)
    yield f"""{size.alert_trials} alerts a point, three times as many under a talker; of 80 ms and at -20 dBm0 a tone,
unless the row says otherwise. An alert is told when it is told once, before the terminal's answer is due; `extra` are
others. A talker is the near end, at -20 dBm0 of active level (ITU-T P.56), and talks whenever a CAS begins. Of SAS no
standard limits a receiver: its limits are this project's.

"""
    yield from _table(bench.rows())
    draw(
        folder / PICTURES / "alert.svg",
        "CAS under a talker",
        "CAS told",
        bench.curves(),
        "talker's active level over that of one tone, dB",
    )
    yield f"\n![CAS told against the talker's level]({PICTURES}/alert.svg)\n"


def _pulses(size: Size, _folder: Path) -> Iterator[str]:
    yield from _table(pulse_table.Bench(size.pulse_trials).rows())


def _pico(_size: Size, _folder: Path) -> Iterator[str]:
    if not IMAGE.exists():
        yield "Left out: there is no image (`make image` builds it).\n"
        return
    if any(path.stat().st_mtime > IMAGE.stat().st_mtime for path in FIRMWARE.rglob("*.py")):
        yield "Left out: the image is older than the firmware (`make image` builds it anew).\n"
        return
    yield from pico_cost.measure()


def _speed(size: Size, _folder: Path) -> Iterator[str]:
    yield from _table(decode_speed.rows(size.decode_minutes))


SECTIONS = (
    Section("caller_id", "Caller ID by FSK", _caller_id),
    Section("dtmf", "DTMF", _dtmf),
    Section("dtmf_caller_id", "Caller ID by DTMF", _dtmf_caller_id),
    Section("progress", "Call progress", _progress),
    Section("alert", "Call-waiting alerts", _alert),
    Section("pulses", "Dial pulses, flash, hang-up", _pulses),
    Section("speed", "Speed", _speed),
    Section("pico", "Cost on a Pico", _pico),
)
