"""The trace request: every field of docs/protocol.md, and 2048 bytes at most."""

import json

from star57.trace import request


class Settings:
    adapter_id = "adapter-1"
    line = "5555550100"


class Call:
    def __init__(self, call):
        self.call_id = call["call_id"]
        self.at = call["at"]
        self.time_source = "network"
        self.rings = call["rings"]
        self.answered = call["answered"]
        self.call_waiting = call["call_waiting"]
        self.caller_id = call["caller_id"]


def vectors():
    with open("docs/vectors/trace.json") as file:
        return json.load(file)["requests"]["valid"]


def call_of(name):
    for vector in vectors():
        if vector["name"] == name:
            return Call(json.loads(vector["body"])["call"])
    raise KeyError(name)


def random_bytes(count):
    return bytes(range(0xF0, 0xF0 + count))


def test_every_valid_vector_is_built_from_its_call():
    for vector in vectors():
        expected = json.loads(vector["body"])
        settings = Settings()
        settings.adapter_id = expected["adapter_id"]
        settings.line = expected["line"]
        call = Call(expected["call"])
        call.time_source = expected["time_source"]
        identity = bytes.fromhex(expected["request_id"])
        built = request.build(
            settings, call, expected["requested_at"], call.time_source, lambda count: identity[:count]
        )
        assert built == expected, vector["name"]


def test_the_identity_is_16_random_bytes():
    built = request.build(Settings, call_of("a named caller"), 0, "network", random_bytes)
    assert built["request_id"] == "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"


def test_the_lesser_clock_names_both_times():
    call = call_of("a named caller")
    cases = (
        ("network", "network", "network"),
        ("network", "none", "none"),
        ("none", "network", "none"),
        ("caller_id", "network", "caller_id"),
        ("network", "caller_id", "caller_id"),
        ("caller_id", "none", "none"),
    )
    for call.time_source, now, expected in cases:
        assert request.build(Settings, call, 0, now, random_bytes)["time_source"] == expected


def test_only_what_the_protocol_names_is_sent():
    call = call_of("a named caller")
    call.caller_id = {"number": "5555550123", "kind": "mdmf", "unknown": []}
    built = request.build(Settings, call, 0, "network", random_bytes)
    assert built["call"]["caller_id"] == {
        "number": "5555550123",
        "name": None,
        "reason": None,
        "date_time": None,
    }


def test_whatever_the_line_presents_the_message_fits():
    call = call_of("every field at its most, every character escaped")
    call.rings = 100_000
    for character in ('"', "\\", "\xff", "x"):
        call.caller_id = dict.fromkeys(("number", "name", "reason", "date_time"), character * 255)
        built = request.build(Settings, call, 0xFFFFFFFF, "network", random_bytes)
        assert built["call"]["rings"] == 255
        assert built["call"]["caller_id"]["name"] == character * 64
        assert len(json.dumps(built).encode()) <= 2048
