"""The codes that the household may dial, and what each leads to (docs/codes.md)."""

from micropython import const

TRACE = const(0)
LAST_CALL = const(1)
TRACES = const(2)
OUTCOME = const(3)
LANGUAGE = const(4)

# The names of the services above; "trace_codes" is the setting of the first. Where two codes meet, the first one stays.
SERVICES = ("trace", "last_call", "traces", "outcome", "language")

_SHORTEST_DIGITS = const(3)
# What no telephone number begins with: the star and square keys, and 11, which a dial has in their place (Bellcore,
# vertical service codes: *XX, and 11XX by pulses; TELEPHONY 5, S56).
_BEGINNINGS = ("*", "#", "11")

# In whatever country: 112 and 911 are those of ITU-T E.161.1, 999 and 000 those that visitors know.
_EVERYWHERE = ("911", "112", "999", "000")
# Emergency numbers, by country. Sources: libphonenumber, ShortNumberMetadata, "emergency"; FR: ARCEP, "liste des
# numeros d'urgence"; numbers for the deaf and the coast, and those that help people in distress, belong to them.
EMERGENCY = {
    "US": ("911", "988"),
    "CA": ("911", "988"),
    "GB": ("999", "112", "111", "18000"),
    "DE": ("110", "112", "116117"),
    "JP": ("110", "118", "119"),
    "AU": ("000", "112", "106"),
    "IN": ("112", "100", "101", "102", "108", "1298", "2611"),
    "BR": ("190", "191", "192", "193", "199", "112", "128", "911"),
    "FR": ("15", "17", "18", "112", "114", "115", "116000", "116117", "119", "191", "196", "197"),
}


class CodeTable:
    """The codes in force.

    codes: texts of digits, none the beginning of another, none an emergency number's beginning, nor the other way
    services: what each of them leads to, one of the names above
    faults: what was refused: the setting, a blank, and the code
    """

    def __init__(self, settings):
        self.codes = []
        self.services = []
        self.faults = []
        emergency = _EVERYWHERE + EMERGENCY[settings.country]
        for service, name in enumerate(SERVICES):
            for code in getattr(settings, name + "_codes").split():
                if is_free(code, emergency) and not any(_meet(code, other) for other in self.codes):
                    self.codes.append(code)
                    self.services.append(service)
                else:
                    self.faults.append("{}_codes {}".format(name, code))


def is_free(code, emergency):
    """Whether `code` can be a code without harm to what else a household dials; `emergency`: numbers for help."""
    if len(code) < _SHORTEST_DIGITS or not any(code.startswith(start) for start in _BEGINNINGS):
        return False
    return not any(_meet(code, number) for number in emergency)


def _meet(code, number):
    """Whether one of them is, or begins, the other: then nobody can say which is being dialled."""
    return code.startswith(number) or number.startswith(code)
