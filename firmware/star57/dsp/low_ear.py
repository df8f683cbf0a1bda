"""The low ear of the call-progress receiver: lines from 320 to 660 Hz, of which nearly all tones are made."""

from micropython import const

from star57.dsp import level
from star57.dsp.ear import Ear
from star57.dsp.lines import LowLines
from star57.dsp.tone_plans import LINES

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

    def __init__(self, listener, rows):
        super().__init__(listener, rows, _HANG_CELLS, _LEAST, 0)
        self.lines = LowLines()
        self.decihertz = self.lines.decihertz
        self.reset()

    def reset(self):
        super().reset()
        self.lines.reset()

    def skip(self, cells):
        super().skip(cells)
        self.lines.forget()

    def break_off(self):
        super().break_off()
        self.lines.forget()

    @property
    def count(self):
        return self.lines.count

    def _is_noise(self):
        """Whether most of what sounds lies elsewhere: of a tone alone an eighth is here."""
        return 20 * self._sums[0] < self._sums[3]

    def _measure(self, ago, cells):
        share = (self._sums[0] << 15) // max(1, self._sums[3])
        if share < _PURE // 2:
            return 0
        lines = self.lines
        if not lines.find(ago, cells) or lines.part < _FEW_LINES:
            return 0
        share = min((share * lines.inverse_gain >> 10) * lines.part >> 12, 4096)
        if share < _PURE:
            return 0
        gain = level.hundredths_dbm0(lines.inverse_gain) - level.hundredths_dbm0(1024)
        self._tell_quality(_TO_SQUARE_HUNDREDTHS + gain, share, 0)
        return lines.count

    def _fits(self, wanted):
        count = self.lines.count
        last = len(wanted) - 1
        if count > last or (count < last and last == 1):
            return False
        if count == last and count > 1:
            # What modulates a tone is known better than the tone.
            apart = 10 * (wanted[last] - wanted[1])
            off = abs(self.decihertz[count - 1] - self.decihertz[0] - apart)
            if apart <= _MODULATED_DECIHERTZ and off > _MODULATION_OFF_DECIHERTZ:
                return False
        return self._fit_all(wanted, count, last)

    def _fit_all(self, wanted, count, last):
        nearest = _RESOLUTION // self.lines.cells
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
            if k == count or abs(self.decihertz[k] - 10 * hz) > allowed:
                return False
            k += 1
            i += 1
        return k == count

    def off_permille(self, index):
        """How far from these lines what was heard last is, at the worst."""
        wanted = LINES[index]
        count = len(wanted) - 1
        off = 0
        if count == self.count:
            for k in range(count):
                off = max(off, abs(self.decihertz[k] - 10 * wanted[k + 1]) * 100 // wanted[k + 1])
        return off
