"""What the routes about many sessions answer, as models: breakdowns, errors, waste, comparisons."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from agentops.server.api.models import Exact

Interval = Literal["minute", "hour", "day", "week"]
Dimension = Literal["model", "agent", "tool", "kind", "name", "tag", "user", "state", "session"]


class Middle(Exact):
    """Percentiles of durations, milliseconds."""

    p50: float | None
    p95: float | None


class BreakdownPoint(Exact):
    """One interval of a value's series; intervals without anything are left out."""

    at: str | None
    count: int
    errors: int
    cost_usd: float | None


class BreakdownGroup(Exact):
    """One value of the dimension."""

    value: str
    count: int = Field(description="events, or sessions for tag, user, state and session")
    sessions: int
    errors: int = Field(description="failed events, or failed sessions")
    error_rate: float
    duration_ms: Middle = Field(description="of events that ended, or of sessions")
    tokens: int | None
    cost_usd: float | None
    share: float = Field(description="of the cost of all values, or of their count where nothing is priced")
    series: list[BreakdownPoint]


class Breakdown(Exact):
    """The filtered sessions by one dimension."""

    by: Dimension
    counts: Literal["events", "sessions"]
    interval: Interval
    tz: str
    total: int = Field(description="values there are")
    groups: list[BreakdownGroup]


class FailureExample(Exact):
    """The latest error of a group."""

    session_id: str
    event_id: str
    message: str


class Failure(Exact):
    """Errors of one type whose messages differ in numbers, ids, addresses and quoted values only."""

    error_type: str
    message: str = Field(description="with <n>, <id>, <url> and <text> for what varies")
    count: int
    sessions: int
    first_at: str | None
    last_at: str | None
    names: list[str] = Field(description="names of events it happened in, at most five")
    example: FailureExample


class Failures(Exact):
    """The most frequent errors."""

    total: int = Field(description="groups there are")
    errors: list[Failure]


Heading = Literal["loop", "retry", "failed", "repeat", "uncached"]


class Wasted(Exact):
    """What was spent in vain."""

    count: int = Field(description="calls")
    sessions: int
    duration_ms: float
    cost_usd: float | None = Field(description="null where no call has a known cost")
    tokens: int | None = Field(description="uncached: tokens that could have come from the cache")


class WastedCall(Wasted):
    """A call that was wasted, over all sessions."""

    kind: str
    name: str
    model: str | None
    saving_usd_per_million: float | None = Field(
        description="uncached: what a million of these tokens cost less from the cache"
    )


class WastedSession(Wasted):
    """A session that wasted."""

    session_id: str
    name: str


class WasteHeading(Wasted):
    """One way to waste, with the calls and the sessions that did most of it."""

    heading: Heading
    calls: list[WastedCall]
    worst: list[WastedSession]


class Waste(Exact):
    """Money and time spent in vain; every call is counted under one heading only."""

    cost_usd: float | None
    duration_ms: float
    cut_off: bool = Field(description="there was more than is counted: narrow the range")
    headings: list[WasteHeading]
