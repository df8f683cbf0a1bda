"""Recordings of any form, heard by the firmware's own receivers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from host_tools.exchange.caller_id import dtmf_digits
from host_tools.exchange.levels import Samples
from host_tools.rig.listening import (
    RecordingUnreadable,
    countries,
    hear,
    read,
)
from tests.host.rig.recordings import NUMBER, Tape

FORMS = [
    (8000, "PCM_U8"),
    (8000, "PCM_16"),
    (8000, "ULAW"),
    (8000, "ALAW"),
    (6000, "PCM_16"),
    (11025, "PCM_16"),
    (16000, "IMA_ADPCM"),
    (44100, "PCM_24"),
    (48000, "PCM_32"),
    (96000, "FLOAT"),
    (192000, "DOUBLE"),
]


@pytest.fixture(scope="module")
def call() -> Samples:
    tape = Tape()
    tape.burst()
    tape.pause()
    tape.digits("*57")
    tape.pause()
    return tape.samples


@pytest.mark.parametrize(("rate_hz", "encoding"), FORMS)
def test_any_rate_and_width_is_read(tmp_path: Path, call: Samples, rate_hz: int, encoding: str) -> None:
    path = tmp_path / "line.wav"
    soundfile.write(path, soxr.resample(call / 32768, 8000, rate_hz), rate_hz, subtype=encoding)
    recording = read(path)
    assert (recording.rate_hz, recording.channels, recording.encoding) == (rate_hz, 1, encoding)
    assert abs(recording.duration_s - len(call) / 8000) < 0.1
    facts = hear(recording.samples)
    assert [fact["message"]["number"] for fact in facts.callers] == [NUMBER]
    assert "".join(fact["digit"] for fact in facts.digits) == "*57"


def test_resampled_piece_by_piece_without_a_seam(tmp_path: Path) -> None:
    rate_hz = 192_000
    turns = 2 * np.pi * 1000 * np.arange(6 * rate_hz) / rate_hz
    soundfile.write(tmp_path / "tone.wav", 0.5 * np.sin(turns), rate_hz, subtype="PCM_16")
    samples = read(tmp_path / "tone.wav").samples
    assert len(samples) == 48_000
    inner = samples[800:-800].astype(np.float64)
    expected = 16384 * np.sin(2 * np.pi * 1000 * np.arange(800, 47_200) / 8000)
    assert np.abs(inner - expected).max() < 10


def test_the_chosen_channel_is_read(tmp_path: Path, call: Samples) -> None:
    soundfile.write(tmp_path / "line.wav", np.stack([np.zeros_like(call), call], axis=1), 8000)
    assert not read(tmp_path / "line.wav").samples.any()
    assert np.array_equal(read(tmp_path / "line.wav", channel=1).samples, call)
    with pytest.raises(RecordingUnreadable, match="has 2 channels, so none is number 2"):
        read(tmp_path / "line.wav", channel=2)


def test_what_is_louder_than_full_scale_is_clipped(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "loud.wav", np.tile([3.0, -3.0], 100), 8000, subtype="FLOAT")
    assert set(read(tmp_path / "loud.wav").samples.tolist()) == {32767, -32768}


def header(path: Path) -> bytes:
    soundfile.write(path, np.zeros(800), 8000, subtype="PCM_16")
    return path.read_bytes()


def test_files_that_hold_nothing_to_hear(tmp_path: Path) -> None:
    path = tmp_path / "line.wav"
    whole = header(path)
    bad = {
        "nothing": b"",
        "text": b"no audio",
        "half a header": whole[:20],
        "a header": whole[:44],
        "noise": np.random.default_rng(57).bytes(4000),
        "another form": whole.replace(b"WAVE", b"WAVY"),
    }
    for name, content in bad.items():
        path.write_bytes(content)
        with pytest.raises(RecordingUnreadable) as raised:
            read(path)
        assert str(path) in str(raised.value), name
        assert "\n" not in str(raised.value), name


@pytest.mark.parametrize("count", [0, 1, 79])
def test_too_few_samples(tmp_path: Path, count: int) -> None:
    soundfile.write(tmp_path / "line.wav", np.zeros(count), 8000)
    with pytest.raises(RecordingUnreadable, match="too little to hear"):
        read(tmp_path / "line.wav")


def test_too_low_a_rate(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "line.wav", np.zeros(8000), 1999)
    with pytest.raises(RecordingUnreadable, match="1999 samples a second are too few"):
        read(tmp_path / "line.wav")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_no_numbers(tmp_path: Path, value: float) -> None:
    wave = np.zeros((8000, 2))
    wave[4000, 1] = value
    soundfile.write(tmp_path / "line.wav", wave, 8000, subtype="FLOAT")
    assert len(read(tmp_path / "line.wav").samples) == 8000
    with pytest.raises(RecordingUnreadable, match="no numbers"):
        read(tmp_path / "line.wav", channel=1)


def test_no_file(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.wav"):
        with pytest.raises(RecordingUnreadable, match="there is no such file"):
            read(path)
    (tmp_path / "line.raw").write_bytes(bytes(1600))
    with pytest.raises(RecordingUnreadable):
        read(tmp_path / "line.raw")


def test_a_recording_that_was_cut_is_read_as_far_as_it_goes(tmp_path: Path, call: Samples) -> None:
    path = tmp_path / "line.wav"
    soundfile.write(path, call, 8000, subtype="PCM_16")
    path.write_bytes(path.read_bytes()[:20_001])
    samples = read(path).samples
    assert np.array_equal(samples, call[: len(samples)])
    assert len(samples) > 9900


def test_facts_of_an_unfinished_recording_are_told() -> None:
    tape = Tape()
    tape.digits("5", on_ms=80, off_ms=0)
    assert [fact["digit"] for fact in hear(tape.samples).digits] == ["5"]


def test_ambiguous_schemes_only_when_they_are_named() -> None:
    tape = Tape()
    tape.digits(dtmf_digits("star_to_hash", NUMBER))
    assert all(fact["fact"] == "digit" for fact in hear(tape.samples).digits)
    named = hear(tape.samples, schemes=["star_to_hash"]).digits
    assert [fact["message"]["number"] for fact in named if fact["fact"] == "caller"] == [NUMBER]


def test_countries() -> None:
    assert {"US", "GB", "DE"} <= set(countries())


def test_receivers_that_end_with_an_error_say_so(call: Samples, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = hear(call, country="nowhere")
    assert list(facts.faults) == ["tones"]
    assert facts.faults["tones"].startswith("the receivers of tones ended with 1: KeyError")
    assert len(facts.callers) == 1
    assert len(facts.digits) == 3
    assert facts.tones == []
    monkeypatch.setenv("STAR57_MICROPYTHON", "/bin/false")
    assert hear(call).faults == {
        what: f"the receivers of {what} ended with 1" for what in ("callers", "digits", "tones")
    }
    assert countries() == []


def test_what_was_told_before_the_error_counts(
    tmp_path: Path, call: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "micropython"
    program.write_text(
        '#!/bin/sh\necho \'{"fact": "digit"}\'; printf \'{"fact": "di\'; echo "last words" >&2; exit 3\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("STAR57_MICROPYTHON", str(program))
    facts = hear(call)
    assert facts.digits == [{"fact": "digit"}]
    assert facts.faults["digits"] == "the receivers of digits ended with 3: last words"
