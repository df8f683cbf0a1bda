"""The bench itself, at a tiny size: rows come out, the same ones again, with peers and without."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench import calls, peers, report
from bench.caller_id_table import OURS, CallerIdBench, Star57
from bench.callers import Caller
from bench.dtmf_table import Digit, score_in_order, train
from bench.micropython import Pcm
from bench.peers import CallerIdPeer
from bench.table import Row, markdown
from host_tools.exchange.fsk import BELL_202, FskStandard, on_hook
from host_tools.exchange.impairments import Line

TINY = report.Size(2, 2, 16, 2, 1, 2, 1, 7.5, 4, 1, ("half", "99 % read", "DC offset 12000", "twist"))


class Deaf:
    """A receiver that reads nothing."""

    name = "deaf"

    def callers(self, samples: Pcm, standard: FskStandard) -> list[Caller]:
        return []


class Liar:
    """A receiver that reports one caller for every recording, who never called."""

    name = OURS

    def callers(self, samples: Pcm, standard: FskStandard) -> list[Caller]:
        return [Caller("none")]


def test_a_table_has_a_column_for_each_peer() -> None:
    row = Row("level", "99 %", "100.0 %", True, {"spandsp": "12.0 %"})
    assert markdown([row], ["spandsp", "minimodem"]) == (
        "| Row | Goal | Star57 | spandsp | minimodem | Holds |\n|---|---|---|---|---|---|\n"
        "| level | 99 % | 100.0 % | 12.0 % | - | yes |\n"
    )


def test_our_receiver_reads_clear_calls() -> None:
    sent = calls.calls_through(calls.Condition(on_hook(BELL_202), Line()), 3, np.random.default_rng(57))
    assert Star57().callers(sent.samples, BELL_202) == list(sent.sent)


def test_a_row_holds_by_what_our_receiver_reads() -> None:
    receivers: list[list[CallerIdPeer]] = [[Star57(), Deaf()], [Liar(), Deaf()]]
    ours, liar = (
        next(CallerIdBench(those, calls=2).rows(["DC offset 12000, Bell 202"])) for those in receivers
    )
    assert ours.holds
    assert ours.peers["deaf"] == "0.0 %"
    assert not liar.holds
    assert liar.measured == "0.0 %, 1 wrong"


def test_a_row_is_measured_on_the_same_calls_whichever_others_are() -> None:
    heard: list[bytes] = []

    class Recorder(Deaf):
        def callers(self, samples: Pcm, standard: FskStandard) -> list[Caller]:
            heard.append(samples.tobytes())
            return []

    for only in (["mu-law, V.23"], ["clipping by 12 dB, V.23", "mu-law, V.23"]):
        bench = CallerIdBench([Star57(), Recorder()], calls=1)
        list(bench.rows(only))
    assert heard[0] == heard[2]
    assert heard[0] != heard[1]


def test_digits_in_order_count_what_can_be_matched() -> None:
    sent = train([Digit(key) for key in "1234567890"], np.random.default_rng(57))
    found = score_in_order(sent, "13345D6790")
    assert (found.right, found.extra) == (8, 2)
    assert score_in_order(sent, "").right == 0


@pytest.mark.parametrize("installed", [True, False], ids=["with peers", "without"])
def test_the_page_is_written_with_the_peers_that_are_there(
    installed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not installed:
        monkeypatch.setattr("shutil.which", lambda _: None)
        monkeypatch.setattr(peers, "SPANDSP_LIBRARY", "no-such-library.so")
    told: list[str] = []
    pages = [tmp_path / name / "bench.md" for name in ("first", "second")]
    report.write(pages[0], TINY, ["caller_id", "dtmf"], told.append)
    text = pages[0].read_text()
    assert text.count("| half read, ") == (4 if installed and peers.spandsp() else 2)
    assert "| twist +4 dB |" in text
    assert "rows hold" in text
    assert "".join(told).count("\n## ") == 2
    for peer in ("spandsp", "multimon-ng", "minimodem"):
        assert (f"not installed: {peer}" in text or f", {peer} (apt" in text) == (
            peer in "".join(peers.absent())
        )
    assert len(list((tmp_path / "first" / "bench").glob("*.svg"))) == 3
    if installed:
        report.write(pages[1], replace(TINY, only_rows=("DC offset",)), ["caller_id"], told.append)
        picture = Path("bench") / "caller_id_v23.svg"
        assert (pages[0].parent / picture).read_bytes() == (pages[1].parent / picture).read_bytes()
