"""What the API answers, as models: OpenAPI is generated from them, the TypeScript types from OpenAPI.

Answers are encoded straight from plain values; these models document them and a test holds them to it.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Json = Any
State = Literal["running", "success", "fail", "indeterminate"]
Kind = Literal["agent", "operation", "action", "llm", "tool", "retrieval", "embedding", "guardrail", "error"]
Status = Literal["ok", "error", "running", "interrupted"]


class Exact(BaseModel):
    """A model without room for anything unnamed."""

    model_config = ConfigDict(extra="forbid")


class ErrorBody(Exact):
    """What went wrong, and what to do."""

    code: str = Field(examples=["session_not_found"])
    message: str = Field(examples=["There is no session 'x'."])
    hint: str = Field(examples=["GET /api/sessions lists the sessions there are."])


class Error(Exact):
    """Every error, of every route."""

    error: ErrorBody


class EventCounts(Exact):
    """Events by kind. `error`: events whose status is error, each once."""

    llm: int
    tool: int
    action: int
    agent: int
    operation: int
    retrieval: int
    embedding: int
    guardrail: int
    error: int
    total: int


class Tokens(Exact):
    """Tokens by class; null where unknown. Input includes the cached classes, output includes reasoning."""

    input: int | None
    output: int | None
    cache_read: int | None
    cache_write: int | None
    reasoning: int | None
    total: int | None


class Ledger(Exact):
    """Events that the recording processes numbered, and how many of these are stored."""

    sent: int
    stored: int


class Session(Exact):
    """A run of an agent program."""

    session_id: str
    name: str
    state: State
    state_reason: str | None
    tags: list[str]
    note: str | None
    user_id: str | None
    started_at: str | None = Field(description="ISO 8601 UTC, microseconds")
    ended_at: str | None
    duration_ms: float | None = Field(description="null while running")
    event_counts: EventCounts
    tokens: Tokens
    cost_usd: float | None
    models: list[str]
    agents: list[str]
    tools: list[str]
    providers: list[str]
    error_types: list[str]
    service: str | None
    last_seen_at: str | None
    ledger: Ledger
    input_preview: str | None


class SessionDetail(Session):
    """A session with the machine and the process it ran in."""

    host_env: Json = None
    resource: dict[str, Json]
    trace_ids: list[str]


class SessionPage(Exact):
    """A page of sessions."""

    sessions: list[Session]
    next_cursor: str | None
    total: int


NewTag = Annotated[str, Field(min_length=1, max_length=200)]
Tag = Annotated[str, Field(max_length=200)]


class TagEdit(Exact):
    """Tags that come and go; what else a session is tagged with meanwhile stays."""

    add_tags: list[NewTag] = Field([], max_length=100)
    remove_tags: list[Tag] = Field([], max_length=100)


class SessionEdit(TagEdit):
    """What a user may say about a session. null takes the edit back; what is left out stays."""

    name: Annotated[str, Field(max_length=500, json_schema_extra={"pattern": r"\S"})] | None = None
    tags: list[NewTag] | None = Field(None, max_length=100)
    note: str | None = Field(None, max_length=100_000)


class Sessions(Exact):
    """Several sessions by their ids."""

    sessions: list[str] = Field(max_length=500)


class SessionsEdit(TagEdit, Sessions):
    """What a user may say about several sessions at once."""


class SessionsEdited(Exact):
    """Which of the named sessions there are, or were until they were deleted."""

    sessions: list[str]
    missing: list[str]


class FacetValue(Exact):
    """A value to filter by."""

    value: str
    count: int


class Facets(Exact):
    """Values with counts, by the name of the filter that takes them."""

    state: list[FacetValue]
    tag: list[FacetValue]
    model: list[FacetValue]
    agent: list[FacetValue]
    tool: list[FacetValue]
    user: list[FacetValue]
    error: list[FacetValue] = Field(description="`true` and `false` for with and without errors, then types")
    min_cost: list[FacetValue] = Field(description="a few thresholds in US dollars, as min_cost takes them")
    min_duration: list[FacetValue] = Field(description="a few thresholds, as min_duration takes them")
    since: list[FacetValue] = Field(description="a few times ago, as since takes them")


class Event(Exact):
    """A span of a session, without bodies."""

    event_id: str
    parent_id: str | None = Field(description="null for children of the session itself")
    session_id: str
    trace_id: str
    kind: Kind
    name: str
    agent: str | None
    started_at: str | None
    duration_ms: float | None = Field(description="null while running")
    status: Status
    model: str | None
    provider: str | None
    tokens: Tokens
    cost_usd: float | None
    error_type: str | None
    error_message: str | None
    input_preview: str | None
    output_preview: str | None


class EventPage(Exact):
    """A page of events in start order."""

    events: list[Event]
    next_cursor: str | None


class EventError(Exact):
    """How an event failed."""

    type: str | None
    message: str | None
    stack: str | None


class ScopeInfo(Exact):
    """The instrumentation that made the span."""

    name: str
    version: str


class EventDetail(Event):
    """An event with everything that is stored of it."""

    agent_id: str | None
    input: Json = None
    input_format: Literal["messages", "json", "text"] | None
    output: Json = None
    output_format: Literal["messages", "json", "text"] | None
    messages: list[dict[str, Json]]
    attributes: dict[str, Json]
    repeats: dict[str, str] | None = Field(
        default=None,
        description="with `once`: attributes that are left out, and where in input or output each stands",
    )
    resource: dict[str, Json]
    scope: ScopeInfo
    events: list[Json]
    links: list[Json]
    error: EventError | None
    status_message: str | None
    cost_source: Literal["reported", "computed"] | None
    cost_detail: Json = None
    first_token_ms: float | None
    finish_reason: str | None
    source_id: str | None
    response_id: str | None
    request_model: str | None
    tags: list[str]
    seq: int | None
    span_kind: int
    trace_state: str | None


class Timeline(Exact):
    """Every event of a session in start order: arrays of one length."""

    event_id: list[str]
    parent_id: list[str | None]
    kind: list[Kind]
    name: list[str]
    agent: list[str | None]
    started_at: list[str]
    start_ms: list[float] = Field(description="since the session's start")
    duration_ms: list[float | None]
    status: list[Status]
    model: list[str | None]
    provider: list[str | None]
    tokens_input: list[int | None]
    tokens_output: list[int | None]
    tokens_cache_read: list[int | None]
    tokens_cache_write: list[int | None]
    tokens_reasoning: list[int | None]
    tokens_total: list[int | None]
    cost_usd: list[float | None]
    error_type: list[str | None]
    error_message: list[str | None]


class LogRecord(Exact):
    """A log record of a session."""

    log_id: str
    event_id: str | None
    trace_id: str | None
    at: str | None
    severity: int
    severity_text: str | None
    name: str | None
    logger: str | None
    body: Json = None
    attributes: dict[str, Json]


class LogPage(Exact):
    """A page of log records in time order."""

    logs: list[LogRecord]
    next_cursor: str | None


class Health(Exact):
    """Who answers here."""

    status: Literal["ok"]
    name: Literal["agentops"]
    version: str
    pid: int
    store: str


class SessionTotals(Exact):
    """Sessions by state; groups of events know the total only."""

    total: int
    running: int | None = None
    success: int | None = None
    fail: int | None = None
    indeterminate: int | None = None


class EventTotals(Exact):
    """Events; groups of events know their total and errors only."""

    total: int
    error: int
    llm: int | None = None
    tool: int | None = None


class Percentiles(Exact):
    """Latency of ended events, milliseconds."""

    p50: float | None
    p90: float | None
    p95: float | None
    p99: float | None


class Measures(Exact):
    """What is summed over sessions or events."""

    sessions: SessionTotals
    events: EventTotals
    tokens: Tokens
    cost_usd: float | None
    error_rate: float | None = Field(description="events with an error, of all events")
    latency_ms: Percentiles | None


class Bucket(Measures):
    """One interval of the series."""

    at: str | None


class Group(Measures):
    """One value that sessions or events were grouped by."""

    value: str


class Analytics(Exact):
    """Totals, series and groups over the filtered sessions."""

    interval: Literal["minute", "hour", "day", "week"]
    group_by: str | None
    tz: str = Field(description="time zone whose clock hours, days and weeks begin by")
    totals: Measures
    previous: Measures | None = Field(
        description="the totals of the equally long range before `since`; null without `since`"
    )
    series: list[Bucket]
    groups: list[Group]


class SessionStats(Exact):
    """A session's statistics."""

    session_id: str
    state: State
    event_counts: EventCounts
    duration_ms: float | None
    cost_usd: float | None
    tokens: Tokens


class EventsByType(Exact):
    """All events of a session, by the types of the older clients; agents and operations are actions there."""

    actions: list[EventDetail]
    llms: list[EventDetail]
    tools: list[EventDetail]
    errors: list[EventDetail]


class SessionByType(Exact):
    """A session with its statistics and all its events."""

    session: SessionDetail
    stats: SessionStats
    events: EventsByType


class Rejection(Exact):
    """Why something was refused, and how often."""

    reason: str
    count: int


class ImportResult(Exact):
    """What an import stored."""

    sessions: list[str] = Field(description="ids of the sessions that it holds spans of")
    spans: int
    logs: int
    rejected: list[Rejection]


class StoreTable(Exact):
    """A table of the store; replaced versions of rows count until a merge has dropped them."""

    table: str
    rows: int
    bytes: int
    parts: int
    index_bytes: int


class StoreMigration(Exact):
    """A migration of the store, and when it was applied, unix nanoseconds."""

    number: int
    name: str
    applied_at: int


class StoreDay(Exact):
    """Records of spans that arrived on a day (UTC)."""

    day: str
    spans: int


class StoreSizes(Exact):
    """What the store holds."""

    url: str
    engine: str
    bytes: int = Field(description="everything on disk")
    replaced_bytes: int = Field(description="what merges have replaced and that goes soon")
    spans: int
    sessions: int
    tables: list[StoreTable]
    migrations: list[StoreMigration]
    growth: list[StoreDay] = Field(description="the last two weeks")
    retention_days: int = Field(description="of the caller's project; 0: as the setting retention_days says")
    default_retention_days: int = Field(
        description="the setting retention_days; 0: sessions are kept for good"
    )


class RetentionResult(Exact):
    """How long a project's sessions are kept now."""

    project: str
    days: int
