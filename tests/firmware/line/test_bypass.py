"""The hold of one dialogue: as long as it is wanted, never for more than five minutes, and not for nobody."""

from star57.line.bypass import Bypass

BLOCK = 160
FIVE_MINUTES = 8 * 300_000 // BLOCK


def test_it_holds_as_long_as_it_is_wanted():
    bypass = Bypass()
    assert not bypass.holds(False, BLOCK)
    for wanted in (True, True, False, True):
        assert bypass.holds(wanted, BLOCK) == wanted
        assert not bypass.must_end


def test_five_minutes_are_the_end_until_the_next_dialogue():
    bypass = Bypass()
    for _ in range(FIVE_MINUTES):
        assert not bypass.must_end
        assert bypass.holds(True, BLOCK)
    assert bypass.must_end
    for wanted in (True, False, True):
        assert not bypass.holds(wanted, BLOCK)
    bypass.begin()
    assert not bypass.must_end
    assert bypass.holds(True, BLOCK)


def test_pauses_do_not_begin_the_time_anew():
    bypass = Bypass()
    for block in range(2 * FIVE_MINUTES):
        bypass.holds(block % 2 == 0, BLOCK)
    assert not bypass.holds(True, BLOCK)


def test_a_loop_that_opens_whenever_it_is_held_is_nobodys():
    bypass = Bypass()
    for _ in range(3):
        assert not bypass.must_end
        bypass.holds(True, BLOCK)
        bypass.holds(False, BLOCK)
    assert bypass.must_end


def test_dial_pulses_are_somebodys():
    bypass = Bypass()
    for _ in range(20):
        bypass.holds(True, BLOCK)
    for _ in range(10):
        for wanted in (False, False, False, True, True):
            bypass.holds(wanted, BLOCK)
        assert not bypass.must_end
