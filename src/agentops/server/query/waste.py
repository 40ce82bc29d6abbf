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
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, Final, TypeVar

from msgspec import Struct

from agentops.server.query.alike import (
    COMPARED_KINDS,
    PROMPTS,
    Sessions,
    asked,
    calls_of,
    joined,
    of_one_beginning,
    of_several_prompts,
    worth,
)
from agentops.server.query.filters import Filters, condition, deeper_if_none
from agentops.server.query.measured import Elsewhere, events
from agentops.server.query.money import dollars
from agentops.server.query.saving import cached_saving
from agentops.server.store.client import Store
from agentops.server.store.likeness import MIN_SHARED, SHORTEST_SHARED
from agentops.server.store.measures import CALLS

LOOP: Final = 5
KINDS: Final = ("loop", "retry", "failed", "repeat", "uncached")
_PREFIXES: Final = (SHORTEST_SHARED, 8192, 16_384, 32_768, 65_536, 131_072)
"""Bytes of a prompt's beginning that are compared."""
_MOST: Final = 200_000
_MOST_SHOWN: Final = 20
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


class _FailedAlone(Struct):
    """Failed tool calls of one tool, of one session, or, without a name of either, all of them."""

    session_id: str
    name: str
    model: str
    of_session: int
    of_tool: int
    count: int
    sessions: int
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
    more_sessions: int = 0
    """Sessions of which no single call is added."""

    def add_sum(self, one: _FailedAlone) -> None:
        self.count += one.count
        self.duration_ns += one.duration
        self.more_sessions += one.sessions
        if one.cost is not None:
            self.cost = (self.cost or 0.0) + one.cost

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
            "sessions": len(self.sessions) + self.more_sessions,
            "duration_ms": self.duration_ns / 1e6,
            "cost_usd": dollars(self.cost),
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

    def add_alone(self, one: _FailedAlone) -> None:
        """Add what failed in sessions of which no single call is added."""
        if one.of_session:
            self.sessions[one.session_id].add_sum(one)
        elif one.of_tool:
            self.calls["tool", one.name, one.model].add_sum(one)
        else:
            self.all.add_sum(one)


def waste(store: Store, filters: Filters) -> dict[str, Any]:
    """Return what was spent in vain under each heading, the dearest first, with its calls and sessions."""
    where, values = condition(store, filters)
    values["most"] = _MOST
    headings = {kind: _Heading() for kind in KINDS}
    sessions = worth(store, where, values)
    same = asked(store, sessions.again, of_one_beginning, _same, _Same)
    counted: set[tuple[str, str]] = set()
    several = {(one.session_id, event_id) for one in same for event_id in one.ids}
    for one in same:
        for heading, place in classified(one.kind, one.failed):
            counted.add((one.session_id, one.ids[place]))
            headings[heading].add(
                one.session_id, (one.kind, one.name, one.model), one.durations[place], one.costs[place]
            )
    for alone in store.rows(_failed_tools_alone(where), values, _FailedAlone):
        headings["failed"].add_alone(alone)
    failing = sessions.failing
    failed = store.rows(_failed_tools(failing), failing.values, _FailedTool) if failing else []
    for one in failed:
        if (one.session_id, one.span_id) not in several:
            headings["failed"].add(one.session_id, ("tool", one.name, one.model), one.duration, one.cost)
    for one in asked(store, sessions.prompting, of_several_prompts, _alike, _Alike):
        _uncached(one, counted, headings["uncached"])
    found = [(kind, heading) for kind, heading in headings.items() if heading.all.count]
    more_to_see = None if found else deeper_if_none(store, filters)
    if more_to_see is not None:
        return waste(store, more_to_see)
    found.sort(key=lambda one: one[1].all.rank, reverse=True)
    names = _names(store, filters, found)
    costs = [heading.all.cost for _, heading in found if heading.all.cost is not None]
    return {
        "cost_usd": dollars(sum(costs)) if costs else None,
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


def _names(store: Store, filters: Filters, found: Iterable[tuple[str, _Heading]]) -> dict[str, str]:
    ids = sorted({session for _, heading in found for session, _ in _worst(heading.sessions)})
    rows = store.rows(
        "SELECT session_id, name FROM sessions FINAL WHERE project = {project:String} "
        "AND session_id IN {ids:Array(String)}",
        {"project": filters.project, "ids": ids},
        _Named,
    )
    return {row.session_id: row.name for row in rows}


def _same(sessions: Sessions, among: str) -> str:
    return f"""
        SELECT session_id, kind, name, model, {_apart("ids", "failed", "durations", "costs")}
        FROM (
            SELECT session_id, kind, name, model,
                arraySort(groupArray((started_at, span_id, fails, duration, cost))) AS times
            FROM (
                SELECT s.hash AS hash, {_TOLD}, s.status = 'error' ? true : false AS fails
                FROM ({calls_of(sessions, COMPARED_KINDS, "cityHash64(input) AS hash", among)}) AS s
                {joined(sessions)} AND r.span_id = ''
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
    # All tools, and as many sessions as are shown.
    return f"""
        SELECT session_id, name, model, NOT grouping(session_id) AS of_session, NOT grouping(name) AS of_tool,
            count() AS count, uniqExact(session) AS sessions, sum(ifNull(duration_ns, 0)) AS duration,
            sum(cost) AS cost
        FROM ({calls}) WHERE kind = 'tool' AND failed
        GROUP BY GROUPING SETS ((name, model), (session_id), ())
        HAVING count > 0
        ORDER BY ifNull(cost, 0) DESC, duration DESC, count DESC, session_id
        LIMIT {_MOST_SHOWN} BY if(of_session, '', concat(name, '\\0', model, toString(of_tool)))
    """


def _failed_tools(sessions: Sessions) -> str:
    calls = calls_of(sessions, "kind = 'tool' AND status = 'error'")
    return f"""
        SELECT session_id, name, model, span_id, duration, cost
        FROM (SELECT {_TOLD} FROM ({calls}) AS s {joined(sessions)} AND r.span_id = '')
        LIMIT {{most:UInt32}}
    """


def _alike(sessions: Sessions, among: str) -> str:
    prefixes = ", ".join(
        f"if(length(input) >= {size}, [toString(cityHash64(substring(input, 1, {size})))], [])"
        for size in _PREFIXES
    )
    chosen = f"""provider, greatest(length(input), 1) AS size, tokens_input,
        ifNull(tokens_cache_read, 0) AS read, arrayConcat({prefixes}) AS begins"""
    calls = calls_of(sessions, PROMPTS, chosen, among)
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
                {joined(sessions)} AND r.span_id = '' AND notEmpty(s.begins)
            )
            GROUP BY session_id, provider, model, begins[1]
            HAVING count() > 1
            LIMIT {{most:UInt32}}
        )
    """


def _apart(*names: str) -> str:
    """Return SQL for the arrays that `times` holds from its second element on."""
    return ", ".join(f"arrayMap(one -> one.{place}, times) AS {name}" for place, name in enumerate(names, 2))


_TOLD: Final = f"""
    m.session_id AS session_id, s.kind AS kind, s.name AS name, s.model AS model, s.started_at AS started_at,
    s.span_id AS span_id, if(s.ended, s.duration_ns, 0) AS duration,
    if(s.kind IN {CALLS} OR s.cost_source = 'reported', s.cost_usd, NULL) AS cost
"""
"""What is told of a call `s`."""
