"""Text for a TTY: its codes, and what is sent of them."""

import gc
from array import array

import micropython
from star57.dsp import baudot
from star57.dsp.baudot import FIGURES, FIGURES_SHIFT, LETTERS, LETTERS_SHIFT, BaudotSender, encode

LTRS = LETTERS_SHIFT
FIGS = FIGURES_SHIFT
SPACE = 4
CR_LF = [8, 2]
BIT = 176
BEFORE = 1600
BEHIND = 2400


def sent(text, block=160):
    sender = BaudotSender()
    sender.start(text)
    samples = array("h")
    buffer = array("h", bytes(2 * block))
    while not sender.done:
        samples.extend(buffer[: sender.fill(buffer, block)])
    return samples


def test_each_code_has_a_letter_and_a_figure_or_is_blank():
    assert len(LETTERS) == len(FIGURES) == 32
    assert LETTERS[LTRS] == LETTERS[FIGS] == FIGURES[LTRS] == FIGURES[FIGS] == " "
    assert LETTERS.index("A") == 3 and LETTERS.index("Z") == 17
    assert FIGURES.index("1") == 23 and FIGURES.index("0") == 22 and FIGURES.index(".") == 28


def test_each_character_has_its_code():
    for code in range(32):
        if LETTERS[code] not in " \r\n":
            assert list(encode(LETTERS[code])) == [LTRS, code]
        if FIGURES[code] not in " \r\n":
            assert list(encode(FIGURES[code])) == [LTRS, FIGS, code]


def test_shifts_stand_where_they_are_needed():
    assert list(encode("A")) == [LTRS, 3]
    assert list(encode("AB 1")) == [LTRS, 3, 25, SPACE, FIGS, 23]
    assert list(encode("1 2")) == [LTRS, FIGS, 23, SPACE, FIGS, 19]
    assert list(encode("1A")) == [LTRS, FIGS, 23, LTRS, 3]
    assert list(encode("A\nA")) == [LTRS, 3] + CR_LF + [LTRS, 3]
    assert list(encode("")) == [LTRS]


def test_letters_have_no_accents_and_no_case():
    assert encode("él año où à ça œuvre Île") == encode("EL ANO OU A CA OEUVRE ILE")
    assert encode("\u00bfQu\u00e9\u00a0? \u00a1S\u00ed!") == encode("QUE ? SI!")
    assert encode("l\u2019\u00ab a \u00bb \u2013 b") == encode('L\'" A " - B')


def test_what_has_no_code_is_a_question_mark():
    assert encode("#*\u00a7\u20ac`~") == encode("??????")


def test_a_bit_is_22_ms_and_marks_stand_before_and_behind():
    for text, codes in (("", 1), ("E", 2), ("HELLO 1 GA\n", 15)):
        assert len(encode(text)) == codes
        assert len(sent(text)) == BEFORE + 8 * BIT * codes + BEHIND


def cycles(samples):
    """How many there are, from the changes of sign."""
    return sum((samples[k] < 0) != (samples[k + 1] < 0) for k in range(len(samples) - 1)) / 2


def test_the_bits_of_a_character():
    # "5" is code 16 among figures: start, 0 0 0 0 1, and two of mark. Mark has 30.8 cycles a bit, space 39.6.
    samples = sent("5")
    start = BEFORE + 2 * 8 * BIT
    bits = [cycles(samples[start + k * BIT : start + (k + 1) * BIT]) for k in range(8)]
    assert [0 if count > 35 else 1 for count in bits] == [0, 0, 0, 0, 0, 1, 1, 1]


def test_blocks_of_any_length_send_the_same():
    whole = sent("TO TRACE, DIAL 1")
    for block in (1, 7, 176, 1000):
        assert sent("TO TRACE, DIAL 1", block) == whole


def test_nothing_clicks_at_either_end_nor_between_tones():
    samples = sent("RY")
    loudest = max(samples)
    assert abs(samples[0]) + abs(samples[-1]) < loudest // 10
    # A sine of 1800 Hz and 6411 of peak changes by 8332 a sample at the most.
    assert max(abs(samples[k + 1] - samples[k]) for k in range(len(samples) - 1)) <= 8340
    for k in list(range(8)) + list(range(len(samples) - 9, len(samples) - 1)):
        assert abs(samples[k + 1] - samples[k]) < loudest // 2


def test_the_level_is_what_was_asked_for():
    for dbm0 in (-11, -14):
        sender = BaudotSender(dbm0)
        sender.start("")
        buffer = array("h", bytes(3200))
        assert sender.fill(buffer, 1600) == 1600
        assert abs(max(buffer) - 22748 * 10 ** (dbm0 / 20)) < 3


def test_a_sender_starts_anew():
    sender = BaudotSender()
    sender.start("A LONG TEXT")
    buffer = array("h", bytes(3200))
    sender.fill(buffer, 1000)
    sender.start("E")
    assert sender.remaining == BEFORE + 16 * BIT + BEHIND
    samples = array("h")
    while not sender.done:
        samples.extend(buffer[: sender.fill(buffer, 1600)])
    assert samples == sent("E")
    assert sender.fill(buffer, 1600) == 0


def test_nothing_is_allocated():
    sender = BaudotSender()
    sender.start("THE QUICK BROWN FOX 0123456789\n")
    buffer = array("h", bytes(320))
    gc.collect()
    micropython.heap_lock()
    try:
        while not sender.done:
            sender.fill(buffer, 160)
    finally:
        micropython.heap_unlock()
    assert baudot.BIT_SAMPLES * 1000 == 22 * 8000
