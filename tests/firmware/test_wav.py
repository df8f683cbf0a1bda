import io
import struct

from star57 import wav


def _file(*chunks):
    body = b"WAVE"
    for name, data in chunks:
        body += name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) & 1)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _format(encoding=0x11, channels=1, rate_hz=8000, block_bytes=256, bits=4):
    return b"fmt ", struct.pack("<HHIIHH", encoding, channels, rate_hz, 0, block_bytes, bits)


PCM = _format(encoding=1, block_bytes=2, bits=16)


def _header(data):
    return wav.read_header(io.BytesIO(data))


def _refused(data):
    try:
        _header(data)
    except wav.WavError as refused:
        return str(refused)
    return None


def test_adpcm_with_its_length_from_the_fact_chunk():
    header = _header(_file(_format(), (b"fact", struct.pack("<I", 700)), (b"data", bytes(512))))
    assert (header.encoding, header.block_bytes, header.block_samples) == (wav.IMA_ADPCM, 256, 505)
    assert (header.data_bytes, header.samples) == (512, 700)


def test_adpcm_without_fact_and_with_a_short_last_block():
    assert _header(_file(_format(), (b"data", bytes(256 + 14)))).samples == 505 + 21
    assert _header(_file(_format(), (b"data", bytes(256 + 3)))).samples == 505


def test_a_fact_that_promises_too_much_is_not_believed():
    header = _header(_file(_format(), (b"fact", b"\xff\xff\xff\xff"), (b"data", bytes(256))))
    assert header.samples == 505


def test_pcm():
    header = _header(_file(PCM, (b"data", bytes(2001))))
    assert (header.encoding, header.samples) == (wav.PCM, 1000)


def test_the_file_stands_at_the_samples_past_chunks_that_mean_nothing_here():
    file = io.BytesIO(_file((b"LIST", b"odd"), PCM, (b"bext", bytes(40)), (b"data", b"\x01\x02")))
    wav.read_header(file)
    assert file.read(2) == b"\x01\x02"


def test_what_cannot_be_played_is_refused_with_its_reason():
    data = (b"data", bytes(256))
    assert _refused(b"") == "not a WAV file"
    assert _refused(b"RIFF....AIFF") == "not a WAV file"
    assert _refused(_file(data)) == "samples before their format"
    assert _refused(_file(_format(channels=2), data)) == "not 8 kHz mono"
    assert _refused(_file(_format(rate_hz=16000), data)) == "not 8 kHz mono"
    assert _refused(_file(_format(encoding=6), data)) == "neither IMA ADPCM nor 16-bit PCM"
    assert _refused(_file(_format(encoding=1, bits=8), data)) == "neither IMA ADPCM nor 16-bit PCM"
    assert _refused(_file(_format(block_bytes=4), data)) == "neither IMA ADPCM nor 16-bit PCM"
    assert _refused(_file(_format(block_bytes=4096), data)) == "neither IMA ADPCM nor 16-bit PCM"
    assert _refused(_file((b"fmt ", bytes(14)), data)) == "format chunk too short"
    assert _refused(_file(*((b"junk", b"") for _ in range(20)))) == "too many chunks"
    assert _refused(_file((b"junk", b""))[:-4] + b"\xff\xff\xff\xff") == "a chunk is too large"


def test_a_header_cut_anywhere_is_refused():
    whole = _file(_format(), (b"fact", struct.pack("<I", 505)), (b"data", bytes(256)))
    for length in range(len(whole) - 256):
        assert _refused(whole[:length]) in ("not a WAV file", "the file ends in its header")


def test_a_header_with_any_byte_changed_is_read_or_refused():
    whole = _file(_format(), (b"fact", struct.pack("<I", 505)), (b"data", bytes(256)))
    for place in range(len(whole) - 256):
        for value in (0, 1, 0x7F, 0x80, 0xFF):
            changed = bytearray(whole)
            changed[place] = value
            _refused(bytes(changed))
