"""The technician's bench: what it tells when it is asked, and what it streams, to a host that reads or does not."""

import json
from array import array
from binascii import a2b_base64

from star57.bench import Bench
from star57.callerid.framing import CHECKSUM_WRONG, MESSAGE, NO_CARRIER
from star57.calls import CallHistory
from star57.line.state import DIALOGUE, IN_CALL, LineState
from star57.link.frame import FrameReceiver
from star57.settings import Settings

N = 160
NUMBER = "5555550123"
QUALITY = {
    "standard": "bell_202",
    "level_dbm0": -13.5,
    "snr_db": 28.0,
    "baud": 1200.0,
    "twist_db": 0.5,
    "framing_errors": 0,
    "repaired": False,
}


class NoRecord:
    def read(self):
        return None


class FakeBoard:
    """The parts of the Board (docs/seams.md) that the bench looks at; it takes frames as long as `is_read`."""

    name = "test"
    version = "7.0"
    commit = "0123abc"
    slots = None
    lost_total = 0
    underruns = 3

    def __init__(self):
        self.line_in = array("h", range(-80, 80))
        self.lost_samples = 0
        self.edges = 0
        self.edge_kind = bytearray(4)
        self.edge_level = bytearray(4)
        self.tapped = []
        self.offered = 0
        self.is_read = True

    def tap(self, data):
        self.offered += 1
        if self.is_read:
            self.tapped.append(bytes(data))
        return self.is_read


class FakeOutbox:
    pending = ("a request",)


class Rig:
    def __init__(self, has_link=False, **settings):
        self.board = FakeBoard()
        self.line = LineState()
        self.calls = CallHistory(NoRecord(), bytes)
        self.bench = Bench(self.board, Settings(settings), self.line, self.calls, FakeOutbox(), has_link)
        self.frames = []
        self._receiver = FrameReceiver(self)

    def frame(self, kind, number, payload):
        self.frames.append((kind, number, payload))

    def block(self, n=N):
        self.bench.block(n)
        self.board.edges = 0
        self.board.lost_samples = 0

    def seconds(self, count):
        for _ in range(count):
            for _ in range(50):
                self.block()
            self.bench.checked_in()

    def hook(self, level):
        self.board.edge_kind[0] = 1
        self.board.edge_level[0] = level
        self.board.edges = 1

    def status(self):
        line = self.bench.status()
        assert "\n" not in line
        return json.loads(line)

    def taken(self):
        """The frames that came since this was asked before."""
        for data in self.board.tapped:
            self._receiver.feed(data, len(data))
        self.board.tapped = []
        taken, self.frames = self.frames, []
        return taken

    def events(self):
        return [json.loads(payload) for kind, _, payload in self.taken() if kind == "v"]


def test_status_says_who_it_is_and_how_it_is():
    rig = Rig(adapter_id="A-7", line=NUMBER, country="GB", language="fr-CA")
    rig.seconds(3)
    told = rig.status()
    assert told["adapter_id"] == "A-7"
    assert (told["line"], told["country"], told["language"]) == (NUMBER, "GB", "fr-CA")
    assert (told["board"], told["version"], told["commit"], told["slot"]) == ("test", "7.0", "0123abc", None)
    assert (told["uptime_s"], told["state"], told["relay"], told["loop_closed"]) == (3, "idle", False, False)
    assert (told["outbox"], told["calls"], told["underruns"], told["lost_samples"]) == (1, 0, 3, 0)
    assert (told["call"], told["decoded"], told["link"]) == (None, None, None)
    assert told["free_heap_bytes"] > 20_000
    assert (told["healthy"], told["reasons"], told["settings_faults"]) == (True, [], [])


def test_status_of_a_board_with_slots():
    class Slots:
        running = "b"

    rig = Rig()
    rig.board.slots = Slots()
    assert rig.status()["slot"] == "b"


def test_status_tells_the_last_call_as_the_household_may_see_it():
    rig = Rig()
    call = rig.calls.first_ring(1_795_000_000, "network")
    rig.calls.ring(call)
    rig.calls.caller(call, {"number": NUMBER, "name": "J\xf6RG"})
    rig.bench.decoded(MESSAGE, QUALITY, {"number": NUMBER})
    rig.calls.answered(call)
    told = rig.status()
    assert told["calls"] == 1
    assert told["call"] == {
        "call_id": "0000000000000000",
        "at": 1_795_000_000,
        "time_source": "network",
        "rings": 1,
        "answered": True,
        "call_waiting": False,
        "number": NUMBER,
        "reason": None,
        "outcome": None,
    }
    assert told["decoded"] == {"standard": "bell_202", "level_dbm0": -13.5, "snr_db": 28.0, "twist_db": 0.5}


def test_status_is_printable_ascii():
    rig = Rig()
    call = rig.calls.first_ring(0, "none")
    rig.calls.caller(call, {"number": "J\xf6\n7"})
    line = rig.bench.status()
    assert all(0x20 <= byte < 0x7F for byte in line.encode())
    assert json.loads(line)["call"]["number"] == "J?\n7"


def test_what_makes_it_unhealthy():
    rig = Rig(nonsense=1)
    assert rig.status()["reasons"] == ["settings_wrong"]
    assert rig.status()["settings_faults"] == ["nonsense"]
    rig = Rig()
    for _ in range(50 * 6):
        rig.block()
    assert rig.bench.reasons() == ["tasks_late"]
    rig.bench.checked_in()
    assert rig.bench.reasons() == []
    rig.board.lost_samples = 40
    rig.block()
    assert rig.bench.reasons() == ["samples_lost"]
    rig.seconds(61)
    assert rig.bench.reasons() == []


def test_a_link_is_to_be_answered():
    rig = Rig(has_link=True)
    assert rig.status()["reasons"] == ["link_silent"]
    assert rig.status()["link"] == {"carrier": None, "answered_s": None}
    rig.bench.link_answered("serial")
    rig.seconds(7)
    assert rig.status()["link"] == {"carrier": "serial", "answered_s": 7}
    assert rig.status()["healthy"]
    rig.seconds(180)
    assert rig.status()["reasons"] == ["link_silent"]


def test_a_tap_streams_what_the_line_carries():
    rig = Rig()
    rig.block()
    assert rig.taken() == []
    rig.bench.tap(1)
    begun = rig.events()
    assert begun == [{"event": "tap", "seconds": 1, "state": "idle", "relay": False, "loop_closed": False}]
    rig.seconds(1)
    frames = rig.taken()
    assert [kind for kind, _, _ in frames] == ["s"] * 50
    assert [number for _, number, _ in frames] == list(range(2, 52))
    assert len(frames[0][2]) == 428
    assert array("h", a2b_base64(frames[0][2])) == rig.board.line_in
    rig.seconds(1)
    assert rig.taken() == []


def test_a_short_block_has_a_short_frame():
    rig = Rig()
    rig.bench.tap(1)
    rig.taken()
    for n in (1, 2, 3, 100):
        rig.block(n)
        ((_, _, payload),) = rig.taken()
        assert list(array("h", a2b_base64(payload))) == list(rig.board.line_in)[:n]


def test_numbers_of_blocks_go_round():
    rig = Rig()
    rig.seconds(19)
    rig.bench.tap(30)
    rig.taken()
    rig.seconds(2)
    numbers = [number for _, number, _ in rig.taken()]
    assert numbers[47:51] == [998, 999, 0, 1]


def test_a_tap_ends_when_it_is_told_to():
    rig = Rig()
    rig.bench.tap(5)
    rig.block()
    rig.taken()
    rig.bench.tap(0)
    rig.block()
    assert rig.taken() == []


def test_a_tap_lasts_ten_minutes_at_most():
    rig = Rig()
    rig.bench.tap(1_000_000)
    assert [event["seconds"] for event in rig.events()] == [600]


def test_a_host_that_takes_nothing_for_a_second_is_gone():
    rig = Rig()
    rig.bench.tap(60)
    rig.board.is_read = False
    for _ in range(49):
        rig.block()
    rig.board.is_read = True
    rig.block()
    rig.board.is_read = False
    rig.board.offered = 0
    rig.seconds(3)
    assert rig.board.offered == 50
    rig.board.is_read = True
    rig.bench.tap(60)
    rig.taken()
    rig.block()
    assert len(rig.taken()) == 1


def test_events_are_told_in_their_block():
    rig = Rig()
    rig.bench.tap(10)
    rig.taken()
    rig.block()
    rig.taken()
    rig.bench.noticed("ring_started", 0)
    rig.bench.noticed("ring_ended", 2)
    rig.bench.call(None, "ringing")
    rig.bench.line(IN_CALL)
    rig.board.lost_samples = 12
    rig.block()
    frames = rig.taken()
    assert [json.loads(payload) for kind, _, payload in frames if kind == "v"] == [
        {"event": "ring_started"},
        {"event": "ring_ended", "value": 2},
        {"event": "call", "what": "ringing"},
        {"event": "line", "state": "in_call"},
        {"event": "lost", "samples": 12},
    ]
    assert [(kind, number) for kind, number, _ in frames] == [("v", 1)] * 5 + [("s", 2)]


def test_a_digit_that_was_dialled_is_never_told():
    rig = Rig()
    rig.bench.tap(10)
    rig.taken()
    rig.bench.noticed("digit", ord("7"))
    assert rig.events() == [{"event": "digit"}]


def test_a_burst_is_told_with_its_quality():
    rig = Rig()
    rig.bench.tap(10)
    rig.taken()
    rig.bench.decoded(MESSAGE, QUALITY, {"number": NUMBER})
    rig.bench.decoded(CHECKSUM_WRONG, QUALITY, None)
    rig.bench.decoded(NO_CARRIER, dict.fromkeys(QUALITY), None)
    assert rig.events() == [
        {"event": "caller", "result": "message", "quality": QUALITY, "number": NUMBER},
        {"event": "caller", "result": "checksum_wrong", "quality": QUALITY, "number": None},
        {"event": "caller", "result": "no_carrier", "quality": None, "number": None},
    ]
    assert rig.status()["decoded"]["snr_db"] == 28


def test_hook_and_relay():
    rig = Rig()
    rig.bench.tap(10)
    rig.taken()
    rig.hook(1)
    rig.block()
    assert rig.status()["loop_closed"]
    rig.line.current = DIALOGUE
    rig.block()
    assert {"event": "relay", "energised": True} in rig.events()
    assert rig.status()["relay"]
    rig.hook(0)
    rig.block()
    assert {"event": "relay", "energised": False} in rig.events()
    assert not rig.status()["loop_closed"]


def test_a_ring_is_told_when_it_is_over_and_so_is_a_reversal():
    rig = Rig()
    rig.bench.tap(10)
    rig.taken()
    for lasting_blocks, edges_a_block in ((10, 1), (1, 2)):
        for _ in range(lasting_blocks):
            rig.board.edges = edges_a_block
            rig.board.edge_kind[:] = bytes(4)
            rig.block()
        for _ in range(20):
            rig.block()
    rings = [event for event in rig.events() if event["event"] == "ring_signal"]
    assert rings == [
        {"event": "ring_signal", "edges": 10, "lasted_samples": 1600, "ended_samples_ago": 960},
        {"event": "ring_signal", "edges": 2, "lasted_samples": 160, "ended_samples_ago": 960},
    ]


def test_without_a_tap_nothing_is_sent():
    rig = Rig()
    rig.bench.noticed("off_hook", 0)
    rig.seconds(2)
    assert rig.board.offered == 0
