"""Settings of the trace service: options of `star57 service`, `STAR57_...` in the environment, or a TOML file.

An option wins over the environment, and that over the file, which `STAR57_SETTINGS_FILE` names.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, AnyHttpUrl, BeforeValidator, Field, FilePath, model_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from host_tools.service.messages import MAX_CHARGE_CENTS, Line
from host_tools.service.people_settings import PeopleSettings, split
from host_tools.service.sealing import Seal, SealingError

SETTINGS_FILE = "STAR57_SETTINGS_FILE"

_DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql+asyncpg"}


class SettingsFileUnreadable(Exception):
    """The file of settings cannot be read; the text is one sentence."""


def _of_file(settings_cls: type[BaseSettings], file: Path) -> PydanticBaseSettingsSource:
    try:
        return InitSettingsSource(settings_cls, tomllib.loads(file.read_text("utf-8")))
    except OSError as error:
        raise SettingsFileUnreadable(f"{file} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise SettingsFileUnreadable(f"{file} is not written in TOML") from error


def _all_or_some(value: object) -> object:
    return value if isinstance(value, str) and value.strip() == "*" else split(value)


def _public_key(value: str) -> str:
    try:
        Seal(value)
    except SealingError as error:
        raise ValueError(str(error)) from error
    return value


def _database_url(value: str) -> str:
    example = "sqlite:///star57.sqlite or postgresql+asyncpg://star57@localhost/star57"
    try:
        url = make_url(value)
    except ArgumentError as error:
        raise ValueError(f"not a database URL such as {example}") from error
    driver = _DRIVERS.get(url.get_backend_name())
    if driver is None or not url.database:
        raise ValueError(f"not the URL of an SQLite file or of a PostgreSQL database, such as {example}")
    return url.set(drivername=driver).render_as_string(hide_password=False)


def _database_url_or_csv(value: str) -> str:
    return value if value.endswith(".csv") else _database_url(value)


def _forever(value: object) -> object:
    return None if value == "forever" else value


def _time_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("not the name of a time zone such as America/New_York") from error
    return value


DatabaseUrl = Annotated[str, AfterValidator(_database_url)]
DatabaseUrlOrCsv = Annotated[str, AfterValidator(_database_url_or_csv)]
Days = Annotated[int, Field(ge=1, le=36500)]
Kept = Annotated[Days | None, BeforeValidator(_forever)]
"""Days, or `forever`: TOML and the environment have no None."""
Cents = Annotated[int, Field(ge=0, le=MAX_CHARGE_CENTS)]


class Settings(PeopleSettings, BaseSettings):
    """What an operator may choose; a field is `STAR57_<FIELD>` in the environment, and its name in the file."""

    model_config = SettingsConfigDict(
        env_prefix="STAR57_", frozen=True, hide_input_in_errors=True, extra="forbid", env_ignore_empty=True
    )

    centre_public_key: Annotated[str, AfterValidator(_public_key)]
    """The trace centre's public key, 64 hex digits; records are sealed to it."""
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 5757
    """0 takes any free port."""
    shares_port: bool = False
    """Replicas on one machine may listen on the same port; the system hands connections out among them."""
    trusted_proxies: str = "127.0.0.1"
    """Addresses, with commas between, whose word is taken for whom they forward: X-Forwarded-For and -Proto."""
    database: Annotated[DatabaseUrl, Field(validate_default=True)] = "sqlite:///star57.sqlite"
    origin_keys: Path = Path("star57.origins")
    """The keys that origins are counted by, made when there are none. Replicas share the file."""

    call_records: DatabaseUrlOrCsv | None = None
    """The exchange's call records; without them the presented number is taken for the origin."""
    subscribers: DatabaseUrlOrCsv | None = None
    """Whom the operator knows: a table or CSV of number, name and address."""
    match_within_s: Annotated[int, Field(ge=0, le=60)] = 10
    """How far the adapter's and the exchange's clocks may differ."""
    rings_needed: Annotated[int, Field(ge=1, le=2)] = 1
    """Complete rings after which a connection was made."""
    too_old_days: Days = 30
    """A call that came longer ago is not traced."""
    traces_for_action: Annotated[int, Field(ge=1, le=100)] = 3
    """Successful traces of one origin by one line that open the way to action."""
    price_cents: Cents = 500
    """Of a successful trace, where neither line nor area has a price."""
    monthly_cap_cents: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    """What a line is charged in a month at most, where neither line nor area has a cap."""
    lines_offered: Annotated[Literal["*"] | frozenset[Line], BeforeValidator(_all_or_some), NoDecode] = "*"
    """Lines that may trace, where neither line nor area says so: `*` for all, or numbers with commas between."""
    time_zone: Annotated[str, AfterValidator(_time_zone)] = "UTC"
    """Of the operator: bills and pages show its time."""

    centre_key_folder: Path | None = None
    """Folder of the centre's private keys, each under its passphrase; on the desk's own host alone."""
    time_stamp_url: AnyHttpUrl | None = None
    """A time-stamping authority (RFC 3161) for the audit log's checkpoints."""
    time_stamp_certificates: FilePath | None = None
    """PEM of the root certificate of that authority."""
    retention_sealed_days: Kept = 365
    retention_traces_days: Kept = 730
    retention_call_log_days: Kept = 365
    retention_charges_days: Kept = 1095
    retention_cases_days: Kept = 3650
    retention_adapter_logs_days: Kept = 30
    retention_sessions_days: Kept = 30
    retention_audit_days: Kept = 3650

    leave_after_s: Annotated[float, Field(ge=0, le=60)] = 0.0
    """How long a stop is announced by /health/ready before it begins: until nobody sends more requests here."""
    log_format: Literal["json", "text"] = "text"
    """How the log is written: a JSON object a line, or words."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Options, then the environment, then the file.

        Raises:
            SettingsFileUnreadable: there is none where one is named, or it is no TOML.
        """
        file = os.environ.get(SETTINGS_FILE)
        return (init_settings, env_settings, *([_of_file(settings_cls, Path(file))] if file else []))

    @model_validator(mode="after")
    def _outlives_its_record(self) -> Self:
        traces, sealed = self.retention_traces_days, self.retention_sealed_days
        if traces is not None and (sealed is None or sealed > traces):
            raise ValueError(
                "retention_traces_days is at least retention_sealed_days: a trace outlives its record"
            )
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The operator's time zone."""
        return ZoneInfo(self.time_zone)
