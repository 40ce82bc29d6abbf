"""How do the sessions of one tag differ from those of another? Distributions, and what chance explains.

Sessions with both tags belong to neither group; how many there are is said.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from operator import attrgetter
from typing import Any, Final

from msgspec import Struct

from agentops.server.query.filters import DURATION, STATE, Filters, condition, deeper_if_none
from agentops.server.query.significance import FEWEST, LEVEL, fisher, holm, interval, ranked
from agentops.server.store.client import Store

METRICS: Final = ("duration_ms", "cost_usd", "tokens", "events", "errors")
_MOST: Final = 50_000
_BINS: Final = 24


class _Session(Struct):
    in_a: bool
    in_b: bool
    fails: bool
    ended: bool
    duration_ms: float
    cost_usd: float | None
    tokens: int | None
    events: int
    errors: int


def cohorts(store: Store, filters: Filters, *, tag_a: str, tag_b: str) -> dict[str, Any]:
    """Return both groups' distributions and tests of their difference.

    Args:
        store: the open store.
        filters: what both groups are narrowed to.
        tag_a: the tag of the first group.
        tag_b: the tag of the second.
    """
    where, values = condition(store, filters)
    rows = store.rows(
        f"""
        SELECT has(tags, {{tag_a:String}}) ? true : false AS in_a,
            has(tags, {{tag_b:String}}) ? true : false AS in_b,
            {STATE} = 'fail' ? true : false AS fails, {STATE} IN ('success', 'fail') ? true : false AS ended,
            {DURATION} / 1e6 AS duration_ms, cost_usd, tokens_total AS tokens, events, errors
        FROM sessions FINAL WHERE {where} AND (in_a OR in_b)
        ORDER BY started_at DESC, session_id LIMIT {{most:UInt32}}
        """,
        {**values, "tag_a": tag_a, "tag_b": tag_b, "most": _MOST},
        _Session,
    )
    more_to_see = None if rows else deeper_if_none(store, filters)
    if more_to_see is not None:
        return cohorts(store, more_to_see, tag_a=tag_a, tag_b=tag_b)
    a = [row for row in rows if row.in_a and not row.in_b]
    b = [row for row in rows if row.in_b and not row.in_a]
    measured = [_metric(name, _values(a, name), _values(b, name)) for name in METRICS]
    measured.append(_failing(a, b))
    tested = [one for one in measured if one["p"] is not None]
    for one, p in zip(tested, holm([one["p"] for one in tested]), strict=True):
        one["p_corrected"] = p
        one["verdict"] = "differs" if p < LEVEL else "no_difference_shown"
    return {
        "a": {"tag": tag_a, "sessions": len(a)},
        "b": {"tag": tag_b, "sessions": len(b)},
        "in_both": len(rows) - len(a) - len(b),
        "cut_off": len(rows) >= _MOST,
        "level": LEVEL,
        "metrics": measured,
    }


def _values(rows: Sequence[_Session], name: str) -> list[float]:
    """Return the known values of a metric in ascending order."""
    known = map(attrgetter(name), rows)
    return sorted(float(value) for value in known if value is not None)


def _metric(name: str, a: list[float], b: list[float]) -> dict[str, Any]:
    enough = min(len(a), len(b)) >= FEWEST
    found = ranked(a, b) if enough else None
    return {
        "metric": name,
        "test": "mann_whitney",
        "a": _told(a),
        "b": _told(b),
        "bins": bins(a, b),
        "b_exceeds_a": found.b_exceeds_a if found else None,
        "p": found.p if found else None,
        "p_corrected": None,
        "verdict": "too_few",
    }


def _failing(a: Sequence[_Session], b: Sequence[_Session]) -> dict[str, Any]:
    sizes = [sum(row.ended for row in group) for group in (a, b)]
    failed = [sum(row.fails for row in group) for group in (a, b)]
    sides = [
        {
            "count": size,
            "failed": fails,
            "share": fails / size if size else None,
            "interval": interval(fails, size),
        }
        for size, fails in zip(sizes, failed, strict=True)
    ]
    enough = min(sizes) >= FEWEST
    return {
        "metric": "failed",
        "test": "fisher",
        "a": sides[0],
        "b": sides[1],
        "bins": [],
        "b_exceeds_a": None,
        "p": fisher(failed[0], sizes[0], failed[1], sizes[1]) if enough else None,
        "p_corrected": None,
        "verdict": "too_few",
    }


def _told(ordered: list[float]) -> dict[str, Any]:
    return {
        "count": len(ordered),
        "mean": math.fsum(ordered) / len(ordered) if ordered else None,
        **{f"p{round(share * 100)}": quantile(ordered, share) for share in (0.25, 0.5, 0.75, 0.95)},
    }


def quantile(ordered: Sequence[float], share: float) -> float | None:
    """Return a quantile as between neighbouring values; None without any."""
    if not ordered:
        return None
    at = share * (len(ordered) - 1)
    low = math.floor(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (at - low)


def bins(a: Sequence[float], b: Sequence[float]) -> list[dict[str, Any]]:
    """Return both samples, each in ascending order, counted in shared bins.

    They are of one width, or of one ratio where values span decades.
    """
    if not a and not b:
        return []
    low, high = min([*a[:1], *b[:1]]), max([*a[-1:], *b[-1:]])
    if low == high:
        return [{"from": low, "to": high, "a": len(a), "b": len(b)}]
    # Logarithms: the ratio of a very large and a very small number is none any more.
    decades = math.log(high) - math.log(low) if low > 0 else 0.0
    grows = decades > math.log(20)
    inner = [
        low * math.exp(decades * place / _BINS) if grows else low + (high - low) * (place / _BINS)
        for place in range(1, _BINS)
    ]
    edges = pairwise([low, *inner, high])
    return [
        {"from": start, "to": end, "a": of_a, "b": of_b}
        for (start, end), of_a, of_b in zip(edges, _counted(a, inner), _counted(b, inner), strict=True)
    ]


def _counted(ordered: Sequence[float], inner: Sequence[float]) -> list[int]:
    """Return how many values lie between one edge and the next, and beyond the outer ones."""
    below = [bisect_left(ordered, edge) for edge in inner]
    return [end - start for start, end in pairwise([0, *below, len(ordered)])]
