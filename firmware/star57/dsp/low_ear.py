"""The low ear of the call-progress receiver: lines from 320 to 660 Hz, of which nearly all tones are made."""

from micropython import const

from star57.dsp import level, lines
from star57.dsp.ear import Ear
from star57.dsp.lines import CELLS, COUNT, INVERSE_GAIN, PART
from star57.dsp.tone_plans import LINES

# Words as in ear.py: cells of the run, when it is looked at, and its sums.
_CELLS = const(10)
_RUN = const(2)
_ALARM = const(10)
_TOTALS = const(56)
# Behind them: whether what goes on was looked at, and what then was found is still to be judged.
_LOOKED = const(61)
_WORDS = const(62)
_BEFORE = const(1)
_NOW = const(2)

# AM at 16 Hz falls below a quarter of its amplitude for 19 ms; the shortest pause of a tone is 40 ms, less 10 %.
_HANG_CELLS = const(12)
# -52 dBm0.
_LEAST = const(12)

# Of all that sounds this is in the lines, in parts of 4096, and of what sounds in the low band: noise takes the rest.
_PURE = const(2950)
_FEW_LINES = const(3280)
# Frequencies are a little off in noise.
_OFF_DECIHERTZ = const(20)
# Lines that are no further apart may be those of one that is modulated; then they are so far apart, but for this.
_MODULATED_DECIHERTZ = const(600)
_MODULATION_OFF_DECIHERTZ = const(80)
# Lines nearer than this, in Hz times cells, are one: main lobes of the window meet.
_RESOLUTION = const(1250)
# From the power of 10 ms over 2^5 to the mean square of samples at 8 kHz.
_TO_SQUARE_HUNDREDTHS = const(2926)


class LowEar(Ear):
    """Hears lines from 320 to 660 Hz."""

    def __init__(self, listener, rows, kept):
        super().__init__(listener, rows, kept, _WORDS, _HANG_CELLS, _LEAST, 0)

    def reset(self):
        self.words[_LOOKED] = 0
        super().reset()
        lines.reset(self.lines)

    def skip(self, cells):
        self.words[_LOOKED] = 0
        super().skip(cells)
        lines.forget(self.lines)

    def break_off(self):
        self.words[_LOOKED] = 0
        super().break_off()
        lines.forget(self.lines)

    def _set_alarm(self):
        super()._set_alarm()
        if self.words[_LOOKED] == _BEFORE:
            self.words[_ALARM] = self.words[_RUN] + _CELLS

    def _has_ended(self, event):
        self.words[_LOOKED] = 0
        super()._has_ended(event)

    def _goes_on(self):
        # What was found in the block before is judged now or never: it would be old.
        self.words[_LOOKED] = _NOW if self.words[_LOOKED] == _BEFORE else 0
        super()._goes_on()

    def _waits_after_a_look(self, ago, cells):
        """A look takes as long as all that follows when a tone is told: both in one block are too much."""
        words = self.words
        if words[_LOOKED] == _NOW or self._share() < _PURE // 2:
            return False
        lines.find(self.lines, ago + 2, cells - 4)
        words[_LOOKED] = _BEFORE
        return True

    def _share(self):
        """Of all that sounds, this is in the low band, in parts of 4096 times its gain."""
        words = self.words
        return (words[_TOTALS] << 15) // max(1, words[_TOTALS + 3])

    def _is_noise(self):
        """Whether most of what sounds lies elsewhere: of a tone alone an eighth is here."""
        return 20 * self.words[_TOTALS] < self.words[_TOTALS + 3]

    def _measure(self, ago, cells):
        share = self._share()
        if share < _PURE // 2:
            return 0
        found = self.lines
        count = found[COUNT] if self.words[_LOOKED] == _NOW else lines.find(found, ago, cells)
        self.words[_LOOKED] = 0
        if not count or found[PART] < _FEW_LINES:
            return 0
        share = min((share * found[INVERSE_GAIN] >> 10) * found[PART] >> 12, 4096)
        if share < _PURE:
            return 0
        gain = level.hundredths_dbm0(found[INVERSE_GAIN]) - level.hundredths_dbm0(1024)
        self._tell_quality(_TO_SQUARE_HUNDREDTHS + gain, share, 0)
        return count

    def _fits(self, wanted):
        count = self.lines[COUNT]
        last = len(wanted) - 1
        if count > last or (count < last and last == 1):
            return False
        if count == last and count > 1:
            # What modulates a tone is known better than the tone.
            apart = 10 * (wanted[last] - wanted[1])
            found = self.lines
            off = abs(lines.decihertz(found, count - 1) - lines.decihertz(found, 0) - apart)
            if apart <= _MODULATED_DECIHERTZ and off > _MODULATION_OFF_DECIHERTZ:
                return False
        return self._fit_all(wanted, count, last)

    def _fit_all(self, wanted, count, last):
        found = self.lines
        nearest = _RESOLUTION // found[CELLS]
        k = 0
        i = 1
        while i <= last:
            hz = wanted[i]
            allowed = wanted[0] * hz // 100 + _OFF_DECIHERTZ
            if i < last and wanted[i + 1] - hz < nearest:
                # Of two lines that one window cannot part well one may be seen, anywhere between them.
                apart = wanted[i + 1] - hz
                allowed += 2 * apart
                if count - k <= last - i:
                    hz += apart >> 1
                    allowed += 3 * apart
                    i += 1
            if k == count or abs(lines.decihertz(found, k) - 10 * hz) > allowed:
                return False
            k += 1
            i += 1
        return k == count

    def decihertz(self, k):
        """The k-th frequency, ascending, of what was measured last, in tenths of a hertz; 0 behind the last."""
        return lines.decihertz(self.lines, k)

    def off_permille(self, index):
        """How far from these lines what was measured last is, at the worst, in thousandths of them."""
        wanted = LINES[index]
        count = len(wanted) - 1
        found = self.lines
        off = 0
        if count == found[COUNT]:
            for k in range(count):
                off = max(off, abs(lines.decihertz(found, k) - 10 * wanted[k + 1]) * 100 // wanted[k + 1])
        return off
