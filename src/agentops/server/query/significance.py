"""Do two groups differ by more than chance? Tests that assume no shape of the distributions."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from itertools import chain
from typing import Final

from msgspec import Struct

FEWEST: Final = 8
"""Values in each group; with fewer nothing is claimed."""
LEVEL: Final = 0.05
_Z95: Final = 1.959963984540054


class Ranked(Struct, frozen=True):
    """Mann-Whitney U: `p` two-sided, and the chance that a value of B exceeds one of A (ties count half)."""

    p: float
    b_exceeds_a: float


def ranked(a: Sequence[float], b: Sequence[float]) -> Ranked | None:
    """Compare two samples by ranks; None if one is empty. Normal approximation, corrected for ties.

    Source: Mann and Whitney 1947; the correction for ties as in Conover, Practical Nonparametric Statistics.
    """
    if not a or not b:
        return None
    ordered, total, size_a, size_b = sorted(a), len(a) + len(b), len(a), len(b)
    u = sum(bisect_left(ordered, value) + bisect_right(ordered, value) for value in b) / 2
    ties = float(sum(alike**3 - alike for alike in Counter(chain(a, b)).values() if alike > 1))
    variance = size_a * size_b / 12 * ((total + 1) - ties / (total * (total - 1))) if total > 1 else 0.0
    exceeds = u / (size_a * size_b)
    if variance <= 0:
        return Ranked(1.0, exceeds)
    away = max(0.0, abs(u - size_a * size_b / 2) - 0.5) / math.sqrt(variance)
    return Ranked(min(1.0, math.erfc(away / math.sqrt(2))), exceeds)


def fisher(failed_a: int, all_a: int, failed_b: int, all_b: int) -> float:
    """Return the two-sided p of Fisher's exact test that two shares are the same."""
    failed, total = failed_a + failed_b, all_a + all_b
    low, high = max(0, failed - all_b), min(failed, all_a)

    def log_chance(k: int) -> float:
        return _log_choose(all_a, k) + _log_choose(all_b, failed - k) - _log_choose(total, failed)

    seen = log_chance(failed_a)
    # Tables as unlikely as the one seen, or more; equal ones differ in the last bits.
    return min(
        1.0,
        sum(math.exp(chance) for k in range(low, high + 1) if (chance := log_chance(k)) <= seen + 1e-9),
    )


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def interval(failed: int, count: int) -> tuple[float, float] | None:
    """Return Wilson's 95% interval of a share; None without any."""
    if not count:
        return None
    share, square = failed / count, _Z95 * _Z95
    middle = (share + square / (2 * count)) / (1 + square / count)
    half = _Z95 / (1 + square / count) * math.sqrt(share * (1 - share) / count + square / (4 * count * count))
    return max(0.0, middle - half), min(1.0, middle + half)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for having asked several questions (Holm 1979), in their order."""
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    found = [0.0] * len(p_values)
    reached = 0.0
    for rank, place in enumerate(order):
        reached = max(reached, min(1.0, p_values[place] * (len(p_values) - rank)))
        found[place] = reached
    return found
