"""G.711: the digital milliwatt, every code, every sample, and libsndfile's codec beside ours."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile

from host_tools.exchange import g711
from host_tools.exchange.g711 import Law
from host_tools.exchange.levels import dbm0_of

ALL_CODES = np.arange(256, dtype=np.uint8)
ALL_SAMPLES = np.arange(-32768, 32768).astype(np.int16)
SUBTYPES: dict[Law, str] = {"mu": "ULAW", "a": "ALAW"}
# ITU-T G.711 tables 5 and 6: one period of 1 kHz at 0 dBm0.
MILLIWATT: dict[Law, str] = {"mu": "1E0B0B1E9E8B8B9E", "a": "34212134B4A1A1B4"}

laws = pytest.mark.parametrize("law", ["mu", "a"])


@pytest.mark.parametrize(
    ("law", "first", "peak", "load_dbm0"), [("mu", -8828, 20860, 3.17), ("a", -8960, 20992, 3.14)]
)
def test_digital_milliwatt(law: Law, first: int, peak: int, load_dbm0: float) -> None:
    """TELEPHONY 9. The laws' own full scale is 32636 and 32768, at 3.17 and 3.14 dBm0."""
    samples = g711.decode(law, np.frombuffer(bytes.fromhex(MILLIWATT[law]), np.uint8))
    assert samples[0] == first
    assert np.abs(samples).max() == peak
    scale_db = 20 * np.log10({"mu": 8159 * 4, "a": 32768}[law] / 32767) + 3.17 - load_dbm0
    assert dbm0_of(np.tile(samples, 1000)) == pytest.approx(scale_db, abs=0.01)


@laws
def test_each_code_is_the_code_of_its_sample(law: Law) -> None:
    again = g711.encode(law, g711.decode(law, ALL_CODES))
    # Mu-law has two codes for 0.
    different = ALL_CODES[again != ALL_CODES].tolist()
    assert different == ([0x7F] if law == "mu" else [])
    assert np.array_equal(g711.decode(law, again), g711.decode(law, ALL_CODES))


@laws
def test_louder_never_codes_quieter_and_every_step_is_used(law: Law) -> None:
    coded = g711.decode(law, g711.encode(law, ALL_SAMPLES))
    assert (np.diff(coded.astype(np.int32)) >= 0).all()
    assert set(coded.tolist()) == set(g711.decode(law, ALL_CODES).tolist())


@pytest.mark.parametrize(
    ("law", "ends"),
    [
        ("mu", [31, 95, 223, 479, 991, 2015, 4063]),  # G.711 table 2a, of 8159
        (
            "a",
            [32, 64, 128, 256, 512, 1024, 2048],
        ),  # G.711 table 1a, of 4096, the first from the second segment
    ],
)
def test_segments_end_where_the_tables_have_them(law: Law, ends: list[int]) -> None:
    scale = {"mu": 4, "a": 8}[law]
    starts = np.array(ends, np.int16) * scale
    inverted = {"mu": 0xFF, "a": 0x55}[law]
    segments = [(g711.encode(law, starts + offset) ^ inverted) >> 4 & 7 for offset in (-1, 0)]
    assert (segments[1] - segments[0] == 1).all()


@laws
def test_decoder_as_libsndfile(law: Law) -> None:
    with io.BytesIO(ALL_CODES.tobytes()) as stream:
        read, _ = soundfile.read(
            stream, dtype="int16", samplerate=8000, channels=1, format="RAW", subtype=SUBTYPES[law]
        )
    assert np.array_equal(g711.decode(law, ALL_CODES), read)


@laws
def test_coder_as_libsndfile_but_on_decision_values(law: Law) -> None:
    """G.711 leaves open which side a decision value belongs to; G.191's reference has the negative ones nearer to 0."""
    with io.BytesIO() as stream:
        soundfile.write(stream, ALL_SAMPLES, 8000, format="RAW", subtype=SUBTYPES[law])
        theirs = np.frombuffer(stream.getvalue(), np.uint8)
    ours = g711.encode(law, ALL_SAMPLES)
    decision_values = ALL_SAMPLES[:-1][np.diff(g711.decode(law, ours).astype(np.int32)) != 0]
    different = ALL_SAMPLES[ours != theirs]
    assert set(different.tolist()) <= {value + 1 for value in decision_values.tolist() if value < -1}
    assert len(different) == 127
