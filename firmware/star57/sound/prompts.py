"""What is said to the household: each announcement as a row of prompts (host_tools/prompts/texts).

The announcements are the same in every language. How a language says numbers, dates and times is in spoken_en.py and
its like, of which only that of the language in force is loaded.
"""

from micropython import const

from star57.sound.player import Signal, Silence

_SENTENCE_PAUSE = Silence(350)
_GROUP_PAUSE = Silence(250)
_REORDER_MS = const(10_000)
_LARGEST_COUNT = const(99)
_MONTH_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)

# How a number is read out, by how many digits it has: as the North American plan groups them.
_GROUPS = ((7, (3, 4)), (10, (3, 3, 4)), (11, (1, 3, 3, 4)))
_OTHER_GROUP = const(3)

# Stand for the charge, said in parts.
_PRICE = const("(price)")
_CHARGE = const("(charge)")

_EARLIER = "earlier_"

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
    "store_failed": ("store_failed", "not_traced", "not_charged", "danger"),
    "earlier_traced": ("earlier_traced", _CHARGE, "danger", "three_traces", "who_acts"),
    "earlier_traced_action_open": ("earlier_traced", _CHARGE, "danger", "action_open", "who_acts"),
    "earlier_not_traceable": ("earlier_not_traceable", "not_charged", "danger"),
    "earlier_already_traced": ("earlier_already_traced", "not_charged"),
    "earlier_not_offered": ("earlier_not_offered", "not_charged"),
    "earlier_stored": ("no_answer_yet", "answer_later"),
}


class Speaker:
    """Says things in a language of settings.LANGUAGES; what it answers are items for the player, a tuple."""

    def __init__(self, language):
        name = "star57.sound.spoken_" + language[:2]
        self._grammar = __import__(name, None, None, ("number",))

    def announcement(self, name, charge_cents=0):
        """One of ANNOUNCEMENTS: an outcome, "earlier_" and an outcome, "offer", "newer_call", "please_wait" and so on.

        "_action_open" stands behind "traced" and "earlier_traced" when the household's traces are enough for action.
        charge_cents: 0 to 1000: the price of a trace in an offer, what a trace costs when it was traced.
        """
        if name == "not_offered":
            return reorder(_REORDER_MS)
        return _in_turn([self._said(part, charge_cents) for part in ANNOUNCEMENTS[name]])

    def last_call(self, call, when, now):
        """When the last call came, and from which number, as caller ID gave it. The caller's name is not said.

        call: a calls.Call, or None when none has come. when, now: as local_time has them, (month, day, hour, minute),
        or None where nobody knows.
        """
        if call is None:
            return ("no_call_yet",)
        sentences = [("call_time_unknown",) if when is None else ("last_call",) + self.moment(when, now)]
        if call.call_waiting:
            sentences.append(("call_waited",))
        sentences.append(self._from_whom(call.caller_id))
        return _in_turn(sentences)

    def traces(self, count, dates, now):
        """How many traces were successful, 99 at most, and when: `dates` that are known, each as last_call's `when`."""
        if count == 0:
            return ("no_traces",)
        noun = "successful_trace" if count in self._grammar.SINGULAR else "successful_traces"
        sentences = [("traces_made",) + self._grammar.counted(min(count, _LARGEST_COUNT)) + (noun,)]
        if 0 < len(dates) < count:
            sentences.append(("latest_traces",))
        sentences += [self.moment(date, now) for date in dates]
        return _in_turn(sentences)

    def outcome(self, name, charge_cents=0):
        """What became of the last request: an outcome, with "_action_open" behind it or not."""
        earlier = _EARLIER + name
        said = self.announcement(earlier if earlier in ANNOUNCEMENTS else name, charge_cents)
        return _in_turn([("last_outcome",), said])

    def no_request(self):
        """There is no request whose outcome could be told."""
        return ("no_request",)

    def no_answer_yet(self):
        """The last request is stored, and has no outcome yet."""
        return self.outcome("stored")

    def languages(self, digits):
        """Offers a choice of the languages of these digits, each in its own words."""
        return _in_turn([("language_{}".format(digit),) for digit in digits])

    def one_language(self):
        """There is no language to choose but this one."""
        return ("one_language",)

    def language_chosen(self):
        """This language has been chosen."""
        return ("language_chosen",)

    def moment(self, when, now):
        """A date and a time of day; of today or yesterday, where it is known what day that is, the time of day."""
        days = None if now is None else _days_before(when, now)
        if days is None:
            return self.date_time(*when)
        return ("yesterday" if days else "today",) + self._grammar.time(when[2], when[3])

    def date_time(self, month, day, hour, minute):
        """A date and a time of day: 1 to 12, 1 to 31, 0 to 23, 0 to 59."""
        return self._grammar.date(month, day) + self._grammar.time(hour, minute)

    def money(self, cents):
        """An amount, 0 to 1000 cents."""
        dollars, cents = divmod(cents, 100)
        said = ()
        if dollars or not cents:
            said += self._amount(dollars, "dollar", "dollars")
        if dollars and cents:
            said += ("and",)
        if cents:
            said += self._amount(cents, "cent", "cents")
        return said

    def number(self, value):
        """A number, 0 to 99."""
        return self._grammar.number(value)

    def digits(self, text):
        """The digits of a text one by one, grouped as a telephone number is; whatever else is in it is passed by."""
        digits = [character for character in text if "0" <= character <= "9"]
        said = ()
        for length in _groups(len(digits)):
            if said:
                said += (_GROUP_PAUSE,)
            said += tuple(digits[:length])
            digits = digits[length:]
        return said

    def _said(self, part, charge_cents):
        if part not in (_PRICE, _CHARGE):
            return (part,)
        if charge_cents == 0:
            return ("no_charge" if part == _PRICE else "not_charged",)
        said = ("charge_is",) + self.money(charge_cents)
        return said + ("each_trace",) if part == _PRICE else said

    def _amount(self, value, singular, plural):
        return self._grammar.counted(value) + (singular if value in self._grammar.SINGULAR else plural,)

    def _from_whom(self, caller_id):
        if caller_id is None:
            return ("no_caller_id",)
        digits = self.digits(caller_id.get("number") or "")
        if digits:
            return ("number_is",) + digits
        return ("number_private" if caller_id.get("reason") == "P" else "number_unavailable",)


def announcement(name, charge_cents=0):
    """As Speaker's, in English."""
    return Speaker("en-US").announcement(name, charge_cents)


def reorder(duration_ms):
    """Reorder tone: what was asked for is not to be had on this line."""
    return (Signal("reorder", duration_ms),)


def _in_turn(sentences):
    """Sentences one after another, with a pause between them."""
    items = ()
    for sentence in sentences:
        if items:
            items += (_SENTENCE_PAUSE,)
        items += sentence
    return items


def _groups(count):
    """The lengths of the groups in which so many digits are read out."""
    for digits, lengths in _GROUPS:
        if digits == count:
            return lengths
    return (_OTHER_GROUP,) * ((count + _OTHER_GROUP - 1) // _OTHER_GROUP)


def _days_before(when, now):
    """0 for the day of `now`, 1 for the day before, None for any other: neither has a year."""
    month, day = now[0], now[1]
    if when[:2] == now[:2]:
        return 0
    if day > 1:
        return 1 if when[:2] == (month, day - 1) else None
    # Of 28 February nobody knows whether it was the last day.
    return 1 if when[:2] == ((month - 2) % 12 + 1, _MONTH_DAYS[month - 2]) else None
