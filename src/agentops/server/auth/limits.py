"""Limits by name: how often something may be tried, and how much may be sent."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

_MOST_NAMES: Final = 20_000


class Buckets:
    """A bucket of tokens for each name, refilled steadily, full at first; what is taken may go below zero."""

    def __init__(
        self,
        size: float,
        refill_per_s: float,
        least: float = 1e-9,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make buckets that hold `size`; who finds less than `least` in theirs has to wait."""
        self._size = size
        self._refill = refill_per_s
        self._least = least
        self._clock = clock
        self._lock = threading.Lock()
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, name: str, size: float | None = None, refill_per_s: float | None = None) -> float:
        """Return how many seconds until the name may take again; 0 when it may now."""
        with self._lock:
            level = self._level(name, size or self._size, refill_per_s or self._refill)
        missing = self._least - level
        return 0.0 if missing <= 0 else max(0.001, missing / (refill_per_s or self._refill))

    def take(
        self, name: str, amount: float = 1.0, size: float | None = None, refill_per_s: float | None = None
    ) -> None:
        """Take from a name's bucket."""
        with self._lock:
            level = self._level(name, size or self._size, refill_per_s or self._refill)
            self._levels[name] = (level - amount, self._clock())
            self._levels.move_to_end(name)
            while len(self._levels) > _MOST_NAMES:
                self._levels.popitem(last=False)

    def _level(self, name: str, size: float, refill: float) -> float:
        known = self._levels.get(name)
        if known is None:
            return size
        level, at = known
        return min(size, level + (self._clock() - at) * refill)
