"""Time between edges, noticed when something may come of it: what is steady is not looked at in every block."""

from micropython import const

_PATIENCE_SAMPLES = const(10000 * 8)  # while nothing but an edge can tell anything new


class PassingTime:
    """What detectors of edges have in common.

    Each has _pass(samples), so many have gone by, and _is_steady(): nothing but an edge can tell anything new.
    """

    def _reset_time(self):
        self._block_samples = 0
        # Samples that have gone by unnoticed, and how many may.
        self._unnoticed = 0
        self._patience = 0

    def _pass_to(self, offset):
        """An edge lies `offset` samples into the block that `advance` is about to end."""
        self._unnoticed += offset - self._block_samples
        self._notice()
        self._block_samples = offset

    def advance(self, n):
        """`n` samples have gone by."""
        self._unnoticed += n - self._block_samples
        self._block_samples = 0
        if self._unnoticed > self._patience:
            self._notice()

    def _notice(self):
        samples = self._unnoticed
        self._unnoticed = 0
        self._pass(samples)
        self._patience = _PATIENCE_SAMPLES if self._is_steady() else 0
