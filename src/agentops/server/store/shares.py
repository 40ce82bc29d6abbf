"""Shares: what one trace's spans make of the sessions they belong to, before anything is written.

A call that is recorded in two traces of one session (by instrumentations that know nothing of each other) is
the same call when both name the provider's response id. It counts in the trace that says most about it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from msgspec import Struct

from agentops.semconv import SESSION_KIND
from agentops.server.store.circles import without_circles
from agentops.server.store.doubles import doubles
from agentops.server.store.facts import ENDED_BIT, Fact
from agentops.server.store.marks import Marks, nearest_agents
from agentops.server.store.measures import Measures, measures
from agentops.server.store.membership import members, trace_session
from agentops.server.store.part import Part, part, weight


class Gone(Struct, frozen=True):
    """A session's deletion: which traces it had, and when (unix nanoseconds)."""

    traces: frozenset[str]
    at_ns: int


@dataclass(slots=True)
class Shares:
    """One trace divided among its sessions, by session id."""

    whole: bool
    marks: Marks
    parts: dict[str, Part] = field(default_factory=dict[str, Part])
    measured: dict[str, Measures | None] = field(default_factory=dict[str, "Measures | None"])
    """None where the events are too many."""
    calls: dict[str, list[Fact]] = field(default_factory=dict[str, list[Fact]])
    """The calls that count, were this trace alone."""


def shares(
    trace_id: str,
    facts: Mapping[str, Fact],
    gone: Mapping[str, Gone],
    elsewhere: Collection[str] = (),
) -> Shares:
    """Divide a trace among sessions and compute what it contributes to each.

    Args:
        trace_id: the trace.
        facts: its spans by span id.
        gone: deletions by session id.
        elsewhere: calls of this trace, by span id, that count in another trace of their session.
    """
    facts = without_circles(facts)
    divided, derived = members(trace_id, facts) if facts else ({}, {})
    for session_id in list(divided):
        deletion = _deletion(trace_id, session_id, divided[session_id], gone)
        if deletion is not None:
            divided[session_id] = came_back(divided[session_id], facts, deletion.at_ns)
            if not divided[session_id]:
                del divided[session_id]
    found = Shares(whole=not derived and len(divided) == 1, marks=Marks(derived, nearest_agents(facts)))
    for session_id, unordered in divided.items():
        # Ties are broken by id, so that the order of arrival never shows.
        share = sorted(unordered, key=lambda one: (one.started_at, one.span_id))
        found.parts[session_id], repeated, found.calls[session_id] = part(
            share, facts, found.marks.agents, elsewhere
        )
        found.marks.repeats |= repeated
        found.measured[session_id] = measures(share, found.marks.agents, repeated)
    return found


def _deletion(trace_id: str, session_id: str, share: list[Fact], gone: Mapping[str, Gone]) -> Gone | None:
    """Return the deletion that a session's share of a trace is to be looked at by.

    Spans that name no session, and all came after one of their trace was deleted, are of that one: the span
    that named it is gone.
    """
    if not gone:
        return None
    own = gone.get(session_id)
    if own is not None and trace_id in own.traces:
        return own
    if session_id != trace_session(trace_id) or any(one.declared_session for one in share):
        return None
    last = max(
        (one for one in gone.values() if trace_id in one.traces), key=lambda one: one.at_ns, default=None
    )
    late = last is not None and all(_received_at(one) > last.at_ns for one in share)
    return last if late else None


def came_back(share: list[Fact], trace: Mapping[str, Fact], gone_at_ns: int) -> list[Fact]:
    """Return which spans of a deleted session are there again: recorded before the deletion, received after.

    They count only with the session's root (or a top of it below another session) among them, or when another
    store had heard of them before: so an import brings a session back, while late records of a program that
    was still reporting do not.
    """
    back = [one for one in share if _received_at(one) > gone_at_ns >= _made_at(one)]
    mine = {one.span_id for one in share}
    if any(
        one.kind == SESSION_KIND
        # Our recorder says when it made a record, which is no import.
        or (not one.own and one.seen_at <= gone_at_ns)
        or not one.parent_id
        or (one.parent_id in trace and one.parent_id not in mine)
        for one in back
    ):
        return back
    return []


def _received_at(one: Fact) -> int:
    return one.version & (ENDED_BIT - 1)


def _made_at(one: Fact) -> int:
    by_its_clock = one.started_at + one.duration_ns if one.ended else max(one.started_at, one.heartbeat_ns)
    # A clock that is ahead makes nothing later than it was heard of.
    return min(by_its_clock, one.seen_at)


def doubled(before: Mapping[str, Part], now: Mapping[str, Part | None]) -> set[str]:
    """Return the traces of a session that share a call, or did: by the hashes of their response ids.

    Args:
        before: the session's parts by trace, as they were.
        now: those of them that are others now; None where a trace has none any more.
    """
    traces = before.keys() | now.keys()
    if len(traces) < 2:
        return set()
    first: dict[int, str] = {}
    found: set[str] = set()
    for trace_id in traces:
        for one in (before.get(trace_id), now.get(trace_id)):
            for number in one.responses if one is not None else ():
                other = first.setdefault(number, trace_id)
                if other != trace_id:
                    found.update((other, trace_id))
    return found


def counted_elsewhere(calls: Iterable[tuple[str, Fact]]) -> dict[str, set[str]]:
    """Return, by trace, the span ids of calls that count in another one.

    Args:
        calls: (trace id, call) of the traces of one session.
    """
    named = [each for each in calls if each[1].response_id]
    found: dict[str, set[str]] = {}
    for group in doubles(named, lambda each: each[1]):
        best = max(group, key=lambda each: _rank(*each))
        for trace_id, one in group:
            if trace_id != best[0]:
                found.setdefault(trace_id, set()).add(one.span_id)
    return found


def _rank(trace_id: str, one: Fact) -> tuple[Any, ...]:
    # The same whichever trace arrived first.
    return (*weight(one), -one.started_at, trace_id, one.span_id)


def part_row(
    project: str,
    session_id: str,
    trace_id: str,
    whole: bool,
    one: Part | None,
    version: int,
    measured: Measures | None = None,
) -> bytes:
    """Return the row of session_traces.

    Args:
        project: the project.
        session_id: the session.
        trace_id: the trace.
        whole: whether the trace holds no other session.
        one: the part; without one the trace has none in the session any more.
        version: of the row.
        measured: the events' measures. They stand here where the part says that they do (`apart`).
    """
    return msgspec.json.encode(
        {
            **(measured.events if measured is not None and one is not None and one.apart else {}),
            "measured": measured is not None or one is None,
            "project": project,
            "session_id": session_id,
            "trace_id": trace_id,
            "whole": whole,
            "deleted": one is None,
            "part": "" if one is None else msgspec.json.encode(one).decode(),
            "version": version,
        }
    )
