"""What the summariser knows of traces and sessions: loaded from the store once, kept while there is room.

All of it can be thrown away at any time. Where several servers write one store it is, after every pass.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec
from msgspec import Struct, field

from agentops.server.store.client import Store
from agentops.server.store.dialect import OF_TRACES
from agentops.server.store.facts import COLUMNS, Fact, TraceKey
from agentops.server.store.marks import Marks, load
from agentops.server.store.moved import Moved
from agentops.server.store.part import Part
from agentops.server.store.said import IDS_PER_QUERY, by_project

SessionKey = tuple[str, str]
"""(project, session_id)."""

_MOST_CACHED_FACTS: Final = 100_000
_MOST_CACHED_TRACES: Final = 10_000
_MOST_CACHED_PARTS: Final = 10_000


class Trace(Struct):
    """A trace: its spans' facts, the sessions that it has a share in, and its marks as they are stored."""

    facts: dict[str, Fact] = field(default_factory=dict[str, Fact])
    sessions: set[str] = field(default_factory=set[str])
    marks: Marks = field(default_factory=Marks)


class _TracedFact(Fact, frozen=True, gc=False):
    trace_id: str


class _PartRow(Struct):
    session_id: str
    trace_id: str
    part: str


class Known:
    """Traces and sessions as the store has them, and as a pass changes them.

    Attributes:
        traces: by key, the most recently used last.
        sessions: their parts by trace, the most recently used last.
        moved: spans whose start has changed since they were stored.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.traces: OrderedDict[TraceKey, Trace] = OrderedDict()
        self.sessions: OrderedDict[SessionKey, dict[str, Part]] = OrderedDict()
        self.moved: list[Moved] = []
        self._cached_facts = 0
        self._cached_parts = 0

    def merge(self, key: TraceKey, trace: Trace, facts: Iterable[Fact]) -> None:
        """Add facts to a trace; of two of one span the one of the later version stays."""
        known = trace.facts
        for one in facts:
            before = known.get(one.span_id)
            if before is None:
                self._cached_facts += 1
                known[one.span_id] = one
                continue
            stays, goes = (before, one) if before.version > one.version else (one, before)
            known[one.span_id] = stays
            if stays.started_at != goes.started_at:
                self.moved.append(Moved(*key, goes.span_id, goes.started_at))

    def keep(self, key: SessionKey, parts: Mapping[str, Part | None]) -> None:
        """Replace parts of a known session by trace; None where it has none any more."""
        known = self.sessions[key]
        for trace_id, one in parts.items():
            self._cached_parts -= trace_id in known
            if one is None:
                known.pop(trace_id, None)
            else:
                known[trace_id] = one
                self._cached_parts += 1

    def together(self, key: SessionKey, parts: Mapping[str, Part | None]) -> Mapping[str, Part | None]:
        """Return parts of a known session with `apart` as it must be, and keep them so."""
        known = self.sessions[key]
        if len(known) == 1:
            return parts
        for trace_id in parts.keys() & known.keys():
            known[trace_id] = msgspec.structs.replace(known[trace_id], apart=True)
        return {trace_id: known.get(trace_id) for trace_id in parts}

    def load_traces(self, keys: list[TraceKey], work: Mapping[TraceKey, list[Fact]]) -> None:
        """Read traces from the store: all of a trace that has a row or, in `work`, no facts of its own."""
        for project, ids in by_project(keys).items():
            for start in range(0, len(ids), IDS_PER_QUERY):
                self._load_some(project, ids[start : start + IDS_PER_QUERY], work)
        for key in work:
            self.traces.move_to_end(key)

    def _load_some(self, project: str, ids: list[str], work: Mapping[TraceKey, list[Fact]]) -> None:
        asked = {"project": project, "ids": ids}
        known = self._store.rows(
            "SELECT session_id, trace_id, '' AS part FROM session_traces FINAL "
            "WHERE project = {project:String} AND trace_id IN {ids:Array(String)} AND NOT deleted",
            asked,
            _PartRow,
        )
        for trace_id in ids:
            self.traces[project, trace_id] = Trace()
        for row in known:
            self.traces[project, row.trace_id].sessions.add(row.session_id)
        # A trace without a row is new, unless other servers write too or a crash came before its first
        # summary.
        seen = {row.trace_id for row in known}
        if self._store.url.embedded:
            seen |= {trace_id for trace_id in ids if not work[project, trace_id]}
        else:
            seen = set(ids)
        if not seen:
            return
        asked["ids"] = sorted(seen)
        for one in self._store.rows(
            f"SELECT trace_id, {COLUMNS} FROM spans FINAL "
            f"WHERE project = {{project:String}} AND trace_id IN {{ids:Array(String)}} {OF_TRACES}",
            asked,
            _TracedFact,
        ):
            key = (project, one.trace_id)
            self.merge(key, self.traces[key], [one])
        for trace_id, marks in load(self._store, project, sorted(seen)).items():
            self.traces[project, trace_id].marks = marks

    def load_sessions(self, keys: list[SessionKey]) -> None:
        """Read the parts of sessions from the store."""
        for key in keys:
            self.sessions[key] = {}
        for project, ids in by_project(keys).items():
            for start in range(0, len(ids), IDS_PER_QUERY):
                for row in self._store.rows(
                    "SELECT session_id, trace_id, part FROM session_traces FINAL "
                    "WHERE project = {project:String} AND session_id IN {ids:Array(String)} AND NOT deleted",
                    {"project": project, "ids": ids[start : start + IDS_PER_QUERY]},
                    _PartRow,
                ):
                    self.sessions[project, row.session_id][row.trace_id] = msgspec.json.decode(
                        row.part, type=Part
                    )
                    self._cached_parts += 1

    def forget_trace(self, key: TraceKey) -> None:
        """Drop a trace; the store has it all."""
        trace = self.traces.pop(key, None)
        if trace is not None:
            self._cached_facts -= len(trace.facts)

    def forget_session(self, key: SessionKey) -> None:
        """Drop a session; the store has it all."""
        self._cached_parts -= len(self.sessions.pop(key, {}))

    def forget(self) -> None:
        """Drop everything: a failed pass may have half changed it, and the store has it all."""
        self.traces.clear()
        self.sessions.clear()
        self._cached_facts = self._cached_parts = 0

    def shrink(self) -> None:
        """Drop what was not used for longest until there is room."""
        if not self._store.url.embedded:
            self.forget()
            return
        while len(self.traces) > 1 and (
            self._cached_facts > _MOST_CACHED_FACTS or len(self.traces) > _MOST_CACHED_TRACES
        ):
            self.forget_trace(next(iter(self.traces)))
        while len(self.sessions) > 1 and (
            self._cached_parts > _MOST_CACHED_PARTS or len(self.sessions) > _MOST_CACHED_PARTS
        ):
            self.forget_session(next(iter(self.sessions)))
