"""`star57 provision`: makes boards the adapters of lines."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from host_tools.cli.answer import JsonOption, answer, progress, stopped
from host_tools.cli.chosen_board import chosen_board
from host_tools.cli.database import ACTOR, work_on
from host_tools.cli.exit_codes import ExitCode
from host_tools.service.adapters import AdapterExists
from host_tools.service.registration import LineTaken, Registration, register
from host_tools.technician.board_files import BoardFiles
from host_tools.technician.board_settings import BoardSettings, SettingWrong, from_texts
from host_tools.technician.boards import Board, Kind, survey
from host_tools.technician.faults import BenchFault
from host_tools.technician.flashing import check_is_free_now
from host_tools.technician.labels import labels_pdf
from host_tools.technician.ports import Usb, usb_here
from host_tools.technician.provisioning import (
    BoardMissing,
    Plan,
    Provisioned,
    SheetWrong,
    assigned,
    read_certificate,
    read_sheet,
    written_record,
)
from host_tools.technician.provisioning import (
    provision as provision_board,
)
from host_tools.technician.registrar import (
    AlreadyKnown,
    NewAdapter,
    NotRegistered,
    Registrar,
    ServiceRegistrar,
)
from host_tools.technician.waiting import Patience, wait_until_well

_AT_ONCE = 8
_COMMAND = "provision"
_Text = str | None


@dataclass(frozen=True)
class _Outcome:
    """What became of one board: one of the two."""

    serial_number: str
    provisioned: Provisioned | None
    fault: str


class _DatabaseRegistrar:
    """The service's database itself, where the technician sits at it."""

    def __init__(self, database: str) -> None:
        self._database = database

    def register(self, adapter: NewAdapter) -> None:
        asked = Registration(adapter.adapter_id, adapter.key, adapter.line, adapter.replaces)
        try:
            work_on(
                self._database,
                lambda connection: register(connection, asked, actor=ACTOR, at=time.time()),
                command=_COMMAND,
                may_be_new=True,
            )
        except typer.Exit as error:
            # It has been said; the other boards go on.
            raise NotRegistered("the service's database does not take it") from error
        except AdapterExists as error:
            raise AlreadyKnown("the service knows an adapter of this ID") from error
        except LineTaken as error:
            raise AlreadyKnown(f"the line is that of adapter {error}") from error


def provision(
    *,
    port: Annotated[
        _Text, typer.Option(help="Which board; without it the only one that is plugged in.")
    ] = None,
    sheet: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.csv",
            exists=True,
            dir_okay=False,
            help="Many boards: a row each, with columns serial (or empty: the next), line, and any setting.",
        ),
    ] = None,
    line: Annotated[_Text, typer.Option(help="The household's number, 1 to 15 digits.")] = None,
    country: Annotated[_Text, typer.Option(help="US, CA, GB, DE, JP, AU, IN, BR or FR.")] = None,
    language: Annotated[_Text, typer.Option(help="en-US, es-US or fr-CA.")] = None,
    service: Annotated[
        _Text,
        typer.Option(
            metavar="HOSTS", help="Where the adapter finds the service: names, with commas between."
        ),
    ] = None,
    ca_file: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="The certificate that the service's is signed by."),
    ] = None,
    wifi: Annotated[
        _Text, typer.Option(metavar="SSID", help="The household's Wi-Fi; its key is asked for.")
    ] = None,
    adapter_id: Annotated[_Text, typer.Option(help="Otherwise made of the board's serial number.")] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Any other setting; repeat it for several."),
    ] = None,
    service_api: Annotated[
        _Text,
        typer.Option(metavar="URL", help="Tell the service of the new key by its API; --account signs in."),
    ] = None,
    account: Annotated[_Text, typer.Option(help="A technician's account; its password is asked for.")] = None,
    password_file: Annotated[Path | None, typer.Option(exists=True, dir_okay=False)] = None,
    second_factor: Annotated[bool, typer.Option(help="The account has one: its code is asked for.")] = False,
    api_ca_file: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Whom to trust for the API, not the system's."),
    ] = None,
    database: Annotated[
        _Text, typer.Option(help="Or tell the service's database, on its own computer.")
    ] = None,
    new_key: Annotated[bool, typer.Option(help="A new key also where the board has one.")] = False,
    replace: Annotated[
        bool,
        typer.Option(
            help="The service forgets what it knew by this ID, and takes the line from another adapter."
        ),
    ] = False,
    record: Annotated[
        Path | None, typer.Option(metavar="FILE.csv", help="Add a row for each board. No key is in it.")
    ] = None,
    labels: Annotated[Path | None, typer.Option(metavar="FILE.pdf", help="A label for each board.")] = None,
    now: Annotated[bool, typer.Option(help="Also when a line is in use, or a request waits.")] = False,
    json: JsonOption = False,
) -> None:
    """Make a board the adapter of a line: its settings, and a key that it and the service alone know.

    The key is shown nowhere. The board begins anew; a board that moves to another line forgets the household before.
    """
    typed = {
        "line": line,
        "country": country,
        "language": language,
        "service_hosts": service,
        "adapter_id": adapter_id,
        "wifi_ssid": wifi,
        "wifi_key": typer.prompt("Key of the Wi-Fi", hide_input=True, err=True) if wifi else None,
    }
    common = _settings({**typed, **dict(_assignment(each) for each in setting or ())})
    for written in (record, labels):
        if written and not written.absolute().parent.is_dir():
            raise stopped(ExitCode.USAGE, f"there is no folder {written.absolute().parent}")
    usb = usb_here()
    try:
        rows = _rows(usb, port, sheet, common)
        certificate = read_certificate(ca_file) if ca_file else None
    except BoardMissing as error:
        raise stopped(ExitCode.NOTHING_THERE, str(error)) from error
    except SheetWrong as error:
        raise stopped(ExitCode.USAGE, str(error)) from error
    plans = [(board, Plan(settings, certificate, new_key, replace)) for board, settings in rows]
    papers = _Papers(record, labels)
    with _registrar(
        service_api,
        account=account,
        password_file=password_file,
        second_factor=second_factor,
        api_ca_file=api_ca_file,
        database=database,
    ) as registrar:
        try:
            outcomes = _all(usb, plans, registrar, papers, now=now, as_json=json)
        finally:
            papers.print_labels()
    _tell(outcomes, as_json=json)


def _rows(
    usb: Usb, port: str | None, sheet: Path | None, common: BoardSettings
) -> list[tuple[Board, BoardSettings]]:
    """Which board is to get what."""
    if sheet is None:
        return [(chosen_board(usb, port), common)]
    if common.line or common.adapter_id:
        raise SheetWrong("with a sheet, lines and IDs stand in it")
    boards = [board for board in survey(usb) if board.kind in (Kind.STAR57, Kind.MICROPYTHON)]
    by_serial = {board.serial_number: board for board in boards}
    plugged_in = {serial: bool(board.line) for serial, board in by_serial.items()}
    chosen = common.chosen()
    return [
        (by_serial[serial], BoardSettings(**{**chosen, **settings.chosen()}))
        for serial, settings in assigned(read_sheet(sheet), plugged_in)
    ]


def _settings(typed: dict[str, str | None]) -> BoardSettings:
    try:
        return from_texts({name: text for name, text in typed.items() if text is not None})
    except SettingWrong as error:
        raise stopped(ExitCode.USAGE, str(error)) from error


def _assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise stopped(ExitCode.USAGE, f"{name}: a setting is NAME=VALUE")
    if name in ("adapter_key", "wifi_key", "house_key"):
        raise stopped(ExitCode.USAGE, f"{name} would be seen by whoever lists this computer's processes")
    return name, value


@contextmanager
def _registrar(
    service_api: str | None,
    *,
    account: str | None,
    password_file: Path | None,
    second_factor: bool,
    api_ca_file: Path | None,
    database: str | None,
) -> Iterator[Registrar | None]:
    """Who tells the service of new keys; None when nobody does."""
    if service_api is None:
        yield None if database is None else _DatabaseRegistrar(database)
        return
    if account is None:
        raise stopped(ExitCode.USAGE, "--service-api needs --account, a technician's")
    password = (
        password_file.read_text(encoding="utf-8").rstrip("\n")
        if password_file
        else typer.prompt(f"Password of {account}", hide_input=True, err=True)
    )
    code = typer.prompt("Code of the second factor", err=True) if second_factor else None
    try:
        registrar = ServiceRegistrar(
            service_api, account, password, code, str(api_ca_file) if api_ca_file else None
        )
    except BenchFault as error:
        raise stopped(ExitCode.FAILED, str(error)) from error
    with registrar:
        yield registrar


class _Papers:
    """Record and labels: what was done is on paper, also when the rest is interrupted."""

    def __init__(self, record: Path | None, labels: Path | None) -> None:
        self._record = record
        self._labels = labels
        self._done: list[Provisioned] = []
        self._one_at_a_time = Lock()

    def add(self, done: Provisioned) -> None:
        """A board has become what it is to be."""
        with self._one_at_a_time:
            self._done.append(done)
            if self._record:
                written_record(self._record, [done], lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    def print_labels(self) -> None:
        """Writes the labels of all that were added, in the order of their serial numbers."""
        if self._labels and self._done:
            self._labels.write_bytes(labels_pdf(sorted(self._done, key=lambda done: done.serial_number)))


def _all(
    usb: Usb,
    plans: list[tuple[Board, Plan]],
    registrar: Registrar | None,
    papers: _Papers,
    *,
    now: bool,
    as_json: bool,
) -> list[_Outcome]:
    with progress("Provisioning", len(plans), as_json=as_json) as bar, ThreadPoolExecutor(_AT_ONCE) as pool:

        def one(row: tuple[Board, Plan]) -> _Outcome:
            board, plan = row
            try:
                if not now:
                    check_is_free_now(board, Patience())
                done = provision_board(
                    BoardFiles(board.port), board.serial_number, board.port, plan, registrar
                )
                papers.add(done)
                wait_until_well(usb, board, None, Patience())
            except AlreadyKnown as error:
                told = f"{error}: if it is to be this board from now on, say --replace"
                return _Outcome(board.serial_number, None, told)
            except (BenchFault, SettingWrong) as error:
                return _Outcome(board.serial_number, None, str(error))
            finally:
                bar.advance()
            return _Outcome(board.serial_number, done, "")

        return list(pool.map(one, plans))


def _tell(outcomes: list[_Outcome], *, as_json: bool) -> None:
    table = Table("board", "adapter", "line", "country", "language", "", box=None)
    for outcome in outcomes:
        done = outcome.provisioned
        row = (done.adapter_id, done.line, done.country, done.language) if done else ("", "", "", "")
        table.add_row(outcome.serial_number, *row, outcome.fault or "provisioned")
    answer([asdict(outcome) for outcome in outcomes], table, as_json=as_json)
    failed = [outcome for outcome in outcomes if outcome.fault]
    if failed:
        code = ExitCode.FAILED if len(failed) == len(outcomes) else ExitCode.SOME_FAILED
        if not as_json:
            for outcome in failed:
                Console(stderr=True).print(
                    f"star57: {outcome.serial_number}: {outcome.fault}", highlight=False
                )
        raise typer.Exit(int(code))
