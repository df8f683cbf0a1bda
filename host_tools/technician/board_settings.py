"""What can be set on a board: the names and limits of the firmware's `settings.py`, which a test holds them to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

Language = Literal["en-US", "es-US", "fr-CA"]
Country = Literal["US", "CA", "GB", "DE", "JP", "AU", "IN", "BR", "FR"]
AdapterId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,32}$")]
Line = Annotated[str, StringConstraints(pattern=r"^[0-9]{0,15}$")]
Key = Annotated[str, StringConstraints(pattern=r"^([0-9a-fA-F]{64})?$")]
Codes = Annotated[str, StringConstraints(pattern=r"^[0-9*# ]{0,32}$")]
Port = Annotated[int, Field(ge=1, le=65535)]

UNPROVISIONED = "unprovisioned"
SECRETS = frozenset({"adapter_key", "wifi_key", "house_key"})
"""What is never shown."""


_TYPED = {"bool_parsing": "yes or no", "int_parsing": "a number"}
_SHAPED = {
    "adapter_id": "1 to 32 letters, digits and hyphens",
    "line": "1 to 15 digits, and nothing else",
    "release_key": "hexadecimal digits",
    **dict.fromkeys(("adapter_key", "house_key"), "64 hexadecimal digits"),
    **dict.fromkeys(
        ("trace_codes", "last_call_codes", "traces_codes", "outcome_codes", "language_codes"),
        "digits, * and #, with blanks between codes",
    ),
}


class SettingWrong(Exception):
    """A setting that no board takes; the text names it, and never its value."""


class BoardSettings(BaseModel):
    """Settings by their names; None is what the board has, or the firmware's default."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    adapter_id: AdapterId | None = None
    line: Line | None = None
    country: Country | None = None
    language: Language | None = None
    utc_offset_minutes: Annotated[int, Field(ge=-720, le=840)] | None = None
    tty: bool | None = None
    adapter_key: Key | None = Field(default=None, repr=False)
    service_hosts: Annotated[str, StringConstraints(max_length=128)] | None = None
    service_port: Port | None = None
    service_path: Annotated[str, StringConstraints(max_length=128)] | None = None
    service_ca: Annotated[str, StringConstraints(max_length=64)] | None = None
    wifi_ssid: Annotated[str, StringConstraints(max_length=32)] | None = None
    wifi_key: Annotated[str, StringConstraints(max_length=63)] | None = Field(default=None, repr=False)
    release_key: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{0,1024}$")] | None = None
    house_host: Annotated[str, StringConstraints(max_length=64)] | None = None
    house_port: Port | None = None
    house_key: Key | None = Field(default=None, repr=False)
    trace_button: bool | None = None
    call_log: bool | None = None
    trace_codes: Codes | None = None
    last_call_codes: Codes | None = None
    traces_codes: Codes | None = None
    outcome_codes: Codes | None = None
    language_codes: Codes | None = None
    two_stage: bool | None = None
    trace_offered: bool | None = None
    price_cents: Annotated[int, Field(ge=0, le=1000)] | None = None
    answer_timeout_ms: Annotated[int, Field(ge=100, le=60_000)] | None = None

    def chosen(self) -> dict[str, Any]:
        """Those that are set, as `settings.json` has them."""
        return self.model_dump(exclude_none=True)


def from_values(values: Mapping[str, Any]) -> BoardSettings:
    """Settings of these values.

    Raises:
        SettingWrong: one is unknown, or out of its limits.
    """
    try:
        return BoardSettings.model_validate(dict(values))
    except ValidationError as error:
        raise SettingWrong(_told(error)) from error


def from_texts(texts: Mapping[str, str]) -> BoardSettings:
    """Settings that somebody has typed, `true`, `false` and numbers as such; an empty text is left out.

    Raises:
        SettingWrong: one is unknown, or out of its limits.
    """
    given = {name: text for name, text in texts.items() if text or name not in BoardSettings.model_fields}
    try:
        return BoardSettings.model_validate_strings(given, strict=False)
    except ValidationError as error:
        raise SettingWrong(_told(error)) from error


def hidden(values: Mapping[str, Any]) -> dict[str, Any]:
    """The settings for a terminal: of a secret only that there is one."""
    return {name: (bool(value) if name in SECRETS else value) for name, value in values.items()}


def _told(error: ValidationError) -> str:
    first = error.errors(include_input=False)[0]
    name = str(first["loc"][0])
    if first["type"] == "extra_forbidden":
        return f"there is no setting {name!r}"
    kind = _SHAPED.get(name) if first["type"] == "string_pattern_mismatch" else _TYPED.get(first["type"])
    if first["type"] == "literal_error":
        kind = first["ctx"]["expected"].replace("'", "")
    return f"{name} is {kind}" if kind else f"{name}: {first['msg'].lower()}"
