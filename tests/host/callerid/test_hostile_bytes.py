"""Any bytes give a message or one named error; what is damaged is refused; no length is beyond the limits."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from host_tools.exchange.caller_id import (
    LONGEST,
    MDMF_CALL,
    CallerId,
    ParameterType,
    framed,
    mdmf,
    multiple,
    ntt,
    ntt_crc,
)
from tests.host.callerid.reading import ABSENT, Fields, MessageReader, presented, seeded

FSK_ERRORS = {"length", "checksum", "message type", "too short", "parameter cut short"}
NTT_ERRORS = {"length", "checksum", "message type", "parity", "frame", "parameter cut short"}
SENT_TYPES = (0x04, 0x06, 0x0B, 0x80, 0x81, 0x82, 0x86, 0x89)
KEYS = "0123456789ABCD*#"

MDMF = mdmf(CallerId("5555550123", "SMITH JOHN", date_time="12011731"))
NTT = ntt("5555550123", called_number="5555550199", number_plan=b"\x10\x21")


def is_answer(answer: Fields, errors: set[str]) -> bool:
    if "error" in answer:
        return answer["error"] in errors
    return set(ABSENT) | {"kind", "message_type"} <= set(answer["message"])


@seeded
@given(data=st.binary(max_size=300))
def test_any_bytes(reader: MessageReader, data: bytes) -> None:
    assert is_answer(reader.fsk(data), FSK_ERRORS)
    assert is_answer(reader.ntt(data), NTT_ERRORS)


@seeded
@given(message_type=st.sampled_from(SENT_TYPES), body=st.binary(max_size=LONGEST))
def test_any_body_with_a_checksum_that_holds(reader: MessageReader, message_type: int, body: bytes) -> None:
    answer = reader.fsk(framed(message_type, body))
    assert is_answer(answer, {"too short", "parameter cut short"})
    assert answer.get("framed", True)


@seeded
@given(parameters=st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=30)), max_size=7))
def test_any_parameters_are_read(reader: MessageReader, parameters: list[tuple[int, bytes]]) -> None:
    answer = reader.fsk(multiple(MDMF_CALL, parameters))
    assert answer["framed"]
    # What fills no field is kept, in order.
    kept = [(kind, bytes.fromhex(data)) for kind, data in answer["message"]["unknown"]]
    rest = iter(parameters)
    assert all(parameter in rest for parameter in kept)
    filled = set(presented(answer)) - {"unknown", "message_waiting"}
    # False and 0 are said, too: they are counted by what is not kept.
    assert len(filled) <= len(parameters) - len(kept) + 1


@seeded
@given(content=st.lists(st.integers(0, 127), max_size=120).map(bytes), has_type=st.booleans())
def test_any_content_in_a_whole_ntt_frame(reader: MessageReader, content: bytes, has_type: bool) -> None:
    content = (b"\x40" if has_type else b"") + content
    plain = b"\x10\x01\x07\x10\x02" + content.replace(b"\x10", b"\x10\x10") + b"\x10\x03"
    frame = bytes(value | (value.bit_count() & 1) << 7 for value in plain)
    answer = reader.ntt(frame + ntt_crc(frame[2:]).to_bytes(2, "little"))
    assert is_answer(answer, {"length", "message type", "parameter cut short"})
    assert answer.get("framed", True)


@seeded
@given(place=st.integers(0, len(MDMF) - 1), value=st.integers(0, 255))
def test_one_wrong_byte_is_always_found(reader: MessageReader, place: int, value: int) -> None:
    wrong = MDMF[:place] + bytes([value]) + MDMF[place + 1 :]
    answer = reader.fsk(wrong)
    assert answer.get("error") in ({None} if wrong == MDMF else {"checksum", "length"})


@seeded
@given(place=st.integers(0, len(NTT) - 2), pair=st.binary(min_size=2, max_size=2))
def test_two_wrong_bytes_in_a_row_are_always_found_by_ntt(
    reader: MessageReader, place: int, pair: bytes
) -> None:
    wrong = NTT[:place] + pair + NTT[place + 2 :]
    answer = reader.ntt(wrong)
    assert ("error" in answer) == (wrong != NTT)


@seeded
@given(length=st.integers(0, len(MDMF) - 1), more=st.binary(min_size=1, max_size=9))
def test_neither_less_nor_more_than_a_message(reader: MessageReader, length: int, more: bytes) -> None:
    assert reader.fsk(MDMF[:length]) == {"error": "length"}
    assert reader.fsk(MDMF + more) == {"error": "length"}
    assert reader.ntt(NTT[: min(length, len(NTT) - 1)])["error"] in ("length", "checksum")
    assert reader.ntt(NTT + more)["error"] in ("checksum", "parity", "frame")


@seeded
@given(digits=st.integers(1, 60))
def test_a_number_is_as_long_as_its_parameter_may_be(reader: MessageReader, digits: int) -> None:
    longest = {
        ParameterType.NUMBER: ("number", 23),
        ParameterType.REDIRECTING_NUMBER: ("forwarded_from", 20),
        ParameterType.CALLED_OR_DIALABLE_NUMBER: ("called_number", 20),
        ParameterType.DURATION: ("duration", 6),
    }
    for kind, (field, most) in longest.items():
        answer = reader.fsk(multiple(MDMF_CALL, [(kind, b"5" * digits)]))
        if digits <= most:
            assert presented(answer) == {field: "5" * digits}
        else:
            assert presented(answer) == {"unknown": [[kind, "35" * digits]]}


@seeded
@given(length=st.integers(1, LONGEST - 2))
def test_a_name_of_any_length_is_read_whole(reader: MessageReader, length: int) -> None:
    answer = reader.fsk(multiple(MDMF_CALL, [(ParameterType.NAME, b"N" * length)]))
    assert answer["framed"]
    assert presented(answer) == {"name": "N" * length}


@seeded
@given(keys=st.text(KEYS, max_size=60), more=st.sampled_from(["", "A5555550123C", "D5555550123C"]))
def test_any_keys(reader: MessageReader, keys: str, more: str) -> None:
    answer = reader.dtmf(keys + more)
    assert answer == {"error": "no caller"} or answer["message"]["kind"] == "dtmf"
    for field in ("number", "forwarded_from"):
        said = answer.get("message", {}).get(field)
        assert said is None or said in keys + more


@seeded
@given(keys=st.text("0123456789*#", max_size=60))
def test_what_a_household_can_dial_is_no_caller(reader: MessageReader, keys: str) -> None:
    assert reader.dtmf(keys) == {"error": "no caller"}
