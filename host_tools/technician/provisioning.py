"""Makes a board a line's adapter: its identity and key, what it is set to, and the service that is told of it."""

from __future__ import annotations

import csv
import json
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from host_tools.technician.board_files import SETTINGS_FILE
from host_tools.technician.board_settings import (
    UNPROVISIONED,
    BoardSettings,
    SettingWrong,
    from_texts,
    from_values,
)
from host_tools.technician.faults import BenchFault
from host_tools.technician.registrar import NewAdapter, Registrar

CERTIFICATE_FILE = "service_ca.der"
SERIAL = "serial"
"""The column of a sheet that says which board; empty: the next one that has no line yet."""

_MOST_SETTINGS_BYTES = 4096
_KEY_BYTES = 32
# What one household has had done is nothing for the next one's line: its calls, requests, numbers, and settings.
_HOUSEHOLDS_FILES = ("calls.", "outbox.", "sequence.", "pushed.", "household.", "traces.", "prompts.")


class SheetWrong(BenchFault):
    """A sheet cannot be read; the text says in which row, and why."""


class BoardMissing(SheetWrong):
    """A row's board is not plugged in, or there are too few."""


class NoIdentity(BenchFault):
    """There is nothing to name the adapter by."""


class Files(Protocol):
    """The files on a board, as `board_files.BoardFiles`."""

    def read(self, *names: str) -> dict[str, bytes]:
        """What is in these files; one that is not there is not in it."""

    def write(self, files: Mapping[str, bytes], gone: tuple[str, ...] = ()) -> None:
        """Writes files whole, removes those whose names begin with one of `gone`, and starts the board anew."""


@dataclass(frozen=True)
class Plan:
    """What a board is to become.

    Attributes:
        settings: those that are chosen; the others stay.
        certificate: of the service's authority, DER, for the board's flash.
        new_key: also where the board has one for this line.
        replaces: the service forgets another adapter of this id, and takes the line from another.
    """

    settings: BoardSettings
    certificate: bytes | None = None
    new_key: bool = False
    replaces: bool = False


@dataclass(frozen=True)
class Provisioned:
    """What a board has become; nothing secret is in it.

    Attributes:
        serial_number: of its USB.
        has_new_key: the service was told of it.
    """

    serial_number: str
    port: str
    adapter_id: str
    line: str
    country: str
    language: str
    has_new_key: bool


def provision(
    files: Files, serial_number: str, port: str, plan: Plan, registrar: Registrar | None
) -> Provisioned:
    """Provisions one board, which begins anew with what it has become.

    The service is told first: a board whose writing fails is done again, and nothing of it works meanwhile.

    Args:
        registrar: who tells the service; None when the board keeps its key.

    Raises:
        SettingWrong: what is on the board and what is chosen make no settings that it takes.
        NoIdentity: a new key would be known to nobody.
        NotRegistered: the service does not take it; the board is as it was.
        BenchFault: the board was not written, or not wholly.
    """
    present = _present(files.read(SETTINGS_FILE).get(SETTINGS_FILE))
    chosen = plan.settings.chosen()
    if plan.certificate is not None:
        chosen["service_ca"] = CERTIFICATE_FILE
    adapter_id = chosen.get("adapter_id") or _identity(present, serial_number)
    values = {**present, **chosen, "adapter_id": adapter_id}
    moves = bool(present.get("line")) and values.get("line") != present.get("line")
    needs_key = plan.new_key or moves or not present.get("adapter_key") or adapter_id != present["adapter_id"]
    if needs_key:
        values["adapter_key"] = _registered(values, plan, registrar)
    written = {SETTINGS_FILE: _as_file(values)}
    if plan.certificate is not None:
        written[CERTIFICATE_FILE] = plan.certificate
    files.write(written, _HOUSEHOLDS_FILES if moves else ())
    return Provisioned(
        serial_number,
        port,
        adapter_id,
        values.get("line", ""),
        values.get("country", "US"),
        values.get("language", "en-US"),
        needs_key,
    )


def read_sheet(path: Path) -> list[tuple[str, BoardSettings]]:
    """The boards of a CSV sheet: serial number, or "", and settings. Its first row names the columns.

    Raises:
        SheetWrong: it cannot be read, or something in it makes no sense.
    """
    try:
        rows = list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines(), strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SheetWrong(f"{path} cannot be read as a CSV sheet: {error}") from error
    boards = [_row(number, row) for number, row in enumerate(rows, start=2)]
    if not boards:
        raise SheetWrong(f"{path} has no row behind its first")
    for name, named in (
        ("serial", [serial for serial, _ in boards if serial]),
        ("line", [settings.line for _, settings in boards if settings.line]),
        ("adapter_id", [settings.adapter_id for _, settings in boards if settings.adapter_id]),
    ):
        twice = sorted({each for each in named if named.count(each) > 1})
        if twice:
            raise SheetWrong(f"{name} {twice[0]} is in two rows")
    return boards


def assigned(
    sheet: Iterable[tuple[str, BoardSettings]], plugged_in: Mapping[str, bool]
) -> list[tuple[str, BoardSettings]]:
    """Which board gets which row: the one that it names, or the next that no row names and that has no line.

    Args:
        plugged_in: for each board by its serial number whether it is a line's adapter already.

    Raises:
        BoardMissing: a row's board is not plugged in, or there are too few.
    """
    rows = list(sheet)
    named = {serial for serial, _ in rows if serial}
    missing = sorted(named - plugged_in.keys())
    if missing:
        raise BoardMissing(f"board {missing[0]} is not plugged in")
    free = iter(
        sorted(serial for serial, is_used in plugged_in.items() if serial not in named and not is_used)
    )
    result = []
    for serial, settings in rows:
        board = serial or next(free, "")
        if not board:
            raise BoardMissing(f"there is no board without a line left for line {settings.line}")
        result.append((board, settings))
    return result


def read_certificate(path: Path) -> bytes:
    """A certificate of PEM or DER, as DER.

    Raises:
        SheetWrong: it is none.
    """
    try:
        data = path.read_bytes()
        load = x509.load_pem_x509_certificate if b"-----BEGIN" in data else x509.load_der_x509_certificate
        return load(data).public_bytes(Encoding.DER)
    except (OSError, ValueError) as error:
        raise SheetWrong(f"{path} is no certificate") from error


def _row(number: int, row: Mapping[str | None, Any]) -> tuple[str, BoardSettings]:
    if None in row or None in row.values():
        raise SheetWrong(f"row {number} has not as many cells as the first")
    texts = {str(name).strip(): str(value).strip() for name, value in row.items()}
    serial = texts.pop(SERIAL, "")
    if "adapter_key" in texts:
        raise SheetWrong("a sheet holds no adapter_key: each board gets a new one")
    try:
        settings = from_texts(texts)
    except SettingWrong as error:
        raise SheetWrong(f"row {number}: {error}") from error
    if not settings.line:
        raise SheetWrong(f"row {number} has no line")
    return serial, settings


def _present(data: bytes | None) -> dict[str, Any]:
    """The settings on the board; those that the firmware would not take are left out."""
    try:
        values = json.loads(data or b"{}")
    except ValueError:
        values = {}
    kept = {}
    for name, value in values.items() if isinstance(values, dict) else ():
        try:
            kept.update(from_values({name: value}).chosen())
        except SettingWrong:
            continue
    return kept


def _identity(present: Mapping[str, Any], serial_number: str) -> str:
    known = present.get("adapter_id", UNPROVISIONED)
    if known != UNPROVISIONED:
        return str(known)
    if not serial_number:
        raise NoIdentity("the board has no USB serial number: name it with --adapter-id")
    return f"star57-{serial_number[-8:].lower()}"


def _registered(values: Mapping[str, Any], plan: Plan, registrar: Registrar | None) -> str:
    """A new key, which the service knows already."""
    if registrar is None:
        raise NoIdentity("the board needs a new key: say with --service-api or --database who is told of it")
    key = secrets.token_bytes(_KEY_BYTES)
    line = values.get("line") or None
    registrar.register(NewAdapter(values["adapter_id"], key, line, plan.replaces))
    return key.hex()


def _as_file(values: Mapping[str, Any]) -> bytes:
    data = json.dumps(from_values(values).chosen(), indent=1).encode()
    if len(data) > _MOST_SETTINGS_BYTES:
        raise SettingWrong(f"the settings have {len(data)} bytes; a board reads {_MOST_SETTINGS_BYTES}")
    return data


def written_record(path: Path, rows: Iterable[Provisioned], at: Callable[[], str]) -> None:
    """Adds a row for each board to a CSV record, which is made when it is not there."""
    is_new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        if is_new:
            writer.writerow(("at", *Provisioned.__dataclass_fields__))
        for row in rows:
            writer.writerow((at(), *(getattr(row, name) for name in Provisioned.__dataclass_fields__)))
