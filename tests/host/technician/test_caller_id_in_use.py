"""Which caller ID is in use on a line, from recordings of calls as several countries send them."""

from __future__ import annotations

import numpy as np
import pytest

from host_tools.technician.caller_id_in_use import InUse, in_use, name_of
from tests.host.rig.recordings import MESSAGE
from tests.host.technician import calls_on_line
from tests.host.technician.calls_on_line import Line


def found(line: Line) -> InUse:
    return in_use(line.samples, line.events)


@pytest.mark.parametrize(
    ("line", "standard", "countries", "when"),
    [
        (calls_on_line.united_states(), "bell_202", ["US", "CA"], "600 ms behind ring 1, before ring 2"),
        (calls_on_line.germany(), "v23", ["DE", "BR"], "800 ms behind ring 1, before ring 2"),
        (
            calls_on_line.great_britain(),
            "v23",
            ["GB", "IN"],
            "before the first ring, behind a dual tone (DT-AS)",
        ),
        (calls_on_line.japan(), "ntt", ["JP"], "before the first ring, behind a reversal of polarity"),
        (calls_on_line.brazil(), "dtmf_a_to_c", ["BR"], "before the first ring"),
        (
            calls_on_line.sweden_after_a_short_ring(),
            "v23",
            ["DE", "BR"],
            "before the first ring, behind a short one that announces it",
        ),
    ],
    ids=["US", "DE", "GB", "JP", "BR", "short ring"],
)
def test_countries(line: Line, standard: str, countries: list[str], when: str) -> None:
    told = found(line)
    assert told.standard == standard
    assert told.countries == countries
    assert [one.when for one in told.caller_ids] == [when]
    assert told.why == f"{name_of(standard)} came once, {when}."
    (heard,) = told.caller_ids
    assert heard.failed is None
    assert heard.level_dbm0 is not None
    assert heard.snr_db is not None
    assert heard.snr_db > 10


def test_figures_of_a_burst_and_of_the_rings() -> None:
    told = found(calls_on_line.united_states())
    (heard,) = told.caller_ids
    assert heard.level_dbm0 == pytest.approx(-13.5, abs=0.5)
    assert heard.twist_db == pytest.approx(0, abs=1)
    assert heard.baud_error_percent == pytest.approx(0, abs=0.5)
    (call,) = told.calls
    assert (call.at, call.rings, call.frequency_hz, call.cadence_s) == (1.0, 2, 20.0, [2.0, 4.0, 2.0])


def test_rings_are_found_in_the_audio_where_nobody_told_of_them() -> None:
    told = in_use(calls_on_line.united_states(is_heard=True).samples)
    assert told.countries == ["US", "CA"]
    assert told.calls[0].rings == 2
    assert told.calls[0].frequency_hz == pytest.approx(20, abs=0.5)
    assert "behind ring 1, before ring 2" in told.caller_ids[0].when


def test_without_rings_every_country_of_the_standard_may_be_meant() -> None:
    line = Line(4)
    line.burst(1.0)
    told = found(line)
    assert told.countries == ["US", "CA", "AU", "IN"]
    assert told.caller_ids[0].when == "apart from any ring that was heard"


def test_a_call_without_caller_id() -> None:
    line = Line(12)
    for at_s in (1.0, 7.0):
        line.ring(at_s, 2.0)
    told = found(line)
    assert (told.standard, told.countries, told.caller_ids) == (None, [], [])
    assert told.why == (
        "1 call came, without caller ID: ask the carrier whether it is switched on for this line."
    )


def test_a_burst_that_failed() -> None:
    wrong = bytearray(MESSAGE)
    wrong[20] ^= 4
    line = Line(13)
    for at_s in (1.0, 7.0):
        line.ring(at_s, 2.0)
    line.burst(3.6, message=bytes(wrong))
    told = found(line)
    assert told.standard is None
    assert told.caller_ids[0].failed == "the signal is clean, so that the sender's own bytes may be wrong"
    assert told.why.startswith("A burst came 600 ms behind ring 1, before ring 2, and said nothing: ")


def test_no_call() -> None:
    told = in_use(np.zeros(16_000, np.int16), [])
    assert told.standard is None
    assert told.why.startswith("No call came while it was recorded: every sample is 0.")
