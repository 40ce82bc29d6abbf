"""Which spans are a session's: the condition that every question about one session starts from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from msgspec import Struct, field

from agentops.server.query import side
from agentops.server.query.kept import kept
from agentops.server.query.sessions import TraceRow, traces
from agentops.server.store.client import Store
from agentops.server.store.dialect import BY_KEY, FEW_ROWS
from agentops.server.store.edits import Trace, traces_of


@dataclass(frozen=True, slots=True)
class Scope:
    """One session: how to find its spans, and what its events need to know of it."""

    project: str
    session_id: str
    where: str
    """Condition over `spans FINAL`."""
    logs_where: str
    """Condition over `logs FINAL`."""
    values: dict[str, Any]
    running: bool
    started_at: int
    tags: list[str]

    @property
    def events_where(self) -> str:
        """The condition without the session's own root spans, which are no events."""
        return f"({self.where}) AND kind != 'session'"

    @property
    def parent(self) -> str:
        """SQL for an event's parent, NULL where that is the session itself."""
        return "nullIf(transform(parent_id, {roots:Array(String)}, {hangs:Array(String)}, parent_id), '')"

    @property
    def status(self) -> str:
        """SQL for an event's status: what has no end in a session that stopped was interrupted."""
        return "if(ended, status, {open:String})"


_FEW: Final = 1_000
"""Roots of a session, and events of it with an agent above them, that are looked up once and kept."""


class _Session(Struct):
    session_id: str
    state: str
    lapses_at: int
    started_at: int
    tags: list[str]
    roots: dict[str, str] = field(default_factory=dict[str, str])


def scope(store: Store, project: str, session_id: str, now_ns: int) -> Scope | None:
    """Return where a session's spans are, or None when there is no such session."""
    of_session = side.ask(lambda: traces(store, project, session_id))
    found = kept(
        store,
        ("scope", project, session_id),
        lambda: _states(store, project, [session_id]),
        lambda rows: all(len(row.roots) <= _FEW for row in rows),
    )
    return _scope(project, found[0], of_session.result(), now_ns) if found else None


def scopes(store: Store, project: str, session_ids: Sequence[str], now_ns: int) -> dict[str, Scope]:
    """Return where the spans of several sessions are, by session id, without those that there are not."""
    of_sessions = side.ask(lambda: traces_of(store, project, session_ids))
    states = _states(store, project, session_ids)
    of_session: dict[str, list[Trace]] = {}
    for row in sorted(of_sessions.result(), key=lambda row: row.trace_id):
        of_session.setdefault(row.session_id, []).append(row)
    return {
        one.session_id: _scope(project, one, of_session.get(one.session_id, []), now_ns) for one in states
    }


def _scope(project: str, session: _Session, rows: Sequence[TraceRow | Trace], now_ns: int) -> Scope:
    # As filters.py has it in SQL.
    running = session.state == "running" and session.lapses_at >= now_ns
    whole = [row.trace_id for row in rows if row.whole]
    mixed = [row.trace_id for row in rows if not row.whole]
    values: dict[str, Any] = {
        "project": project,
        "session": session.session_id,
        "traces": [row.trace_id for row in rows],
        "roots": list(session.roots) or [""],
        "hangs": list(session.roots.values()) or [""],
        "open": "running" if running else "interrupted",
    }
    clauses: list[str] = []
    if len(whole) == 1:
        # An equality lets the engine read one trace in its stored order, which is start order.
        clauses.append("trace_id = {trace:String}")
        values["trace"] = whole[0]
    elif whole:
        clauses.append("trace_id IN {whole:Array(String)}")
        values["whole"] = whole
    members = ""
    if mixed:
        values["mixed"] = mixed
        members = (
            "(trace_id, span_id) IN (SELECT trace_id, span_id FROM span_sessions FINAL WHERE project "
            "= {project:String} "
            "AND trace_id IN {mixed:Array(String)} AND session_id = {session:String})"
        )
        clauses.append(
            "(trace_id IN {mixed:Array(String)} AND (declared_session = {session:String} "
            f"OR (declared_session = '' AND {members})))"
        )
    inside = " OR ".join(clauses) if clauses else "0"
    logs_inside = inside
    if mixed:
        # A log record belongs where its span does.
        spans = (
            "(trace_id, span_id) IN (SELECT trace_id, span_id FROM spans WHERE project = {project:String} "
            "AND trace_id IN {mixed:Array(String)} AND declared_session = {session:String})"
        )
        logs_inside = inside.replace(members, f"({members} OR {spans})")
    return Scope(
        project=project,
        session_id=session.session_id,
        where=f"project = {{project:String}} AND ({inside})",
        logs_where=(
            f"project = {{project:String}} AND ({logs_inside} "
            "OR (trace_id = '' AND declared_session = {session:String}))"
        ),
        values=values,
        running=running,
        started_at=session.started_at,
        tags=session.tags,
    )


def _states(store: Store, project: str, session_ids: Sequence[str]) -> list[_Session]:
    return store.rows(
        "SELECT session_id, state, lapses_at, started_at, tags, roots FROM sessions FINAL WHERE project = "
        f"{{project:String}} AND session_id IN {{sessions:Array(String)}} AND NOT deleted {BY_KEY}",
        {"project": project, "sessions": list(session_ids)},
        _Session,
    )


@dataclass(frozen=True, slots=True)
class AgentOf:
    """How a SELECT over `spans AS s FINAL` says which agent an event works for: three pieces of its SQL."""

    value: str
    before: str = ""
    """What the statement begins with."""
    join: str = ""


_FOUND: Final = """
    FROM span_agents FINAL WHERE project = {project:String} AND trace_id IN {traces:Array(String)}
"""


def agents(store: Store, scope: Scope) -> AgentOf:
    """Return how to say an event's agent: its own, else the one that it works for."""
    if above(store, scope) == {}:
        return AgentOf("toString(agent)")
    if len(scope.values["traces"]) == 1:
        # A span's id is enough within one trace, and a list to look in costs half of what a join does.
        return AgentOf(
            "if(agent != '', toString(agent), transform(span_id, above.1, above.2, ''))",
            before=f"WITH (SELECT (groupArray(span_id), groupArray(toString(agent))) {_FOUND}) AS above",
        )
    return AgentOf(
        "toString(if(agent != '', agent, above))",
        join=f"LEFT ANY JOIN (SELECT trace_id AS above_trace, span_id AS above_span, agent AS above {_FOUND})"
        " AS a ON a.above_span = s.span_id AND a.above_trace = s.trace_id",
    )


class _Agent(Struct):
    trace_id: str
    span_id: str
    agent: str


Agents = Mapping[tuple[str, str], str]
"""Agents of events that name none themselves, by trace and span id."""


def above(store: Store, scope: Scope) -> Agents | None:
    """Return the agents of all events that name none themselves, or None when they are very many."""
    return kept(store, ("above", scope.project, scope.session_id), lambda: _few_agents(store, scope))


def _few_agents(store: Store, scope: Scope) -> Agents | None:
    rows = store.rows(
        "SELECT trace_id, span_id, agent FROM span_agents WHERE project = {project:String} "
        f"AND trace_id IN {{traces:Array(String)}} LIMIT {_FEW + 1} {BY_KEY}",
        scope.values,
        _Agent,
    )
    if len(rows) > _FEW:
        return None
    # A second version of a row is rare, and then the newest counts.
    if len({(one.trace_id, one.span_id) for one in rows}) < len(rows):
        return agents_above(store, scope, scope.values["traces"])
    return {(one.trace_id, one.span_id): one.agent for one in rows}


def agents_above(store: Store, scope: Scope, traces: Sequence[str], spans: Sequence[str] = ()) -> Agents:
    """Return the agents of the events of these traces, of all or of these, that name none themselves."""
    # The newest of each instead of FINAL, which would merge every row between those of a large trace.
    rows = store.rows(
        "SELECT trace_id, span_id, agent FROM span_agents WHERE project = {project:String} "
        f"AND trace_id IN {{traces:Array(String)}} {'AND span_id IN {spans:Array(String)}' if spans else ''} "
        f"ORDER BY version DESC LIMIT 1 BY trace_id, span_id {FEW_ROWS}",
        {"project": scope.project, "traces": list(traces), "spans": list(spans)},
        _Agent,
    )
    return {(one.trace_id, one.span_id): one.agent for one in rows}
