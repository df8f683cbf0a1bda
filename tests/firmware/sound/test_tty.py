"""What a TTY shows in place of what is said."""

import os

from star57.sound import prompts
from star57.sound.player import Signal, Silence, Text
from star57.sound.tty import GO_AHEAD, STOP_KEYING, tty_items

FOLDER = "build/texts_of_tests"
NOWHERE = "build/no-such-folder"
TEXTS = {
    "call_trace": "This is call trace.",
    "dial_1": "To trace the last call, dial 1. To leave, hang up.",
    "charge_is": "The charge is",
    "each_trace": "for each successful trace.",
    "number_is": "The number is",
    "dollars": "dollars",
    "and": "and",
    "cents": "cents",
    "5": "five",
    "0": "zero",
    "1": "one",
    "12": "twelve",
    "30": "thirty",
    "long": "word " * 40,
}


def _write_texts():
    for folder in ("build", FOLDER):
        try:
            os.mkdir(folder)
        except OSError:
            pass
    with open(FOLDER + "/texts.txt", "w") as file:
        for name, text in TEXTS.items():
            file.write("{}\t{}\n".format(name, text))


def _shown(items, ends="", folders=(NOWHERE, FOLDER)):
    """What is played in place of the items: texts, and the names of tones."""
    _write_texts()
    return [
        item.text if isinstance(item, Text) else item.tone for item in tty_items(tuple(items), folders, ends)
    ]


def test_an_announcement_is_one_text_on_lines_of_its_own():
    text = (
        "\nThis is call trace. The charge is five dollars and thirty\n"
        "five cents for each successful trace. To trace the last\n"
        "call, dial 1. To leave, hang up. GA"
    )
    assert _shown(prompts.announcement("offer", 535), GO_AHEAD) == [text]


def test_no_line_is_longer_than_60_columns():
    (text,) = _shown(("long",))
    lines = text.split("\n")
    assert "".join(lines).replace(" ", "") == "word" * 40
    assert max(len(line) for line in lines) == 59


def test_a_telephone_number_is_in_figures_and_an_amount_in_words():
    number = ("number_is", "5", "5", "5", Silence(200), "0", "1")
    assert _shown(number) == ["\nThe number is 555 01"]
    assert _shown(("12", "dollars", "and", "5", "1", "cents")) == ["\ntwelve dollars and five one cents"]


def test_tones_stay_and_divide_the_text():
    assert _shown(("call_trace", Signal("reorder", 1000), "dial_1"), STOP_KEYING) == [
        "\nThis is call trace.",
        "reorder",
        "\nTo trace the last call, dial 1. To leave, hang up. SK",
    ]
    assert _shown((Silence(100), Signal("reorder"))) == ["reorder"]
    assert _shown(()) == []


def test_a_goodbye_alone_is_said():
    assert _shown((), STOP_KEYING) == ["\nSK"]


def test_a_prompt_without_a_text_is_its_name():
    assert _shown(("call_trace", "no_such_prompt")) == ["\nThis is call trace. no_such_prompt"]
    assert _shown(("call_trace",), folders=(NOWHERE,)) == ["\ncall_trace"]
