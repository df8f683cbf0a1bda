"""Settings of the house: what they take, and that secrets stay where they are."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from host_tools.house.settings import SecretUnreadable, Settings

KEY = "00" * 32


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STAR57_HOUSE_MQTT_HOST", raising=False)


def test_by_itself_a_house_shows_calls_to_its_own_computer_alone() -> None:
    settings = Settings()
    assert (settings.ncid_host, settings.ncid_port) == ("127.0.0.1", 3333)
    assert settings.mqtt_host is None
    assert settings.adapters_host is None
    assert not settings.take_unsigned
    assert settings.keys() == {}
    assert settings.password() is None
    assert settings.zone is None


def test_settings_are_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAR57_HOUSE_NAMES", "adapter-1=Home, adapter-2=The Office")
    monkeypatch.setenv("STAR57_HOUSE_MQTT_TLS", "true")
    monkeypatch.setenv("STAR57_HOUSE_TIME_ZONE", "America/New_York")
    monkeypatch.setenv("STAR57_HOUSE_MQTT_HOST", "")
    settings = Settings()
    assert settings.names == {"adapter-1": "Home", "adapter-2": "The Office"}
    assert settings.broker_port == 8883
    assert str(settings.zone) == "America/New_York"
    assert settings.mqtt_host is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("names", "adapter-1"),
        ("names", "adapter/1=Home"),
        ("names", "adapter-1=*"),
        ("time_zone", "Middle/Earth"),
        ("ncid_port", 65536),
        ("mqtt_topic", "star57/#"),
        ("mqtt_topic", "/star57"),
        ("mqtt_discovery_prefix", ""),
        ("log_lines", -1),
        ("keys_file", "/nowhere/at/all"),
    ],
)
def test_what_is_wrong_is_refused(field: str, value: object) -> None:
    with pytest.raises(ValidationError):
        Settings(**{field: value})  # type: ignore[arg-type]


def test_a_password_comes_from_one_place(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("a secret\n")
    assert Settings(mqtt_password_file=file).password() == "a secret"
    settings = Settings(mqtt_password="a secret")  # noqa: S106 - of this test alone
    assert settings.password() == "a secret"
    assert "a secret" not in repr(settings)
    with pytest.raises(ValidationError) as refused:
        Settings(mqtt_password="a secret", mqtt_password_file=file)  # noqa: S106 - of this test alone
    assert "a secret" not in str(refused.value)


def test_keys_are_lines_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(f"# adapters of this house\n\nadapter-1 {KEY}\nadapter-2\t{'Ff' * 32}\n")
    assert Settings(keys_file=file).keys() == {"adapter-1": bytes(32), "adapter-2": b"\xff" * 32}


@pytest.mark.parametrize("text", [f"adapter-1={KEY}", f"adapter-1 {KEY[1:]}", f"adapter/1 {KEY}", KEY])
def test_a_wrong_line_is_named_by_its_file_alone(tmp_path: Path, text: str) -> None:
    file = tmp_path / "keys"
    file.write_text(text)
    with pytest.raises(SecretUnreadable) as refused:
        Settings(keys_file=file).keys()
    assert str(file) in str(refused.value)
    assert KEY[1:] not in str(refused.value)


def test_a_file_that_is_no_text_is_said(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(SecretUnreadable, match="is no text"):
        Settings(keys_file=file).keys()
    gone = Settings(keys_file=file)
    file.unlink()
    with pytest.raises(SecretUnreadable, match="cannot be read"):
        gone.keys()
