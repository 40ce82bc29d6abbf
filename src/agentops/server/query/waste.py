"""Which money and time was spent in vain? Calls of the filtered sessions, each under one heading only.

Same call: same kind, name, model and input, within one session. In this order, a call is counted as
  loop       from its second time on, when it was made LOOP times or more
  retry      it failed, and the same call was made again
  failed     a tool call that failed otherwise
  repeat     it had succeeded before
  uncached   a prompt that begins as an earlier one of the session did, over MIN_SHARED tokens, none of them
             read from the cache, though the provider prices such tokens lower; what it would have saved

Calls whose input was not recorded can only be counted as failed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, Final, TypeVar

from msgspec import Struct

from agentops.server.query.filters import Filters, condition
from agentops.server.query.measured import Elsewhere, events
from agentops.server.query.saving import cached_saving
from agentops.server.store.client import Store
from agentops.server.store.likeness import COMPARED, MIN_SHARED, SHORTEST_SHARED
from agentops.server.store.measures import CALLS

LOOP: Final = 5
KINDS: Final = ("loop", "retry", "failed", "repeat", "uncached")
_PREFIXES: Final = (SHORTEST_SHARED, 8192, 16_384, 32_768, 65_536, 131_072)
"""Bytes of a prompt's beginning that are compared."""
_MOST: Final = 200_000
_MOST_SHOWN: Final = 20
_MOST_NAMED: Final = 100_000
_MOST_TRACES: Final = 20_000
_Row = TypeVar("_Row", "_Same", "_Alike")
_Key = TypeVar("_Key", str, tuple[str, str, str])


class _Same(Struct):
    """The times that one call was made in a session: parallel arrays in start order."""

    session_id: str
    kind: str
    name: str
    model: str
    ids: list[str]
    failed: list[bool]
    durations: list[int]
    costs: list[float | None]


class _FailedTool(Struct):
    session_id: str
    name: str
    model: str
    span_id: str
    duration: int
    cost: float | None


class _Alike(Struct):
    """The prompts of a session to one model that begin alike."""

    session_id: str
    name: str
    provider: str
    model: str
    ids: list[str]
    starts: list[int]
    tokens: list[int]
    cached: list[int]
    lengths: list[int]
    prefixes: list[list[str]]


class _Candidate(Struct):
    id: int


class _Trace(Struct):
    trace_id: str


@dataclass(frozen=True, slots=True)
class _Sessions:
    """The sessions whose calls are looked at.

    Attributes:
        where: a condition over `sessions FINAL`.
        values: its parameters, and those of `traces`.
        traces: SQL for the set of their traces; "" where they are too many to be named.
    """

    where: str
    values: Mapping[str, Any]
    traces: str = ""


class _Named(Struct):
    session_id: str
    name: str


@dataclass(slots=True)
class _Sum:
    count: int = 0
    duration_ns: int = 0
    cost: float | None = None
    tokens: int = 0
    sessions: set[str] = field(default_factory=set[str])

    def add(self, session: str, duration_ns: int, cost: float | None, tokens: int = 0) -> None:
        self.count += 1
        self.duration_ns += duration_ns
        self.tokens += tokens
        self.sessions.add(session)
        if cost is not None:
            self.cost = (self.cost or 0.0) + cost

    @property
    def rank(self) -> tuple[float, int, int]:
        return (self.cost or 0.0, self.duration_ns, self.count)

    def shown(self) -> dict[str, Any]:
        return {
            "count": self.count,
            "sessions": len(self.sessions),
            "duration_ms": self.duration_ns / 1e6,
            "cost_usd": self.cost,
            "tokens": self.tokens or None,
        }


@dataclass(slots=True)
class _Heading:
    all: _Sum = field(default_factory=_Sum)
    calls: dict[tuple[str, str, str], _Sum] = field(default_factory=lambda: defaultdict(_Sum))
    sessions: dict[str, _Sum] = field(default_factory=lambda: defaultdict(_Sum))
    rates: dict[tuple[str, str, str], float] = field(default_factory=dict[tuple[str, str, str], float])

    def add(
        self, session: str, call: tuple[str, str, str], duration_ns: int, cost: float | None, tokens: int = 0
    ) -> None:
        for one in (self.all, self.calls[call], self.sessions[session]):
            one.add(session, duration_ns, cost, tokens)


def waste(store: Store, filters: Filters) -> dict[str, Any]:
    """Return what was spent in vain under each heading, the dearest first, with its calls and sessions."""
    where, values = condition(store, filters)
    values["most"] = _MOST
    headings = {kind: _Heading() for kind in KINDS}
    repeating = _sessions(store, f"{where} AND NOT calls_differ", values)
    same = _asked(store, repeating, _of_one_beginning, _same, _Same)
    counted: set[tuple[str, str]] = set()
    several = {(one.session_id, event_id) for one in same for event_id in one.ids}
    for one in same:
        for heading, place in classified(one.kind, one.failed):
            counted.add((one.session_id, one.ids[place]))
            headings[heading].add(
                one.session_id, (one.kind, one.name, one.model), one.durations[place], one.costs[place]
            )
    failed = store.rows(_failed_tools_alone(where), values, _FailedTool)
    failing = _sessions(store, f"{where} AND errors > 0 AND NOT calls_differ", values)
    failed += store.rows(_failed_tools(failing), dict(failing.values), _FailedTool) if failing else []
    for one in failed:
        if (one.session_id, one.span_id) not in several:
            headings["failed"].add(one.session_id, ("tool", one.name, one.model), one.duration, one.cost)
    prompting = _sessions(store, f"{where} AND NOT prompts_differ", values)
    for one in _asked(store, prompting, _of_several_prompts, _alike, _Alike):
        _uncached(one, counted, headings["uncached"])
    found = [(kind, heading) for kind, heading in headings.items() if heading.all.count]
    found.sort(key=lambda one: one[1].all.rank, reverse=True)
    names = _names(store, filters, found)
    costs = [heading.all.cost for _, heading in found if heading.all.cost is not None]
    return {
        "cost_usd": sum(costs) if costs else None,
        "duration_ms": sum(heading.all.duration_ns for _, heading in found) / 1e6,
        "cut_off": max(len(same), len(failed)) >= _MOST,
        "headings": [_shown(kind, heading, names) for kind, heading in found],
    }


def classified(kind: str, failed: list[bool]) -> list[tuple[str, int]]:
    """Return which times of the same call are wasted, as (heading, place), by what each time came to."""
    if len(failed) >= LOOP:
        return [("loop", place) for place in range(1, len(failed))]
    found: list[tuple[str, int]] = []
    succeeded = False
    for place, fails in enumerate(failed):
        if fails and place < len(failed) - 1:
            found.append(("retry", place))
        elif fails and kind == "tool":
            found.append(("failed", place))
        elif not fails:
            if succeeded:
                found.append(("repeat", place))
            succeeded = True
    return found


def _uncached(one: _Alike, counted: set[tuple[str, str]], heading: _Heading) -> None:
    seen: set[str] = set(one.prefixes[0])
    for place in range(1, len(one.ids)):
        shared = sum(prefix in seen for prefix in one.prefixes[place])
        seen.update(one.prefixes[place])
        if not shared or one.cached[place] or (one.session_id, one.ids[place]) in counted:
            continue
        tokens = one.tokens[place] * min(1.0, _PREFIXES[shared - 1] / one.lengths[place])
        if tokens < MIN_SHARED:
            continue
        rate = cached_saving(one.provider, one.model, one.starts[place])
        if rate is None or rate <= 0:
            continue
        call = ("llm", one.name, one.model)
        heading.rates[call] = rate
        heading.add(one.session_id, call, 0, int(tokens) * rate / 1e6, int(tokens))


def _worst(sums: Mapping[_Key, _Sum]) -> list[tuple[_Key, _Sum]]:
    """Return the dearest, then slowest, then most frequent; equal ones always in the same order."""
    return sorted(sorted(sums.items(), key=itemgetter(0)), key=lambda one: one[1].rank, reverse=True)[
        :_MOST_SHOWN
    ]


def _shown(kind: str, heading: _Heading, names: dict[str, str]) -> dict[str, Any]:
    calls, sessions = _worst(heading.calls), _worst(heading.sessions)
    return {
        "heading": kind,
        **heading.all.shown(),
        "calls": [
            {
                "kind": call[0],
                "name": call[1],
                "model": call[2] or None,
                **one.shown(),
                "saving_usd_per_million": heading.rates.get(call),
            }
            for call, one in calls
        ],
        "worst": [
            {"session_id": session, "name": names.get(session, ""), **one.shown()}
            for session, one in sessions
        ],
    }


def _sessions(store: Store, where: str, values: Mapping[str, Any]) -> _Sessions | None:
    """Return the sessions of a condition, with their traces where they are not many; None without any."""
    found = store.rows(
        f"SELECT trace_id FROM ({_traces(where)}) LIMIT {_MOST_TRACES + 1}", dict(values), _Trace
    )
    if not found:
        return None
    if len(found) > _MOST_TRACES:
        return _Sessions(where, values)
    return _Sessions(
        where, {**values, "traces": sorted({one.trace_id for one in found})}, "{traces:Array(String)}"
    )


def _asked(
    store: Store,
    sessions: _Sessions | None,
    candidates: Callable[[_Sessions], str],
    question: Callable[[_Sessions, str], str],
    row: type[_Row],
) -> list[_Row]:
    """Return the rows of a question about some calls, which hashes of their ids name."""
    if sessions is None:
        return []
    asked = candidates(sessions)
    ids = store.rows(f"SELECT id FROM ({asked}) LIMIT {_MOST_NAMED + 1}", dict(sessions.values), _Candidate)
    if not ids:
        return []
    if len(ids) > _MOST_NAMED:
        return store.rows(question(sessions, f"({asked})"), dict(sessions.values), row)
    values = {**sessions.values, "among": [one.id for one in ids]}
    return store.rows(question(sessions, "{among:Array(UInt64)}"), values, row)


def _names(store: Store, filters: Filters, found: Iterable[tuple[str, _Heading]]) -> dict[str, str]:
    ids = sorted({session for _, heading in found for session, _ in _worst(heading.sessions)})
    rows = store.rows(
        "SELECT session_id, name FROM sessions FINAL WHERE project = {project:String} "
        "AND session_id IN {ids:Array(String)}",
        {"project": filters.project, "ids": ids},
        _Named,
    )
    return {row.session_id: row.name for row in rows}


def _same(sessions: _Sessions, among: str) -> str:
    return f"""
        SELECT session_id, kind, name, model, {_apart("ids", "failed", "durations", "costs")}
        FROM (
            SELECT session_id, kind, name, model,
                arraySort(groupArray((started_at, span_id, fails, duration, cost))) AS times
            FROM (
                SELECT s.hash AS hash, {_TOLD}, s.status = 'error' ? true : false AS fails
                FROM ({_calls(sessions, _COMPARED, "cityHash64(input) AS hash", among)}) AS s
                {_joined(sessions)} AND r.span_id = ''
            )
            GROUP BY session_id, kind, name, model, hash HAVING count() > 1
            LIMIT {{most:UInt32}}
        )
    """


def _failed_tools_alone(where: str) -> str:
    """Return SQL for the failed tool calls of sessions where none was made twice: their rows say it all."""
    chosen = ("kind", "failed", "name", "model", "duration_ns", "cost")
    rows = Elsewhere(sessions=False, traces="")
    calls = events(f"errors > 0 AND calls_differ AND {where}", chosen, rows, "session_id")
    return f"""
        SELECT session_id, name, model, '' AS span_id, ifNull(duration_ns, 0) AS duration, cost
        FROM ({calls}) WHERE kind = 'tool' AND failed LIMIT {{most:UInt32}}
    """


def _failed_tools(sessions: _Sessions) -> str:
    calls = _calls(sessions, "kind = 'tool' AND status = 'error'")
    return f"""
        SELECT session_id, name, model, span_id, duration, cost
        FROM (SELECT {_TOLD} FROM ({calls}) AS s {_joined(sessions)} AND r.span_id = '')
        LIMIT {{most:UInt32}}
    """


def _alike(sessions: _Sessions, among: str) -> str:
    prefixes = ", ".join(
        f"if(length(input) >= {size}, [toString(cityHash64(substring(input, 1, {size})))], [])"
        for size in _PREFIXES
    )
    chosen = f"""provider, greatest(length(input), 1) AS size, tokens_input,
        ifNull(tokens_cache_read, 0) AS read, arrayConcat({prefixes}) AS begins"""
    calls = _calls(sessions, _PROMPTS, chosen, among)
    return f"""
        SELECT session_id, name, provider, model,
            arrayMap(one -> one.1, times) AS starts,
            {_apart("ids", "tokens", "cached", "lengths", "prefixes")}
        FROM (
            SELECT session_id, any(name) AS name, provider, model,
                arraySort(groupArray((started_at, span_id, tokens_input, read, size, begins))) AS times
            FROM (
                SELECT m.session_id AS session_id, s.name AS name, s.provider AS provider, s.model AS model,
                    s.started_at AS started_at, s.span_id AS span_id, s.tokens_input AS tokens_input,
                    s.read AS read, s.size AS size, s.begins AS begins
                FROM ({calls}) AS s
                {_joined(sessions)} AND r.span_id = '' AND notEmpty(s.begins)
            )
            GROUP BY session_id, provider, model, begins[1]
            HAVING count() > 1
            LIMIT {{most:UInt32}}
        )
    """


def _apart(*names: str) -> str:
    """Return SQL for the arrays that `times` holds from its second element on."""
    return ", ".join(f"arrayMap(one -> one.{place}, times) AS {name}" for place, name in enumerate(names, 2))


_COMPARED: Final = f"kind IN {COMPARED}"
_PROMPTS: Final = f"kind = 'llm' AND tokens_input >= {MIN_SHARED}"
_TOLD: Final = f"""
    m.session_id AS session_id, s.kind AS kind, s.name AS name, s.model AS model, s.started_at AS started_at,
    s.span_id AS span_id, if(s.ended, s.duration_ns, 0) AS duration,
    if(s.kind IN {CALLS} OR s.cost_source = 'reported', s.cost_usd, NULL) AS cost
"""
"""What is told of a call `s`."""


def _calls(sessions: _Sessions, kinds: str, more: str = "", looked_at: str = "") -> str:
    """Return SQL for calls, with further columns; with `looked_at` for those only that it names by hashes."""
    return f"""
        SELECT trace_id, span_id, declared_session, kind, name, model, started_at, ended, duration_ns, status,
            cost_usd, cost_source{f", {more}" if more else ""}
        FROM spans FINAL {_only(sessions, looked_at)}
        WHERE project = {{project:String}} AND {kinds}
    """


def _only(sessions: _Sessions, ids: str) -> str:
    """Return the PREWHERE of spans that are in the sessions' traces and, by hashes, among ids; "" for all."""
    both = [f"trace_id IN {sessions.traces}"] if sessions.traces else []
    both += [f"cityHash64(trace_id, span_id) IN {ids}"] if ids else []
    return f"PREWHERE {' AND '.join(both)}" if both else ""


# Bodies are most of a store, but how long one is stands beside it, and its beginning is a column of its own.
# These and other short columns tell which calls can be the same at all: only theirs are read.


def _of_one_beginning(sessions: _Sessions) -> str:
    """Return SQL for calls whose input is as long as that of another, and may begin as it does."""
    of_one_size = _looked_at(
        sessions, f"{_COMPARED} AND size > 0", "s.kind, s.name, s.model, s.size", "count() > 1"
    )
    return _looked_at(
        sessions,
        _COMPARED,
        "s.kind, s.name, s.model, s.size",
        # A body that came in a log record has no beginning beside it.
        """count() > 1 AND (uniqExact(s.begins, s.format) < count() OR uniqExact(s.format) > 1
            OR countIf(s.begins = 0) > 0)""",
        ", input_format AS format, if(input_preview = '', 0, cityHash64(input_preview)) AS begins",
        f"({of_one_size})",
    )


def _of_several_prompts(sessions: _Sessions) -> str:
    """Return SQL for prompts long enough to begin as another of the session does, not all of them cached."""
    return _looked_at(
        sessions,
        f"{_PROMPTS} AND size >= {_PREFIXES[0]}",
        "s.provider, s.model",
        "count() > 1 AND countIf(s.cached = 0) > 0",
    )


def _looked_at(
    sessions: _Sessions, calls: str, alike: str, having: str, more: str = "", among: str = ""
) -> str:
    """Return SQL for hashes of the ids of those calls of which `having` is true of all alike in a session."""
    return f"""
        SELECT arrayJoin(ids) AS id FROM (
            SELECT groupArray(s.id) AS ids
            FROM (
                SELECT trace_id, cityHash64(trace_id, span_id) AS id, kind, name, model, provider,
                    input.size AS size, ifNull(tokens_cache_read, 0) AS cached{more}
                FROM spans FINAL {_only(sessions, among)}
                WHERE project = {{project:String}} AND {calls}
            ) AS s
            INNER JOIN ({_traces(sessions.where)}) AS m ON m.trace_id = s.trace_id
            GROUP BY cityHash64(m.session_id, {alike}) HAVING {having}
        )
    """


def _traces(where: str) -> str:
    return f"""
        SELECT trace_id, session_id, whole FROM session_traces FINAL
        WHERE project = {{project:String}} AND NOT deleted
        AND session_id IN (SELECT session_id FROM sessions FINAL WHERE {where})
    """


def _joined(sessions: _Sessions) -> str:
    """Return the joins from calls `s` to their session `m`, without what another call states too (`r`)."""
    return f"""
        INNER JOIN ({_traces(sessions.where)}) AS m ON m.trace_id = s.trace_id
        LEFT JOIN (
            SELECT trace_id, span_id, session_id FROM span_sessions FINAL
            WHERE project = {{project:String}}
        ) AS o ON o.trace_id = s.trace_id AND o.span_id = s.span_id
        LEFT JOIN (
            SELECT trace_id, span_id FROM repeats FINAL WHERE project = {{project:String}} AND repeated
        ) AS r ON r.trace_id = s.trace_id AND r.span_id = s.span_id
        WHERE (m.whole OR s.declared_session = m.session_id
            OR (s.declared_session = '' AND o.session_id = m.session_id))
    """
