"""The peers that are installed read what is easy; those that are not are left out, and named."""

import numpy as np
import pytest

from bench import calls, peers, speech
from bench.callers import NOTHING, Caller, score
from bench.dtmf_table import Digit, pcm, train
from host_tools.exchange.fsk import BELL_202, NTT, V23, FskStandard, on_hook
from host_tools.exchange.impairments import Line, Noise
from host_tools.exchange.levels import dbm0_of


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.setattr(peers, "SPANDSP_LIBRARY", "no-such-library.so")


@pytest.mark.parametrize("peer", peers.caller_id_peers(), ids=lambda peer: peer.name)
@pytest.mark.parametrize("standard", [BELL_202, V23], ids=lambda standard: standard.name)
def test_a_peer_reads_clear_calls(peer: peers.CallerIdPeer, standard: FskStandard) -> None:
    condition = calls.Condition(on_hook(standard), Line(Noise(25, calls.LEVEL_DBM0)))
    sent = calls.calls_through(condition, 5, np.random.default_rng(57))
    found = score(sent.sent, peer.callers(sent.samples, standard))
    assert found.read >= 4
    assert found.wrong == 0


@pytest.mark.parametrize("peer", peers.caller_id_peers(), ids=lambda peer: peer.name)
def test_a_peer_reads_nothing_in_silence(peer: peers.CallerIdPeer) -> None:
    assert peer.callers(np.zeros(8000, np.int16), BELL_202) == []


@pytest.mark.parametrize("standard", [BELL_202, V23], ids=lambda standard: standard.name)
def test_what_spandsp_sends_is_read(standard: FskStandard) -> None:
    spandsp = peers.spandsp()
    if spandsp is None:
        pytest.skip("spandsp is not installed")
    condition = calls.Condition(on_hook(standard), Line(), sender=lambda data: spandsp.burst(data, standard))
    sent = calls.calls_through(condition, 3, np.random.default_rng(57))
    assert spandsp.callers(sent.samples, standard) == list(sent.sent)
    assert dbm0_of(spandsp.burst(bytes(40), standard)[:4000]) == pytest.approx(spandsp.BURST_DBM0, abs=0.2)


def test_spandsp_reads_ntt_frames() -> None:
    for peer in peers.caller_id_peers():
        if isinstance(peer, peers.Spandsp):
            sent = calls.calls_through(
                calls.Condition(on_hook(NTT), Line(), calls.ntt), 2, np.random.default_rng(57)
            )
            assert score(sent.sent, peer.callers(sent.samples, NTT)).read == 2


@pytest.mark.parametrize("peer", peers.dtmf_peers(), ids=lambda peer: peer.name)
def test_a_peer_hears_clear_digits(peer: peers.DtmfPeer) -> None:
    sent = train([Digit(key) for key in "123A456B789C*0#D" * 12], np.random.default_rng(57))
    assert peer.digits(pcm(sent.samples)) == "123A456B789C*0#D" * 12


@pytest.mark.parametrize(
    ("line", "caller"),
    [
        ("CLIPFSK: CS DATE=12011731 CID=5550123 CNT=SMITH J", Caller("5550123", "SMITH J", "12011731")),
        (
            "CLIPFSK: CS DATE=12011731 RACLI=P Private (CLIR involved) RACNT=O Unavailable",
            Caller(None, None, "12011731", "P"),
        ),
        ("CLIPFSK: MWI VI=. Activation (indicator on)", Caller(waiting=True)),
        ("CLIPFSK: MWI VI=. Deactivation (indicator off)", Caller(waiting=False)),
        ("CLIPFSK: UNKNOWN Message type (0x06) len=6 ", NOTHING),
    ],
)
def test_what_multimon_ng_prints_is_understood(line: str, caller: Caller) -> None:
    assert peers.MultimonNg.caller(line) == caller


def test_what_is_not_installed_is_left_out_and_named(nothing_installed: None) -> None:
    assert peers.caller_id_peers() == []
    assert peers.dtmf_peers() == []
    assert peers.versions() == {}
    assert [missing.split()[0] for missing in peers.absent()] == ["spandsp", "multimon-ng", "minimodem"]


def test_speech_that_is_not_installed_is_left_out_and_named(
    nothing_installed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speech, "PROMPTS", speech.PROMPTS / "none")
    assert list(speech.corpus()) == []
    assert len(speech.absent()) == 2


def test_spandsp_knows_a_cadenced_tone_from_another() -> None:
    spandsp = peers.spandsp()
    if spandsp is None:
        pytest.skip("spandsp is not installed")
    at = np.arange(8000 * 3) / 8000
    sounding = (at * 1000) % 500 < 250
    tone = 1500 * (np.sin(2 * np.pi * 480 * at) + np.sin(2 * np.pi * 620 * at)) * sounding
    reorder = np.rint(tone).astype(np.int16)
    assert spandsp.hears_tone(reorder, 480, 620, 250, 250)
    assert not spandsp.hears_tone(reorder, 350, 440, 250, 250)
    assert not spandsp.hears_tone(reorder, 480, 620, 500, 500)
