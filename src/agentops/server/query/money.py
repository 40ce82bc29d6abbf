"""Sums of costs as they are shown: without the rest that adding binary fractions leaves."""

from __future__ import annotations


def dollars(cost: float | None) -> float | None:
    """Return a sum of US dollars, as exact as a session's cost is."""
    return None if cost is None else round(cost, 12)
