"""Messages: the vectors of docs/protocol.md, and bytes that mean harm."""

import json
from binascii import a2b_base64

from star57.link import message
from star57.link.message import MessageError

REQUEST_ID = "00112233445566778899aabbccddeeff"


def vectors(part):
    with open("docs/vectors/trace.json") as file:
        return json.load(file)[part]


def body_of(vector):
    if "body_hex" in vector:
        return bytes.fromhex(vector["body_hex"])
    body = vector["body"].encode()
    return body + b" " * (vector.get("pad_to", 0) - len(body))


def reason_of(function, *arguments):
    try:
        function(*arguments)
    except MessageError as fault:
        return fault.reason
    return None


def test_valid_answers():
    for vector in vectors("answers")["valid"]:
        answer = message.decode_answer(body_of(vector), vector["request_id"])
        assert answer == json.loads(vector["body"]), vector["name"]


def test_invalid_answers():
    for vector in vectors("answers")["invalid"]:
        reason = reason_of(message.decode_answer, body_of(vector), vector["request_id"])
        assert reason == vector["error"], (vector["name"], reason)


def test_refusals():
    settles = {"malformed", "too_large"}
    for vector in vectors("refusals"):
        reason, newest = message.decode_refusal(body_of(vector))
        assert reason == vector["reason"]
        assert newest == json.loads(vector["body"])["newest_sequence"]
        assert (reason in settles) == (vector["request_is"] == "settled"), vector["name"]


def test_hostile_refusals():
    hostile = (
        b"",
        b"{}",
        b"[]",
        b"Internal Server Error",
        b'{"message":"refusal"}',
        b'{"message":"refusal","reason":"because"}',
        b'{"message":"refusal","reason":null}',
        b'{"message":"refusal","reason":"malformed"}',
        b'{"message":"refusal","reason":["malformed"],"newest_sequence":null}',
        b'{"message":"refusal","reason":"malformed","newest_sequence":null',
        b'{"message":"refusal","reason":"malformed","newest_sequence":null,"more":1}',
        b'{"message":"refusal","reason":"malformed","newest_sequence":7}',
        b'{"message":"refusal","reason":"old_sequence","newest_sequence":null}',
        b'{"message":"refusal","reason":"old_sequence","newest_sequence":-1}',
        b'{"message":"refusal","reason":"old_sequence","newest_sequence":true}',
        b'{"message":"refusal","reason":"old_sequence","newest_sequence":1.0}',
        b'{"message":"refusal","reason":"old_sequence","newest_sequence":9007199254740992}',
        b'{"message":"trace_answer","reason":"malformed","newest_sequence":null}',
    )
    for data in hostile:
        assert reason_of(message.decode_refusal, data) == "malformed", data
    assert reason_of(message.decode_refusal, b" " * 2049) == "too_large"


def test_requests_keep_every_field():
    for vector in vectors("requests")["valid"]:
        request = json.loads(vector["body"])
        body = message.encode(request)
        assert json.loads(body) == request, vector["name"]
        assert len(body) <= 2048


def test_a_request_beyond_2048_bytes_is_not_encoded():
    assert len(message.encode({"name": "x" * 2037})) == 2048
    assert reason_of(message.encode, {"name": "x" * 2038}) == "too_large"


def test_an_answer_with_any_byte_changed_is_an_answer_or_a_named_error():
    body = vectors("answers")["valid"][0]["body"].encode()
    for place in range(len(body)):
        for value in (0, 0x0A, 0x22, 0x2C, 0x30, 0x5B, 0x5C, 0x7B, 0x7D, 0x80, 0xFF):
            changed = bytearray(body)
            changed[place] = value
            reason = reason_of(message.decode_answer, bytes(changed), REQUEST_ID)
            assert reason in (None, "malformed", "other_request"), (place, value)


def test_an_answer_cut_anywhere_is_malformed():
    body = vectors("answers")["valid"][0]["body"].encode()
    for length in range(len(body)):
        assert reason_of(message.decode_answer, body[:length], REQUEST_ID) == "malformed", length


def heartbeat_vectors(part):
    with open("docs/vectors/heartbeat.json") as file:
        return json.load(file)[part]


def test_heartbeat_answers():
    for vector in heartbeat_vectors("heartbeat_answers")["valid"]:
        answer = message.decode_heartbeat_answer(body_of(vector))
        expected = json.loads(vector["body"])
        if expected["prompt"] is not None:
            expected["prompt"]["data"] = a2b_base64(expected["prompt"]["data"])
        if expected["update"] is not None:
            expected["update"]["data"] = a2b_base64(expected["update"]["data"])
        assert answer == expected, vector["name"]
    for vector in heartbeat_vectors("heartbeat_answers")["invalid"]:
        reason = reason_of(message.decode_heartbeat_answer, body_of(vector))
        assert reason in ("malformed", "too_large"), vector["name"]


def test_log_answers():
    for vector in heartbeat_vectors("log_answers")["valid"]:
        message.decode_log_answer(body_of(vector))
    for vector in heartbeat_vectors("log_answers")["invalid"]:
        reason = reason_of(message.decode_log_answer, body_of(vector))
        assert reason in ("malformed", "too_large"), vector["name"]
