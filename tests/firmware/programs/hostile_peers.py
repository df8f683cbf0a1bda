"""A peer that means harm, at everything of the link that listens.

    hostile_peers.py KIND SEED CASES FOLDER

KIND is one of

    frames      what comes over a serial line while questions are asked, one after the other, by the time of a line: the
                host is honest, and somebody else speaks too
    tokens      what is taken for the signed answer to an ask
    payloads    what the service's own key has signed, and is no message
    responses   what comes over a connection, and is no HTTP response

At the end one line of JSON: the cases; outcomes, counted by name; wrong: how much was believed that the service has not
said; and memory in use after a collection, at the first tenth (memory_before) and at its highest later. An exception
that has no name there ends the program.
"""

import asyncio
import gc
import json
import random
import sys

from answering import ADAPTER_ID, KEY, Counted, answer, encoded, read, refusal, signed
from line_time import LineTime
from star57.link import frame, message
from star57.link.correspondent import Correspondent, Refused
from star57.link.error import LinkError
from star57.link.frame import FrameReceiver
from star57.link.http import receive
from star57.link.message import MessageError
from star57.link.serial import SerialLink
from star57.link.signed import SignatureError, Signer
from star57.pushed_settings import PushedSettings
from star57.settings import Settings
from star57.sound.prompt_store import PromptStore

OTHER_KEY = bytes(range(32, 64))
REQUEST_ID = "00112233445566778899aabbccddeeff"
BLOCK_SAMPLES = 40  # 5 ms, as the link's own pauses
CHECKS = 20


def below(limit):
    return random.getrandbits(24) % limit


def one_of(choices):
    return choices[below(len(choices))]


def octets(count):
    return bytes([random.getrandbits(8) for _ in range(count)])


def damaged(data):
    """`data` with one to three damages."""
    for _ in range(1 + below(3)):
        start = below(len(data) + 1)
        end = min(len(data), start + 1 + below(40))
        kind = below(7)
        if kind == 0:
            data = data[:start] + data[end:]
        elif kind == 1:
            data = data[:end] + data[start:]
        elif kind == 2:
            data = data[:start] + octets(end - start) + data[end:]
        elif kind == 3:
            data = data[:start] + octets(1 + below(16)) + data[start:]
        elif kind == 4:
            data = data[:start]
        elif data:
            changed = bytearray(data)
            for _ in range(1 + below(8)):
                changed[below(len(data))] ^= 1 << below(8)
            data = bytes(changed)
    return data


def trace_answer(request_id, number):
    return {
        "message": "trace_answer",
        "version": 1,
        "request_id": request_id,
        "outcome": "traced",
        "trace_id": "T-{:08d}".format(number),
        "charge_cents": 500,
        "action_open": True,
    }


class Seen:
    """What became of the cases, and the memory in use."""

    def __init__(self, cases):
        self.wanted = cases
        self.cases = 0
        self.wrong = 0
        self.outcomes = {}
        self._memory = [0] * CHECKS  # taken now, so that keeping them takes nothing later
        self._checks = 0

    def check(self):
        """Looks at the memory, when it is time; what the last case had must be gone."""
        while self._checks < CHECKS and self.cases * CHECKS >= self.wanted * (self._checks + 1):
            gc.collect()
            self._memory[self._checks] = gc.mem_alloc()
            self._checks += 1

    def outcome(self, name):
        self.outcomes[name] = self.outcomes.get(name, 0) + 1

    def believed(self, is_right):
        self.outcome("believed, as the service gave it")
        self.wrong += not is_right

    def tell(self):
        first = CHECKS // 10
        told = {
            "cases": self.cases,
            "wrong": self.wrong,
            "outcomes": self.outcomes,
            "memory_before": max(self._memory[:first]),
            "memory_highest": max(self._memory[first:]),
        }
        print(json.dumps(told))


class Line:
    """A serial port, an honest host behind it that now and then is not heard, and somebody else who speaks too."""

    def __init__(self, seen):
        self._seen = seen
        self._heard = FrameReceiver(self)
        self._incoming = b""
        self._question = b""
        self._number = 0
        self._earlier = [b""] * 8
        self._answers = [b"200 a.b.c"] * 4
        self._asked = b"a.b.c"
        self._answer = b"200 a.b.c"
        self._sequence = 0
        self.given = trace_answer(REQUEST_ID, 0)

    def write(self, data):
        self._heard.feed(data, len(data))
        return len(data)

    def readinto(self, buffer):
        if not self._incoming and below(3) == 0:
            self._harm()
        count = min(len(buffer), len(self._incoming))
        buffer[:count] = self._incoming[:count]
        self._incoming = self._incoming[count:]
        return count or None

    def fall_silent(self):
        """What is still under way does not come."""
        self._incoming = b""

    def frame(self, kind, number, payload):
        """The adapter has sent a frame."""
        self._number = number
        while below(2):
            self._harm()
        said = self._reply(kind, number, payload)
        while below(3) == 0:
            self._harm()  # before the host is heard
        if below(8):
            self._earlier[below(len(self._earlier))] = said
            self._incoming += damaged(said) if below(10) == 0 else said

    def _reply(self, kind, number, payload):
        if kind == "m":
            offset, most = payload.split(b" ")
            return self._part(number, self._answer, int(offset), int(most))
        offset, total, part = payload.split(b" ", 2)
        if offset == b"0":
            self._question = b""
        if int(offset) == len(self._question):
            self._question += part
        if len(self._question) < int(total):
            return frame.build("g", number, b"%d" % len(self._question))
        self._give()
        return self._part(number, self._answer, 0, 512)

    def _give(self):
        header, asked = read(self._question)
        if self._asked != self._question:
            self._answers[below(len(self._answers))] = self._answer
        self._asked = self._question
        self._sequence = header["seq"]
        self.given = trace_answer(asked["request_id"], header["seq"])
        self._answer = b"200 " + answer(header["seq"], self.given)

    def _part(self, number, whole, offset, most):
        part = whole[offset : offset + most]
        return frame.build("a", number, b"%d %d %s" % (offset, len(whole), part))

    def _harm(self):
        self._seen.cases += 1
        self._incoming += one_of(
            (
                self._noise,
                self._damaged,
                self._damaged,
                self._odd,
                self._odd,
                self._replayed,
                self._too_long,
                self._whole,
            )
        )()

    def _noise(self):
        return octets(1 + below(100))

    def _damaged(self):
        return damaged(one_of(self._earlier))

    def _odd(self):
        """A frame that is whole, and says anything."""
        words = []
        for _ in range(below(4)):
            words.append(
                one_of(
                    (b"%d" % below(4000), b"%d" % -below(9), b"0%d" % below(99), b"9" * (1 + below(40)), b"")
                )
            )
        words.append(one_of((b"", b"x" * (1 + below(60)))))
        number = self._number if below(4) else below(1000)
        return frame.build(one_of("ggwwaaaaxxqmz"), number, b" ".join(words))

    def _replayed(self):
        return one_of(self._earlier)

    def _too_long(self):
        return b"\n*57 a %d 0123abcd " % self._number + b"x" * (500 + below(1500)) + b"\n"

    def _whole(self):
        """An answer, whole, in parts that fit the question, and none that the service gave to it."""
        said = one_of(
            (
                one_of(self._answers),
                self._forged(OTHER_KEY, 0),
                self._forged(OTHER_KEY, 0),
                self._forged(KEY, 1 + below(9)),
                self._altered(),
                b"200 " + self._asked,
                b"200 " + damaged(self._asked),
                b"400 " + refusal("malformed"),
                b"409 " + refusal("old_sequence", 2**53 - 1),
                b"200 a.b.c",
                octets(40),
            )
        )
        most = one_of((16, 64, 512))
        parts = b""
        for offset in range(0, min(len(said), 8 * most), most):
            parts += self._part(self._number, said, offset, most)
        return parts

    def _forged(self, key, before):
        """An answer to what is asked now, signed by `key`, under a number that was so many before."""
        told = trace_answer(self.given["request_id"], 99_999_999)
        return b"200 " + answer(self._sequence - before, told, key)

    def _altered(self):
        """The service's own answer, with another payload than it has signed."""
        head, _, signature = self._answer.split(b".")
        told = trace_answer(self.given["request_id"], 99_999_999)
        return head + b"." + encoded(json.dumps(told).encode()) + b"." + signature


async def frames(seen):
    line = Line(seen)
    link = SerialLink(line)
    reading = asyncio.create_task(link.run())
    correspondent = Correspondent(Signer(ADAPTER_ID, KEY), Counted(), (link,), lambda text: None)
    while seen.cases < seen.wanted:
        await asyncio.sleep_ms(below(40))
        asked = {"message": "trace_request", "request_id": octets(16).hex(), "line": "5" * below(1200)}
        try:
            told = await correspondent.ask(
                asked, lambda payload, asked=asked: message.decode_answer(payload, asked["request_id"])
            )
        except LinkError as fault:
            seen.outcome(fault.reason)
        except Refused:
            seen.wrong += 1  # the service has not refused anything
        else:
            seen.believed(told == line.given and told["request_id"] == asked["request_id"])
        assert not reading.done()
        asked = told = None
        line.fall_silent()
        seen.check()


def tokens(seen, _folder):
    signer = Signer(ADAPTER_ID, KEY)
    payload = json.dumps(trace_answer(REQUEST_ID, 1)).encode()

    async def case():
        sequence = below(1000)
        right = answer(sequence, payload)
        token = forged(signer, right, sequence, payload)
        try:
            told = signer.answer(token, sequence)
        except SignatureError as fault:
            assert fault.reason in ("too_large", "malformed", "bad_signature", "other_sequence")
            seen.outcome(fault.reason)
        else:
            seen.believed(token == right and told == payload)

    return case


def forged(signer, right, sequence, payload):
    """What is taken for the answer; one time in 12 it is the right one."""
    return one_of(
        (
            lambda: octets(below(200)),
            lambda: answer(sequence, payload, OTHER_KEY),
            lambda: answer(sequence + 1 + below(9), payload),
            lambda: signer.ask(sequence, payload),
            lambda: answer(sequence, payload, adapter_id="adapter-2"),
            lambda: signed(odd_header(sequence), payload),
            lambda: (
                encoded(damaged(b'{"alg":"none","typ":"answer"}')) + b"." + encoded(damaged(payload)) + b"."
            ),
            lambda: right + b"A" * below(4000),
            lambda: right,
            lambda: exchanged(right),
            lambda: exchanged(right),
            lambda: damaged(right),
        )
    )()


def exchanged(token):
    """Some of its letters are others."""
    letters = bytearray(token)
    for _ in range(1 + below(4)):
        letters[below(len(letters))] = one_of(
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        )
    return bytes(letters)


def odd_header(sequence):
    """A header that the service never has, though it is signed rightly."""
    header = {"alg": "HS256", "typ": "answer", "kid": ADAPTER_ID, "seq": sequence}
    name = one_of(("alg", "typ", "kid", "seq", "jwk", "crit"))
    header[name] = one_of(
        ("none", "ask", None, True, -1, 1.5, [], {}, str(sequence), 2**60, [[[]]], "x" * below(900))
    )
    return json.dumps(header).encode()


def odd_value():
    return one_of(
        (
            None,
            True,
            False,
            -1,
            0,
            1,
            2**31,
            2**53,
            2**70,
            1.5,
            "",
            "x",
            "T-00000001",
            "0123456789abcdef" * 2,
            "traced",
            "x" * 300,
            [],
            [[]],
            {},
            {"a": []},
        )
    )


def messages():
    """What the service may say, one of each kind and more."""
    prompt = {"name": "trace_done", "size": 4, "sha256": "0" * 64, "offset": 0, "data": "AAECAw=="}
    heartbeat = {
        "message": "heartbeat_answer",
        "version": 1,
        "unix_seconds": 1_795_000_000,
        "settings": {"revision": 7, "values": {"two_stage": True, "price_cents": 500}},
        "prompt": prompt,
        "log_from": 3,
        "again": False,
        "update": {"sha256": "0" * 64, "slot": "b", "offset": 0, "data": "AAECAw=="},
    }
    return (
        trace_answer(REQUEST_ID, 1),
        {"message": "refusal", "reason": "old_sequence", "newest_sequence": 7},
        heartbeat,
        {"message": "log_answer", "version": 1},
    )


def odd_message(told):
    """A message that is changed as JSON, or as bytes, or as both."""
    if below(2):
        told = json.loads(json.dumps(told))
        inner = told
        while below(2):
            within = [value for value in inner.values() if isinstance(value, dict)]
            inner = one_of(within) if within else inner
        name = one_of(list(inner)) if inner else "message"
        if below(4):
            inner[name] = odd_value()
        elif below(2):
            inner.pop(name, None)
        else:
            inner[one_of(("more", "", "version", "message"))] = odd_value()
    text = json.dumps(told).encode()
    kind = below(8)
    if kind == 0:
        return text + b" " * below(2500)
    if kind == 1:
        return one_of((b"[", b'{"a":', b"[[", b"{")) * below(900) + text
    return damaged(text) if kind < 5 else text


def payloads(seen, folder):
    decoders = (
        lambda data: message.decode_answer(data, REQUEST_ID),
        message.decode_refusal,
        message.decode_heartbeat_answer,
        message.decode_log_answer,
    )
    pushed, prompts = PushedSettings(Record(), Settings({})), PromptStore(folder + "/prompts")
    told = messages()

    async def case():
        kind = below(len(told))
        data = odd_message(told[kind])
        try:
            decoded = decoders[kind if below(8) else below(len(told))](data)
        except MessageError as fault:
            seen.outcome(fault.reason)
            return
        seen.outcome("a message after all")
        if isinstance(decoded, dict) and decoded["message"] == "heartbeat_answer":
            obey(decoded, pushed, prompts)
            seen.outcome("obeyed")
        elif isinstance(decoded, dict):
            seen.wrong += not is_sound(decoded)

    return case


def obey(told, pushed, prompts):
    """As the heartbeat does, with a new revision each time."""
    if told["settings"] is not None:
        pushed.take(pushed.revision + 1, told["settings"]["values"])
    if told["prompt"] is not None:
        prompts.take(**told["prompt"])


def is_sound(told):
    """Whether a trace answer can be told to a household."""
    has_trace = told["outcome"] in ("traced", "already_traced")
    most_cents = 1000 if told["outcome"] == "traced" else 0
    return (
        told["request_id"] == REQUEST_ID
        and (isinstance(told["trace_id"], str) if has_trace else told["trace_id"] is None)
        and 0 <= told["charge_cents"] <= most_cents
        and told["action_open"] in ((True, False) if told["outcome"] == "traced" else (False,))
    )


class Record:
    """A record on a flash that keeps nothing."""

    def read(self):
        return None

    def write(self, payload):
        pass


class Received:
    """A connection over which `data` comes in parts of any size up to a connection's, and then its end."""

    def __init__(self, data):
        self._data = data

    async def read(self):
        count = 1 + below(512)
        part, self._data = self._data[:count], self._data[count:]
        return part


def responses(seen, _folder):
    signer = Signer(ADAPTER_ID, KEY)
    payload = json.dumps(trace_answer(REQUEST_ID, 1)).encode()
    right = answer(7, payload)

    async def case():
        try:
            status, received, _ = await receive(Received(odd_response(right, payload)))
            assert len(received) <= 3000 and 200 <= status <= 999
            told = signer.answer(received, 7)
        except LinkError as fault:
            assert fault.reason in ("closed", "garbage", "too_large")
            seen.outcome(fault.reason)
        except SignatureError as fault:
            seen.outcome("a body, " + fault.reason)
        else:
            seen.believed(told == payload)

    return case


def odd_response(right, payload):
    """A response with the answer `right` or another one, and head or body damaged or not."""
    body = one_of((right, right, damaged(right), answer(7, payload, OTHER_KEY), answer(8, payload)))
    head = (
        b"HTTP/1.1 200 OK\r\ndate: Mon, 05 Jan 2026 12:00:00 GMT\r\nserver: uvicorn\r\n"
        b"content-length: %d\r\ncontent-type: application/jose\r\n\r\n"
    ) % one_of((len(body), len(body), len(body), below(5000), 10 ** below(30)))
    whole = (damaged(head) if below(2) else head) + body
    if below(3) == 0:
        whole = damaged(whole)
    if below(20) == 0:
        whole = whole[: below(200)] + b"X-More: and more\r\n" * below(300)
    return whole


async def repeat(seen, case):
    while seen.cases < seen.wanted:
        await case()
        seen.cases += 1
        seen.check()


def main():
    kind, seed, cases, folder = sys.argv[1:]
    random.seed(int(seed))
    seen = Seen(int(cases))
    if kind == "frames":
        follow_line()
        asyncio.run(frames(seen))
    else:
        cases = {"tokens": tokens, "payloads": payloads, "responses": responses}[kind](seen, folder)
        asyncio.run(repeat(seen, cases))
    seen.tell()


def follow_line():
    """Time is a line's, and passes as fast as the link allows."""

    def pass_block():
        line.samples += BLOCK_SAMPLES

    line = LineTime(pass_block, 0)
    line.follow()


main()
