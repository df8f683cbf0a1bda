"""How Spanish says numbers, dates and times: rows of prompts."""

SINGULAR = (1,)


def number(value):
    """A number, 0 to 99."""
    if value < 30 or value % 10 == 0:
        return (str(value),)
    return (str(value - value % 10), "plus", str(value % 10))


def counted(value):
    """A number before the masculine noun that it counts: un dólar, veintiún centavos."""
    *tens, units = number(value)
    if units in ("1", "21"):
        units += "_before_noun"
    return tuple(tens) + (units,)


def date(month, day):
    """Such as "el tres de mayo"."""
    return ("on",) + (("day_1",) if day == 1 else number(day)) + ("month_{}".format(month),)


def time(hour, minute):
    """Such as "a las tres y cinco de la tarde"; hour 0 to 23."""
    hour_of_12 = hour % 12 or 12
    said = ("at_1",) if hour_of_12 == 1 else ("at", str(hour_of_12))
    if minute:
        said += ("plus",) + number(minute)
    return said + (_part_of_day(hour),)


def _part_of_day(hour):
    if hour < 6:
        return "before_dawn"
    if hour < 12:
        return "morning"
    return "afternoon" if hour < 19 else "evening"
