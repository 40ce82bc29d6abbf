"""Part: what one trace contributes to one session, computed from the facts of its spans.

Tokens, cost and calls are summed over leaf calls: an llm or embedding event above another repeats it (agents,
workflows and wrapping libraries do), and a call may have two records (`doubles`). The records that repeat one
are events still.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final
from zlib import crc32

from msgspec import Struct, field

from agentops.semconv import SESSION_KIND
from agentops.server.store.doubles import doubles
from agentops.server.store.facts import Fact

_CALLS: Final = ("llm", "embedding")
_BOUNDARIES: Final = ("tool", "agent", SESSION_KIND)
"""A call made below one of these is a call of its own, whatever llm event stands above."""
_MOST_NAMES: Final = 1_000
"""Names of each sort (models, tools, ...) that a session's row lists: it is found by these."""
_MOST_TAGS: Final = 100


class Top(Struct, frozen=True, omit_defaults=True):
    """A root of the session: its session span, or, where it has none, a topmost event."""

    span_id: str
    parent_id: str = ""
    name: str = ""
    started_at: int = 0
    ended: bool = False
    ended_at: int = 0
    status: str = ""
    message: str = ""
    own: bool = False
    inherited: bool = False
    end_state: str = ""
    end_reason: str = ""
    session_name: str = ""
    tags: list[str] = field(default_factory=list[str])
    host_env: str = ""
    service: str = ""
    resource_id: int = 0


class Tokens(Struct, frozen=True, omit_defaults=True):
    """Tokens by class; None where no call said."""

    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    reasoning: int | None = None


class Part(Struct, frozen=True, omit_defaults=True):
    """One trace's share of a session."""

    started_at: int = 0
    ended_at: int = 0
    last_seen_at: int = 0
    own: bool = False
    roots: list[Top] = field(default_factory=list[Top])
    first: Top | None = None
    last: Top | None = None
    tops_running: int = 0
    kinds: dict[str, int] = field(default_factory=dict[str, int])
    repeated: int = 0
    errors: int = 0
    tokens: Tokens = Tokens()
    calls: int = 0
    costs: int = 0
    cost_usd: float = 0.0
    models: list[str] = field(default_factory=list[str])
    providers: list[str] = field(default_factory=list[str])
    agents: list[str] = field(default_factory=list[str])
    tools: list[str] = field(default_factory=list[str])
    error_types: list[str] = field(default_factory=list[str])
    tags: list[str] = field(default_factory=list[str])
    user_id: str = ""
    input_preview: str = ""
    sent: dict[str, int] = field(default_factory=dict[str, int])
    stored: int = 0
    responses: list[int] = field(default_factory=list[int])
    """Hashes of the response ids of its calls: another trace of the session may have one too."""
    apart: bool = False
    """Whether its events' measures stand beside the trace, since the session has several (measures.py)."""

    @property
    def events(self) -> int:
        """How many events it has."""
        return sum(self.kinds.values()) + self.repeated


def part(
    spans: Sequence[Fact],
    trace: Mapping[str, Fact],
    named_agents: Mapping[str, str],
    elsewhere: Collection[str] = (),
) -> tuple[Part, set[str], list[Fact]]:
    """Compute a part.

    Args:
        spans: those of the trace that belong to the session, in start order.
        trace: all spans of the trace by id, for finding parents.
        named_agents: agents of the spans that name none, by span id.
        elsewhere: ids of calls that count in another trace of the session.

    Returns:
        The part; the ids of calls whose usage it leaves out since another event states it too; and the calls
        that would count if there were no other trace.
    """
    mine = {one.span_id for one in spans}
    roots = [one for one in spans if one.kind == SESSION_KIND]
    events = [one for one in spans if one.kind != SESSION_KIND]
    tops = [
        one for one in events if one.parent_id not in mine and (not one.parent_id or one.parent_id in trace)
    ]
    kinds: dict[str, int] = {}
    sent: dict[str, int] = {}
    stored = errors = 0
    models: dict[str, None] = {}
    providers: dict[str, None] = {}
    agents: dict[str, None] = {}
    tools: dict[str, None] = {}
    error_types: dict[str, None] = {}
    tags: dict[str, None] = {}
    user_id = preview = ""
    for one in spans:
        if one.records_sent or one.seq:
            sent[one.instance] = max(sent.get(one.instance, 0), one.seq, one.records_sent)
        user_id = user_id or one.user_id
        if one.tags:
            tags.update(dict.fromkeys(one.tags))
        preview = preview or one.input_preview
        kind = one.kind
        if kind == SESSION_KIND:
            continue
        stored += one.seq > 0
        if kind not in _CALLS:
            kinds[kind] = kinds.get(kind, 0) + 1
        if one.status == "error" or kind == "error":
            errors += 1
            if one.error_type:
                error_types[one.error_type] = None
        agent = one.agent or named_agents.get(one.span_id)
        if agent:
            agents[agent] = None
        if kind in _CALLS:
            if one.model:
                models[one.model] = None
            if one.provider:
                providers[one.provider] = None
        elif kind == "tool":
            tools[one.name] = None
    leaves, repeats = _counted_calls(events, trace)
    calls = leaves
    if elsewhere:
        calls = [one for one in leaves if one.span_id not in elsewhere]
        repeats |= {one.span_id for one in leaves} - {one.span_id for one in calls}
    for one in calls:
        kinds[one.kind] = kinds.get(one.kind, 0) + 1
    errors -= sum(one.span_id in repeats and one.status == "error" for one in events)
    costs = [one.cost_usd for one in calls if one.cost_usd is not None]
    costs += [
        one.cost_usd
        for one in events
        if one.kind == "tool" and one.cost_usd is not None and one.cost_source == "reported"
    ]
    found = Part(
        started_at=spans[0].started_at if spans else 0,
        ended_at=max((one.started_at + one.duration_ns for one in spans), default=0),
        last_seen_at=max((one.seen_at for one in spans), default=0),
        own=any(one.own for one in roots),
        roots=[_top(one, trace) for one in roots],
        first=_top(tops[0], trace) if tops and not roots else None,
        last=_top(tops[-1], trace) if tops and not roots else None,
        tops_running=sum(not one.ended for one in tops) if not roots else 0,
        kinds=kinds,
        repeated=len(repeats),
        errors=errors,
        tokens=Tokens(
            _sum(one.tokens_input for one in calls),
            _sum(one.tokens_output for one in calls),
            _sum(one.tokens_cache_read for one in calls),
            _sum(one.tokens_cache_write for one in calls),
            _sum(one.tokens_reasoning for one in calls),
        ),
        calls=len(calls),
        costs=len(costs),
        # To the picodollar: sums of binary fractions would show their noise.
        cost_usd=round(math.fsum(costs), 12),
        models=list(models)[:_MOST_NAMES],
        providers=list(providers)[:_MOST_NAMES],
        agents=list(agents)[:_MOST_NAMES],
        tools=list(tools)[:_MOST_NAMES],
        error_types=list(error_types)[:_MOST_NAMES],
        tags=list(tags)[:_MOST_TAGS],
        user_id=user_id,
        input_preview=preview,
        sent=sent,
        stored=stored,
        responses=[crc32(one.response_id.encode()) for one in leaves if one.response_id],
    )
    return found, repeats, leaves


def _knows_usage(one: Fact) -> bool:
    return one.tokens_input is not None or one.tokens_output is not None or one.cost_usd is not None


def _counted_calls(events: list[Fact], trace: Mapping[str, Fact]) -> tuple[list[Fact], set[str]]:
    """Return the calls whose usage counts (leaves, each provider response once) and the ids of the others."""
    calls = [one for one in events if one.kind in _CALLS]
    repeated: set[str] = set()
    above: set[str] = set()
    for one in calls:
        at, passed = one.parent_id, 0
        knows = _knows_usage(one)
        while at in trace and passed < 1000:
            parent = trace[at]
            if parent.kind in _BOUNDARIES:
                break
            if parent.kind in _CALLS:
                (repeated if knows else above).add(at)
            at = parent.parent_id
            passed += 1
    leaves = [one for one in calls if one.span_id not in repeated]
    # A call that knows nothing adds nothing above another one, nor below one that does: not even a doubt.
    if above:
        leaves = [
            one
            for one in leaves
            if _knows_usage(one) or (one.span_id not in above and not _below_known(one, trace, above))
        ]
    counted = [
        max(each, key=weight) if len(each) > 1 else each[0] for each in doubles(leaves, lambda one: one)
    ]
    if len(counted) == len(calls):
        return counted, set()
    return counted, {one.span_id for one in calls} - {one.span_id for one in counted}


def _below_known(one: Fact, trace: Mapping[str, Fact], above: set[str]) -> bool:
    at, passed = one.parent_id, 0
    while at in trace and passed < 1000:
        parent = trace[at]
        if parent.kind in _BOUNDARIES:
            return False
        if at in above and _knows_usage(parent):
            return True
        at = parent.parent_id
        passed += 1
    return False


def weight(one: Fact) -> tuple[bool, bool, int]:
    """Return how much a record of a call says, for comparison: reported cost, cost, classes of tokens."""
    known = (
        one.tokens_input,
        one.tokens_output,
        one.tokens_cache_read,
        one.tokens_cache_write,
        one.tokens_reasoning,
    )
    return (
        one.cost_source == "reported",
        one.cost_usd is not None,
        sum(value is not None for value in known),
    )


def _sum(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _top(one: Fact, trace: Mapping[str, Fact]) -> Top:
    return Top(
        span_id=one.span_id,
        # A parent that is not stored (yet) is nothing to hang from.
        parent_id=one.parent_id if one.parent_id in trace else "",
        name=one.name,
        started_at=one.started_at,
        ended=one.ended,
        ended_at=one.started_at + one.duration_ns if one.ended else 0,
        status=one.status,
        message=one.error_message or one.status_message,
        own=one.own,
        inherited=one.inherited,
        end_state=one.end_state,
        end_reason=one.end_reason,
        session_name=one.session_name,
        tags=one.tags,
        host_env=one.host_env,
        service=one.service,
        resource_id=one.resource_id,
    )
