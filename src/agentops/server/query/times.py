"""Times at the API's edge: unix nanoseconds inside, ISO 8601 UTC with microseconds outside."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

_AGO: Final = re.compile(r"^(\d+(?:\.\d+)?)(s|m|h|d|w)$")
_UNESCAPED: Final = re.compile(r"([T ]\d\d\S*) (\d\d:?\d\d)$")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_DURATION: Final = re.compile(r"^(\d+(?:\.\d+)?)(ms|s|m|h)?$")
_MILLISECONDS: Final = {"": 1, "ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}


def iso(ns: int) -> str | None:
    """Return a time as ISO 8601 UTC, or None for 0 (not known yet)."""
    return None if ns <= 0 else stamp(ns)


def stamp(ns: int) -> str:
    """Return a time as ISO 8601 UTC, that of the clock's first second too: an interval may begin there."""
    seconds, rest = divmod(ns, 10**9)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1000:06d}Z"


def iso_sql(column: str) -> str:
    """Return SQL that writes a column of unix nanoseconds as `iso` does."""
    moment = f"fromUnixTimestamp64Micro(toInt64(intDiv({column}, 1000)), 'UTC')"
    return f"formatDateTime({moment}, '%Y-%m-%dT%H:%i:%S.%fZ')"


def moment(text: str, now_ns: int) -> int:
    """Read ISO 8601 or a distance back from now (`24h`, `7d`), as unix nanoseconds.

    Raises:
        ValueError: it is neither.
    """
    ago = _AGO.match(text.lower())
    if ago:
        return max(0, now_ns - int(float(ago[1]) * _SECONDS[ago[2]] * 10**9))
    text = text.upper()
    # A `+` that was not escaped in a URL arrives as a space.
    when = datetime.fromisoformat(_UNESCAPED.sub(r"\1+\2", text.strip()))
    when = when.replace(tzinfo=UTC) if when.tzinfo is None else when
    return max(0, int(when.timestamp()) * 10**9 + when.microsecond * 1000)


def duration_ns(text: str) -> int:
    """Read a length of time: milliseconds, or with a unit (`ms`, `s`, `m`, `h`).

    Raises:
        ValueError: it is none.
    """
    match = _DURATION.match(text)
    if not match:
        raise ValueError(text)
    return int(float(match[1]) * _MILLISECONDS[match[2] or ""] * 10**6)
