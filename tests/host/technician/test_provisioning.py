"""A board becomes a line's adapter, with a board and a service that are not there."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography import x509

from host_tools.technician.board_settings import BoardSettings, SettingWrong
from host_tools.technician.provisioning import (
    NoIdentity,
    Plan,
    Provisioned,
    SheetWrong,
    assigned,
    provision,
    read_certificate,
    read_sheet,
    written_record,
)
from host_tools.technician.registrar import AlreadyKnown, NewAdapter

SERIAL = "E6614103E7452D2F"
LINE = "5555550100"
HOUSEHOLD = {"calls.a": b"c", "outbox.b": b"o", "sequence.a": b"s", "pushed.a": b"p", "service_ca.der": b"x"}


class BoardInMemory:
    def __init__(self, settings: Any = None, **files: bytes) -> None:
        self.files = dict(files)
        self.starts = 0
        if settings is not None:
            self.files["settings.json"] = json.dumps(settings).encode()

    def read(self, *names: str) -> dict[str, bytes]:
        return {name: self.files[name] for name in names if name in self.files}

    def write(self, files: Mapping[str, bytes], gone: tuple[str, ...] = ()) -> None:
        kept = {name: data for name, data in self.files.items() if not (gone and name.startswith(gone))}
        self.files = {**kept, **files}
        self.starts += 1

    @property
    def settings(self) -> dict[str, Any]:
        return dict(json.loads(self.files["settings.json"]))


class ServiceInMemory:
    def __init__(self, known: str = "") -> None:
        self.known = known
        self.told: list[NewAdapter] = []

    def register(self, adapter: NewAdapter) -> None:
        if adapter.adapter_id == self.known and not adapter.replaces:
            raise AlreadyKnown("known")
        self.told.append(adapter)


def done(board: BoardInMemory, service: ServiceInMemory | None, plan: Plan | None = None) -> Provisioned:
    return provision(board, SERIAL, "/dev/ttyACM0", plan or Plan(BoardSettings(line=LINE)), service)


def test_a_new_board_gets_an_identity_and_a_key_that_the_service_knows() -> None:
    board, service = BoardInMemory(), ServiceInMemory()
    settings = BoardSettings(line=LINE, country="CA", language="fr-CA", price_cents=300)
    assert done(board, service, Plan(settings)) == Provisioned(
        SERIAL, "/dev/ttyACM0", "star57-e7452d2f", LINE, "CA", "fr-CA", has_new_key=True
    )
    (told,) = service.told
    assert (told.adapter_id, told.line, told.replaces) == ("star57-e7452d2f", LINE, False)
    assert board.settings == {
        "adapter_id": "star57-e7452d2f",
        "adapter_key": told.key.hex(),
        "line": LINE,
        "country": "CA",
        "language": "fr-CA",
        "price_cents": 300,
    }
    assert board.starts == 1


def test_two_boards_have_two_keys_and_neither_is_shown() -> None:
    service = ServiceInMemory()
    shown = [repr(done(BoardInMemory(), service)) for _ in range(2)]
    first, second = service.told
    assert first.key != second.key
    assert len(first.key) == 32
    for text in (*shown, repr(first)):
        assert first.key.hex() not in text
        assert str(first.key) not in text


def test_what_is_not_chosen_stays_and_so_do_key_and_calls() -> None:
    kept = {"adapter_id": "a-1", "adapter_key": "5a" * 32, "line": LINE, "wifi_ssid": "home"}
    board = BoardInMemory(kept, **HOUSEHOLD)
    answer = done(board, None, Plan(BoardSettings(tty=True)))
    assert (answer.adapter_id, answer.has_new_key) == ("a-1", False)
    assert board.settings == {**kept, "tty": True}
    assert HOUSEHOLD.items() <= board.files.items()


def test_a_board_that_moves_to_another_line_forgets_the_household_and_gets_a_new_key() -> None:
    board = BoardInMemory({"adapter_id": "a-1", "adapter_key": "5a" * 32, "line": "5555550199"}, **HOUSEHOLD)
    service = ServiceInMemory(known="a-1")
    with pytest.raises(AlreadyKnown):
        done(board, service)
    assert board.settings["line"] == "5555550199"
    done(board, service, Plan(BoardSettings(line=LINE), replaces=True))
    assert board.settings["adapter_key"] == service.told[0].key.hex() != "5a" * 32
    assert sorted(board.files) == ["service_ca.der", "settings.json"]


def test_a_new_key_can_be_asked_for() -> None:
    board = BoardInMemory({"adapter_id": "a-1", "adapter_key": "5a" * 32, "line": LINE}, **HOUSEHOLD)
    service = ServiceInMemory()
    assert done(board, service, Plan(BoardSettings(), new_key=True)).has_new_key
    assert service.told[0].line == LINE
    assert "calls.a" in board.files


@pytest.mark.parametrize("present", [{}, {"adapter_id": "unprovisioned"}, {"adapter_id": "a b"}, [], "text"])
def test_what_is_on_the_board_may_be_anything(present: Any) -> None:
    assert done(BoardInMemory(present), ServiceInMemory()).adapter_id == "star57-e7452d2f"


def test_settings_that_are_no_json_are_begun_anew() -> None:
    board = BoardInMemory(**{"settings.json": b"\xff{"})
    assert done(board, ServiceInMemory()).line == LINE


def test_without_a_service_no_key_is_made() -> None:
    board = BoardInMemory()
    with pytest.raises(NoIdentity, match="--service-api or --database"):
        done(board, None)
    assert board.files == {}


def test_without_a_serial_number_somebody_must_name_it() -> None:
    with pytest.raises(NoIdentity, match="--adapter-id"):
        provision(BoardInMemory(), "", "p", Plan(BoardSettings(line=LINE)), ServiceInMemory())


def test_a_certificate_goes_along() -> None:
    board = BoardInMemory()
    done(board, ServiceInMemory(), Plan(BoardSettings(line=LINE), certificate=b"DER"))
    assert board.settings["service_ca"] == "service_ca.der"
    assert board.files["service_ca.der"] == b"DER"


def test_more_than_a_board_reads_is_not_written() -> None:
    board = BoardInMemory({"service_hosts": "\u0001" * 128, "service_path": "\u0001" * 128})
    long = BoardSettings(
        line=LINE,
        release_key="0" * 1024,
        wifi_ssid="\u0001" * 32,
        wifi_key="\u0001" * 63,
        service_ca="\u0001" * 64,
        house_host="\u0001" * 64,
    )
    with pytest.raises(SettingWrong, match="a board reads 4096"):
        done(board, ServiceInMemory(), Plan(long))
    assert board.starts == 0


def sheet(folder: Path, text: str) -> Path:
    path = folder / "boards.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_sheet_is_read(tmp_path: Path) -> None:
    text = "\ufeffserial,line,language,tty\nE66A,5555550100,es-US,yes\n,5555550101,,\n"
    assert read_sheet(sheet(tmp_path, text)) == [
        ("E66A", BoardSettings(line="5555550100", language="es-US", tty=True)),
        ("", BoardSettings(line="5555550101")),
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no row behind its first"),
        ("serial,line\n", "no row behind its first"),
        ("serial,line\nE66A,\n", "row 2 has no line"),
        ("serial,line\nE66A\n", "row 2 has not as many cells"),
        ("serial,line\nE66A,1,2\n", "row 2 has not as many cells"),
        ("serial,line\nE66A,1\nE66A,2\n", "serial E66A is in two rows"),
        ("serial,line\nE66A,1\nE66B,1\n", "line 1 is in two rows"),
        ("line,colour\n1,red\n", "row 2: there is no setting 'colour'"),
        ("line,tty\n1,yes\n2,perhaps\n", "row 3: tty is yes or no"),
        ("line,adapter_key\n1,5a\n", "each board gets a new one"),
    ],
)
def test_a_sheet_that_makes_no_sense(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(SheetWrong, match=told):
        read_sheet(sheet(tmp_path, text))


def test_rows_without_a_board_get_the_next_that_is_free() -> None:
    rows = [("", BoardSettings(line="1")), ("B", BoardSettings(line="2")), ("", BoardSettings(line="3"))]
    plugged_in = {"D": False, "A": False, "B": False, "C": True}
    assert [(serial, row.line) for serial, row in assigned(rows, plugged_in)] == [
        ("A", "1"),
        ("B", "2"),
        ("D", "3"),
    ]
    with pytest.raises(SheetWrong, match="no board without a line left for line 3"):
        assigned(rows, {"A": False, "B": False, "C": True})
    with pytest.raises(SheetWrong, match="board B is not plugged in"):
        assigned(rows, {"A": False})


def test_a_certificate_is_taken_in_either_form(tmp_path: Path) -> None:
    pem = trustme.CA().cert_pem.bytes()
    (tmp_path / "ca.pem").write_bytes(pem)
    der = read_certificate(tmp_path / "ca.pem")
    assert x509.load_der_x509_certificate(der) == x509.load_pem_x509_certificate(pem)
    (tmp_path / "ca.der").write_bytes(der)
    assert read_certificate(tmp_path / "ca.der") == der
    (tmp_path / "no").write_bytes(b"no")
    with pytest.raises(SheetWrong, match="no is no certificate"):
        read_certificate(tmp_path / "no")


def test_the_record_has_a_row_a_board_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "record.csv"
    board = Provisioned(SERIAL, "/dev/ttyACM0", "a-1", LINE, "US", "en-US", has_new_key=True)
    for _ in range(2):
        written_record(path, [board], lambda: "2026-11-28T12:00:00+00:00")
    head, *rows = csv.reader(path.read_text(encoding="utf-8").splitlines())
    assert head == ["at", "serial_number", "port", "adapter_id", "line", "country", "language", "has_new_key"]
    assert (
        rows
        == [["2026-11-28T12:00:00+00:00", SERIAL, "/dev/ttyACM0", "a-1", LINE, "US", "en-US", "True"]] * 2
    )
