"""Which prices are in use? Those of the models that were called, in dollars for a million tokens."""

from __future__ import annotations

import time
from typing import Any, Final

from msgspec import Struct

from agentops.server.pricelist import PriceList
from agentops.server.prices import built_in_list, cost_of
from agentops.server.store.client import Store

_TOKENS: Final = 10_000
"""Priced at once: so few that no price for long prompts applies."""
_MOST: Final = 300


class _Model(Struct):
    provider: str
    model: str
    calls: int


def pricing(store: Store, project: str, own: PriceList) -> dict[str, Any]:
    """Return the models of a project with their prices now, and the entries of one's own file."""
    rows = store.rows(
        "SELECT toString(provider) AS provider, toString(model) AS model, count() AS calls FROM spans "
        "WHERE project = {project:String} AND kind IN ('llm', 'embedding') AND ended AND model != '' "
        "GROUP BY provider, model ORDER BY calls DESC, model, provider LIMIT {most:UInt32}",
        {"project": project, "most": _MOST},
        _Model,
    )
    now = time.time_ns()
    return {
        "built_in": built_in_list(),
        "file": own.name or None,
        "own": [
            {
                "model": one.model,
                "provider": one.provider or None,
                "rates": {name: float(rate) for name, rate in one.rates.items()},
            }
            for one in own.entries
        ],
        "models": [_priced(row, own, now) for row in rows],
    }


def _priced(row: _Model, own: PriceList, now: int) -> dict[str, Any]:
    entry = own.find(row.provider, row.model, now)
    return {
        "provider": row.provider or None,
        "model": row.model,
        "source": "own"
        if entry is not None
        else "built_in"
        if _usd(row, now, entered=1) is not None
        else "unknown",
        "input": _usd(row, now, entered=1),
        "cache_read": _usd(row, now, entered=1, read=1),
        "cache_write": _usd(row, now, entered=1, written=1),
        "output": _usd(row, now, left=1),
    }


def _usd(
    row: _Model, now: int, *, entered: int = 0, read: int = 0, written: int = 0, left: int = 0
) -> float | None:
    found = cost_of(
        row.provider,
        row.model,
        row.model,
        now,
        kind="llm",
        entered=entered * _TOKENS,
        left=left * _TOKENS,
        cache_read=read * _TOKENS,
        cache_write=written * _TOKENS,
        reasoning=0,
        usage_more="",
    )
    return None if found is None else float(found.usd * 1_000_000 / _TOKENS)
