"""Marks: what only a whole trace says about single spans, kept in tables beside them.

A span's session, its agent and whether its usage is a repetition may follow from spans that arrive long after
it. Marks are small and rewritten as often as they change; spans, with their bodies, never are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import Struct, field

from agentops.semconv import SESSION_KIND
from agentops.server.store.client import Store
from agentops.server.store.facts import Fact

_COLUMNS: Final = {"span_sessions": "session_id", "span_agents": "agent", "repeats": "repeated"}


class Marks(Struct):
    """The marks of one trace, by span id.

    Attributes:
        sessions: The session of a span that declares none, in a trace of several sessions.
        agents: The agent that a span without an agent's name of its own works for.
        repeats: Calls whose usage another event states too.
    """

    sessions: dict[str, str] = field(default_factory=dict[str, str])
    agents: dict[str, str] = field(default_factory=dict[str, str])
    repeats: set[str] = field(default_factory=set[str])


class _Mark(Struct):
    trace_id: str
    span_id: str
    value: str


def load(store: Store, project: str, trace_ids: list[str]) -> dict[str, Marks]:
    """Return the marks of these traces as they are stored."""
    found = {trace_id: Marks() for trace_id in trace_ids}
    for table, column in _COLUMNS.items():
        for mark in store.rows(
            f"SELECT trace_id, span_id, toString({column}) AS value FROM {table} FINAL "
            "WHERE project = {project:String} AND trace_id IN {ids:Array(String)}",
            {"project": project, "ids": trace_ids},
            _Mark,
        ):
            marks = found[mark.trace_id]
            if table == "span_sessions":
                marks.sessions[mark.span_id] = mark.value
            elif table == "span_agents" and mark.value:
                marks.agents[mark.span_id] = mark.value
            elif mark.value == "true":
                marks.repeats.add(mark.span_id)
    return found


def changes(project: str, trace_id: str, before: Marks, now: Marks, version: int) -> dict[str, list[bytes]]:
    """Return the rows, by table, that make the stored marks of a trace those of `now`."""
    found: dict[str, list[bytes]] = {table: [] for table in _COLUMNS}

    def row(table: str, span_id: str, value: str | bool) -> None:
        columns = {"project": project, "trace_id": trace_id, "span_id": span_id, "version": version}
        found[table].append(msgspec.json.encode({**columns, _COLUMNS[table]: value}))

    for span_id, session_id in now.sessions.items():
        if before.sessions.get(span_id) != session_id:
            row("span_sessions", span_id, session_id)
    if before.agents != now.agents:
        for span_id in before.agents.keys() | now.agents.keys():
            if before.agents.get(span_id) != now.agents.get(span_id):
                row("span_agents", span_id, now.agents.get(span_id, ""))
    for span_id in before.repeats ^ now.repeats:
        row("repeats", span_id, span_id in now.repeats)
    return found


def nearest_agents(facts: Mapping[str, Fact]) -> dict[str, str]:
    """Return the agents of spans that name none: their own name if they are agents, else the nearest above's.

    Args:
        facts: the trace's spans by span id.
    """
    if not any(one.agent or one.kind == "agent" for one in facts.values()):
        return {}
    known: dict[str, str] = {}
    found: dict[str, str] = {}
    for span_id, one in facts.items():
        if one.agent or one.kind == SESSION_KIND:
            continue
        path: list[str] = []
        agent = ""
        at = span_id
        while at in facts:
            if at in known:
                agent = known[at]
                break
            above = facts[at]
            if above.kind == SESSION_KIND:
                break
            agent = above.agent or (above.name if above.kind == "agent" else "")
            if agent:
                break
            # Known as nothing until the walk ends, which also ends one that goes in a circle.
            known[at] = ""
            path.append(at)
            at = above.parent_id
        for passed in path:
            known[passed] = agent
        if agent:
            found[span_id] = agent
    return found
