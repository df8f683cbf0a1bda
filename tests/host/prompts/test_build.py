from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from host_tools.prompts import build
from host_tools.prompts.language import Language
from host_tools.prompts.recordings import Recordings
from host_tools.prompts.shaping import shaped
from host_tools.prompts.speech import VoiceMissing, spoken
from host_tools.prompts.texts import LANGUAGES, prompts_of

SMALL = Language(
    "en-US", "English", "en-us", 160, "", {"danger": "Dial {emergency}.", "on": "on"}, {"on": "[[0n]]"}
)


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    folder = tmp_path / "recordings"
    folder.mkdir()
    return folder


def _record(path: Path, seconds: float = 1.0, peak: float = 0.3, rate_hz: int = 44100) -> None:
    time_s = np.arange(int(seconds * rate_hz)) / rate_hz
    soundfile.write(path, peak * np.sin(2 * np.pi * 1000 * time_s), rate_hz)


def test_a_pack_has_a_file_for_each_prompt_and_the_texts_and_nothing_else(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "old.wav", np.zeros(100), 8000)
    built = build.build(tmp_path, SMALL)
    names = {"danger", "on", "language_1", "language_2", "language_3"}
    assert {path.stem for path in tmp_path.glob("*.wav")} == names
    texts = build.read_texts(tmp_path)
    assert texts["danger"] == "Dial 9 1 1."
    assert texts["language_3"] == "Pour le français, faites le 3."
    assert set(built.missing) == names
    assert built.size_bytes == sum(path.stat().st_size for path in tmp_path.iterdir())


def test_the_committed_packs_are_what_these_texts_give(tmp_path: Path) -> None:
    """As far as the voice of this machine is the voice that built them: the ends of words tell a wrong sound."""
    for code, names in {"en-US": ["and"], "es-US": ["plus"], "fr-CA": ["6", "6_before_noun"]}.items():
        for prompt in prompts_of(LANGUAGES[code]):
            if prompt.name in names:
                length = len(shaped(spoken(prompt)))
                committed = soundfile.info(build.PACKS / code / f"{prompt.name}.wav").frames
                assert length == pytest.approx(committed, abs=600)


def test_a_recording_is_used_and_what_is_missing_is_said(tmp_path: Path, recordings: Path) -> None:
    _record(recordings / "danger.wav")
    _record(recordings / "dangre.wav")
    built = build.build(tmp_path / "pack", SMALL, Recordings(recordings), advance=lambda: None)
    assert built.recorded == 1
    assert list(built.missing) == ["on", "language_1", "language_2", "language_3"]
    assert built.unknown == ["dangre"]
    about = soundfile.info(tmp_path / "pack" / "danger.wav")
    assert (about.samplerate, about.channels, about.subtype) == (8000, 1, "IMA_ADPCM")
    assert about.duration == pytest.approx(1.0, abs=0.1)


def test_without_a_voice_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(VoiceMissing, match="apt install espeak-ng"):
        build.build(tmp_path, SMALL)


def test_with_all_recordings_no_voice_is_needed(
    tmp_path: Path, recordings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    for prompt in prompts_of(SMALL):
        _record(recordings / f"{prompt.name}.WAV", seconds=0.4)
    built = build.build(tmp_path / "pack", SMALL, Recordings(recordings))
    assert (built.recorded, built.missing, built.findings) == (5, {}, [])
