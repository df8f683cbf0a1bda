"""Settings of the gateway: `STAR57_GATEWAY_...` in the environment, or options of `star57 gateway`."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, FilePath
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from host_tools.gateway.forward import service_address
from host_tools.gateway.ports import port_pattern


def _split(value: object) -> object:
    return [item.strip() for item in value.split(",") if item.strip()] if isinstance(value, str) else value


def _service_url(value: str) -> str:
    return str(service_address(value))


class Settings(BaseSettings):
    """What an operator may choose; a field is `STAR57_GATEWAY_<FIELD>` in the environment, and lists have commas."""

    model_config = SettingsConfigDict(
        env_prefix="STAR57_GATEWAY_", frozen=True, hide_input_in_errors=True, env_ignore_empty=True
    )

    ports: Annotated[
        tuple[Annotated[str, AfterValidator(port_pattern)], ...],
        Field(min_length=1),
        BeforeValidator(_split),
        NoDecode,
    ]
    """Serial ports: paths, globs, or `usb:` and a serial number; they need not be there yet."""
    services: Annotated[
        tuple[Annotated[str, AfterValidator(_service_url)], ...],
        Field(min_length=1),
        BeforeValidator(_split),
        NoDecode,
    ] = ("http://127.0.0.1:5757/v1/messages",)
    """Addresses of the trace service, in the order in which they are tried."""
    ca_file: FilePath | None = None
    """PEM of the authorities that a service's certificate must be of; without it, the system's."""
    timeout_s: Annotated[float, Field(ge=0.1, le=30.0)] = 3.0
    """For each address; what comes later is not waited for."""
