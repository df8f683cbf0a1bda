"""Settings of the house: `STAR57_HOUSE_...` in the environment, or options of `star57 house`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, FilePath, SecretStr, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from host_tools.house.signed import KEY_BYTES

_NAME = re.compile(r"([A-Za-z0-9-]{1,32})=([^*=,]{1,50})")
_KEY = re.compile(r"([A-Za-z0-9-]{1,32})\s+([0-9A-Fa-f]{64})")
_TOPIC = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*")

Port = Annotated[int, Field(ge=0, le=65535)]


class SecretUnreadable(Exception):
    """A file with a secret cannot be read, or holds something else; the text is one sentence, without the secret."""


def _names(value: object) -> object:
    if not isinstance(value, str):
        return value
    names = {}
    for item in filter(None, (part.strip() for part in value.split(","))):
        found = _NAME.fullmatch(item)
        if found is None:
            raise ValueError("it is a list of ADAPTER=NAME, such as adapter-1=Home,adapter-2=Office")
        names[found[1]] = found[2].strip()
    return names


def _topic(value: str) -> str:
    if not _TOPIC.fullmatch(value):
        raise ValueError("it is a topic of letters, digits, -, _ and /")
    return value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("it is a time zone such as America/New_York") from error
    return value


class Settings(BaseSettings):
    """What a household may choose; a field is `STAR57_HOUSE_<FIELD>` in the environment."""

    model_config = SettingsConfigDict(
        env_prefix="STAR57_HOUSE_", frozen=True, hide_input_in_errors=True, env_ignore_empty=True
    )

    names: Annotated[dict[str, str], BeforeValidator(_names), NoDecode] = {}
    """Names of lines, by adapter id; an adapter without one has its id."""
    time_zone: Annotated[str, AfterValidator(_zone)] | None = None
    """Of NCID's dates and times; without it, this computer's."""

    adapters_host: str | None = None
    """Where adapters on the network are listened to, such as 0.0.0.0; without it, none are."""
    adapters_port: Port = 5758
    keys_file: FilePath | None = None
    """House keys, a line each: the adapter id, a space, and 64 hex digits."""
    take_unsigned: bool = False
    """Whether adapters without a key are believed."""

    ncid_host: str | None = "127.0.0.1"
    """Where NCID clients are served; 0.0.0.0 is the whole network, which then sees who calls."""
    ncid_port: Port = 3333
    log_file: Path | None = None
    """Where NCID's call log is kept; without it, it is gone at the next start."""
    log_lines: Annotated[int, Field(ge=0, le=10_000)] = 200

    mqtt_host: str | None = None
    """The MQTT broker; without it, none is spoken to."""
    mqtt_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """1883, or with TLS 8883, unless it is set."""
    mqtt_user: str | None = None
    mqtt_password: SecretStr | None = None
    mqtt_password_file: FilePath | None = None
    mqtt_tls: bool = False
    mqtt_ca_file: FilePath | None = None
    """PEM of the only authorities that the broker's certificate may be of; without it, the system's."""
    mqtt_topic: Annotated[str, AfterValidator(_topic)] = "star57"
    mqtt_discovery_prefix: Annotated[str, AfterValidator(_topic)] = "homeassistant"

    @model_validator(mode="after")
    def _password_is_once_there(self) -> Self:
        if self.mqtt_password is not None and self.mqtt_password_file is not None:
            raise ValueError("set mqtt_password or mqtt_password_file, not both")
        return self

    @property
    def broker_port(self) -> int:
        """The broker's port."""
        return self.mqtt_port or (8883 if self.mqtt_tls else 1883)

    @property
    def zone(self) -> ZoneInfo | None:
        """The time zone; None for this computer's."""
        return None if self.time_zone is None else ZoneInfo(self.time_zone)

    def password(self) -> str | None:
        """The broker's password. Raises SecretUnreadable."""
        if self.mqtt_password is not None:
            return self.mqtt_password.get_secret_value()
        if self.mqtt_password_file is None:
            return None
        return _text(self.mqtt_password_file).rstrip("\r\n")

    def keys(self) -> dict[str, bytes]:
        """House keys by adapter id. Raises SecretUnreadable."""
        if self.keys_file is None:
            return {}
        keys = {}
        for line in _text(self.keys_file).splitlines():
            if not line.strip() or line.startswith("#"):
                continue
            found = _KEY.fullmatch(line.strip())
            if found is None:
                raise SecretUnreadable(
                    f"{self.keys_file} has a line that is not an adapter id, a space and {2 * KEY_BYTES} hex digits"
                )
            keys[found[1]] = bytes.fromhex(found[2])
        return keys


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except OSError as error:
        raise SecretUnreadable(f"{file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise SecretUnreadable(f"{file} is no text") from None
