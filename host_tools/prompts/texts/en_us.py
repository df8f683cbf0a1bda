"""American English."""

from __future__ import annotations

from host_tools.prompts.language import Language

_NUMBERS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_DAYS = (
    *("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"),
    *("eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth"),
    *("eighteenth", "nineteenth", "twentieth"),
)

EN_US = Language(
    code="en-US",
    name="English (United States)",
    voice="en-us",
    words_per_minute=160,
    choice="For English, dial 1.",
    texts={
        "call_trace": "This is call trace. It traces the last call that came in.",
        "charge_is": "The charge is",
        "each_trace": "for each successful trace.",
        "no_charge": "There is no charge.",
        "dial_1": "To trace the last call, dial 1. To leave, hang up.",
        "newer_call": "A newer call has come in. It is now the last call.",
        "please_wait": "Please wait.",
        "traced": "The last call was traced.",
        "danger": "If anyone's life is in danger, hang up, and dial {emergency}.",
        "three_traces": "Tracing is serious. After three traces of the same caller,",
        "action_open": "You have now traced enough calls from the same caller.",
        "who_acts": (
            "Call the police, or your telephone company. They can act. "
            "You will not be given the caller's name or number."
        ),
        "not_traceable": "The last call could not be traced.",
        "already_traced": "That call has been traced before.",
        "no_call": "There is no call to trace yet.",
        "not_traced": "No call was traced.",
        "not_charged": "You are not charged.",
        "stored": (
            "Your request is stored. It will be sent as soon as possible. "
            "You are charged only if the call can be traced. You may hang up."
        ),
        "answer_later": "When your dial tone stutters, dial the same code again for the answer.",
        "earlier_traced": "Your earlier trace was successful.",
        "earlier_not_traceable": "Your earlier call could not be traced.",
        "earlier_already_traced": "The call of your earlier request had been traced before.",
        "earlier_not_offered": "Your earlier request was refused. This line has no call trace.",
        "store_full": "Too many requests are waiting.",
        "store_failed": "Your request could not be stored.",
        "last_call": "The last call came",
        "call_time_unknown": "The time of the last call is not known.",
        "call_waited": "It came during another call.",
        "number_is": "The number is",
        "number_private": "The number is private.",
        "number_unavailable": "The number is not available.",
        "no_caller_id": "It came without caller ID.",
        "no_call_yet": "No call has come in yet.",
        "traces_made": "You have made",
        "successful_trace": "successful trace.",
        "successful_traces": "successful traces.",
        "latest_traces": "The most recent:",
        "no_traces": "No call has been traced yet.",
        "last_outcome": "The outcome of your last request:",
        "no_request": "You have made no request yet.",
        "no_answer_yet": "There is no answer yet.",
        "language_chosen": "You have chosen English.",
        "one_language": "This telephone speaks only English.",
        "today": "today",
        "yesterday": "yesterday",
        "on": "on",
        "at": "at",
        "oh": "oh",
        "a_m": "a.m.",
        "p_m": "p.m.",
        "dollar": "dollar",
        "dollars": "dollars",
        "and": "and",
        "cent": "cent",
        "cents": "cents",
        **{str(value): word for value, word in enumerate(_NUMBERS)},
        **{str(10 * value): word for value, word in enumerate(_TENS, start=2)},
        **{f"month_{month}": word for month, word in enumerate(_MONTHS, start=1)},
        **{f"day_{day}": word for day, word in enumerate(_DAYS, start=1)},
        "day_30": "thirtieth",
    },
    sounds={"a_m": "A M", "p_m": "P M", "oh": "O"},
)
