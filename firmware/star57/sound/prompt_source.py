"""A recording as the player takes it: the samples of one open WAV file."""

from array import array

from star57 import wav
from star57.sound import adpcm


class PromptSource:
    """The samples of one open WAV file, which is closed with it. Raises wav.WavError when it is none."""

    def __init__(self, file):
        header = wav.read_header(file)
        self.remaining = header.samples
        self.broken = False
        self._file = file
        self._decode = adpcm.decode_pcm if header.encoding == wav.PCM else adpcm.decode
        self._block = bytearray(header.block_bytes)
        self._block_bytes = header.block_bytes
        self._block_samples = header.block_samples
        self._data_bytes = header.data_bytes
        self._state = array("i", bytes(4 * adpcm.STATE_LENGTH))
        self._state[adpcm.POSITION] = header.block_samples

    def fill(self, buffer, offset, n):
        """Writes up to `n` samples at `offset` and answers how many; fewer only at the end."""
        state = self._state
        state[adpcm.OFFSET] = offset
        end = offset + min(n, self.remaining)
        while state[adpcm.OFFSET] < end:
            if state[adpcm.POSITION] == self._block_samples and not self._read_block():
                self.broken = True
                self.remaining = 0
                return state[adpcm.OFFSET] - offset
            count = min(end - state[adpcm.OFFSET], self._block_samples - state[adpcm.POSITION])
            self._decode(state, self._block, buffer, count)
        self.remaining -= end - offset
        return end - offset

    def close(self):
        self._file.close()

    def _read_block(self):
        count = min(self._block_bytes, self._data_bytes)
        self._data_bytes -= count
        self._state[adpcm.POSITION] = 0
        try:
            return self._file.readinto(self._block, count) == count
        except OSError:
            return False
