"""Membership: which session each span of a trace belongs to.

A span belongs to the session that it declares, else to that of its nearest declaring ancestor in the trace,
else to the only session that its trace declares, else to the trace itself (its id in UUID form). Since a
declaring parent may arrive long after its children, the answer is recomputed from the whole trace whenever
the trace changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from agentops.server.store.facts import Fact


def trace_session(trace_id: str) -> str:
    """Return the session of a trace that declares none: its id in UUID form."""
    return str(UUID(hex=trace_id))


def members(trace_id: str, facts: Mapping[str, Fact]) -> tuple[dict[str, list[Fact]], dict[str, str]]:
    """Divide a trace's spans among sessions.

    Args:
        trace_id: 32 hex characters.
        facts: the trace's spans by span id.

    Returns:
        The facts of each session, and the session of each span that does not declare it, when the trace holds
        several sessions (empty when it holds one: the trace is whole).
    """
    declared = {one.declared_session for one in facts.values()}
    declared.discard("")
    if len(declared) <= 1:
        session = next(iter(declared), "") or trace_session(trace_id)
        return {session: list(facts.values())}, {}
    known: dict[str, str] = {}
    sessions: dict[str, list[Fact]] = {}
    derived: dict[str, str] = {}
    fallback = trace_session(trace_id)
    for span_id, one in facts.items():
        session = one.declared_session or _inherited(span_id, facts, known, fallback)
        sessions.setdefault(session, []).append(one)
        if not one.declared_session:
            derived[span_id] = session
    return sessions, derived


def _inherited(span_id: str, facts: Mapping[str, Fact], known: dict[str, str], fallback: str) -> str:
    path: list[str] = []
    at = span_id
    session = fallback
    on_path: set[str] = set()
    while at in facts and at not in on_path:
        if at in known:
            session = known[at]
            break
        one = facts[at]
        if one.declared_session:
            session = one.declared_session
            break
        path.append(at)
        on_path.add(at)
        at = one.parent_id
    for passed in path:
        known[passed] = session
    return session
