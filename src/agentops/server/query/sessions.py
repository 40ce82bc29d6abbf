"""Which sessions are there? A page of the list, how many there are in all, and one session whole."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from weakref import WeakKeyDictionary

import msgspec
from msgspec import Struct

from agentops.server.query import cursors, side
from agentops.server.query.filters import DURATION, Filters, condition, deeper, deeper_if_none
from agentops.server.query.kept import kept
from agentops.server.query.times import iso
from agentops.server.store.client import Store
from agentops.server.store.dialect import BY_KEY, FEW_ROWS

SORTS: Final = {
    "started": "toFloat64(started_at)",
    "duration": f"toFloat64({DURATION})",
    "cost": "ifNull(cost_usd, {unknown})",
    "tokens": "ifNull(toFloat64(tokens_total), {unknown})",
    "errors": "toFloat64(errors)",
    "events": "toFloat64(events)",
}
"""What a list can be sorted by. What is unknown comes last either way: `unknown` lies beyond all else."""
_BELOW_ALL: Final = "-1."
_ABOVE_ALL: Final = "1e300"
_MOST_KEPT: Final = 2_000
"""Rows that are kept, some kilobytes each."""
_PAGE_KEPT: Final = 100
"""Rows of larger pages are not kept: who scrolls far does not come back soon."""
_MOST_TRACES_KEPT: Final = 1_000
_LONGEST_KEPT: Final = 16_384

_COLUMNS: Final = """
    session_id, version, name, note, state, state_reason, lapses_at, ended_at, tags, user_id,
    started_at, last_seen_at, events, llm, tool, action, agent, operation, retrieval, embedding,
    guardrail, errors, tokens_input, tokens_output, tokens_cache_read, tokens_cache_write,
    tokens_reasoning, tokens_total, cost_usd, models, agents, tools, providers, error_types, service,
    resource_id, ledger_sent, ledger_stored, input_preview
"""


class _Row(Struct):
    session_id: str
    version: int
    name: str
    note: str
    state: str
    state_reason: str
    lapses_at: int
    ended_at: int
    tags: list[str]
    user_id: str
    started_at: int
    last_seen_at: int
    events: int
    llm: int
    tool: int
    action: int
    agent: int
    operation: int
    retrieval: int
    embedding: int
    guardrail: int
    errors: int
    tokens_input: int | None
    tokens_output: int | None
    tokens_cache_read: int | None
    tokens_cache_write: int | None
    tokens_reasoning: int | None
    tokens_total: int | None
    cost_usd: float | None
    models: list[str]
    agents: list[str]
    tools: list[str]
    providers: list[str]
    error_types: list[str]
    service: str
    resource_id: int
    ledger_sent: int
    ledger_stored: int
    input_preview: str
    host_env: str = ""


class _Kept:
    """Rows that pages have shown lately, by session and version: a version of a row never changes."""

    def __init__(self) -> None:
        self._rows: OrderedDict[tuple[str, str, int], _Row] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, project: str, wanted: Mapping[str, int]) -> dict[str, _Row]:
        """Return those that are kept, by session id."""
        found: dict[str, _Row] = {}
        with self._lock:
            for session_id, version in wanted.items():
                row = self._rows.get((project, session_id, version))
                if row is not None:
                    self._rows.move_to_end((project, session_id, version))
                    found[session_id] = row
        return found

    def keep(self, project: str, rows: Iterable[_Row]) -> None:
        """Keep rows; the ones that were not asked for the longest go."""
        with self._lock:
            for row in rows:
                self._rows[project, row.session_id, row.version] = row
            while len(self._rows) > _MOST_KEPT:
                self._rows.popitem(last=False)


_kept: WeakKeyDictionary[Store, _Kept] = WeakKeyDictionary()


class _Key(Struct):
    session_id: str
    version: int
    sort_value: float
    total: int


class _Count(Struct):
    total: int


class _Id(Struct):
    session_id: str


class _Json(Struct):
    json: str


class TraceRow(Struct):
    """A trace of a session."""

    trace_id: str
    whole: bool


@dataclass(frozen=True, slots=True)
class Page:
    """A page of sessions, as the API shows them."""

    sessions: list[dict[str, Any]]
    next_cursor: str | None
    total: int


def sessions(
    store: Store, filters: Filters, *, sort: str, order: str, limit: int, cursor: str | None
) -> Page:
    """Return a page of the sessions that pass the filters.

    Raises:
        BadCursor: the cursor belongs to another list or another order.
    """
    down = order == "desc"
    given: list[Any] = []
    if cursor is not None:
        given = cursors.read(cursor, str, str, int, float, str)
        if given[:2] != [sort, order]:
            raise cursors.BadCursor(cursor)
        if sort == "duration":
            # Running sessions grow: a list sorted by duration stays as it was at its first page.
            filters = replace(filters, now_ns=given[2])
    where, values = condition(store, filters)
    direction = "DESC" if down else "ASC"
    sorted_by = SORTS[sort].replace("{unknown}", _BELOW_ALL if down else _ABOVE_ALL)
    after = ""
    if given:
        after = (
            f"WHERE (sort_value, session_id) {'<' if down else '>'} ({{after:Float64}}, {{after_id:String}})"
        )
        values |= {"after": given[3], "after_id": given[4]}
    # The filters are tried once, over what they need; the page's rows are read for the page only.
    keys = store.rows(
        "SELECT session_id, version, sort_value, total FROM "
        f"(SELECT session_id, version, {sorted_by} AS sort_value, count() OVER () AS total "
        f"FROM sessions FINAL WHERE {where}) {after} "
        f"ORDER BY sort_value {direction}, session_id {direction} LIMIT {{limit:UInt32}}",
        {**values, "limit": limit + 1},
        _Key,
    )
    if not keys:
        # Behind a cursor there may be none any more.
        more_to_see = deeper_if_none(store, filters) if given else deeper(filters)
        if more_to_see is not None:
            return sessions(store, more_to_see, sort=sort, order=order, limit=limit, cursor=cursor)
        total = (
            store.rows(f"SELECT count() AS total FROM sessions FINAL WHERE {where}", values, _Count)
            if given
            else []
        )
        return Page([], None, total[0].total if total else 0)
    more = len(keys) > limit
    total_sessions, keys = keys[0].total, keys[:limit]
    by_id = _rows(store, filters, keys)
    last = keys[-1]
    return Page(
        [_shown(by_id[key.session_id], filters.now_ns) for key in keys if key.session_id in by_id],
        cursors.written(sort, order, filters.now_ns, last.sort_value, last.session_id) if more else None,
        total_sessions,
    )


def _rows(store: Store, filters: Filters, keys: list[_Key]) -> dict[str, _Row]:
    """Return the rows of a page by session id.

    They are read by their versions: settling again which is the last would cost twice as much. A version that
    a merge has dropped since its key was read is read as it is now.
    """
    read = f"SELECT {_COLUMNS} FROM sessions"
    of_page = "project = {project:String} AND session_id IN {ids:Array(String)} AND NOT deleted"
    versions = {key.session_id: key.version for key in keys}
    kept = _kept.setdefault(store, _Kept())
    found = kept.find(filters.project, versions)
    missing = [session_id for session_id in versions if session_id not in found]
    if missing:
        wanted = list({versions[session_id] for session_id in missing})
        rows = store.rows(
            f"{read} WHERE {of_page} AND version IN {{versions:Array(UInt64)}}",
            {"project": filters.project, "ids": missing, "versions": wanted},
            _Row,
        )
        read_now = {row.session_id: row for row in rows if row.version == versions[row.session_id]}
        if len(keys) <= _PAGE_KEPT:
            kept.keep(filters.project, read_now.values())
        found |= read_now
    replaced = [session_id for session_id in missing if session_id not in found]
    if replaced:
        of_now = {"project": filters.project, "ids": replaced}
        found |= {row.session_id: row for row in store.rows(f"{read} FINAL WHERE {of_page}", of_now, _Row)}
    return found


def session(store: Store, project: str, session_id: str, now_ns: int) -> dict[str, Any] | None:
    """Return one session with its host environment and resource attributes, or None."""
    of_session = side.ask(lambda: traces(store, project, session_id))
    rows = kept(
        store,
        ("session", project, session_id),
        lambda: store.rows(
            f"SELECT {_COLUMNS}, host_env FROM sessions FINAL WHERE project = {{project:String}} "
            f"AND session_id = {{session:String}} AND NOT deleted {FEW_ROWS}",
            {"project": project, "session": session_id},
            _Row,
        ),
        lambda rows: len(msgspec.json.encode(rows)) <= _LONGEST_KEPT,
    )
    if not rows:
        return None
    return _detailed(store, project, rows[0], [one.trace_id for one in of_session.result()], now_ns)


def detailed(
    store: Store, project: str, traces_of: Mapping[str, Sequence[str]], now_ns: int
) -> dict[str, dict[str, Any]]:
    """Return several sessions whole, by session id; given are theirs with their traces."""
    rows = store.rows(
        f"SELECT {_COLUMNS}, host_env FROM sessions FINAL "
        "WHERE project = {project:String} AND session_id IN {ids:Array(String)} AND NOT deleted",
        {"project": project, "ids": list(traces_of)},
        _Row,
    )
    return {row.session_id: _detailed(store, project, row, traces_of[row.session_id], now_ns) for row in rows}


def _detailed(store: Store, project: str, row: _Row, trace_ids: Sequence[str], now_ns: int) -> dict[str, Any]:
    return {
        **_shown(row, now_ns),
        "host_env": parsed(row.host_env) if row.host_env else None,
        "resource": resource(store, project, row.resource_id),
        "trace_ids": list(trace_ids[:1000]),
    }


def existing(store: Store, project: str, session_ids: Sequence[str]) -> list[str]:
    """Return those of these sessions that there are, in the order they were named."""
    rows = store.rows(
        "SELECT session_id FROM sessions FINAL WHERE project = {project:String} "
        "AND session_id IN {ids:Array(String)} AND NOT deleted",
        {"project": project, "ids": list(session_ids)},
        _Id,
    )
    there = {row.session_id for row in rows}
    return [one for one in dict.fromkeys(session_ids) if one in there]


def resource(store: Store, project: str, resource_id: int) -> dict[str, Any]:
    """Return a resource's attributes."""
    rows = kept(
        store,
        ("resource", project, resource_id),
        lambda: store.rows(
            "SELECT json FROM resources FINAL WHERE project = {project:String} "
            f"AND resource_id = {{id:UInt64}} {FEW_ROWS}",
            {"project": project, "id": resource_id},
            _Json,
        ),
        lambda rows: sum(len(row.json) for row in rows) <= _LONGEST_KEPT,
    )
    return parsed(rows[0].json) if rows else {}


def traces(store: Store, project: str, session_id: str) -> list[TraceRow]:
    """Return the traces of a session."""
    return kept(
        store,
        ("traces", project, session_id),
        lambda: store.rows(
            "SELECT trace_id, whole FROM session_traces FINAL "
            "WHERE project = {project:String} AND session_id = {session:String} "
            f"AND NOT deleted ORDER BY trace_id {BY_KEY}",
            {"project": project, "session": session_id},
            TraceRow,
        ),
        lambda rows: len(rows) <= _MOST_TRACES_KEPT,
    )


def parsed(text: str) -> Any:
    """Read JSON text that we stored; what does not parse is shown as the text it is."""
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def _shown(row: _Row, now_ns: int) -> dict[str, Any]:
    # As filters.py has it in SQL.
    lapsed = row.state == "running" and row.lapses_at < now_ns
    running = row.state == "running" and not lapsed
    ended_at = row.last_seen_at if lapsed else row.ended_at
    reason = f"stopped reporting at {iso(row.last_seen_at)}" if lapsed else row.state_reason
    return {
        "session_id": row.session_id,
        "name": row.name,
        "state": "indeterminate" if lapsed else row.state,
        "state_reason": reason or None,
        "tags": row.tags,
        "note": row.note or None,
        "user_id": row.user_id or None,
        "started_at": iso(row.started_at),
        "ended_at": iso(ended_at),
        "duration_ms": None if running else max(0, ended_at - row.started_at) / 1e6,
        "event_counts": {
            "llm": row.llm,
            "tool": row.tool,
            "action": row.action,
            "agent": row.agent,
            "operation": row.operation,
            "retrieval": row.retrieval,
            "embedding": row.embedding,
            "guardrail": row.guardrail,
            "error": row.errors,
            "total": row.events,
        },
        "tokens": {
            "input": row.tokens_input,
            "output": row.tokens_output,
            "cache_read": row.tokens_cache_read,
            "cache_write": row.tokens_cache_write,
            "reasoning": row.tokens_reasoning,
            "total": row.tokens_total,
        },
        "cost_usd": row.cost_usd,
        "models": row.models,
        "agents": row.agents,
        "tools": row.tools,
        "providers": row.providers,
        "error_types": row.error_types,
        "service": row.service or None,
        "last_seen_at": iso(row.last_seen_at),
        "ledger": {"sent": row.ledger_sent, "stored": row.ledger_stored},
        "input_preview": row.input_preview or None,
    }
