"""A session's row: computed from the parts of its traces and from what a user said about it.

State: our own sessions end when a root that is theirs says how. A session that names no state runs until its
    root ends, then it is what the root's status says. Silence is judged when the row is read (`lapses_at`),
    so that a session that reports again simply runs again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from msgspec import Struct, field

from agentops.server.store.measures import Measures
from agentops.server.store.part import Part, Top

NEVER: Final = 2**63 - 1
"""Unix nanoseconds of what does not come."""


@dataclass(frozen=True, slots=True)
class Silence:
    """How long a session may say nothing before it counts as stopped, nanoseconds."""

    own_ns: int
    foreign_ns: int


class Edit(Struct, frozen=True, kw_only=True):
    """What a user said about a session; a row of the edits table."""

    project: str
    session_id: str
    name: str | None = None
    note: str | None = None
    tags_set: bool = False
    tags: list[str] = field(default_factory=list[str])
    """In place of those that the program records, where they were set."""
    tags_added: list[str] = field(default_factory=list[str])
    tags_removed: list[str] = field(default_factory=list[str])
    gone: list[str] = field(default_factory=list[str])
    gone_at: int = 0
    version: int = 0

    def shown(self, recorded: Sequence[str]) -> list[str]:
        """Return the tags that a session shows whose program records these."""
        stand = self.tags if self.tags_set else recorded
        return [one for one in dict.fromkeys([*stand, *self.tags_added]) if one not in self.tags_removed]


class SessionRow(Struct, frozen=True, kw_only=True):
    """One row of the sessions table, its columns by name."""

    project: str
    session_id: str
    version: int
    deleted: bool = False
    own: bool = False
    name: str = ""
    note: str = ""
    tags: list[str] = field(default_factory=list[str])
    user_id: str = ""
    state: str = "running"
    state_reason: str = ""
    started_at: int = 0
    ended_at: int = 0
    last_seen_at: int = 0
    lapses_at: int = 0
    events: int = 0
    llm: int = 0
    tool: int = 0
    action: int = 0
    agent: int = 0
    operation: int = 0
    retrieval: int = 0
    embedding: int = 0
    guardrail: int = 0
    errors: int = 0
    tokens_input: int | None = None
    tokens_output: int | None = None
    tokens_cache_read: int | None = None
    tokens_cache_write: int | None = None
    tokens_reasoning: int | None = None
    tokens_total: int | None = None
    cost_usd: float | None = None
    models: list[str] = field(default_factory=list[str])
    agents: list[str] = field(default_factory=list[str])
    tools: list[str] = field(default_factory=list[str])
    providers: list[str] = field(default_factory=list[str])
    error_types: list[str] = field(default_factory=list[str])
    service: str = ""
    host_env: str = ""
    resource_id: int = 0
    ledger_sent: int = 0
    ledger_stored: int = 0
    input_preview: str = ""
    roots: dict[str, str] = field(default_factory=dict[str, str])
    traces: int = 0


def session_row(
    project: str,
    session_id: str,
    parts: Mapping[str, Part],
    edit: Edit | None,
    silence: Silence,
    version: int,
) -> SessionRow:
    """Compute a session's row.

    Args:
        project: the project.
        session_id: the session.
        parts: what each of its traces contributes, by trace id; without any, the session is gone.
        edit: what a user said about it.
        silence: how long it may say nothing.
        version: of the new row.
    """
    if not parts:
        return SessionRow(project=project, session_id=session_id, version=version, deleted=True)
    ordered = [parts[trace_id] for trace_id in sorted(parts, key=lambda one: (parts[one].started_at, one))]
    own = any(part.own for part in ordered)
    silence_ns = silence.own_ns if own else silence.foreign_ns
    last_seen = max(part.last_seen_at for part in ordered)
    state, reason, ended_at = _state(ordered, last_seen, silence_ns)
    main = _main_root(ordered)
    kinds: dict[str, int] = {}
    sent: dict[str, int] = {}
    for part in ordered:
        for kind, count in part.kinds.items():
            kinds[kind] = kinds.get(kind, 0) + count
        for instance, number in part.sent.items():
            sent[instance] = max(sent.get(instance, 0), number)
    tags = _joined(root.tags for part in ordered for root in part.roots)
    tags = tags or _joined(part.tags for part in ordered)
    name = (main.session_name or main.name) if main else ""
    calls = sum(part.calls for part in ordered)
    costs = sum(part.costs for part in ordered)
    tokens = [part.tokens for part in ordered]
    no_calls = 0 if calls == 0 else None
    tokens_input = _sum((one.input for one in tokens), no_calls)
    tokens_output = _sum((one.output for one in tokens), no_calls)
    known = [value for value in (tokens_input, tokens_output) if value is not None]
    return SessionRow(
        project=project,
        session_id=session_id,
        version=version,
        own=own,
        name=name if edit is None or edit.name is None else edit.name,
        note="" if edit is None or edit.note is None else edit.note,
        tags=tags if edit is None else edit.shown(tags),
        user_id=next((part.user_id for part in ordered if part.user_id), ""),
        state=state,
        state_reason=reason,
        started_at=ordered[0].started_at,
        ended_at=ended_at,
        last_seen_at=last_seen,
        lapses_at=last_seen + silence_ns if state == "running" else 0,
        events=sum(kinds.values()) + sum(part.repeated for part in ordered),
        llm=kinds.get("llm", 0),
        tool=kinds.get("tool", 0),
        action=kinds.get("action", 0),
        agent=kinds.get("agent", 0),
        operation=kinds.get("operation", 0),
        retrieval=kinds.get("retrieval", 0),
        embedding=kinds.get("embedding", 0),
        guardrail=kinds.get("guardrail", 0),
        errors=sum(part.errors for part in ordered),
        tokens_input=tokens_input,
        tokens_output=tokens_output,
        tokens_cache_read=_sum((one.cache_read for one in tokens), no_calls),
        tokens_cache_write=_sum((one.cache_write for one in tokens), no_calls),
        tokens_reasoning=_sum((one.reasoning for one in tokens), no_calls),
        tokens_total=sum(known) if known else None,
        cost_usd=None if calls and not costs else round(sum(part.cost_usd for part in ordered), 12),
        models=_joined(part.models for part in ordered),
        agents=_joined(part.agents for part in ordered),
        tools=_joined(part.tools for part in ordered),
        providers=_joined(part.providers for part in ordered),
        error_types=_joined(part.error_types for part in ordered),
        service=main.service if main else "",
        host_env=main.host_env if main else "",
        resource_id=main.resource_id if main else 0,
        ledger_sent=sum(sent.values()),
        ledger_stored=sum(part.stored for part in ordered),
        input_preview=next((part.input_preview for part in ordered if part.input_preview), ""),
        roots=_root_parents(ordered),
        traces=len(ordered),
    )


def encoded(row: SessionRow, measured: Measures | None) -> bytes:
    """Return a session's row as JSON, with the measures of its events where they stand in it."""
    head = msgspec.json.encode(row)
    if measured is None:
        return head
    more = msgspec.json.encode({"measured": True, **measured.events, **measured.failed, **measured.unlike})
    return b"%b,%b" % (head[:-1], more[1:])


def _main_root(parts: list[Part]) -> Top | None:
    """Return the span that names the session: its own root, else a contributing one, else its first event."""
    roots = sorted(
        (root for part in parts for root in part.roots),
        key=lambda root: (root.inherited, root.started_at, root.span_id),
    )
    if roots:
        return roots[0]
    firsts = sorted(
        (part.first for part in parts if part.first), key=lambda top: (top.started_at, top.span_id)
    )
    return firsts[0] if firsts else None


def _state(parts: list[Part], last_seen: int, silence_ns: int) -> tuple[str, str, int]:
    """Return (state, reason, when it ended or 0)."""
    roots = [(part, root) for part in parts for root in part.roots]
    deciding: list[tuple[Part, Top, bool]]
    if roots:
        deciding = [(part, root, root.ended) for part, root in roots if not root.inherited]
    else:
        deciding = [(part, part.last, part.tops_running == 0) for part in parts if part.last is not None]
    if not deciding:
        return "running", "", 0
    ended = [root for _, root, done in deciding if done]
    open_parts = [part for part, _, done in deciding if not done]
    # An open root that fell silent long before the rest of the session did is not what keeps it running.
    if not ended or any(part.last_seen_at + silence_ns >= last_seen for part in open_parts):
        return "running", "", 0
    last = max(ended, key=lambda root: (root.ended_at, root.span_id))
    ended_at = last.ended_at if roots else max(part.ended_at for part in parts)
    if last.end_state:
        return last.end_state.lower(), last.end_reason, ended_at
    if last.status == "error":
        return "fail", last.message, ended_at
    return "success", "", ended_at


def _root_parents(parts: list[Part]) -> dict[str, str]:
    """Return, for each session span, the event that its children hang from ("" for none)."""
    parents = {root.span_id: root.parent_id for part in parts for root in part.roots}
    resolved: dict[str, str] = {}
    for span_id in parents:
        at, passed = parents[span_id], {span_id}
        while at in parents and at not in passed:
            passed.add(at)
            at = parents[at]
        resolved[span_id] = "" if at in passed else at
    return resolved


def _joined(lists: Iterable[list[str]]) -> list[str]:
    return list(dict.fromkeys(word for words in lists for word in words))


def _sum(values: Iterable[int | None], otherwise: int | None) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else otherwise
