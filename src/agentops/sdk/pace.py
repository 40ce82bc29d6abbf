"""A pace: so many a second, and some ahead of it."""

from __future__ import annotations


class Pace:
    """Says whether one more keeps to a pace.

    Args:
        a_second: how many may come in a second, on and on.
        ahead: how many may come at once, after a while without any.
    """

    __slots__ = ("_ahead_ns", "_due_ns", "_each_ns")

    def __init__(self, a_second: int, ahead: int) -> None:
        self._each_ns = 1_000_000_000 // a_second
        self._ahead_ns = self._each_ns * (ahead - 1)
        self._due_ns = 0

    def allows(self, now_ns: int) -> bool:
        """Count one in and say True, or say False; `now_ns` is a clock that never steps back."""
        due_ns = self._due_ns
        if due_ns - now_ns > self._ahead_ns:
            return False
        self._due_ns = (due_ns if due_ns > now_ns else now_ns) + self._each_ns
        return True
