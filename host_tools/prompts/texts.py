"""What each prompt says, in plain words for somebody who has just been frightened.

One row a file of the pack. A technician who records the prompts anew reads these aloud.
"""

from __future__ import annotations

_NUMBERS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")

TEXTS = {
    "call_trace": "This is call trace. It traces the last call that came in.",
    "charge_is": "The charge is",
    "each_trace": "for each successful trace.",
    "no_charge": "There is no charge.",
    "dial_1": "To trace the last call, dial 1. To leave, hang up.",
    "newer_call": "A newer call has come in. It is now the last call.",
    "please_wait": "Please wait.",
    "traced": "The last call was traced.",
    "danger": "If anyone's life is in danger, hang up, and dial 9 1 1.",
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
    "answer_later": "When your dial tone stutters, dial star 5 7 for the answer.",
    "earlier_traced": "Your earlier trace was successful.",
    "earlier_not_traceable": "Your earlier call could not be traced.",
    "earlier_already_traced": "The call of your earlier request had been traced before.",
    "earlier_not_offered": "Your earlier request was refused. This line has no call trace.",
    "store_full": "Too many requests are waiting.",
    "store_failed": "Your request could not be stored.",
    "dollar": "dollar",
    "dollars": "dollars",
    "and": "and",
    "cent": "cent",
    "cents": "cents",
    **{str(value): word for value, word in enumerate(_NUMBERS)},
    **{str(10 * value): word for value, word in enumerate(_TENS, start=2)},
}
"""The name of each prompt and its text, in American English."""
