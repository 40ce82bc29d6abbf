"""The filters that lists of sessions share, as one condition over the sessions table."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Final

from agentops.server.query.failed import sessions_with
from agentops.server.query.text import ATTRIBUTES, SEARCHED, contains, found
from agentops.server.store.client import Store

STATES: Final = ("running", "success", "fail", "indeterminate")

_NAMED: Final = {"model": "models", "agent": "agents", "tool": "tools"}
"""What sessions have several of, and the column that holds them."""
ALSO: Final = (*_NAMED, "error")

# Silence is judged now, so that a session that reports again runs again.
LAPSED: Final = "(state = 'running' AND lapses_at < {now:UInt64})"
STATE: Final = f"if({LAPSED}, 'indeterminate', state)"
ENDED_AT: Final = f"if({LAPSED}, last_seen_at, ended_at)"
DURATION: Final = (
    f"(if(state = 'running' AND NOT {LAPSED}, greatest({{now:UInt64}}, started_at), "
    f"greatest({ENDED_AT}, started_at)) - started_at)"
)


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list of sessions is narrowed to. Repeated values mean any of them; tags mean all of them.

    With `deep`, the text is looked for in attributes and nowhere else.
    """

    project: str
    now_ns: int
    q: str = ""
    deep: bool = False
    tag: list[str] = field(default_factory=list[str])
    state: list[str] = field(default_factory=list[str])
    since_ns: int | None = None
    until_ns: int | None = None
    model: list[str] = field(default_factory=list[str])
    agent: list[str] = field(default_factory=list[str])
    tool: list[str] = field(default_factory=list[str])
    user: list[str] = field(default_factory=list[str])
    name: list[str] = field(default_factory=list[str])
    session: list[str] = field(default_factory=list[str])
    """Their ids."""
    error: list[str] = field(default_factory=list[str])
    also: list[str] = field(default_factory=list[str])
    """What must hold besides, all of it: `model:`, `agent:`, `tool:` with a name, `error:` with an error."""
    min_cost: float | None = None
    min_duration_ns: int | None = None


def deeper(filters: Filters) -> Filters | None:
    """Return where to look for the text when no session was found; None when there is nothing more to see."""
    return replace(filters, deep=True) if filters.q and not filters.deep else None


def deeper_if_none(store: Store, filters: Filters) -> Filters | None:
    """Return what `deeper` does where no session is found: without an answer there may be sessions still."""
    further = deeper(filters)
    if further is None:
        return None
    where, values = condition(store, filters)
    found = store.answer(f"SELECT 1 FROM sessions FINAL WHERE {where} LIMIT 1", values)
    return None if found.strip() else further


def condition(store: Store, filters: Filters) -> tuple[str, dict[str, Any]]:
    """Return a WHERE condition over `sessions FINAL`, and its parameters."""
    clauses = ["project = {project:String}", "NOT deleted"]
    values: dict[str, Any] = {"project": filters.project, "now": filters.now_ns}
    if filters.since_ns is not None:
        clauses.append("started_at >= {since:UInt64}")
        values["since"] = filters.since_ns
    if filters.until_ns is not None:
        clauses.append("started_at < {until:UInt64}")
        values["until"] = filters.until_ns
    if filters.tag:
        clauses.append("hasAll(tags, {tag:Array(String)})")
        values["tag"] = filters.tag
    if filters.state:
        clauses.append(f"{STATE} IN {{state:Array(String)}}")
        values["state"] = filters.state
    for name, column in _NAMED.items():
        words: list[str] = getattr(filters, name)
        if words:
            clauses.append(f"hasAny({column}, {{{name}:Array(String)}})")
            values[name] = words
    if filters.user:
        clauses.append("user_id IN {user:Array(String)}")
        values["user"] = filters.user
    if filters.name:
        clauses.append("name IN {session_name:Array(String)}")
        values["session_name"] = filters.name
    if filters.session:
        clauses.append("session_id IN {session_ids:Array(String)}")
        values["session_ids"] = filters.session
    if filters.error:
        clauses.append(_errors(filters.error, values))
    if filters.min_cost is not None:
        clauses.append("ifNull(cost_usd, 0) >= {min_cost:Float64}")
        values["min_cost"] = filters.min_cost
    if filters.min_duration_ns is not None:
        clauses.append(f"{DURATION} >= {{min_duration:UInt64}}")
        values["min_duration"] = filters.min_duration_ns
    where = " AND ".join(clauses)
    for number, word in enumerate(filters.also):
        clauses.append(_also(store, filters.project, word, f"also{number}", where, values))
    if filters.q:
        clauses.append(_text(store, filters, values))
    return " AND ".join(clauses), values


def _errors(words: list[str], values: dict[str, Any]) -> str:
    """`true` and `false`, in any case, ask whether there are errors at all; the rest are types of errors."""
    clauses: list[str] = []
    asked = {word.lower() for word in words}
    if "true" in asked:
        clauses.append("errors > 0")
    if "false" in asked:
        clauses.append("errors = 0")
    types = [word for word in words if word.lower() not in ("true", "false")]
    if types:
        clauses.append("hasAny(error_types, {error:Array(String)})")
        values["error"] = types
    return "(" + " OR ".join(clauses) + ")"


def _also(store: Store, project: str, word: str, name: str, where: str, values: dict[str, Any]) -> str:
    """Return SQL for what must hold besides the filters of the same kind."""
    kind, _, values[name] = word.partition(":")
    if kind == "error":
        return f"session_id IN ({sessions_with(store, project, where, name, values)})"
    return f"has({_NAMED[kind]}, {{{name}:String}})"


def _text(store: Store, filters: Filters, values: dict[str, Any]) -> str:
    text = filters.q
    sessions = found(store, filters.project, text, values, ATTRIBUTES if filters.deep else SEARCHED)
    if filters.deep:
        return f"session_id IN ({sessions})"
    return (
        f"({contains('name', 'q', text)} OR {contains('note', 'q', text)} OR session_id = {{q:String}} "
        f"OR session_id IN ({sessions}))"
    )
