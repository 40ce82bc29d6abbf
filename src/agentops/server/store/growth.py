"""How a store grows, and when its schema changed."""

from __future__ import annotations

import time
from typing import Final

from msgspec import Struct

from agentops.server.store.client import Store

_DAYS: Final = 14
_DAY_NS: Final = 86_400 * 10**9


class Day(Struct, frozen=True):
    """Records of spans that arrived on a day (UTC), those that replaced others included."""

    day: str
    spans: int


class Applied(Struct, frozen=True):
    """A migration of the store, and when it was applied, unix nanoseconds."""

    number: int
    name: str
    applied_at: int


def growth(store: Store) -> list[Day]:
    """Return the last two weeks, without days on which nothing came."""
    return store.rows(
        "SELECT toString(toDate(toDateTime(intDiv(received_at, 1000000000), 'UTC'))) AS day, "
        "count() AS spans FROM spans WHERE received_at >= {since:UInt64} GROUP BY day ORDER BY day",
        {"since": time.time_ns() - _DAYS * _DAY_NS},
        Day,
    )


def applied(store: Store) -> list[Applied]:
    """Return the migrations that the store has, in their order."""
    return store.rows("SELECT number, name, applied_at FROM migrations FINAL ORDER BY number", None, Applied)
