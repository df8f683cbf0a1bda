"""What a receiver reported, against what was sent."""

import numpy as np
import pytest

from bench import calls
from bench.callers import NOTHING, Caller, Score, caller_of, callers_in, score

ANN = Caller("5550123", "ANN", "12011731")
BOB = Caller("5550145", "BOB", "12011732")


def test_what_was_sent_is_read_once_and_what_was_not_is_wrong() -> None:
    assert score([ANN, BOB], [BOB, BOB, Caller("5550123", "ANM", "12011731")]) == Score(
        sent=2, read=1, wrong=1
    )


def test_equal_messages_are_read_as_often_as_they_were_sent_at_most() -> None:
    waiting = Caller(waiting=True)
    assert score([waiting] * 3, [waiting] * 2).read == 2
    assert score([waiting] * 2, [waiting] * 3) == Score(2, 2, 0)


def test_scores_add_up() -> None:
    assert Score(10, 9, 1) + Score(10, 5, 0) == Score(20, 14, 1)
    assert str(Score(20, 14, 1)) == "70.0 %, 1 wrong"
    assert str(Score(0, 0, 3)) == "3 wrong"


@pytest.mark.parametrize(
    "message",
    [calls.mdmf_of_30_bytes, calls.mdmf_absent, calls.mdmf_etsi, calls.sdmf, calls.mdmf_message_waiting],
)
def test_what_the_bench_sends_is_what_it_takes_for_sent(message: calls.MessageMaker) -> None:
    rng = np.random.default_rng(57)
    for _ in range(50):
        data, caller = message(rng)
        assert caller_of(data) == caller
        assert list(callers_in(b"\x55" * 30 + data + b"\x80")) == [caller]


def test_messages_of_the_standard_length_have_30_bytes() -> None:
    rng = np.random.default_rng(57)
    assert {len(calls.mdmf_of_30_bytes(rng)[0]) for _ in range(50)} == {30}


def test_a_message_whose_checksum_or_length_is_wrong_is_none() -> None:
    data, _ = calls.mdmf_of_30_bytes(np.random.default_rng(57))
    for place in range(len(data)):
        broken = bytearray(data)
        broken[place] ^= 1
        assert ANN not in callers_in(bytes(broken))
        assert len(list(callers_in(bytes(broken)))) == 0
    assert not list(callers_in(data[:-1]))


@pytest.mark.parametrize(
    "data", [b"", b"\x80", b"\x80\x00", b"\x80\x04\x02\xff55", b"\x99\x01\x00", b"\x04\x00"]
)
def test_what_is_no_message_never_raises(data: bytes) -> None:
    assert isinstance(caller_of(data), Caller)
    assert all(caller != NOTHING for caller in callers_in(data))
