"""The one supervisor: it builds the rooms, owns every task, and feeds the watchdog when all have checked in.

A block of samples goes two ways. `hear` is the audio path: receivers and player, nothing allocated, facts put into a
fixed ring. `act` then takes the facts and does what they ask for; it may allocate, and write to flash.
"""

import asyncio
from array import array

from board import HOOK_EDGE
from micropython import const

from star57 import settings as settings_room
from star57.callerid.framing import MESSAGE
from star57.callerid.message import MessageError
from star57.callerid.receiver import CallerIdReceiver
from star57.calls import CallHistory
from star57.dsp.alert import AlertReceiver
from star57.dsp.dtmf import DtmfReceiver
from star57.line.dialled import DialledDigits
from star57.line.hook import HookDetector
from star57.line.ring import RingDetector
from star57.line.state import DIALLING, DIALOGUE, IN_CALL, LineState
from star57.link.correspondent import Correspondent
from star57.link.courier import Courier
from star57.link.frame import NUMBERS
from star57.link.heartbeat import Heartbeat
from star57.link.sequence import SequenceNumbers
from star57.link.serial import SerialLink
from star57.link.signed import Signer
from star57.logbook import LogBook
from star57.pushed_settings import PushedSettings
from star57.sound.handset import Handset
from star57.sound.player import Player
from star57.sound.prompt_store import PromptStore
from star57.sound.regions import REGIONS
from star57.sound.stutter import Stutter
from star57.storage import DurableRecord, StorageError
from star57.trace.dialogue import Dialogue
from star57.trace.outbox import Outbox

TRACE_CODES = ("*57", "1157")

_RING_STARTED = const(0)
_RING_ENDED = const(1)
_RINGING_STOPPED = const(2)
_OFF_HOOK = const(3)
_ON_HOOK = const(4)
_FLASH = const(5)
_DIGIT = const(6)
_ALERT = const(7)
_SUBSCRIBER_ALERT = const(8)

# Caller ID ends at least 200 ms before the second ring, which is 4 s after the first (TELEPHONY 1.2).
_CALLER_ID_WINDOW_SAMPLES = const(8 * 3900)
# After CAS: ACK within 100 ms, data within 500 ms of its end, at most 2550 ms of it (TELEPHONY 3, 1.2).
_CALL_WAITING_WINDOW_SAMPLES = const(8 * 3400)
# A telephone exchange sends CAS at once behind SAS; a CAS that nothing announced is speech.
_ALERT_AFTER_SUBSCRIBER_ALERT_SAMPLES = const(8 * 600)
# SAS comes again after 10 s while the same call still waits (TELEPHONY 6.1).
_SUBSCRIBER_ALERT_AGAIN_SAMPLES = const(8 * 12000)
# The longest break of a dial pulse is 80 ms (TELEPHONY 5): past that, and a margin, the phone was hung up.
_LONGEST_PULSE_BREAK_SAMPLES = const(8 * 120)
_CHECK_IN_MS = const(1000)
# A service whose clock is outside of these, 2025 and 2038, knows the time no better than the adapter; and time.gmtime
# of a 32-bit board takes no more.
_EARLIEST_UNIX_SECONDS = const(1_735_689_600)
_LATEST_UNIX_SECONDS = const(0x7FFF_FFFF)
_FACTS = const(32)


class _Facts:
    """The sink of every receiver: a fixed ring of what they noticed. Full, it keeps the old and counts the new."""

    def __init__(self):
        self._kinds = bytearray(_FACTS)
        self._values = array("i", bytes(4 * _FACTS))
        self._first = 0
        self._count = 0
        self.lost = 0
        self.value = 0

    def take(self):
        """The kind of the oldest fact, its value in `value`; -1 when there is none."""
        if not self._count:
            return -1
        kind = self._kinds[self._first]
        self.value = self._values[self._first]
        self._first = (self._first + 1) % _FACTS
        self._count -= 1
        return kind

    def _put(self, kind, value):
        if self._count == _FACTS:
            self.lost += 1
            return
        place = (self._first + self._count) % _FACTS
        self._kinds[place] = kind
        self._values[place] = value
        self._count += 1

    def ring_started(self):
        self._put(_RING_STARTED, 0)

    def ring_ended(self, number, _duration_samples):
        self._put(_RING_ENDED, number)

    def ringing_stopped(self, rings):
        self._put(_RINGING_STOPPED, rings)

    def off_hook(self):
        self._put(_OFF_HOOK, 0)

    def on_hook(self):
        self._put(_ON_HOOK, 0)

    def loop_opened(self):
        pass

    def flash(self):
        self._put(_FLASH, 0)

    def pulsed_digit(self, code):
        self._put(_DIGIT, code)

    def digit(self, code, _level_dbm0):
        self._put(_DIGIT, code)

    def digit_end(self, code, duration_samples):
        pass

    def alert(self, duration_samples):
        self._put(_ALERT, duration_samples)

    def subscriber_alert(self, duration_samples):
        self._put(_SUBSCRIBER_ALERT, duration_samples)


def _network_link(board, settings):
    # A board without a network has no module `socket` to import.
    from star57.link.network import NetworkLink  # noqa: PLC0415

    return NetworkLink(board.network, settings, flash=board.flash)


def _serial_link(board):
    # Another number after each restart: what the host still answers to the last run is then nobody's.
    return SerialLink(board.serial, first_number=int.from_bytes(board.random_bytes(4), "big") % NUMBERS)


class Adapter:
    """The firmware on one board."""

    def __init__(self, board):
        self._board = board
        self._log = LogBook(board)
        self._settings = settings_room.load(board.flash + "/settings.json")
        self._pushed = PushedSettings(DurableRecord(board.flash + "/pushed"), self._settings)
        if not self._settings.line:
            # The service could not say whose trace it was: better none than one that is thrown away.
            self._settings.trace_offered = False
        self._prompts = PromptStore(board.flash + "/prompts")
        self._calls = CallHistory(DurableRecord(board.flash + "/calls"), board.random_bytes)
        self._outbox = Outbox(DurableRecord(board.flash + "/outbox"))
        self._heartbeat = None
        self._link_tasks = self._make_link_tasks()
        self._facts = _Facts()
        self._state = LineState()
        self._ring = RingDetector(self._facts)
        self._hook = HookDetector(self._facts)
        self._dialled = DialledDigits(self, TRACE_CODES)
        self._dtmf = DtmfReceiver(self._facts)
        self._alert = AlertReceiver(self._facts)
        self._caller_id = CallerIdReceiver()
        pack = board.prompts + "/" + self._settings.language
        self._player = Player((self._prompts.folder, pack), REGIONS[self._settings.country])
        self._stutter = Stutter(self._player)
        self._loop_closed = False
        self._has_dialled = False
        self._open_samples = 0
        self._since_subscriber_alert = _SUBSCRIBER_ALERT_AGAIN_SAMPLES
        self._waits_unidentified = False
        self._waiting = None
        self._window_samples = 0
        self._call = None
        self._spoken_to = None
        self._presented = None
        self._handset = None
        self._silent_samples = 0
        self._conversation = None
        self._fault = None
        self._checked_in = False
        self._calls_kept = True
        self._observers = self._make_observers()
        self._told_state = self._state.current
        self._acts = (
            self._ring_started,
            self._ring_ended,
            self._ringing_stopped,
            self._off_hook,
            self._on_hook,
            self._flash,
            self._digit,
            self._alerted,
            self._subscriber_alerted,
        )

    def _make_link_tasks(self):
        """What lives on the link: each with run() and checked_in(). Empty without a key to sign with."""
        board, settings = self._board, self._settings
        if not settings.adapter_key:
            return ()
        network = () if board.network is None else (_network_link(board, settings),)
        serial = () if board.serial is None else (_serial_link(board),)
        if not network + serial:
            return ()
        signer = Signer(settings.adapter_id, bytes.fromhex(settings.adapter_key))
        sequence = SequenceNumbers(DurableRecord(board.flash + "/sequence"), board.random_bytes)
        # The network is the better carrier: it is quicker, and TLS hides what it carries.
        correspondent = Correspondent(signer, sequence, network + serial, self._log.log)
        self._heartbeat = Heartbeat(
            board,
            correspondent,
            settings.adapter_id,
            self._outbox,
            self._pushed,
            self._prompts,
            self._log,
            self._set_clock,
        )
        return serial + (Courier(self._outbox, correspondent), self._heartbeat)

    def _make_observers(self):
        """Who is told what the line does, outside the audio path: each has call(call, what) and line(state)."""
        return ()

    def _tell(self, call, what):
        """Tells the observers of a call: "ringing", "caller", "waiting", "answered", "ended" or "traced"."""
        for observer in self._observers:
            observer.call(call, what)

    def _tell_state(self):
        if self._state.current != self._told_state:
            self._told_state = self._state.current
            for observer in self._observers:
                observer.line(self._told_state)

    def _set_clock(self, unix_seconds):
        """It is `unix_seconds` now, as the service has it: calls that came while nothing was known get their time."""
        if not _EARLIEST_UNIX_SECONDS <= unix_seconds <= _LATEST_UNIX_SECONDS:
            self._outbox.clock_unknown()
            return
        seconds, source = self._board.wall_time()
        self._board.set_wall_time(unix_seconds)
        if source == "none":
            self._outbox.clock_set(unix_seconds - seconds)
            if self._calls.clock_set(unix_seconds - seconds):
                self._save_calls()

    async def run(self):
        """Runs the adapter until a task fails; the failure is raised."""
        self._log_start()
        tasks = [asyncio.create_task(self._follow_line())]
        tasks.extend(asyncio.create_task(link_task.run()) for link_task in self._link_tasks)
        while True:
            await asyncio.sleep_ms(_CHECK_IN_MS)
            for task in tasks:
                if task.done():
                    await task
            if self._fault is not None:
                raise self._fault
            if not self._calls_kept:
                self._save_calls()
            if self._checked_in and all(link_task.checked_in() for link_task in self._link_tasks):
                self._checked_in = False
                self._board.feed_watchdog()

    def _log_start(self):
        board = self._board
        build = "{}, commit {}".format(board.version, board.commit or "unknown")
        self._log.log("star57 {} on {}: started after {}".format(build, board.name, board.reset_reason))
        for name in self._settings.faults:
            self._log.log("settings: {} is wrong or unknown".format(name))
        if not self._settings.adapter_key:
            self._log.log("settings: no adapter_key: requests are stored, and go nowhere")
        if not self._settings.line:
            self._log.log("settings: no line: trace is not offered")

    async def _follow_line(self):
        while True:
            n = await self._board.next_block()
            self.hear(n)
            self.act(n)
            self._checked_in = True

    def hear(self, n):
        """The audio path: `n` new samples through every receiver and out of the player. Allocates nothing."""
        board = self._board
        if board.lost_samples:
            self._skip(board.lost_samples)
        for i in range(board.edges):
            if board.edge_kind[i] == HOOK_EDGE:
                self._loop_closed = board.edge_level[i] == 1
                self._hook.edge(board.edge_level[i], board.edge_offset[i])
            else:
                self._ring.edge(board.edge_level[i], board.edge_offset[i])
        self._ring.advance(n)
        self._hook.advance(n)
        self._dtmf.feed(board.phone_in, n)
        self._caller_id.feed(board.line_in, n)
        if self._state.current == IN_CALL or (self._state.current == DIALLING and self._has_dialled):
            self._alert.feed(board.line_in, n)
        if not self._loop_closed:
            self._stutter.end()
        self._stutter.hear(board.phone_in, n)
        self._player.fill(board.phone_out, n)
        # The one place where the relay is moved: it follows the loop for as long as the dialogue lasts.
        board.energise(self._state.current == DIALOGUE and self._loop_closed)
        board.couple(self._stutter.sounding)

    def act(self, n):
        """Does what the facts of the last `n` samples ask for."""
        self._count_open_loop(n)
        self._since_subscriber_alert += n
        self._window_samples -= n
        kind = self._facts.take()
        while kind >= 0:
            self._acts[kind](self._facts.value)
            kind = self._facts.take()
        self._caller_id.work()
        if self._caller_id.result is not None:
            self._caller_id_ended()
        if self._waits_unidentified and self._since_subscriber_alert >= _ALERT_AFTER_SUBSCRIBER_ALERT_SAMPLES:
            self._call_waits()
        self._dialled.advance(n)
        self._stutter.go_on()
        self._player.prepare()
        self._tell_when_spoken(n)
        self._tell_state()

    def _tell_when_spoken(self, n):
        """What the player has given out is heard when the board has played it."""
        if self._handset is None or not self._player.idle:
            self._silent_samples = 0
            return
        if self._silent_samples >= self._board.phone_out_delay_samples:
            self._handset.spoken()
        self._silent_samples += n

    def _skip(self, lost):
        self._dtmf.skip(lost)
        self._caller_id.skip(lost)
        self._alert.skip(lost)
        self._ring.advance(lost)
        self._hook.advance(lost)

    def _count_open_loop(self, n):
        self._open_samples = 0 if self._loop_closed else self._open_samples + n
        if self._handset is not None and self._open_samples > _LONGEST_PULSE_BREAK_SAMPLES:
            self._handset.hang_up()

    # Rings

    def _ring_started(self, _value):
        if self._state.off_hook_at_exchange:
            return  # an exchange rings no line that is off-hook: what still comes is the end of the ring answered
        self._end_listening()
        if self._call is None:
            at, time_source = self._board.wall_time()
            self._call = self._calls.first_ring(at, time_source)
            self._log.log("line: ringing, call {}".format(self._call.call_id))
            self._tell(self._call, "ringing")
        self._state.ring_started()

    def _ring_ended(self, number):
        if self._call is None:
            return
        self._calls.ring(self._call)
        if number == 1:
            self._presented = self._call
            self._listen(_CALLER_ID_WINDOW_SAMPLES)
        self._save_calls()

    def _ringing_stopped(self, _rings):
        self._end_listening()
        if self._call is not None:
            self._tell(self._call, "ended")
        self._call = None
        self._state.ringing_stopped()

    def _listen(self, window_samples):
        self._window_samples = window_samples
        # Off-hook, where speech comes too, only a long mark announces a message.
        self._caller_id.listen(window_samples, seizure=not self._state.off_hook_at_exchange)

    def _end_listening(self):
        """What has been heard until now is still read: a burst may have ended just before the ring or the answer."""
        self._window_samples = 0
        self._caller_id.finish()

    def _stop_listening(self):
        self._window_samples = 0
        self._caller_id.reset()

    def _caller_id_ended(self):
        caller_id = self._read_caller_id()
        if caller_id is None and self._window_samples > 0:
            self._listen_on()
            return
        self._stop_listening()
        if caller_id is not None:
            self._calls.caller(self._presented, caller_id)
            self._save_calls()
            self._tell(self._presented, "caller")

    def _listen_on(self):
        """What was heard so far was no caller ID (the set's own ACK, a click, message waiting): it may still come."""
        if self._caller_id.result == MESSAGE:
            self._caller_id.resume(self._window_samples)
        else:
            self._listen(self._window_samples)

    def _read_caller_id(self):
        """What a message says of the caller; None if there is none, or it says nothing."""
        if self._caller_id.result != MESSAGE:
            return None
        if self._heartbeat is not None:
            self._heartbeat.decoded = self._caller_id.quality
        try:
            message = self._caller_id.message()
        except MessageError as fault:
            self._log.log("caller ID: {}".format(fault.reason))
            return None
        names_somebody = message.number or message.name or message.reason or message.name_reason
        return message.as_dict() if names_somebody else None

    # The hook

    def _off_hook(self, _value):
        if self._state.off_hook() == IN_CALL:
            self._answered()
        if self._state.current == DIALLING:
            self._dialled.off_hook()
            self._has_dialled = False
            if self._outbox.untold():
                self._stutter.begin()

    def _answered(self):
        self._calls.answered(self._call)
        self._tell(self._call, "answered")
        self._spoken_to = self._call
        self._call = None
        self._ring.reset()
        self._end_listening()
        self._save_calls()

    def _on_hook(self, _value):
        self._dialled.on_hook()
        if self._state.off_hook_at_exchange:
            self._end_listening()
        if self._waits_unidentified:
            self._call_waits()
        self._since_subscriber_alert = _SUBSCRIBER_ALERT_AGAIN_SAMPLES
        self._alert.reset()
        self._state.on_hook()
        if self._spoken_to is not None:
            self._tell(self._spoken_to, "ended")
        self._spoken_to = None
        if self._call is not None:
            self._state.ring_started()

    def _flash(self, _value):
        if self._state.current == DIALLING:
            self._dialled.off_hook()

    # Call waiting

    def _subscriber_alerted(self, _value):
        # A line without caller ID on call waiting gets no CAS behind it, and SAS again while the call waits.
        is_new = self._since_subscriber_alert >= _SUBSCRIBER_ALERT_AGAIN_SAMPLES
        self._waits_unidentified = self._waits_unidentified or is_new
        self._waiting = None if is_new else self._waiting
        self._since_subscriber_alert = 0

    def _alerted(self, _value):
        if self._since_subscriber_alert < _ALERT_AFTER_SUBSCRIBER_ALERT_SAMPLES:
            self._call_waits()
            self._presented = self._waiting
            self._listen(_CALL_WAITING_WINDOW_SAMPLES)

    def _call_waits(self):
        """The call that SAS announces, which may be known already."""
        self._waits_unidentified = False
        if self._waiting is None:
            at, time_source = self._board.wall_time()
            self._waiting = self._calls.call_waiting(at, time_source)
            self._save_calls()
            self._tell(self._waiting, "waiting")

    # Digits and the dialogue

    def _digit(self, code):
        self._stutter.end()
        if self._handset is not None:
            self._handset.digit(code)
        elif self._state.current == DIALLING:
            if not self._has_dialled:
                # No call waits before one is dialled; and dial tone that ends with a digit is 440 Hz, too.
                self._has_dialled = True
                self._alert.reset()
            self._dialled.digit(code)

    def code_dialled(self, _code_index):
        """The household has dialled a trace code: the phone comes off the exchange for as long as they talk."""
        self._state.dialogue_started()
        self._alert.reset()
        self._prompts.is_open = False
        self._handset = Handset(self._player)
        self._conversation = asyncio.create_task(self._converse())

    async def _converse(self):
        dialogue = Dialogue(self._handset, self._calls, self._outbox, self._settings, self._board)
        try:
            outcome = await dialogue.run()
            self._log.log("trace: {}".format(outcome))
        except Exception as fault:  # noqa: BLE001 - the supervisor raises it, once the line is restored
            self._fault = fault
        finally:
            self._player.stop()
            self._prompts.is_open = True
            self._handset = None
            if self._state.dialogue_ended(self._call is not None) == IN_CALL:
                self._answered()

    def _save_calls(self):
        try:
            self._calls.save()
        except StorageError as fault:
            if self._calls_kept:
                self._log.log("calls not kept: {}".format(fault))
            self._calls_kept = False
        else:
            self._calls_kept = True
