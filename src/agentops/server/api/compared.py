"""What the routes that compare answer, as models."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from agentops.server.api.models import Exact, SessionDetail

Difference = Literal["missing", "kind", "name", "model", "status", "tokens", "cost_usd", "input", "output"]


class ComparedEvent(Exact):
    """An event, as far as it is compared."""

    event_id: str
    parent_id: str | None
    kind: str
    name: str
    model: str | None
    started_at: str | None
    duration_ms: float | None
    status: str
    tokens: int | None
    cost_usd: float | None


class ComparedRow(Exact):
    """Two events that correspond, or one that the other session has not."""

    a: ComparedEvent | None
    b: ComparedEvent | None
    differs: list[Difference]


class ToolCounts(Exact):
    """How often each session called a tool."""

    name: str
    a: int
    b: int


class Comparison(Exact):
    """Two sessions with their events aligned."""

    a: SessionDetail
    b: SessionDetail
    cut_off: bool = Field(description="one of them has more events than are compared")
    first_divergence: int | None = Field(description="the first row where they take different ways")
    tools: list[ToolCounts]
    rows: list[ComparedRow]


class Cohort(Exact):
    """A group of sessions."""

    tag: str
    sessions: int = Field(description="those without the other group's tag")


class Distribution(Exact):
    """How a metric is distributed; for failed: the share of ended sessions, with Wilson's 95% interval."""

    count: int
    mean: float | None = None
    p25: float | None = None
    p50: float | None = None
    p75: float | None = None
    p95: float | None = None
    failed: int | None = None
    share: float | None = None
    interval: tuple[float, float] | None = None


class Bin(Exact):
    """Sessions of each group whose value is in this range."""

    from_: float = Field(alias="from")
    to: float
    a: int
    b: int


class CohortMetric(Exact):
    """One metric of both groups, and whether chance explains the difference."""

    metric: Literal["duration_ms", "cost_usd", "tokens", "events", "errors", "failed"]
    test: Literal["mann_whitney", "fisher"]
    a: Distribution
    b: Distribution
    bins: list[Bin]
    b_exceeds_a: float | None = Field(description="chance that a session of B has more than one of A")
    p: float | None = Field(description="two-sided; null with fewer than 8 values in a group")
    p_corrected: float | None = Field(description="for having asked about all metrics at once (Holm)")
    verdict: Literal["differs", "no_difference_shown", "too_few"]


class Cohorts(Exact):
    """Two groups of sessions, by tag."""

    a: Cohort
    b: Cohort
    in_both: int = Field(description="sessions with both tags, in neither group")
    cut_off: bool
    level: float = Field(description="below it a corrected p counts as a difference")
    metrics: list[CohortMetric]
