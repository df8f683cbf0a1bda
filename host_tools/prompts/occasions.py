"""Where each prompt is heard: what somebody who records it must know to say it well."""

from __future__ import annotations

_OFFER = "after the trace code is dialled"
_TRACED = "after a trace that was successful"
_NOT_TRACED = "after a request that came to nothing"
_STORED = "when the trace service does not answer at once"
_EARLIER = "at the next trace code, or after the code that repeats the last outcome"
_LAST_CALL = "after the code that tells of the last call"
_TRACES = "after the code that counts the traces"
_OUTCOME = "after the code that repeats the last outcome"
_LANGUAGES = "after the code that chooses the language"
_AMOUNT = "within an amount; goes straight on"
_DATE = "within a date; goes straight on"
_TIME = "within a time of day; goes straight on"
_NUMBER = "within an amount, a date, a time or a telephone number; goes straight on"

OCCASIONS = {
    "call_trace": _OFFER,
    "charge_is": "before an amount; goes straight on",
    "each_trace": "after an amount",
    "no_charge": _OFFER,
    "dial_1": _OFFER,
    "newer_call": "when another call has come in meanwhile",
    "please_wait": "as soon as the request is kept",
    "traced": _TRACED,
    "danger": "at the end of most outcomes",
    "three_traces": f"{_TRACED}; who_acts ends the sentence",
    "action_open": f"{_TRACED}, where the traces are enough for action",
    "who_acts": f"{_TRACED}, behind three_traces or action_open",
    "not_traceable": _NOT_TRACED,
    "already_traced": _NOT_TRACED,
    "no_call": _NOT_TRACED,
    "not_traced": _NOT_TRACED,
    "not_charged": "after every outcome that costs nothing",
    "stored": _STORED,
    "answer_later": _STORED,
    "earlier_traced": _EARLIER,
    "earlier_not_traceable": _EARLIER,
    "earlier_already_traced": _EARLIER,
    "earlier_not_offered": _EARLIER,
    "store_full": _NOT_TRACED,
    "store_failed": _NOT_TRACED,
    "last_call": f"{_LAST_CALL}; a date or a day goes straight on",
    "call_time_unknown": _LAST_CALL,
    "call_waited": _LAST_CALL,
    "number_is": f"{_LAST_CALL}; digits go straight on",
    "number_private": _LAST_CALL,
    "number_unavailable": _LAST_CALL,
    "no_caller_id": _LAST_CALL,
    "no_call_yet": _LAST_CALL,
    "traces_made": f"{_TRACES}; a number goes straight on",
    "successful_trace": f"{_TRACES}, behind the number one",
    "successful_traces": f"{_TRACES}, behind a number",
    "latest_traces": f"{_TRACES}; dates follow",
    "no_traces": _TRACES,
    "last_outcome": f"{_OUTCOME}; the outcome follows",
    "no_request": _OUTCOME,
    "no_answer_yet": _OUTCOME,
    "language_1": _LANGUAGES,
    "language_2": _LANGUAGES,
    "language_3": _LANGUAGES,
    "language_chosen": _LANGUAGES,
    "one_language": f"{_LANGUAGES}, where there is only one",
    "today": _DATE,
    "yesterday": _DATE,
    "on": _DATE,
    "at": _TIME,
    "at_1": _TIME,
    "oh": _TIME,
    "plus": "between tens and units, and between hour and minute; goes straight on",
    "a_m": "at the end of a time of day",
    "p_m": "at the end of a time of day",
    "before_dawn": "at the end of a time of day",
    "morning": "at the end of a time of day",
    "afternoon": "at the end of a time of day",
    "evening": "at the end of a time of day",
    "dollar": _AMOUNT,
    "dollars": _AMOUNT,
    "and": "between dollars and cents; goes straight on",
    "cent": _AMOUNT,
    "cents": _AMOUNT,
}

_BY_BEGINNING = {"month_": _DATE, "day_": _DATE, "hour_": _TIME, "and_": _NUMBER}
_BY_END = {
    "_linked": "before the units of a number, as in twenty-two; goes straight on",
    "_before_noun": "before dollars, cents or traces; goes straight on",
    "_feminine": "of minutes; ends a time of day",
}


def occasion(name: str) -> str:
    """Where the prompt of this name is heard."""
    if name in OCCASIONS:
        return OCCASIONS[name]
    for end, where in _BY_END.items():
        if name.endswith(end):
            return where
    for beginning, where in _BY_BEGINNING.items():
        if name.startswith(beginning):
            return where
    return _NUMBER
