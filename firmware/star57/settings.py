"""What a technician sets, in `settings.json` on the board's flash: one table of names, defaults and limits."""

import json

_LONGEST_FILE_BYTES = const(4096)


def _is_key(text):
    # 32 bytes (docs/protocol.md, "Signed messages"), or none.
    return not text or (len(text) == 64 and all(digit in "0123456789abcdefABCDEF" for digit in text))


def _is_adapter_id(text):
    # It stands in the header of each signed message (docs/protocol.md).
    return 1 <= len(text) <= 32 and all(_is_letter_or_digit(letter) or letter == "-" for letter in text)


def _is_letter_or_digit(letter):
    return "0" <= letter <= "9" or "A" <= letter <= "Z" or "a" <= letter <= "z"


def _is_line(text):
    # 1 to 15 digits (ITU-T E.164, 6), or none yet.
    return not text or (len(text) <= 15 and all("0" <= digit <= "9" for digit in text))


def _are_codes(text):
    # Codes with blanks between, such as "*57 1157"; none at all is a code that nobody can dial.
    return len(text) <= 32 and all(letter == " " or letter in "*#" or "0" <= letter <= "9" for letter in text)


def _is_hex(text):
    return len(text) <= 1024 and all("0" <= digit <= "9" or "a" <= digit <= "f" for digit in text)


LANGUAGES = ("en-US", "es-US", "fr-CA")
COUNTRIES = ("US", "CA", "GB", "DE", "JP", "AU", "IN", "BR", "FR")

# name: (default, lowest, highest) of an integer, (default, longest) of a text, (default, choices) of a text that
# names one of a few, (default, check) of a text that a function says yes to, (default,) of a yes or no.
TABLE = {
    "adapter_id": ("unprovisioned", _is_adapter_id),
    "line": ("", _is_line),
    "country": ("US", COUNTRIES),
    "language": ("en-US", LANGUAGES),
    "tty": (False,),
    "adapter_key": ("", _is_key),
    "service_hosts": ("127.0.0.1", 128),
    "service_port": (5757, 1, 65535),
    "service_path": ("/v1/messages", 128),
    "service_ca": ("", 64),
    "wifi_ssid": ("", 32),
    "wifi_key": ("", 63),
    "release_key": ("", _is_hex),
    "house_host": ("", 64),
    "house_port": (5758, 1, 65535),
    "house_key": ("", _is_key),
    "trace_button": (False,),
    "call_log": (False,),
    "trace_codes": ("*57 1157", _are_codes),
    "last_call_codes": ("*51 1151", _are_codes),
    "traces_codes": ("*52 1152", _are_codes),
    "outcome_codes": ("*53 1153", _are_codes),
    "language_codes": ("*54 1154", _are_codes),
    "two_stage": (True,),
    "trace_offered": (True,),
    "price_cents": (500, 0, 1000),
    "answer_timeout_ms": (8000, 100, 60000),
    "utc_offset_minutes": (0, -720, 840),
}


class Settings:
    """Each name of TABLE as an attribute; `faults` lists the names whose value was wrong, and is the default's.

    A name that TABLE does not have is a fault too: most likely one that was mistyped.
    """

    def __init__(self, values):
        self.faults = sorted(str(name) for name in values if name not in TABLE)
        for name, row in TABLE.items():
            value = values.get(name, row[0])
            if not fits(name, value):
                self.faults.append(name)
                value = row[0]
            setattr(self, name, value)


def load(path):
    """The settings in the JSON file at `path`. What is missing or wrong there is the default; nothing is raised.

    A file that is no JSON object is one fault, named by its path; no file is none.
    """
    try:
        with open(path) as file:
            values = json.loads(file.read(_LONGEST_FILE_BYTES))
    except OSError:
        return Settings({})
    except ValueError:
        values = None
    if isinstance(values, dict):
        return Settings(values)
    settings = Settings({})
    settings.faults.append(path)
    return settings


def fits(name, value):
    """Whether `value` may be the value of `name`, which is one of TABLE."""
    row = TABLE[name]
    default = row[0]
    if type(value) is not type(default):
        return False
    if isinstance(default, bool):
        return True
    if isinstance(default, int):
        return row[1] <= value <= row[2]
    limit = row[1]
    if callable(limit):
        return limit(value)
    return value in limit if isinstance(limit, tuple) else len(value) <= limit
