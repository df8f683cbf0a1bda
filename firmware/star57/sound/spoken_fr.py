"""How French says numbers, dates and times: rows of prompts."""

SINGULAR = (0, 1)

# These lose their last consonant before another; the nouns that are counted here begin with one.
_SHORTENED = ("6", "8", "10", "18")
_TENS_OF_TWENTY = (60, 80)  # soixante-dix, quatre-vingt-dix: what follows goes on to 19


def number(value):
    """A number, 0 to 99."""
    if value < 20:
        return (str(value),)
    tens, units = _parted(value)
    if units == 0:
        return (str(tens),)
    return (_linked(tens), "and_{}".format(units) if _is_joined(tens, units) else str(units))


def counted(value):
    """A number before the noun that it counts: six dollars, where the x is silent."""
    *tens, units = number(value)
    if units in _SHORTENED:
        units += "_before_noun"
    return tuple(tens) + (units,)


def date(month, day):
    """Such as "le trois mai"."""
    return ("on",) + (("day_1",) if day == 1 else number(day)) + ("month_{}".format(month),)


def time(hour, minute):
    """Such as "à quinze heures cinq"; a single minute is feminine."""
    said = ("hour_{}".format(hour),)
    if minute == 0:
        return said
    *tens, units = number(minute)
    if units in ("1", "and_1"):
        units += "_feminine"
    return said + tuple(tens) + (units,)


def _parted(value):
    tens = value - value % 10
    if tens - 10 in _TENS_OF_TWENTY:
        tens -= 10
    return tens, value - tens


def _linked(tens):
    return "{}_linked".format(tens) if tens in (20, 80) else str(tens)


def _is_joined(tens, units):
    """Whether "et" stands between: vingt et un, soixante et onze, but quatre-vingt-un."""
    return units in (1, 11) and tens != 80
