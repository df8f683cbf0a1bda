"""Sequence numbers: each greater than all before it, whatever the flash does."""

from record_in_memory import Record
from star57.link.sequence import SequenceNumbers


def random_bytes(count):
    return bytes(range(1, count + 1))


RANDOM = int.from_bytes(random_bytes(5), "big")


def test_numbers_rise_by_one_and_a_block_takes_one_write():
    record = Record(b"1000")
    numbers = SequenceNumbers(record, random_bytes)
    assert [numbers.next() for _ in range(256)] == list(range(1256, 1512))
    assert record.writes == 1
    assert numbers.next() == 1512
    assert record.writes == 2


def test_no_number_is_given_twice_wherever_the_power_is_cut():
    record = Record(b"5")
    given = []
    for life in range(40):
        numbers = SequenceNumbers(record, random_bytes)
        given += [numbers.next() for _ in range(life * 17)]
    assert given == sorted(set(given))


def test_no_number_is_given_twice_though_the_newest_block_cannot_be_read_again():
    record = Record(b"1000")
    numbers = SequenceNumbers(record, random_bytes)
    given = [numbers.next() for _ in range(256)]
    older = record.payload
    given += [numbers.next() for _ in range(100)]
    record.payload = older
    numbers = SequenceNumbers(record, random_bytes)
    assert numbers.next() > max(given)


def test_a_number_that_was_given_stands_on_flash_before():
    record = Record()
    numbers = SequenceNumbers(record, random_bytes)
    for _ in range(1000):
        assert numbers.next() < int(record.payload)


def test_a_new_flash_begins_at_random_below_2_to_the_40():
    assert SequenceNumbers(Record(), random_bytes).next() == RANDOM
    assert SequenceNumbers(Record(), lambda count: b"\xff" * count).next() == (1 << 40) - 1


def test_content_that_is_no_number_is_a_new_flash():
    for payload in (b"", b"-1", b"1.5", b"x", b"9" * 17, b"\xff"):
        numbers = SequenceNumbers(Record(payload), random_bytes)
        assert numbers.next() == RANDOM
        assert numbers.faults == 1


def test_a_flash_that_cannot_be_written_begins_at_random_and_goes_on():
    record = Record(b"1000")
    record.broken = True
    numbers = SequenceNumbers(record, random_bytes)
    assert [numbers.next() for _ in range(600)] == list(range(RANDOM, RANDOM + 600))
    assert numbers.faults == 4
    record.broken = False
    assert [numbers.next() for _ in range(200)] == list(range(RANDOM + 600, RANDOM + 800))
    assert int(record.payload) > RANDOM + 800


def test_the_service_has_seen_greater_ones():
    record = Record()
    numbers = SequenceNumbers(record, random_bytes)
    numbers.go_on_behind(1 << 45)
    assert numbers.next() == (1 << 45) + 1
    assert int(record.payload) > (1 << 45) + 1
    numbers.go_on_behind(7)
    assert numbers.next() == (1 << 45) + 2
    assert SequenceNumbers(record, random_bytes).next() > (1 << 45) + 2
