from star57.sound import prompts
from star57.sound.player import Signal

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


def _names(items):
    return tuple(item for item in items if isinstance(item, str))


def test_money():
    assert prompts.money(500) == ("5", "dollars")
    assert prompts.money(101) == ("1", "dollar", "and", "1", "cent")
    assert prompts.money(1000) == ("10", "dollars")
    assert prompts.money(999) == ("9", "dollars", "and", "90", "9", "cents")
    assert prompts.money(250) == ("2", "dollars", "and", "50", "cents")
    assert prompts.money(20) == ("20", "cents")
    assert prompts.money(1) == ("1", "cent")
    assert prompts.money(0) == ("0", "dollars")


def test_the_offer_names_the_price_of_each_trace():
    assert _names(prompts.announcement("offer", 500)) == (
        "call_trace",
        "charge_is",
        "5",
        "dollars",
        "each_trace",
        "dial_1",
    )
    assert _names(prompts.announcement("offer", 0)) == ("call_trace", "no_charge", "dial_1")


def test_a_newer_call_is_told_and_asked_for():
    names = _names(prompts.announcement("newer_call", 500))
    assert names[0] == "newer_call"
    assert names[-1] == "dial_1"


def test_a_trace_tells_its_charge():
    assert _names(prompts.announcement("traced", 500))[:4] == ("traced", "charge_is", "5", "dollars")
    assert _names(prompts.announcement("traced", 0))[:2] == ("traced", "not_charged")


def test_an_earlier_trace_tells_its_charge_and_what_to_do_next():
    names = _names(prompts.announcement("earlier_traced", 250))
    assert names[:6] == ("earlier_traced", "charge_is", "2", "dollars", "and", "50")
    assert names[-3:] == ("danger", "three_traces", "who_acts")


def test_a_trace_that_opens_the_way_to_action_says_so_instead_of_how_many_are_needed():
    for outcome in ("traced", "earlier_traced"):
        usual = _names(prompts.announcement(outcome, 500))
        names = _names(prompts.announcement(outcome + "_action_open", 500))
        assert names == usual[:-2] + ("action_open", "who_acts")


def test_a_stored_request_says_how_its_answer_comes():
    assert _names(prompts.announcement("stored")) == ("stored", "answer_later", "danger")


def test_what_was_not_traced_is_said_to_be_free():
    for outcome in OUTCOMES:
        if outcome in CHARGED + ("stored", "no_call"):
            continue
        assert "not_charged" in _names(prompts.announcement(outcome))


def test_every_outcome_is_said():
    for outcome in OUTCOMES:
        assert _names(prompts.announcement(outcome))


def test_a_line_without_the_service_hears_reorder_tone():
    for items in (prompts.announcement("not_offered"), prompts.reorder(10_000)):
        (signal,) = items
        assert isinstance(signal, Signal)
        assert (signal.tone, signal.duration_ms) == ("reorder", 10_000)


def test_sentences_are_apart_and_the_parts_of_an_amount_are_not():
    items = prompts.announcement("traced", 500)
    spoken = "".join("s" if isinstance(item, str) else " " for item in items)
    assert spoken == "s sss s s s"
