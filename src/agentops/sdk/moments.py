"""Moments: whatever a program says of a time, as unix nanoseconds that a record can have."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any, Final

_LATEST_NS: Final = 2**63 - 1
_SECONDS: Final = 1e11
"""Numbers below are seconds: as nanoseconds they would be of the first two minutes of 1970."""


def at_ns(given: Any) -> int | None:
    """Return ISO 8601 text, a datetime, unix seconds or nanoseconds as unix nanoseconds.

    None when it is none of them, or before 1970 or after 2262: no span can be of then.
    """
    try:
        found = _ns(given)
    except (ValueError, OverflowError):  # Text of something else, a number that is none or is endless.
        return None
    return found if found is not None and 0 < found <= _LATEST_NS else None


def moment(given: Any) -> int:
    """Return the same, or now."""
    return at_ns(given) or time.time_ns()


def _ns(given: Any) -> int | None:
    if isinstance(given, int | float) and not isinstance(given, bool):
        return int(given * 1e9) if given < _SECONDS else int(given)
    if isinstance(given, str):
        given = datetime.fromisoformat(given)
    if not isinstance(given, datetime):
        return None
    aware = given if given.tzinfo is not None else given.replace(tzinfo=UTC)
    # Not through float: nanoseconds of today do not fit its 53 bits.
    since = aware - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + since.microseconds * 1000
