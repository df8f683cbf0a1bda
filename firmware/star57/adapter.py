"""The one supervisor: it builds the rooms, owns every task, and feeds the watchdog when all have checked in.

A block of samples goes two ways. `hear` is the audio path: receivers and player, nothing allocated, facts put into a
fixed ring. `act` then takes the facts and does what they ask for; it may allocate, and write to flash.
"""

import asyncio

from board import HOOK_EDGE
from micropython import const

from star57 import settings as settings_room
from star57.bench import Bench
from star57.callerid.framing import MESSAGE
from star57.callerid.message import MessageError
from star57.callerid.receiver import CallerIdReceiver
from star57.calls import CallHistory
from star57.codes import SERVICES, CodeTable
from star57.conversations import Conversations
from star57.dsp.alert import AlertReceiver
from star57.dsp.dtmf import DtmfReceiver
from star57.facts import NAMES, Facts
from star57.household import Household
from star57.line.bypass import Bypass
from star57.line.dialled import DialledDigits
from star57.line.hook import COUNTRIES, HookDetector
from star57.line.ring import CADENCES, RingDetector
from star57.line.state import DIALLING, DIALOGUE, IDLE, IN_CALL, LineState
from star57.links import Links
from star57.logbook import LogBook
from star57.pushed_settings import PushedSettings
from star57.sound.prompt_store import PromptStore
from star57.sound.stutter import Stutter
from star57.storage import DurableRecord, StorageError
from star57.trace.outbox import Outbox
from star57.update import Update

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


def _typing_receiver(sink):
    # Only a household with a TTY needs it in memory.
    from star57.dsp.baudot_receiver import BaudotReceiver  # noqa: PLC0415

    return BaudotReceiver(sink)


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
        self._outbox = Outbox(DurableRecord(board.flash + "/outbox"), settled=self._trace_settled)
        self._state = LineState()
        self._household = Household(DurableRecord(board.flash + "/household"))
        self._links = Links(board, self._settings, self._calls, self._outbox, self._household)
        self._update = Update(
            board,
            DurableRecord(board.flash + "/update"),
            self._settings,
            self._line_idle,
            self._outbox,
            self._log,
        )
        self._links.to_service(self._pushed, self._prompts, self._log, self._set_clock, self._update)
        self._facts = Facts()
        self._ring = RingDetector(self._facts, CADENCES[self._settings.country])
        self._hook = HookDetector(self._facts, COUNTRIES[self._settings.country])
        codes = CodeTable(self._settings)
        self._settings.faults += codes.faults
        self._services = codes.services
        self._dialled = DialledDigits(self, codes.codes)
        self._dtmf = DtmfReceiver(self._facts)
        self._alert = AlertReceiver(self._facts)
        self._caller_id = CallerIdReceiver()
        self._conversations = Conversations(
            board, self._settings, self._calls, self._outbox, self._household, self._prompts
        )
        self._player = self._conversations.player
        self._stutter = Stutter(self._player)
        self._typed = _typing_receiver(self._facts) if self._settings.tty else None
        self._loop_closed = False
        self._has_dialled = False
        self._open_samples = 0
        self._since_subscriber_alert = _SUBSCRIBER_ALERT_AGAIN_SAMPLES
        self._waits_unidentified = False
        self._waiting = None
        self._window_samples = 0
        self._call = None
        self._spoken_to = []
        self._presented = None
        self._handset = None
        self._bypass = Bypass()
        self._silent_samples = 0
        self._conversation = None
        self._fault = None
        self._checked_in = False
        self._calls_kept = True
        self._bench = self._make_bench()
        # Each has call(call, what) and line(state), and is told outside the audio path.
        self._observers = self._links.observers + (self._bench,)
        self._told_state = self._state.current

    def _make_bench(self):
        """What a technician's console may ask, and hear."""
        has_service = self._links.heartbeat is not None
        bench = Bench(
            self._board, self._settings, self._state, self._calls, self._outbox, has_link=has_service
        )
        if self._board.console is not None:
            self._board.console["bench"] = bench
        return bench

    def _line_idle(self):
        """Nobody rings, calls, dials or speaks: the flash may hold the line up for a moment."""
        return self._state.current == IDLE

    def _tell(self, call, what):
        """Tells the observers of a call: "ringing", "ring", "caller", "waiting", "answered", "ended" or "traced"."""
        for observer in self._observers:
            observer.call(call, what)

    def _tell_state(self):
        if self._state.current != self._told_state:
            self._told_state = self._state.current
            for observer in self._observers:
                observer.line(self._told_state)

    def _set_clock(self, unix_seconds):
        """It is `unix_seconds` now, as the service has it: calls that came while nothing was known get their time."""
        self._bench.link_answered(self._links.carrier)
        if not _EARLIEST_UNIX_SECONDS <= unix_seconds <= _LATEST_UNIX_SECONDS:
            self._links.clock_unknown()
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
        tasks.extend(asyncio.create_task(link_task.run()) for link_task in self._links.tasks)
        while True:
            await asyncio.sleep_ms(_CHECK_IN_MS)
            for task in tasks:
                if task.done():
                    await task
            if self._fault is not None:
                raise self._fault
            if not self._calls_kept:
                self._save_calls()
            if self._checked_in and all(link_task.checked_in() for link_task in self._links.tasks):
                self._checked_in = False
                self._bench.checked_in()
                self._update.supervise()
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
        if self._typed is not None and self._handset is not None:
            self._hear_typing(n)
        self._player.fill(board.phone_out, n)
        # The one place where the relay is moved: it follows the loop for as long as the dialogue lasts.
        wanted = self._handset is not None and self._state.current == DIALOGUE and self._loop_closed
        board.energise(self._bypass.holds(wanted, n))
        board.couple(self._stutter.sounding)

    def _hear_typing(self, n):
        """A TTY sends or hears, never both: what it types behind our last word is read from its beginning."""
        if self._player.idle:
            self._typed.feed(self._board.phone_in, n)
        else:
            self._typed.reset()

    def act(self, n):
        """Does what the facts of the last `n` samples ask for."""
        self._count_open_loop(n)
        self._since_subscriber_alert += n
        self._window_samples -= n
        kind = self._facts.take()
        while kind >= 0:
            self._bench.noticed(NAMES[kind], self._facts.value)
            self._ACTS[kind](self, self._facts.value)
            kind = self._facts.take()
        self._caller_id.work()
        if self._caller_id.result is not None:
            self._caller_id_ended()
        if self._waits_unidentified and self._since_subscriber_alert >= _ALERT_AFTER_SUBSCRIBER_ALERT_SAMPLES:
            self._call_waits()
        if self._waiting is not None and self._since_subscriber_alert >= _SUBSCRIBER_ALERT_AGAIN_SAMPLES:
            self._waits_no_more()
        if self._state.current == DIALOGUE and self._handset is None and self._loop_closed:
            self._dialogue_ended()
        self._dialled.advance(n)
        self._stutter.go_on()
        self._player.prepare()
        self._tell_when_spoken(n)
        self._tell_state()
        self._bench.block(n)

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
        if self._typed is not None:
            self._typed.skip(lost)
        self._ring.advance(lost)
        self._hook.advance(lost)

    def _count_open_loop(self, n):
        self._open_samples = 0 if self._loop_closed else self._open_samples + n
        if self._handset is None:
            return
        if self._bypass.must_end or self._open_samples > _LONGEST_PULSE_BREAK_SAMPLES:
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
        else:
            self._tell(self._call, "ring")
        if self._handset is not None:
            self._handset.rings()
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
        if self._handset is not None:
            self._handset.ringing_stopped()
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
        self._bench.decoded(self._caller_id.result, self._caller_id.quality, caller_id)
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
        if self._links.heartbeat is not None:
            self._links.heartbeat.decoded = self._caller_id.quality
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
        self._speaks_to(self._call)
        self._call = None
        self._ring.reset()
        self._end_listening()
        self._save_calls()

    def _speaks_to(self, call):
        self._calls.answered(call)
        self._tell(call, "answered")
        self._spoken_to.append(call)

    def _on_hook(self, _value):
        self._dialled.on_hook()
        if self._state.off_hook_at_exchange:
            self._end_listening()
        if self._waits_unidentified:
            self._call_waits()
        self._since_subscriber_alert = _SUBSCRIBER_ALERT_AGAIN_SAMPLES
        self._alert.reset()
        self._handset = None  # it has been told already; what does not listen is nobody's
        self._state.on_hook()
        self._waits_no_more()
        for call in self._spoken_to:
            self._tell(call, "ended")
        self._spoken_to.clear()
        if self._call is not None:
            self._state.ring_started()

    def _flash(self, _value):
        if self._handset is not None:
            self._handset.hang_up()  # one that is as short as a pulse; a longer one has been seen already
        elif self._waiting is not None and self._state.off_hook_at_exchange:
            self._take_waiting_call()
        elif self._state.current == DIALLING:
            self._dialled.off_hook()

    def _take_waiting_call(self):
        self._speaks_to(self._waiting)
        self._waiting = None
        self._state.took_waiting_call()
        self._dialled.on_hook()  # no dial tone comes: what is dialled is the call's
        self._save_calls()

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

    def _waits_no_more(self):
        """The caller who waited has given up, or the household has hung up: then the exchange rings anew."""
        if self._waiting is not None:
            self._tell(self._waiting, "ended")
        self._waiting = None

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

    def code_dialled(self, code_index):
        """The household has dialled a code of ours: the phone comes off the exchange for as long as they talk."""
        self._state.dialogue_started()
        self._alert.reset()
        self._prompts.is_open = False
        self._bypass.begin()
        self._handset = self._conversations.handset()
        self._conversation = asyncio.create_task(self._converse(self._services[code_index]))

    async def _converse(self, service):
        try:
            outcome = await self._conversations.hold(service, self._handset)
            self._log.log("{}: {}".format(SERVICES[service], outcome))
        except Exception as fault:  # noqa: BLE001 - the supervisor raises it, once the line is restored
            self._fault = fault
        finally:
            self._player.stop()
            self._prompts.is_open = True
            self._handset = None

    def _dialogue_ended(self):
        """The phone is back on the exchange, off-hook: dial tone, and a first digit; or the call that rings there."""
        if self._state.dialogue_ended(self._call is not None) == IN_CALL:
            self._answered()
        else:
            self._dialled.off_hook()
            self._has_dialled = False

    def _trace_settled(self, call_id, answer):
        """The service has answered a request, be it while the household waits or long after."""
        if self._calls.traced(call_id, answer["outcome"]):
            self._save_calls()
        call = self._calls.call(call_id)
        if call is not None:
            self._tell(call, "traced")

    def _save_calls(self):
        try:
            self._calls.save()
        except StorageError as fault:
            if self._calls_kept:
                self._log.log("calls not kept: {}".format(fault))
            self._calls_kept = False
        else:
            self._calls_kept = True

    # What each fact leads to, in the order of facts.NAMES; functions, for bound methods would take memory.
    _ACTS = (
        _ring_started,
        _ring_ended,
        _ringing_stopped,
        _off_hook,
        _on_hook,
        _flash,
        _digit,
        _alerted,
        _subscriber_alerted,
    )
