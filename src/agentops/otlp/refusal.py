"""What a request was refused for: as a whole (MalformedBody) or item by item (Rejected)."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

LATEST_NS: Final = 2**63 - 1
"""The last unix nanosecond that a store can hold (in the year 2262)."""


class MalformedBody(Exception):
    """The body as a whole cannot be read; the message says what was expected."""


class Refusal(Exception):
    """One span or record cannot be used; the message names the field."""


class Rejected(Struct, frozen=True):
    """How many items of a request were refused for the same reason."""

    reason: str
    count: int


class Refusals:
    """Counts refusals by reason, in the order they first came."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def add(self, reason: str, count: int = 1) -> None:
        """Count `count` more items refused for `reason`."""
        if count:
            self._counts[reason] = self._counts.get(reason, 0) + count

    def counted(self) -> list[Rejected]:
        """Return the counts by reason, in the order the reasons first came."""
        return [Rejected(reason, count) for reason, count in self._counts.items()]


def checked_times(start_ns: int, end_ns: int) -> None:
    """Refuse times that no span can have.

    Raises:
        Refusal: The start is missing, or a time is outside what a store can hold.
    """
    if start_ns == 0:
        raise Refusal("start_time_unix_nano is missing")
    if not 0 < start_ns <= LATEST_NS:
        raise Refusal("start_time_unix_nano is out of range (1970 to 2262)")
    if not 0 <= end_ns <= LATEST_NS:
        raise Refusal("end_time_unix_nano is out of range (1970 to 2262)")
