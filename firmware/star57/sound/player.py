"""Plays prompts, tones, silences and texts one after another. `fill` is the audio path, all else is outside it."""

from array import array

import micropython
from micropython import const

from star57.dsp.tones import ToneSender
from star57.sound.regions import QUIET, SILENT

PROMPT_MISSING = "prompt_missing"
PROMPT_BROKEN = "prompt_broken"

_SAMPLES_PER_MS = const(8)
_ENDLESS_SAMPLES = const(1 << 29)
_SCRATCH_SAMPLES = const(160)
# Stands for a prompt that cannot be played, so that what is around it keeps its rhythm.
_FAULT_MS = const(200)


class Silence:
    """An item to play: nothing, for `duration_ms`."""

    def __init__(self, duration_ms):
        self.duration_ms = duration_ms


class Signal:
    """An item to play: a tone of the region for `duration_ms`; 0: to its end, or until stopped."""

    def __init__(self, tone, duration_ms=0):
        self.tone = tone
        self.duration_ms = duration_ms


class Text:
    """An item to play: `text`, line by line as it is, for a TTY (dsp/baudot.py), with mark before and behind it."""

    def __init__(self, text):
        self.text = text


@micropython.viper
def _silence(out: ptr16, start: int, end: int):
    for i in range(start, end):
        out[i] = 0


@micropython.viper
def _fall_silent(out: ptr16, start: int, end: int, last: int) -> int:
    # Each sample is 7/8 of the one before: what is cut off ends in 5 ms without a click. Products below 2^18.
    for i in range(start, end):
        last = 0 - ((0 - last) * 7 >> 3) if last < 0 else last * 7 >> 3
        out[i] = last
    return last


@micropython.viper
def _copy(samples: ptr16, out: ptr16, offset: int, count: int):
    for i in range(count):
        out[offset + i] = samples[i]


class _ToneSource:
    """The samples of one cadenced tone."""

    broken = False

    def __init__(self, tone, duration_ms, sender):
        own_ms = tone.duration_ms
        if duration_ms == 0 or 0 < own_ms < duration_ms:
            duration_ms = own_ms
        self.remaining = duration_ms * _SAMPLES_PER_MS or _ENDLESS_SAMPLES
        self._tone = tone
        self._sender = sender
        self._scratch = array("h", bytes(2 * _SCRATCH_SAMPLES))
        self._section = 0
        self._section_left = 0
        self._sounding = False

    def fill(self, buffer, offset, n):
        """Writes up to `n` samples at `offset` and answers how many; fewer only at the end."""
        end = offset + min(n, self.remaining)
        at = offset
        while at < end:
            if self._section_left == 0:
                self._start_section(self.remaining - (at - offset))
            count = min(end - at, self._section_left, _SCRATCH_SAMPLES)
            if self._sounding:
                self._sender.fill(self._scratch, count)
                _copy(self._scratch, buffer, at, count)
            else:
                _silence(buffer, at, at + count)
            self._section_left -= count
            at += count
        self.remaining -= end - offset
        return end - offset

    def close(self):
        pass

    def _start_section(self, longest_samples):
        tone = self._tone
        frequencies, duration_ms = tone.sections[self._section]
        self._section += 1
        if self._section == len(tone.sections):
            self._section = tone.repeats_from
        self._section_left = min(duration_ms * _SAMPLES_PER_MS or _ENDLESS_SAMPLES, longest_samples)
        self._sounding = frequencies is not SILENT
        if self._sounding:
            first_hz, first_dbm0, second_hz, second_dbm0 = frequencies
            self._sender.start(first_hz, first_dbm0, second_hz, second_dbm0, self._section_left)


class Player:
    """Plays items: prompt names, Signal, Silence and Text.

    A prompt is a file of the first of `prompts_folders` that has it, without ".wav". region: a row of
    regions.REGIONS. faults: how often each named fault has happened; a prompt that cannot be played is a short silence
    and a fault, never an exception.
    """

    def __init__(self, prompts_folders, region):
        self.faults = {PROMPT_MISSING: 0, PROMPT_BROKEN: 0}
        self._folders = prompts_folders
        self._region = region
        self._sender = ToneSender()
        self._items = ()
        self._item = 0
        self._now = None
        self._next = None
        self._last = 0  # the sample that was written last
        self._falling = 0  # where the fall to silence stands

    @property
    def idle(self):
        """True when all that was to be played has been played."""
        return self._now is None and self._next is None and self._item == len(self._items)

    def play(self, items):
        """Plays `items`, a tuple, in place of what plays now."""
        self.stop()
        self._items = items
        self.prepare()

    def stop(self):
        """Falls silent, in 5 ms. Allocates nothing where tones play."""
        if self._next is not None:
            self._next.close()
        if self._now is not None:
            self._now.close()
            self._falling = self._last
        self._now = None
        self._next = None
        self._items = ()
        self._item = 0

    def prepare(self):
        """Opens the next item for `fill`. To be called once a block, outside the audio path."""
        if self._next is None and self._item < len(self._items):
            self._next = self._source(self._items[self._item])
            self._item += 1

    def fill(self, buffer, n):
        """Writes `n` samples into `buffer`, array('h'); silence after the last item. Allocates nothing."""
        written = 0
        while written < n:
            if self._now is None:
                self._now = self._next
                self._next = None
                if self._now is None:
                    break
            source = self._now
            written += source.fill(buffer, written, n - written)
            if source.remaining == 0:
                source.close()
                self._now = None
                if source.broken:
                    self.faults[PROMPT_BROKEN] += 1
        if self._falling and not written:
            self._falling = _fall_silent(buffer, 0, n, self._falling)
        else:
            self._falling = 0
            _silence(buffer, written, n)
        if n:
            self._last = buffer[n - 1]

    def _source(self, item):
        if isinstance(item, Silence):
            return _ToneSource(QUIET, item.duration_ms, self._sender)
        if isinstance(item, Signal):
            return _ToneSource(self._region[item.tone], item.duration_ms, self._sender)
        if isinstance(item, Text):
            return _text_source(item.text)
        return self._open(item) or _ToneSource(QUIET, _FAULT_MS, self._sender)

    def _open(self, name):
        is_there = False
        for folder in self._folders:
            try:
                file = open("{}/{}.wav".format(folder, name), "rb")
            except OSError:
                continue
            is_there = True
            source = self._opened(file)
            if source is not None:
                return source
        if not is_there:
            self.faults[PROMPT_MISSING] += 1
        return None

    def _opened(self, file):
        # What reads recordings is in memory from the first one on.
        from star57 import wav  # noqa: PLC0415
        from star57.sound.prompt_source import PromptSource  # noqa: PLC0415

        try:
            return PromptSource(file)
        except (OSError, wav.WavError):
            file.close()
            self.faults[PROMPT_BROKEN] += 1
            return None


def _text_source(text):
    # Only a household with a TTY needs it in memory.
    from star57.sound.text_source import TextSource  # noqa: PLC0415

    return TextSource(text)
