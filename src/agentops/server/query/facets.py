"""Which values can a list of sessions be narrowed to, and how many sessions would each leave?"""

from __future__ import annotations

from typing import Any, Final

from msgspec import Struct

from agentops.server.query.filters import STATE, Filters, condition
from agentops.server.store.client import Store

FACETS: Final = ("state", "tag", "model", "agent", "tool", "user", "error")
_MOST_VALUES: Final = 100


class _Value(Struct):
    facet: str
    value: str
    count: int


def facets(store: Store, filters: Filters) -> dict[str, list[dict[str, Any]]]:
    """Return each facet's most frequent values with how many of the filtered sessions have them."""
    where, values = condition(filters)
    sources = {
        "state": f"[{STATE}]",
        "tag": "tags",
        "model": "models",
        "agent": "agents",
        "tool": "tools",
        "user": "[user_id]",
        "error": "error_types",
    }
    pairs = ", ".join(
        f"arrayMap(value -> ('{facet}', toString(value)), arrayDistinct({source}))"
        for facet, source in sources.items()
    )
    rows = store.rows(
        f"SELECT pair.1 AS facet, pair.2 AS value, count() AS count FROM "
        f"(SELECT arrayJoin(arrayConcat({pairs})) AS pair FROM sessions FINAL WHERE {where}) "
        "WHERE value != '' GROUP BY facet, value ORDER BY count DESC, value LIMIT {most:UInt32} BY facet",
        {**values, "most": _MOST_VALUES},
        _Value,
    )
    found: dict[str, list[dict[str, Any]]] = {facet: [] for facet in FACETS}
    for row in rows:
        found[row.facet].append({"value": row.value, "count": row.count})
    return found
