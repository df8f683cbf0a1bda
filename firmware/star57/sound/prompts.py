"""What is said to the household: each announcement as a row of prompts (host_tools/prompts/texts.py)."""

from star57.sound.player import Signal, Silence

_SENTENCE_PAUSE = Silence(350)
_REORDER_MS = 10_000

# Stand for the charge, said in parts.
_PRICE = "(price)"
_CHARGE = "(charge)"

ANNOUNCEMENTS = {
    "offer": ("call_trace", _PRICE, "dial_1"),
    "newer_call": ("newer_call", _PRICE, "dial_1"),
    "please_wait": ("please_wait",),
    "traced": ("traced", _CHARGE, "danger", "three_traces", "who_acts"),
    "traced_action_open": ("traced", _CHARGE, "danger", "action_open", "who_acts"),
    "not_traceable": ("not_traceable", "not_charged", "danger"),
    "already_traced": ("already_traced", "not_charged"),
    "no_call": ("no_call", "not_charged"),
    "not_confirmed": ("not_traced", "not_charged"),
    "stored": ("stored", "answer_later", "danger"),
    "store_full": ("store_full", "not_traced", "not_charged", "danger"),
    "earlier_traced": ("earlier_traced", _CHARGE, "danger", "three_traces", "who_acts"),
    "earlier_traced_action_open": ("earlier_traced", _CHARGE, "danger", "action_open", "who_acts"),
    "earlier_not_traceable": ("earlier_not_traceable", "not_charged", "danger"),
    "earlier_already_traced": ("earlier_already_traced", "not_charged"),
    "earlier_not_offered": ("earlier_not_offered", "not_charged"),
    "store_failed": ("store_failed", "not_traced", "not_charged", "danger"),
}


def announcement(name, charge_cents=0):
    """The items to play: an outcome, "earlier_" and an outcome, "offer", "newer_call" or "please_wait".

    "_action_open" stands behind "traced" and "earlier_traced" when the household's traces are enough for action.
    charge_cents: 0 to 1000: the price of a trace in an offer, what a trace costs when it was traced.
    """
    if name == "not_offered":
        return reorder(_REORDER_MS)
    items = ()
    for part in ANNOUNCEMENTS[name]:
        if items:
            items += (_SENTENCE_PAUSE,)
        items += _said(part, charge_cents)
    return items


def reorder(duration_ms):
    """Reorder tone: what was asked for is not to be had on this line."""
    return (Signal("reorder", duration_ms),)


def money(cents):
    """The prompts that say an amount, 0 to 1000 cents."""
    dollars, cents = divmod(cents, 100)
    parts = ()
    if dollars or not cents:
        parts += _number(dollars)
        parts += ("dollar" if dollars == 1 else "dollars",)
    if dollars and cents:
        parts += ("and",)
    if cents:
        parts += _number(cents)
        parts += ("cent" if cents == 1 else "cents",)
    return parts


def _said(part, charge_cents):
    if part not in (_PRICE, _CHARGE):
        return (part,)
    if charge_cents == 0:
        return ("no_charge" if part == _PRICE else "not_charged",)
    items = ("charge_is",)
    items += money(charge_cents)
    if part == _PRICE:
        items += ("each_trace",)
    return items


def _number(value):
    """The prompts that say a number, 0 to 99."""
    if value < 21 or value % 10 == 0:
        return (str(value),)
    return (str(value - value % 10), str(value % 10))
