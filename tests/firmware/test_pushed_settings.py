"""Settings that the host has pushed: what may be, what may not, and what stays."""

from record_in_memory import Record
from star57.pushed_settings import PushedSettings
from star57.settings import Settings


def test_a_push_is_in_force_at_once_and_after_a_restart():
    record = Record()
    settings = Settings({"price_cents": 300})
    pushed = PushedSettings(record, settings)
    assert (pushed.revision, pushed.refused) == (0, [])
    assert pushed.take(3, {"price_cents": 700, "two_stage": False, "utc_offset_minutes": -300})
    assert (settings.price_cents, settings.two_stage, settings.utc_offset_minutes) == (700, False, -300)
    again = Settings({"price_cents": 300})
    assert PushedSettings(record, again).revision == 3
    assert (again.price_cents, again.two_stage) == (700, False)


def test_what_may_not_be_pushed_is_named_and_changes_nothing():
    settings = Settings({})
    pushed = PushedSettings(Record(), settings)
    values = {
        "adapter_key": "0" * 64,
        "service_hosts": "198.51.100.1",
        "line": "5555550100",
        "price_cents": 1001,
        "two_stage": 1,
        "nothing": None,
        "answer_timeout_ms": 9000,
    }
    assert pushed.take(1, values)
    assert sorted(pushed.refused) == sorted(name for name in values if name != "answer_timeout_ms")
    assert settings.answer_timeout_ms == 9000
    assert settings.price_cents == 500
    assert settings.service_hosts == Settings({}).service_hosts
    assert settings.adapter_key == ""


def test_what_is_no_label_is_not_named():
    pushed = PushedSettings(Record(), Settings({}))
    assert pushed.take(1, {"": 1, "x" * 65: 1, "\u00e9": 1, "nothing": 1})
    assert pushed.refused == ["nothing"]


def test_an_old_push_changes_nothing():
    settings = Settings({})
    pushed = PushedSettings(Record(), settings)
    pushed.take(5, {"price_cents": 700})
    for revision in (5, 4, 0):
        assert not pushed.take(revision, {"price_cents": 100})
    assert settings.price_cents == 700


def test_a_push_that_cannot_be_kept_is_not_taken_yet():
    record = Record()
    settings = Settings({})
    pushed = PushedSettings(record, settings)
    record.broken = True
    assert not pushed.take(1, {"price_cents": 700})
    assert (settings.price_cents, pushed.revision, pushed.faults) == (500, 0, 1)
    record.broken = False
    assert pushed.take(1, {"price_cents": 700})
    assert settings.price_cents == 700


def test_content_that_is_no_push_is_none():
    for payload in (
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"revision": "x", "values": {}}',
        b'{"revision": 1, "values": 5}',
    ):
        pushed = PushedSettings(Record(payload), Settings({}))
        assert (pushed.revision, pushed.faults) == (0, 1), payload
