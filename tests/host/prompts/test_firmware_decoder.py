"""The firmware's decoder against libsndfile's, on every file of every pack and on PCM."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from host_tools.prompts.build import PACKS, read_texts
from host_tools.prompts.texts import LANGUAGES
from host_tools.rig.micropython import ROOT, interpreter_command

# Plays each named file of a folder onto standard output in blocks of 160; the last is filled up with silence.
PLAY = """
import sys
from array import array
from star57.sound.player import Player
from star57.sound.regions import REGIONS
player = Player((sys.argv[1],), REGIONS["US"])
block = array("h", bytes(320))
for name in sys.argv[2:]:
    player.play((name,))
    while not player.idle:
        player.fill(block, 160)
        sys.stdout.buffer.write(bytes(block))
"""


def _played(folder: Path, names: list[str], tmp_path: Path) -> np.ndarray:
    program = tmp_path / "play.py"
    program.write_text(PLAY)
    answer = subprocess.run(
        [*interpreter_command(), str(program), str(folder), *names],
        env={"MICROPYPATH": f"{ROOT / 'firmware'}:.frozen"},
        check=True,
        capture_output=True,
    )
    return np.frombuffer(answer.stdout, "<i2")


def _in_blocks(samples: np.ndarray) -> np.ndarray:
    return np.pad(samples, (0, -len(samples) % 160))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_prompt_decodes_as_libsndfile_decodes_it(language: str, tmp_path: Path) -> None:
    pack = PACKS / language
    names = list(read_texts(pack))
    expected = [_in_blocks(soundfile.read(pack / f"{name}.wav", dtype="int16")[0]) for name in names]
    assert np.array_equal(_played(pack, names, tmp_path), np.concatenate(expected))


@pytest.mark.parametrize("subtype", ["PCM_16", "IMA_ADPCM"])
def test_the_loudest_noise_decodes_as_libsndfile_decodes_it(subtype: str, tmp_path: Path) -> None:
    noise = np.random.default_rng(57).integers(-32768, 32768, 4000, dtype=np.int16)
    soundfile.write(tmp_path / "noise.wav", noise, 8000, format="WAV", subtype=subtype)
    expected = _in_blocks(soundfile.read(tmp_path / "noise.wav", dtype="int16")[0])
    assert np.array_equal(_played(tmp_path, ["noise"], tmp_path), expected)
