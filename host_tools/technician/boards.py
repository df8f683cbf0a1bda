"""What is plugged in: every port asked at once, without disturbing any call, and the boards in their boot loaders."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from host_tools.technician.console import Console
from host_tools.technician.faults import (
    BenchFault,
    BoardRefuses,
    NoSuchBoard,
    PortBusy,
    PortDenied,
    SeveralBoards,
)
from host_tools.technician.port_holders import Holder, holders
from host_tools.technician.ports import Port, Usb

MOST_AT_ONCE = 64
WITHOUT_SERVICE = frozenset({"link_silent"})
"""Why an adapter on the bench may not be healthy without anything being wrong with it."""


class Kind(StrEnum):
    """What is behind a port or a drive."""

    STAR57 = "star57"
    MICROPYTHON = "micropython"
    """A prompt, and no firmware of ours that runs."""
    BOOT_LOADER = "boot loader"
    BUSY = "busy"
    DENIED = "denied"
    SILENT = "silent"
    OTHER = "other"
    """A device that does not say that it is MicroPython's; it is not typed to."""


_KINDS: dict[type[BenchFault], Kind] = {PortBusy: Kind.BUSY, PortDenied: Kind.DENIED}


@dataclass(frozen=True)
class Board:
    """One thing that is plugged in. What is not known is None.

    Attributes:
        serial_number: of the USB device; "" for a boot loader, which does not tell the board's.
        port: its path; of a boot loader the folder of its drive.
        chip: what MicroPython says of the machine.
        version, commit: of the firmware.
        line: the household's number.
        slot: which of two firmwares runs.
        state: of the line: idle, ringing, in_call, dialling, dialogue.
        relay: whether the phone is off the exchange.
        outbox: how many requests wait to be sent.
        healthy: whether the firmware says that it is well.
        reasons: why it is not.
        told: for people: who holds the port, or what went wrong.
    """

    serial_number: str
    port: str
    kind: Kind
    location: str = ""
    board: str | None = None
    chip: str | None = None
    micropython: str | None = None
    version: str | None = None
    commit: str | None = None
    adapter_id: str | None = None
    line: str | None = None
    slot: str | None = None
    state: str | None = None
    relay: bool | None = None
    outbox: int | None = None
    healthy: bool | None = None
    reasons: tuple[str, ...] = ()
    told: str = ""
    status: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)
    """All that the firmware told, by its own names; empty when it has no words for it. It may hold who called last."""

    @property
    def is_well(self) -> bool:
        """Whether nothing is wrong with it that a bench without a service would not explain."""
        return self.kind is Kind.STAR57 and not set(self.reasons) - WITHOUT_SERVICE

    @property
    def health(self) -> str:
        """In a word or some."""
        if self.kind is not Kind.STAR57:
            return ""
        if self.healthy is None:
            return "unknown"
        return "healthy" if self.healthy else ", ".join(self.reasons).replace("_", " ")


def survey(usb: Usb, timeout_s: float = 3.0) -> list[Board]:
    """Everything that is plugged in, by serial number and port. Each port is asked at the same time."""
    ports = usb.ports()
    held = holders([port.name for port in ports])
    with ThreadPoolExecutor(MOST_AT_ONCE) as pool:
        boards = list(pool.map(lambda port: look(port, held[port.name], timeout_s), ports))
    boards += [
        Board("", str(drive.folder), Kind.BOOT_LOADER, drive.location, chip=drive.board_id)
        for drive in usb.drives()
    ]
    return sorted(boards, key=lambda board: (board.serial_number, board.port))


def look(port: Port, held_by: list[Holder], timeout_s: float = 3.0) -> Board:
    """What is behind one port.

    Args:
        held_by: the programs that have it open, see `holders`.
    """

    kind, facts = Kind.OTHER, dict[str, Any]()
    if held_by:
        kind, facts = Kind.BUSY, {"told": f"{', '.join(map(str, held_by))} has it open"}
    elif port.is_micropython:
        kind, facts = _asked(port, timeout_s)
    return Board(port.serial_number, port.name, kind, port.location, **facts)


def _asked(port: Port, timeout_s: float) -> tuple[Kind, dict[str, Any]]:
    try:
        with Console(port.name, timeout_s) as console:
            return _answers(console)
    except BenchFault as fault:
        kind = next((kind for cause, kind in _KINDS.items() if isinstance(fault, cause)), Kind.SILENT)
        return kind, {"told": str(fault)}


def _answers(console: Console) -> tuple[Kind, dict[str, Any]]:
    try:
        return Kind.STAR57, _firmware(console)
    except BoardRefuses as refused:
        if not console.at_prompt:
            raise
        return Kind.MICROPYTHON, {**_machine(console), "told": _why_no_firmware(refused)}


def choose(found: list[Board], name: str | None) -> Board:
    """The board of this port or serial number; without one, the only board that there is.

    Raises:
        NoSuchBoard, SeveralBoards: it cannot be told which is meant.
    """
    if name is not None:
        named = [board for board in found if _is_called(board, name)]
        if not named:
            raise NoSuchBoard(f"there is no board {name}: star57 boards shows what is plugged in")
        return named[0]
    alone = boards_among(found)
    if not alone:
        raise NoSuchBoard("no board is plugged in; star57 doctor says whether this computer could see one")
    if len(alone) > 1:
        raise SeveralBoards(
            f"{len(alone)} boards are plugged in: name one with --port, by its port or serial number"
        )
    return alone[0]


def boards_among(found: list[Board]) -> list[Board]:
    """Those that are boards, as far as it can be told."""
    return [board for board in found if board.kind is not Kind.OTHER]


def _is_called(board: Board, name: str) -> bool:
    return name in (board.serial_number, board.port) or os.path.realpath(name) == os.path.realpath(board.port)


def firmware_status(console: Console) -> dict[str, Any]:
    """What the firmware says of itself (firmware/star57/bench.py); empty when it has no bench.

    Raises:
        BenchFault: it does not answer.
    """
    try:
        status: dict[str, Any] = json.loads(console.ask("bench.status()"))
    except BoardRefuses:
        return {}
    return status


def _firmware(console: Console) -> dict[str, Any]:
    name, version, commit = console.ask("board.name, board.version, board.commit")
    facts: dict[str, Any] = {"board": name, "version": version, "commit": commit, **_machine(console)}
    status = firmware_status(console)
    if not status:
        return facts | _settings(console) | {"relay": console.ask("board._energised")}
    return facts | {
        "adapter_id": status.get("adapter_id"),
        "line": status.get("line"),
        "slot": status.get("slot"),
        "state": status.get("state"),
        "relay": status.get("relay"),
        "outbox": status.get("outbox"),
        "healthy": status.get("healthy"),
        "reasons": tuple(status.get("reasons", ())),
        "status": status,
    }


def _machine(console: Console) -> dict[str, str]:
    name, version = console.ask("(lambda s:(s._machine,s.version))(__import__('sys').implementation)")
    return {"chip": name.rpartition(" with ")[2], "micropython": ".".join(map(str, version[:3]))}


def _settings(console: Console) -> dict[str, Any]:
    """Of a firmware without words for it: its settings file. The key in it stays on the board."""
    try:
        adapter_id, line = console.ask(
            "(lambda s:(s.get('adapter_id'),s.get('line')))(__import__('json').load(open('settings.json')))"
        )
    except BoardRefuses:
        return {}
    return {"adapter_id": adapter_id, "line": line}


def _why_no_firmware(refused: BoardRefuses) -> str:
    if "'board'" in str(refused):
        return "MicroPython's prompt: no firmware runs"
    return str(refused)
