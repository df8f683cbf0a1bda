import os
import struct
from array import array

import micropython
from star57.sound.player import PROMPT_BROKEN, PROMPT_MISSING, Player, Signal, Silence, Text
from star57.sound.regions import REGIONS

BLOCK_SAMPLES = 160
PACK = "firmware/prompts/en-US"
FOLDER = "build/prompts_of_tests"


def _write(name, data):
    for folder in ("build", FOLDER):
        try:
            os.mkdir(folder)
        except OSError:
            pass
    with open("{}/{}.wav".format(FOLDER, name), "wb") as file:
        file.write(data)


def _wav(data, encoding=1, block_bytes=2, bits=16):
    layout = b"fmt " + struct.pack("<IHHIIHH", 16, encoding, 1, 8000, 0, block_bytes, bits)
    body = b"WAVE" + layout + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _write_pcm(name, samples):
    _write(name, _wav(bytes(array("h", samples))))


def _player(folder=FOLDER):
    return Player((folder,), REGIONS["US"])


def _played(player, n, block_samples=BLOCK_SAMPLES):
    """The next `n` samples, taken as the adapter takes them: a block, then prepare."""
    heard = []
    block = array("h", bytes(2 * block_samples))
    while len(heard) < n:
        count = min(block_samples, n - len(heard))
        player.fill(block, count)
        player.prepare()
        heard.extend(block[:count])
    return heard


def _counting(first, count):
    return [first + i for i in range(count)]


def test_silence_when_there_is_nothing_to_play():
    player = _player()
    block = array("h", [57] * BLOCK_SAMPLES)
    assert player.idle
    player.fill(block, 100)
    assert list(block) == [0] * 100 + [57] * 60


def test_pcm_is_played_as_it_is():
    samples = [-32768, 32767, -1, 1]
    samples.extend(_counting(-400, 800))
    _write_pcm("any", samples)
    player = _player()
    player.play(("any",))
    assert not player.idle
    assert _played(player, 900) == samples + [0] * 96
    assert player.idle


def test_adpcm_is_decoded_block_after_block():
    # Two blocks of 8 bytes, 9 samples each, the first from the header; code 0 adds an eighth of the step: 0.
    _write("steps", _wav(struct.pack("<hBBihBBi", 100, 0, 0, 0, -100, 0, 0, 0), 0x11, 8, 4))
    player = _player()
    player.play(("steps",))
    assert _played(player, 20) == [100] * 9 + [-100] * 9 + [0] * 2


def test_items_follow_one_another_without_a_gap_in_blocks_of_any_length():
    _write_pcm("one", _counting(1, 1000))
    _write_pcm("two", _counting(2001, 500))
    expected = _counting(1, 1000) + [0] * 200 + _counting(2001, 500)
    for block_samples in (7, 80, 160, 200):
        player = _player()
        player.play(("one", Silence(25), "two"))
        assert _played(player, len(expected), block_samples) == expected


def test_an_item_shorter_than_a_block_is_followed_after_the_next_prepare():
    _write_pcm("short", [1] * 10)
    player = _player()
    player.play(("short", "short", "short"))
    heard = _played(player, 3 * BLOCK_SAMPLES)
    assert sum(heard) == 30
    assert player.idle


def test_play_replaces_what_plays_and_stop_is_silent_within_a_block():
    _write_pcm("one", [1] * 1000)
    _write_pcm("two", [2] * 1000)
    player = _player()
    player.play(("one", "one"))
    assert _played(player, 200) == [1] * 200
    player.play(("two",))
    assert _played(player, 200) == [2] * 200
    player.stop()
    assert player.idle
    assert _played(player, 200) == [1] + [0] * 199


def test_filling_allocates_nothing_across_files_tones_and_silences():
    player = _player(PACK)
    player.play(
        ("charge_is", "5", "dollars", Silence(35), Signal("reorder", 1100), "not_charged", Text("GA"))
    )
    block = array("h", bytes(2 * BLOCK_SAMPLES))
    blocks = 0
    while not player.idle:
        micropython.heap_lock()
        try:
            player.fill(block, BLOCK_SAMPLES)
        finally:
            micropython.heap_unlock()
        player.prepare()
        blocks += 1
    assert 250 < blocks < 320
    assert not any(player.faults.values())


def test_filling_a_truncated_prompt_allocates_nothing():
    _write("cut", _wav(bytes(4000))[:2000])
    player = _player()
    player.play(("cut",))
    block = array("h", bytes(2 * 1600))
    micropython.heap_lock()
    try:
        player.fill(block, 1600)
    finally:
        micropython.heap_unlock()
    assert player.faults[PROMPT_BROKEN] == 1
    assert player.idle


def test_a_missing_prompt_is_a_short_silence_and_a_fault():
    _write_pcm("one", [1] * 320)
    player = _player()
    player.play(("never_recorded", "one"))
    assert _played(player, 2080) == [0] * 1600 + [1] * 320 + [0] * 160
    assert player.faults == {PROMPT_MISSING: 1, PROMPT_BROKEN: 0}


def test_a_file_that_is_no_prompt_is_a_short_silence_and_a_fault():
    _write("text", b"not a recording")
    player = _player()
    player.play(("text",))
    assert _played(player, 1760) == [0] * 1760
    assert player.idle
    assert player.faults == {PROMPT_MISSING: 0, PROMPT_BROKEN: 1}


def test_what_there_is_of_a_truncated_prompt_is_played():
    _write("cut", _wav(bytes(array("h", [1] * 1000)))[: 44 + 2 * 300])
    _write_pcm("two", [2] * 160)
    player = _player()
    player.play(("cut", "two"))
    heard = _played(player, 800)
    assert heard[:256] == [1] * 256
    assert heard[256:416] == [2] * 160
    assert player.faults[PROMPT_BROKEN] == 1


def test_any_garbage_after_a_header_is_played_without_a_fault():
    garbage = bytes((i * 57 + (i >> 3)) & 255 for i in range(1024))
    _write("garbage", _wav(garbage, 0x11, 256, 4))
    player = _player()
    player.play(("garbage",))
    _played(player, 2200)
    assert player.idle
    assert not any(player.faults.values())


def test_a_cadence_counts_its_samples_exactly():
    player = _player()
    player.play((Signal("reorder", 10_000),))
    heard = _played(player, 80_000, 147)
    for start in range(0, 80_000, 4000):
        assert any(heard[start : start + 16])
        assert any(heard[start + 1984 : start + 2000])
        assert not any(heard[start + 2000 : start + 4000])
    assert player.idle


def test_a_tone_cut_by_its_duration_ends_there():
    player = _player()
    player.play((Signal("dial", 25), Silence(25)))
    heard = _played(player, 400)
    assert any(heard[184:200])
    assert not any(heard[200:])


def test_reorder_tone_has_its_level():
    player = _player()
    player.play((Signal("reorder"),))
    heard = _played(player, 2000)[200:1800]
    # Two frequencies at -24 dBm0, rms 1015 each.
    mean_square = sum(sample * sample for sample in heard) / len(heard)
    assert 0.9 < mean_square / (2 * 1015 * 1015) < 1.1


def test_a_steady_tone_lasts_until_it_is_stopped():
    player = _player()
    player.play((Signal("dial"),))
    assert any(_played(player, 80_000)[-100:])
    assert not player.idle
    player.stop()
    assert player.idle


def test_a_tone_that_ends_of_itself_is_not_stretched():
    for duration_ms in (0, 5000):
        player = _player()
        player.play((Signal("confirmation", duration_ms),))
        _played(player, 4800)
        assert player.idle


def test_texts_follow_one_another_each_with_its_marks():
    alone = _player()
    alone.play((Text("E"),))
    once = _played(alone, 1600 + 2 * 1408 + 2400)
    assert any(once[-40:])
    assert _played(alone, 160) == [0] * 160
    assert alone.idle
    player = _player()
    player.play((Text("E"), Silence(20), Text("E")))
    assert _played(player, 2 * len(once) + 160, 147) == once + [0] * 160 + once


def test_what_is_cut_off_ends_without_a_click():
    player = _player()
    player.play((Signal("dial"),))
    buffer = array("h", bytes(2 * 160))
    loudest = 0
    for _ in range(20):
        player.fill(buffer, 160)
        loudest = max(loudest, *buffer)
        if abs(buffer[159]) > loudest // 2:
            break
    last = buffer[159]
    player.stop()
    player.fill(buffer, 160)
    previous = last
    for sample in buffer:
        assert abs(sample - previous) <= abs(last) // 8 + 1, (sample, previous)
        previous = sample
    assert list(buffer[60:]) == [0] * 100
    player.fill(buffer, 160)
    assert not any(buffer)
