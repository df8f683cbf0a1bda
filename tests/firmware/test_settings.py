"""What a technician sets, and what happens to what cannot be."""

import json

from star57.settings import TABLE, Settings, load

PATH = "build/test-settings.json"


def written(text):
    with open(PATH, "w") as file:
        file.write(text)
    return load(PATH)


def test_without_a_file_all_is_default():
    settings = load("build/no-such-file.json")
    assert settings.faults == []
    for name, row in TABLE.items():
        assert getattr(settings, name) == row[0]


def test_what_is_set_is_taken():
    settings = written(json.dumps({"line": "5555550100", "price_cents": 0, "two_stage": False}))
    assert (settings.line, settings.price_cents, settings.two_stage) == ("5555550100", 0, False)
    assert settings.faults == []


def test_a_wrong_value_is_the_default_and_is_named():
    wrong = {str: (5, None, "x" * 2000), bool: (0, 1, "yes", None), int: (True, "5", 1.5, None, -1000, 10**9)}
    for name, row in TABLE.items():
        for value in wrong[type(row[0])]:
            settings = Settings({name: value})
            assert getattr(settings, name) == row[0], (name, value)
            assert settings.faults == [name]


def test_a_file_that_is_none_is_all_default():
    for text in ("", "{", "[]", "5", "null", "\x00\xff", "{" * 3000):
        settings = written(text)
        assert settings.line == "", text


def test_a_key_is_64_hex_digits_or_none():
    for key in ("", "0123456789abcdef" * 4, "0123456789ABCDEF" * 4):
        settings = Settings({"adapter_key": key})
        assert (settings.adapter_key, settings.faults) == (key, [])
    for key in ("0", "0" * 63, "0" * 65, "0" * 63 + "g", " " + "0" * 63, "0x" + "0" * 62):
        settings = Settings({"adapter_key": key})
        assert (settings.adapter_key, settings.faults) == ("", ["adapter_key"]), key


def test_where_the_service_is():
    settings = Settings({"service_hosts": "192.0.2.1,trace.example:8443", "service_ca": "ca.der"})
    assert settings.faults == []
    assert (settings.service_hosts, settings.service_ca) == ("192.0.2.1,trace.example:8443", "ca.der")
    assert (settings.service_port, settings.service_path) == (5757, "/v1/messages")
