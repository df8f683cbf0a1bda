"""Recordings for tests: what the exchange sends, one thing after the other, and when each began."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from host_tools.exchange import dtmf, tones
from host_tools.exchange.caller_id import CallerId, mdmf
from host_tools.exchange.fsk import BELL_202, FskStandard, off_hook, on_hook
from host_tools.exchange.levels import RATE_HZ, Samples, Wave, samples_of, to_samples

NUMBER = "5555550123"
CALLER = CallerId(NUMBER, "A CALLER", date_time="12011730")
MESSAGE = mdmf(CALLER)
PROMPTS = Path(__file__).parents[3] / "firmware" / "prompts" / "en-US"


class Tape:
    """A recording that grows; each addition answers when it began, in seconds."""

    def __init__(self, seed: int = 57) -> None:
        self._rng = np.random.default_rng(seed)
        self._parts: list[Samples] = []
        self.pause()

    @property
    def samples(self) -> Samples:
        return np.concatenate(self._parts)

    def add(self, samples: Samples | Wave) -> float:
        began_s = sum(map(len, self._parts)) / RATE_HZ
        self._parts.append(to_samples(samples.astype(np.float64)))
        return began_s

    def pause(self, duration_ms: float = 400) -> float:
        """So much silence, and up to 10 ms more, that nothing begins with a block."""
        return self.add(np.zeros(samples_of(duration_ms) + int(self._rng.integers(0, 80)), np.int16))

    def burst(self, *messages: bytes, standard: FskStandard = BELL_202) -> float:
        return self.add(on_hook(standard).samples(*messages or (MESSAGE,)))

    def waiting_burst(self, message: bytes = MESSAGE, standard: FskStandard = BELL_202) -> float:
        return self.add(off_hook(standard).samples(message))

    def digits(self, keys: str, on_ms: float = 80, off_ms: float = 80) -> list[float]:
        return [self.add(dtmf.digit(key, on_ms, off_ms)) for key in keys]

    def tone(self, tone: tones.Tone, duration_ms: float) -> float:
        return self.add(tones.ToneGenerator(tone).samples(samples_of(duration_ms)))


def everything() -> tuple[Samples, list[tuple[str, float]]]:
    """A recording of one of each kind of event, and (event, when) of all of them, in order."""
    tape = Tape()
    told = [("caller_id", tape.burst())]
    tape.pause()
    told.append(("message_waiting", tape.burst(bytes.fromhex("82030B01FF70"))))
    tape.pause()
    wrong = bytearray(MESSAGE)
    wrong[20] ^= 4
    told.append(("caller_id_failed", tape.burst(bytes(wrong))))
    tape.pause(2000)
    told.append(("call_progress", tape.tone(tones.DIAL, 2000)))
    told += [("dtmf", at) for at in tape.digits("*57")]
    tape.pause(2000)
    told.append(("call_progress", tape.tone(tones.BUSY, 4500)))
    tape.pause(2000)
    told.append(("alert_tone", tape.add(tones.burst(tones.CPE_ALERT))))
    tape.pause(60)
    told += [("dtmf", at) for at in tape.digits("D", 60, 60)]
    told.append(("caller_id", tape.waiting_burst()))
    tape.pause()
    return tape.samples, told


def speech() -> Samples:
    """Everything that the prompts say, one after the other."""
    said = [soundfile.read(path, dtype="int16")[0] for path in sorted(PROMPTS.glob("*.wav"))]
    return np.concatenate(said)
