"""An update of an event names what changed: what it leaves out stays as it is stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from agentops import semconv
from agentops.model import Attributes, Span
from agentops.server.normalise.attributes import restored
from agentops.server.query.times import iso
from agentops.server.store.client import Store
from agentops.server.wire.events03 import SCOPE, trace_of

_NAMES: Final = {"llm": "model", "tool": "name", "error": "error_type"}
"""The field that names an event, by kind; `action_type` for every other."""


class Stored(Struct, frozen=True):
    """A row of spans: an event as it was sent before."""

    span_id: str
    kind: str
    name: str
    model: str
    started_at: int
    ended: bool
    duration_ns: int
    agent_id: str
    attributes: str
    input: str
    output: str


def stored(store: Store, project: str, session_id: str, span_ids: Iterable[str]) -> dict[str, Stored]:
    """Return what is stored of events of a session, by span id."""
    rows = store.rows(
        "SELECT span_id, kind, name, model, started_at, ended, duration_ns, agent_id, attributes, input, "
        "output FROM spans FINAL WHERE project = {project:String} AND trace_id = {trace:String} "
        "AND span_id IN {spans:Array(String)} AND scope_name = {scope:String}",
        {
            "project": project,
            "trace": trace_of(session_id),
            "spans": sorted(set(span_ids)),
            "scope": SCOPE.name,
        },
        Stored,
    )
    return {row.span_id: row for row in rows}


def completed(said: Mapping[str, Any], known: Stored) -> dict[str, Any]:
    """Return an update with the fields by which an event is read, those that it leaves out from before."""
    before: dict[str, Any] = {
        "event_type": known.kind,
        "init_timestamp": iso(known.started_at),
        "agent_id": known.agent_id,
        "details": _attributes(known).get(semconv.ERROR_DETAILS),
    }
    if known.ended:
        before["end_timestamp"] = iso(known.started_at + known.duration_ns)
    field = _NAMES.get(known.kind, "action_type")
    before[field] = known.model if known.kind == "llm" else known.name
    given = {name: value for name, value in said.items() if value is not None}
    return {**{name: value for name, value in before.items() if value}, **given}


def merged(span: Span, known: Stored) -> Span:
    """Return an event's span with the attributes that it had before and the update does not name."""
    return replace(span, attributes={**_attributes(known), **span.attributes})


def _attributes(known: Stored) -> Attributes:
    return restored(known.attributes, known.input, known.output)
