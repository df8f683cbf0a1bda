"""What a board logs on its link: whole lines, without the frames, however the bytes come."""

from __future__ import annotations

import pytest

from host_tools.rig.link_log import LinkLog

SENT = b"star57 on pico\n\n*57 report 1 00000000 {}\nline: ringing\n\xff\nhalf"


@pytest.mark.parametrize("piece_bytes", [1, 7, 1000])
def test_lines_that_are_no_frames_are_kept(piece_bytes: int) -> None:
    log = LinkLog()
    for at in range(0, len(SENT), piece_bytes):
        log.feed(SENT[at : at + piece_bytes])
    assert log.text == "star57 on pico\nline: ringing\n\N{REPLACEMENT CHARACTER}\n"
