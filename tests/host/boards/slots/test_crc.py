"""Both CRC-32 of the selector's C are zlib's."""

from __future__ import annotations

import ctypes
import random
import zlib
from pathlib import Path

import pytest

from tests.host.boards.slots.flash_in_memory import SELECTOR, compile_sources, compiler


@pytest.mark.skipif(compiler() is None, reason="no C compiler is here")
@pytest.mark.parametrize("name", ["crc_by_halves", "crc_by_words"])
def test_it_is_zlibs(name: str, tmp_path: Path) -> None:
    library = ctypes.CDLL(str(compile_sources(tmp_path, SELECTOR / f"{name}.c")))
    library.crc32.restype = ctypes.c_uint32
    if name == "crc_by_words":
        library.crc_prepare()
    data = random.Random(57).randbytes(5000)
    for length in [*range(40), 4093, 4096, 5000]:
        assert library.crc32(data[:length], length) == zlib.crc32(data[:length])
