"""What the adapter remembers of its household, through a power cut and a record that is none."""

from record_in_memory import Record
from star57.household import Household


def test_the_language_that_was_chosen_is_kept():
    record = Record()
    household = Household(record)
    assert household.language is None
    household.choose("es-US")
    assert Household(record).language == "es-US"


def test_traces_that_were_made_are_kept_with_their_times():
    record = Record()
    household = Household(record)
    household.requested("a", 100)
    household.requested("b", 200)
    household.requested("c", 0)
    assert household.traces == []
    household.settled("a", True)
    household.settled("b", False)
    household.settled("c", True)
    household.settled("c", False)
    household.settled("nobody's", True)
    assert household.traces == Household(record).traces == [100, 0]


def test_the_newest_twenty_are_kept():
    household = Household(Record())
    for number in range(30):
        household.requested(str(number), number + 1)
        household.settled(str(number), True)
    assert household.traces == list(range(11, 31))


def test_what_cannot_be_written_holds_until_the_power_goes():
    record = Record()
    household = Household(record)
    record.broken = True
    household.choose("fr-CA")
    assert (household.language, household.faults) == ("fr-CA", 1)
    assert Household(record).language is None


def test_content_that_is_no_record_is_none():
    for payload in (
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"language": 5, "traces": []}',
        b'{"language": null}',
        b'{"language": null, "traces": [["a", 1]]}',
        b'{"language": null, "traces": [["a", "1", true]]}',
        b'{"language": null, "traces": 5}',
    ):
        record = Record()
        record.write(payload)
        household = Household(record)
        assert (household.language, household.traces, household.faults) == (None, [], 1), payload
