"""Reads the header of a prompt WAV: 8 kHz, mono, IMA ADPCM or 16-bit PCM."""

import struct

from micropython import const

PCM = const(1)
IMA_ADPCM = const(0x11)

_SAMPLE_RATE_HZ = const(8000)
_PCM_BLOCK_BYTES = const(256)
_ADPCM_HEADER_BYTES = const(4)
# libsndfile and sox write blocks of 256 bytes at 8 kHz, ffmpeg writes 1024.
_LARGEST_BLOCK_BYTES = const(1024)
# More than any board's flash: a count that is larger is wrong, and this one is a small integer everywhere.
_LARGEST_DATA_BYTES = const(1 << 24)
_MOST_CHUNKS = const(16)


class WavError(Exception):
    """The file is not a WAV that the player can play; the argument says why."""


class Header:
    """What the player needs to know. The file stands at the first byte of its data.

    encoding: PCM or IMA_ADPCM
    block_bytes, block_samples: what is read and decoded at a time
    data_bytes: bytes of samples in the file
    samples: number of samples, the padding of the last block left out
    """

    def __init__(self, encoding, block_bytes, block_samples, data_bytes, samples):
        self.encoding = encoding
        self.block_bytes = block_bytes
        self.block_samples = block_samples
        self.data_bytes = data_bytes
        self.samples = samples


def read_header(file):
    """Reads the open binary `file` up to its samples; answers its Header. Raises WavError, OSError."""
    riff = file.read(12)
    if len(riff) < 12 or riff[:4] != b"RIFF" or riff[8:] != b"WAVE":
        raise WavError("not a WAV file")
    layout = None
    fact_samples = None
    for _ in range(_MOST_CHUNKS):
        name, size = _chunk(file)
        if name == b"data":
            if layout is None:
                raise WavError("samples before their format")
            return _header(layout, min(size, _LARGEST_DATA_BYTES), fact_samples)
        if name == b"fmt ":
            layout = _layout(file, size)
        elif name == b"fact" and size == 4:
            fact_samples = struct.unpack("<I", _exactly(file, 4))[0]
        else:
            _skip(file, size)
    raise WavError("too many chunks")


def _chunk(file):
    return struct.unpack("<4sI", _exactly(file, 8))


def _exactly(file, count):
    data = file.read(count)
    if len(data) < count:
        raise WavError("the file ends in its header")
    return data


def _skip(file, size):
    if size > _LARGEST_DATA_BYTES:
        raise WavError("a chunk is too large")
    # Chunks are padded to an even length.
    file.seek(size + (size & 1), 1)


def _layout(file, size):
    if size < 16:
        raise WavError("format chunk too short")
    encoding, channels, rate_hz, _, block_bytes, bits = struct.unpack("<HHIIHH", _exactly(file, 16))
    _skip(file, size - 16)
    if channels != 1 or rate_hz != _SAMPLE_RATE_HZ:
        raise WavError("not 8 kHz mono")
    if encoding == PCM and bits == 16:
        return PCM, _PCM_BLOCK_BYTES, _PCM_BLOCK_BYTES // 2
    if encoding == IMA_ADPCM and bits == 4 and _ADPCM_HEADER_BYTES < block_bytes <= _LARGEST_BLOCK_BYTES:
        return IMA_ADPCM, block_bytes, 2 * (block_bytes - _ADPCM_HEADER_BYTES) + 1
    raise WavError("neither IMA ADPCM nor 16-bit PCM")


def _header(layout, data_bytes, fact_samples):
    encoding, block_bytes, block_samples = layout
    if encoding == PCM:
        return Header(PCM, block_bytes, block_samples, data_bytes, data_bytes // 2)
    whole, rest = divmod(data_bytes, block_bytes)
    samples = whole * block_samples
    if rest >= _ADPCM_HEADER_BYTES:
        samples += 2 * (rest - _ADPCM_HEADER_BYTES) + 1
    if fact_samples is not None:
        samples = min(samples, fact_samples)
    return Header(IMA_ADPCM, block_bytes, block_samples, data_bytes, samples)
