"""How English says numbers, dates and times: rows of prompts."""

SINGULAR = (1,)


def number(value):
    """A number, 0 to 99."""
    if value < 21 or value % 10 == 0:
        return (str(value),)
    return (str(value - value % 10), str(value % 10))


def counted(value):
    """A number before what it counts."""
    return number(value)


def date(month, day):
    """Such as "on May third"."""
    return ("on", "month_{}".format(month)) + _ordinal(day)


def time(hour, minute):
    """Such as "at three oh five p.m."; hour 0 to 23."""
    half = "a_m" if hour < 12 else "p_m"
    return ("at", str(hour % 12 or 12)) + _minute(minute) + (half,)


def _ordinal(day):
    if day < 21 or day == 30:
        return ("day_{}".format(day),)
    return (str(day - day % 10), "day_{}".format(day % 10))


def _minute(minute):
    if minute == 0:
        return ()
    return ("oh", str(minute)) if minute < 10 else number(minute)
