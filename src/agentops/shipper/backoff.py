"""Backoff: how long to leave a server alone after it failed."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

FIRST_S: Final = 0.25
LONGEST_S: Final = 30.0
LONGEST_UNREACHABLE_S: Final = 5.0
"""Nothing listens: asking costs nothing, and a server that is started should be noticed soon."""
HELD_S: Final = 30.0

# Not the module's own generator: a program that seeds it wants its numbers for itself.
_own: Final = random.SystemRandom()


class Backoff:
    """Exponential, jittered between half and whole; the server's own wish is a lower bound, see `spread`."""

    def __init__(self, jitter: Callable[[], float] = _own.random) -> None:
        self._jitter = jitter
        self.failures = 0
        """In a row."""

    def succeeded(self) -> None:
        """Begin anew."""
        self.failures = 0

    def spread(self, retry_after_s: float) -> float:
        """Return a server's wish and up to a quarter more: it told many the same at once."""
        return retry_after_s * (1.0 + self._jitter() / 4)

    def failed(self, retry_after_s: float | None, longest_s: float = LONGEST_S) -> float:
        """Return the seconds to wait after one more failure."""
        delay_s = min(longest_s, FIRST_S * 2.0 ** min(self.failures, 20))
        self.failures += 1
        return max(delay_s * (0.5 + self._jitter() / 2), retry_after_s or 0.0)
