"""Settings by name and by environment."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tests.host.service.conftest import Centre


def test_lists_are_written_with_commas(centre: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    assert centre.settings().lines_offered == "*"
    monkeypatch.setenv("STAR57_LINES_OFFERED", "5555550100, 5555550101,")
    settings = centre.settings()
    assert settings.lines_offered == frozenset({"5555550100", "5555550101"})
    assert centre.settings(lines_offered="").lines_offered == frozenset()


def test_an_option_wins_over_the_environment(centre: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAR57_PRICE_CENTS", "100")
    assert centre.settings().price_cents == 100
    assert centre.settings(price_cents=200).price_cents == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"price_cents": 1001},
        {"price_cents": -1},
        {"match_within_s": 61},
        {"lines_offered": "5555550100,x"},
        {"port": 65536},
        {"database": "sqlite://"},
        {"database": "nothing"},
        {"call_records": "mysql://localhost/asterisk"},
        {"centre_public_key": "00" * 32},
    ],
)
def test_a_wrong_setting_is_refused(centre: Centre, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        centre.settings(**wrong)
