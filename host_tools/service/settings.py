"""Settings of the trace service: `STAR57_...` in the environment, or options of `star57 service`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from host_tools.service.messages import MAX_CHARGE_CENTS, Line
from host_tools.service.sealing import Seal, SealingError


def _split(value: object) -> object:
    if not isinstance(value, str) or value.strip() == "*":
        return value
    return frozenset(item.strip() for item in value.split(",") if item.strip())


def _public_key(value: str) -> str:
    try:
        Seal(value)
    except SealingError as error:
        raise ValueError(str(error)) from error
    return value


def _database_url(value: str) -> str:
    try:
        url = make_url(value)
    except ArgumentError as error:
        raise ValueError("not a database URL such as sqlite:///star57.sqlite") from error
    if url.get_backend_name() != "sqlite" or not url.database:
        raise ValueError("not the URL of an SQLite file such as sqlite:///star57.sqlite")
    return url.set(drivername="sqlite").render_as_string(hide_password=False)


DatabaseUrl = Annotated[str, AfterValidator(_database_url)]


class Settings(BaseSettings):
    """What an operator may choose; a field is `STAR57_<FIELD>` in the environment."""

    model_config = SettingsConfigDict(env_prefix="STAR57_", frozen=True, hide_input_in_errors=True)

    centre_public_key: Annotated[str, AfterValidator(_public_key)]
    """The trace centre's public key, 64 hex digits; records are sealed to it."""
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 5757
    """0 takes any free port."""
    database: Annotated[DatabaseUrl, Field(validate_default=True)] = "sqlite:///star57.sqlite"
    call_records: DatabaseUrl | None = None
    """The exchange's call records; without them the presented number is taken for the origin."""
    match_within_s: Annotated[int, Field(ge=0, le=60)] = 10
    """How far the adapter's and the exchange's clocks may differ."""
    price_cents: Annotated[int, Field(ge=0, le=MAX_CHARGE_CENTS)] = 500
    lines_offered: Annotated[Literal["*"] | frozenset[Line], BeforeValidator(_split), NoDecode] = "*"
    """Lines that may trace: `*` for all, or numbers with commas between."""
