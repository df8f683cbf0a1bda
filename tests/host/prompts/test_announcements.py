"""Every announcement as it is put together: what it is made of, how long it is, and that the page shows it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from host_tools.prompts.announcements import EXAMPLES, as_audio, length_s, page
from host_tools.prompts.build import PACKS, read_texts
from host_tools.prompts.level import frame_levels_dbm0
from host_tools.prompts.shaping import LOUDEST_FRAME_DBM0
from host_tools.prompts.texts import LANGUAGES
from host_tools.rig.micropython import ROOT, interpreter_command
from tests.host.prompts.spoken import everything_said

PAGE = ROOT / "docs" / "prompts.md"
LONGEST_ANNOUNCEMENT_S = 25.0
LONGEST_BREAK_S = 0.65
"""Within an announcement: a pause of 350 ms, and the ends of prompts, which the codec fills up."""
QUIET_DBM0 = -45.0

EVERY_EXAMPLE = [example for group in EXAMPLES.values() for example in group]


@pytest.mark.parametrize("language", LANGUAGES)
def test_firmware_says_all_prompts_of_the_pack_and_no_others(language: str) -> None:
    used = {item for items in everything_said(language).values() for item in items if isinstance(item, str)}
    assert used == set(read_texts(PACKS / language))


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_announcement_is_too_long(language: str) -> None:
    for example in EVERY_EXAMPLE:
        items = everything_said(language)[example.expression]
        assert length_s(items, PACKS / language) < LONGEST_ANNOUNCEMENT_S, example.title


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_put_together_is_even_and_has_no_holes(language: str) -> None:
    for example in EVERY_EXAMPLE:
        items = everything_said(language)[example.expression]
        levels = frame_levels_dbm0(as_audio(items, PACKS / language))
        assert levels.max() <= LOUDEST_FRAME_DBM0, example.title
        heard = np.flatnonzero(levels > QUIET_DBM0)
        assert np.diff(heard).max() * 0.01 < LONGEST_BREAK_S, example.title


def test_the_page_shows_the_announcements_as_they_are() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(PACKS, list(LANGUAGES), interpreter_command())


def test_a_page_of_one_language(tmp_path: Path) -> None:
    told = page(PACKS, ["fr-CA"], interpreter_command())
    assert "Il vous en coûte cinq dollars et cinquante cents pour chaque appel retracé." in told
    assert "en-US" not in told
