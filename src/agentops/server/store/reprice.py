"""Repricing: what calls cost, computed anew with the prices of today's table and of one's own file.

A reported cost stays. A call that was unknown may have a price now, and one whose price is gone has none.
Only rows that change are written again, one version later.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec
from msgspec import Struct

from agentops.server import prices
from agentops.server.store.client import Store
from agentops.server.store.facts import Fact, TraceKey, stored_fact
from agentops.server.store.summarise import Summariser

_AT_ONCE: Final = 20_000
_WHOLE_AT_ONCE: Final = 500
_WAIT_S: Final = 600.0


class Repriced(Struct, frozen=True):
    """What was done: calls that were looked at, and those whose cost is another now."""

    calls: int = 0
    changed: int = 0


class _Call(Struct):
    project: str
    trace_id: str
    span_id: str
    started_at: int
    kind: str
    model: str
    request_model: str
    provider: str
    tokens_input: int | None
    tokens_output: int | None
    tokens_cache_read: int | None
    tokens_cache_write: int | None
    tokens_reasoning: int | None
    usage_more: str
    cost_usd: float | None
    cost_detail: str


def reprice(
    store: Store,
    summariser: Summariser,
    *,
    project: str | None = None,
    since_ns: int = 0,
    on_progress: Callable[[Repriced], None] | None = None,
) -> Repriced:
    """Compute costs anew; returns when they stand in the sessions' rows too.

    Args:
        store: the store.
        summariser: the one that is running on this store.
        project: whose calls; None: of all projects.
        since_ns: calls that began before this time (unix nanoseconds) stay.
        on_progress: told how far it is.
    """
    done = Repriced()
    after: tuple[str, str, int, str] = ("", "", 0, "")
    while True:
        calls = store.rows(
            f"SELECT {', '.join(_Call.__struct_fields__)} FROM spans FINAL "
            "WHERE kind IN ('llm', 'embedding') AND ended AND cost_source != 'reported' "
            "AND started_at >= {since:UInt64} "
            + ("AND project = {project:String} " if project is not None else "")
            + "AND (project, trace_id, started_at, span_id) > "
            "({p:String}, {t:String}, {n:UInt64}, {s:String}) "
            "ORDER BY project, trace_id, started_at, span_id LIMIT {most:UInt32}",
            {
                "since": since_ns,
                **({"project": project} if project is not None else {}),
                "p": after[0],
                "t": after[1],
                "n": after[2],
                "s": after[3],
                "most": _AT_ONCE,
            },
            _Call,
        )
        if not calls:
            break
        last = calls[-1]
        after = (last.project, last.trace_id, last.started_at, last.span_id)
        changed = [(one, now) for one in calls if (now := _cost(one)) != _stored(one)]
        for start in range(0, len(changed), _WHOLE_AT_ONCE):
            _rewrite(store, summariser, changed[start : start + _WHOLE_AT_ONCE])
        done = Repriced(done.calls + len(calls), done.changed + len(changed))
        if on_progress is not None:
            on_progress(done)
    if done.changed:
        summariser.caught_up(_WAIT_S)
    return done


def _stored(one: _Call) -> tuple[float | None, str]:
    return (one.cost_usd, one.cost_detail)


def _cost(one: _Call) -> tuple[float | None, str]:
    if not one.model:
        return (None, "")
    found = prices.cost_of(
        one.provider,
        one.model,
        one.request_model,
        one.started_at,
        kind=one.kind,
        entered=one.tokens_input,
        left=one.tokens_output,
        cache_read=one.tokens_cache_read,
        cache_write=one.tokens_cache_write,
        reasoning=one.tokens_reasoning,
        usage_more=one.usage_more,
    )
    return (None, "") if found is None else (float(found.usd), prices.written(found.detail))


def _rewrite(
    store: Store, summariser: Summariser, changed: list[tuple[_Call, tuple[float | None, str]]]
) -> None:
    """Write these calls again, whole, with their cost."""
    by_project: dict[str, dict[tuple[str, str], tuple[float | None, str]]] = {}
    for one, now in changed:
        by_project.setdefault(one.project, {})[one.trace_id, one.span_id] = now
    for project, costs in by_project.items():
        rows = store.rows(
            "SELECT * FROM spans FINAL WHERE project = {project:String} AND trace_id IN {ids:Array(String)} "
            "AND span_id IN {spans:Array(String)}",
            {
                "project": project,
                "ids": sorted({trace_id for trace_id, _ in costs}),
                "spans": sorted({span_id for _, span_id in costs}),
            },
            dict[str, Any],
        )
        lines: list[bytes] = []
        touched: dict[TraceKey, list[Fact]] = {}
        for row in rows:
            now = costs.get((row["trace_id"], row["span_id"]))
            if now is None:
                continue
            row["cost_usd"], row["cost_detail"] = now
            row["cost_source"] = "" if now[0] is None else "computed"
            row["version"] += 1
            lines.append(msgspec.json.encode(row))
            touched.setdefault((project, row["trace_id"]), []).append(stored_fact(row))
        store.insert("spans", lines)
        summariser.submit(touched)
