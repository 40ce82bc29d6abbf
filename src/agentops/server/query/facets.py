"""Which values can a list of sessions be narrowed to, and how many sessions would each leave?"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from msgspec import Struct

from agentops.server.query.filters import DURATION, STATE, Filters, condition, deeper_if_none
from agentops.server.store.client import Store

_AGO: Final = {"1h": 3_600, "24h": 86_400, "7d": 604_800, "30d": 2_592_000}
_SOURCES: Final = {
    "state": f"[{STATE}]",
    "tag": "tags",
    "model": "models",
    "agent": "agents",
    "tool": "tools",
    "user": "[user_id]",
    "error": "arrayConcat([if(errors > 0, 'true', 'false')], error_types)",
    "min_cost": "arrayFilter(least -> ifNull(cost_usd, 0) >= least, [0.01, 0.1, 1, 10])",
    "min_duration": "arrayMap(least -> concat(toString(least), 's'), "
    f"arrayFilter(least -> {DURATION} >= least * 1000000000, [1, 10, 60, 600]))",
    "since": "arrayFilter(ago -> started_at >= {now:UInt64} - "
    f"transform(ago, {list(_AGO)}, {list(_AGO.values())}, 0) * 1000000000, {list(_AGO)})",
}
"""The filters that facets are counted for, each with an expression over `sessions` for the values a session
has: for the last three, which of a few thresholds it passes."""
FACETS: Final = tuple(_SOURCES)
_MOST_VALUES: Final = 100


class _Value(Struct):
    facet: str
    value: str
    count: int


def facets(
    store: Store, filters: Filters, wanted: Collection[str] = FACETS
) -> dict[str, list[dict[str, Any]]]:
    """Return each facet's most frequent values with how many of the filtered sessions have them.

    What is not wanted is not counted: it has no values.
    """
    where, values = condition(store, filters)
    pairs = ", ".join(
        f"arrayMap(value -> ('{facet}', toString(value)), arrayDistinct({source}))"
        for facet, source in _SOURCES.items()
        if facet in wanted
    )
    rows = store.rows(
        f"SELECT pair.1 AS facet, pair.2 AS value, count() AS count FROM "
        f"(SELECT arrayJoin(arrayConcat({pairs})) AS pair FROM sessions FINAL WHERE {where}) "
        "WHERE value != '' GROUP BY facet, value ORDER BY count DESC, value LIMIT {most:UInt32} BY facet",
        {**values, "most": _MOST_VALUES},
        _Value,
    )
    more_to_see = None if rows else deeper_if_none(store, filters)
    if more_to_see is not None:
        return facets(store, more_to_see, wanted)
    found: dict[str, list[dict[str, Any]]] = {facet: [] for facet in FACETS}
    for row in rows:
        found[row.facet].append({"value": row.value, "count": row.count})
    return found
