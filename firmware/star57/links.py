"""The ways out of the adapter, to the service and to the house: what lives on them, and what observes the line."""

from star57.link.call_reports import CallReports
from star57.link.correspondent import Correspondent
from star57.link.courier import Courier
from star57.link.frame import NUMBERS
from star57.link.heartbeat import Heartbeat
from star57.link.notices import Notices
from star57.link.sequence import SequenceNumbers
from star57.link.serial import SerialLink
from star57.link.signed import Signer
from star57.storage import DurableRecord


def _serial_link(board):
    # Another number after each restart: what the host still answers to the last run is then nobody's.
    return SerialLink(board.serial, first_number=int.from_bytes(board.random_bytes(4), "big") % NUMBERS)


def _network_link(board, settings):
    # A board without a network has no module `socket` to import.
    from star57.link.network import NetworkLink  # noqa: PLC0415

    return NetworkLink(board.network, settings, flash=board.flash)


def _house_way(board, settings, notices):
    from star57.link.house import HouseWay  # noqa: PLC0415 - as above

    return HouseWay(board.network, settings, board.random_bytes, notices.alive, notices.press)


class Links:
    """What there is of them on a board with these settings.

    tasks: each with run() and checked_in(); observers: of the line, with call(call, what) and line(state)
    heartbeat, call_reports, notices: None where there is none of them
    """

    def __init__(self, board, settings, calls, outbox, household):
        self._board = board
        self._settings = settings
        self._calls = calls
        self._outbox = outbox
        self._household = household
        self.heartbeat = self.call_reports = self.notices = self._correspondent = None
        # A technician's console is behind the serial link, also before there is a key.
        self._serial = () if board.serial is None else (_serial_link(board),)
        self.tasks = self._serial + self._make_house()
        self.observers = () if self.notices is None else (self.notices,)

    def to_service(self, pushed, prompts, log, set_clock, update):
        """Makes what speaks with the service, where there is a key to sign with."""
        board, settings = self._board, self._settings
        network = () if board.network is None else (_network_link(board, settings),)
        if not settings.adapter_key or not network + self._serial:
            return
        signer = Signer(settings.adapter_id, bytes.fromhex(settings.adapter_key))
        sequence = SequenceNumbers(DurableRecord(board.flash + "/sequence"), board.random_bytes)
        # The network is the better carrier: it is quicker, and TLS hides what it carries.
        ask = self._correspondent = Correspondent(signer, sequence, network + self._serial, log.log)
        self.heartbeat = Heartbeat(
            board, ask, settings.adapter_id, self._outbox, pushed, prompts, log, set_clock, update=update
        )
        record = DurableRecord(board.flash + "/call_reports")
        self.call_reports = CallReports(settings, self._calls, record, ask, self._outbox, log.log)
        self.tasks += (Courier(self._outbox, ask), self.heartbeat, self.call_reports)
        self.observers += (self.call_reports,)

    @property
    def carrier(self):
        """The name of what brought the service's last answer; None before the first."""
        return None if self._correspondent is None else self._correspondent.carrier

    def clock_unknown(self):
        """The service's clock is no better than the adapter's."""
        self._outbox.clock_unknown()
        if self.call_reports is not None:
            self.call_reports.clock_unknown()

    def _make_house(self):
        """What tells the house what the line does, over every way that there is to it."""
        board, settings = self._board, self._settings
        serial = self._serial[0] if self._serial else None
        notices = Notices(settings, self._calls, self, board.version, serial)
        if board.network is not None and settings.house_host:
            notices.ways += (_house_way(board, settings, notices),)
        if not notices.ways:
            return ()
        self.notices = notices
        return (notices,) + notices.ways

    def press(self, call_id):
        """The trace button, as TraceButton.press(); it is in memory from the first press on."""
        from star57.link.trace_button import TraceButton  # noqa: PLC0415

        button = TraceButton(self._settings, self._calls, self._outbox, self._household, self._board)
        return button.press(call_id)
