import sys

from star57.calls import Call
from star57.settings import LANGUAGES
from star57.sound import prompts
from star57.sound.player import Signal, Silence
from star57.sound.prompts import Speaker

OUTCOMES = (
    "traced",
    "traced_action_open",
    "not_traceable",
    "stored",
    "no_call",
    "already_traced",
    "not_confirmed",
    "store_full",
    "store_failed",
    "earlier_traced",
    "earlier_traced_action_open",
    "earlier_not_traceable",
    "earlier_already_traced",
    "earlier_not_offered",
)
CHARGED = ("traced", "traced_action_open", "earlier_traced", "earlier_traced_action_open")


def _english():
    return Speaker("en-US")


def _names(items):
    return tuple(item for item in items if isinstance(item, str))


def test_money():
    assert _english().money(500) == ("5", "dollars")
    assert _english().money(101) == ("1", "dollar", "and", "1", "cent")
    assert _english().money(1000) == ("10", "dollars")
    assert _english().money(999) == ("9", "dollars", "and", "90", "9", "cents")
    assert _english().money(250) == ("2", "dollars", "and", "50", "cents")
    assert _english().money(20) == ("20", "cents")
    assert _english().money(1) == ("1", "cent")
    assert _english().money(0) == ("0", "dollars")


def test_the_offer_names_the_price_of_each_trace():
    assert _names(_english().announcement("offer", 500)) == (
        "call_trace",
        "charge_is",
        "5",
        "dollars",
        "each_trace",
        "dial_1",
    )
    assert _names(_english().announcement("offer", 0)) == ("call_trace", "no_charge", "dial_1")


def test_a_newer_call_is_told_and_asked_for():
    names = _names(_english().announcement("newer_call", 500))
    assert names[0] == "newer_call"
    assert names[-1] == "dial_1"


def test_a_trace_tells_its_charge():
    assert _names(_english().announcement("traced", 500))[:4] == ("traced", "charge_is", "5", "dollars")
    assert _names(_english().announcement("traced", 0))[:2] == ("traced", "not_charged")


def test_an_earlier_trace_tells_its_charge_and_what_to_do_next():
    names = _names(_english().announcement("earlier_traced", 250))
    assert names[:6] == ("earlier_traced", "charge_is", "2", "dollars", "and", "50")
    assert names[-3:] == ("danger", "three_traces", "who_acts")


def test_a_trace_that_opens_the_way_to_action_says_so_instead_of_how_many_are_needed():
    for outcome in ("traced", "earlier_traced"):
        usual = _names(_english().announcement(outcome, 500))
        names = _names(_english().announcement(outcome + "_action_open", 500))
        assert names == usual[:-2] + ("action_open", "who_acts")


def test_a_stored_request_says_how_its_answer_comes():
    assert _names(_english().announcement("stored")) == ("stored", "answer_later", "danger")


def test_what_was_not_traced_is_said_to_be_free():
    for outcome in OUTCOMES:
        if outcome in CHARGED + ("stored", "no_call"):
            continue
        assert "not_charged" in _names(_english().announcement(outcome))


def test_every_outcome_is_said():
    for outcome in OUTCOMES:
        assert _names(_english().announcement(outcome))


def test_a_line_without_the_service_hears_reorder_tone():
    for items in (_english().announcement("not_offered"), prompts.reorder(10_000)):
        (signal,) = items
        assert isinstance(signal, Signal)
        assert (signal.tone, signal.duration_ms) == ("reorder", 10_000)


def test_sentences_are_apart_and_the_parts_of_an_amount_are_not():
    items = _english().announcement("traced", 500)
    spoken = "".join("s" if isinstance(item, str) else " " for item in items)
    assert spoken == "s sss s s s"


def _call(number=None, reason=None, waiting=False):
    call = Call("0123456789abcdef", 0, "network")
    call.call_waiting = waiting
    call.caller_id = {"number": number, "reason": reason}
    return call


def _sentences(items):
    sentences = [[]]
    for item in items:
        if isinstance(item, Silence) and item.duration_ms == 350:
            sentences.append([])
        elif isinstance(item, str):
            sentences[-1].append(item)
    return [tuple(sentence) for sentence in sentences]


def test_every_announcement_is_said_in_every_language():
    for language in LANGUAGES:
        speaker = Speaker(language)
        for name in prompts.ANNOUNCEMENTS:
            assert _names(speaker.announcement(name, 250))


def test_a_language_loads_its_own_grammar_only():
    grammars = ("star57.sound.spoken_es", "star57.sound.spoken_fr")
    for name in grammars:
        sys.modules.pop(name, None)
    Speaker("es-US")
    assert [name in sys.modules for name in grammars] == [True, False]


def test_the_last_call_with_its_date_time_and_number():
    items = _english().last_call(_call("5555550123"), (5, 21, 15, 5), None)
    assert _sentences(items) == [
        ("last_call", "on", "month_5", "20", "day_1", "at", "3", "oh", "5", "p_m"),
        ("number_is", "5", "5", "5", "5", "5", "5", "0", "1", "2", "3"),
    ]


def test_the_last_call_of_today_of_yesterday_and_of_before():
    def said(when, now):
        return _names(_english().last_call(_call(), when + (9, 0), now + (8, 0)))[1]

    assert said((5, 3), (5, 3)) == "today"
    assert said((5, 2), (5, 3)) == "yesterday"
    assert said((5, 1), (5, 3)) == "on"
    assert said((5, 4), (5, 3)) == "on"
    assert said((4, 30), (5, 1)) == "yesterday"
    assert said((12, 31), (1, 1)) == "yesterday"
    assert said((2, 29), (3, 1)) == "yesterday"
    assert said((2, 28), (3, 1)) == "on"
    assert said((4, 3), (5, 3)) == "on"


def test_who_called_is_said_as_caller_id_gave_it():
    def said(call):
        return _names(_english().last_call(call, None, None))

    assert said(_call("5550123")) == ("call_time_unknown", "number_is", "5", "5", "5", "0", "1", "2", "3")
    assert said(_call(reason="P")) == ("call_time_unknown", "number_private")
    assert said(_call(reason="O")) == ("call_time_unknown", "number_unavailable")
    assert said(_call(number="?")) == ("call_time_unknown", "number_unavailable")
    assert said(_call(reason="P", waiting=True)) == ("call_time_unknown", "call_waited", "number_private")
    unidentified = _call()
    unidentified.caller_id = None
    assert said(unidentified) == ("call_time_unknown", "no_caller_id")
    assert said(None) == ("no_call_yet",)


def test_digits_are_grouped_as_a_number_is():
    def grouped(text):
        items = _english().digits(text)
        return "".join(item if isinstance(item, str) else " " for item in items)

    assert grouped("5555550123") == "555 555 0123"
    assert grouped("15555550123") == "1 555 555 0123"
    assert grouped("5550123") == "555 0123"
    assert grouped("+011 555555501") == "011 555 555 501"
    assert grouped("12") == "12"
    assert grouped("555-0123 x?") == "555 0123"
    assert grouped("") == ""


def test_traces_are_counted_and_dated():
    speaker = _english()
    assert speaker.traces(0, [], None) == ("no_traces",)
    assert _sentences(speaker.traces(1, [(5, 3, 0, 0)], (5, 3, 9, 0))) == [
        ("traces_made", "1", "successful_trace"),
        ("today", "at", "12", "a_m"),
    ]
    assert _sentences(speaker.traces(21, [(5, 3, 12, 0)], None)) == [
        ("traces_made", "20", "1", "successful_traces"),
        ("latest_traces",),
        ("on", "month_5", "day_3", "at", "12", "p_m"),
    ]
    assert _sentences(speaker.traces(100, [], None)) == [("traces_made", "90", "9", "successful_traces")]


def test_the_outcome_is_told_as_one_of_an_earlier_request():
    speaker = _english()
    assert _names(speaker.outcome("traced", 500))[:2] == ("last_outcome", "earlier_traced")
    assert _names(speaker.outcome("traced_action_open", 500))[-2:] == ("action_open", "who_acts")
    assert _names(speaker.outcome("not_offered"))[:2] == ("last_outcome", "earlier_not_offered")
    assert _names(speaker.outcome("store_full"))[:2] == ("last_outcome", "store_full")
    assert _names(speaker.no_answer_yet()) == ("last_outcome", "no_answer_yet", "answer_later")
    assert speaker.no_request() == ("no_request",)


def test_languages_are_offered_by_their_digits():
    speaker = Speaker("fr-CA")
    assert _sentences(speaker.languages([1, 3])) == [("language_1",), ("language_3",)]
    assert speaker.one_language() == ("one_language",)
    assert speaker.language_chosen() == ("language_chosen",)
