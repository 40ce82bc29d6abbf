"""What `export` wrote, as spans and log records again: our JSON, OTLP/JSON, OTLP/protobuf.

What an export says beyond OTLP (when spans were heard of, ids of log records, a user's edits) is taken along,
so that a session that is imported into another store is answered there as it was where it came from. Files
of other programs simply say none of it.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Iterator
from typing import Any, Final, cast

import msgspec
from msgspec import Struct, field

from agentops.model import LogRecord, Span
from agentops.otlp.refusal import MalformedBody, Rejected
from agentops.server.query.otlp import held, of_span

_STATUSES: Final = {"ok": 1}
"""OTLP's number of what an event says it is, where its span as exported says less."""


class Imported(Struct):
    """What a file holds.

    Attributes:
        spans: Its spans.
        records: Its log records.
        rejected: What cannot be used, by reason.
        seen: When the other store heard of a span, by trace and span id.
        log_ids: Ids of the log records, "" where the file names none.
        came_at: When log records came to the other store that say no time themselves, else 0.
        edits: What users said about sessions: fields of PATCH /api/sessions/{id} with a `session_id`.
    """

    spans: list[Span] = field(default_factory=list[Span])
    records: list[LogRecord] = field(default_factory=list[LogRecord])
    rejected: list[Rejected] = field(default_factory=list[Rejected])
    seen: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    log_ids: list[str] = field(default_factory=list[str])
    came_at: list[int] = field(default_factory=list[int])
    edits: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


def imported(body: bytes, encoding: str) -> Imported:
    """Read a file.

    Args:
        body: one document.
        encoding: "json" or "protobuf".

    Raises:
        MalformedBody: it is none that can be imported.
    """
    from agentops.otlp.decode import decode_logs, decode_traces

    if encoding == "protobuf":
        decoded = decode_traces(body, "protobuf")
        return Imported(spans=decoded.spans, rejected=decoded.rejected)
    document = as_otlp(_document(body))
    spans = decode_traces(_part(document, "resourceSpans"), "json")
    logs = decode_logs(_part(document, "resourceLogs"), "json")
    found = Imported(spans=spans.spans, records=logs.records, rejected=[*spans.rejected, *logs.rejected])
    for one in _inner(document, "resourceSpans", "scopeSpans", "spans"):
        seen = one.get("seenTimeUnixNano")
        if isinstance(seen, str) and seen.isdigit() and len(seen) < 20:
            found.seen[str(one.get("traceId", "")).lower(), str(one.get("spanId", "")).lower()] = int(seen)
    listed = list(_inner(document, "resourceLogs", "scopeLogs", "logRecords"))
    # A refused record would shift the others: then they get new ids.
    if len(listed) == len(logs.records):
        found.log_ids = [str(one.get("logId", "")) for one in listed]
        found.came_at = [
            record.time_ns if one.get("logId") and one.get("timeUnixNano") == "0" else 0
            for one, record in zip(listed, logs.records, strict=True)
        ]
    edits: Any = document.get("edits")
    if isinstance(edits, list):
        said = cast(list[Any], edits)
        found.edits = [one for one in said if isinstance(one, dict) and "session_id" in one]
    return found


def as_otlp(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document with its spans under `resourceSpans`: OTLP as it is, our JSON turned into it.

    Raises:
        MalformedBody: it is neither.
    """
    if "events" not in document:
        if "resourceSpans" in document or "resourceLogs" in document:
            return document
        raise MalformedBody("it is neither an export of a session nor an OTLP export request")
    events: Any = document["events"]
    if not isinstance(events, list):
        raise MalformedBody("events: it is no list")
    spans: list[Any] = list(document.get("resourceSpans") or ())
    try:
        cores: list[Any] = document["spans"]
        spans += [_of_event(event, core) for event, core in zip(cast(list[Any], events), cores, strict=True)]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise MalformedBody(
            f"events, spans: one lacks what an import needs ({error!s}); export the session again"
        ) from None
    return {
        "resourceSpans": spans,
        "resourceLogs": document.get("resourceLogs") or [],
        "edits": document.get("edits") or [],
    }


def _of_event(event: dict[str, Any], core: dict[str, Any]) -> dict[str, Any]:
    span = {
        "traceId": event["trace_id"],
        "spanId": event["event_id"],
        **core,
        "kind": event["span_kind"],
        "traceState": event["trace_state"] or "",
        "status": {"code": _STATUSES.get(event["status"], 0), **core.get("status", {})},
        **of_span(event["attributes"], event["events"], event["links"]),
    }
    return {
        "resource": held(event["resource"]),
        "scopeSpans": [{"scope": event["scope"], "spans": [span]}],
    }


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = msgspec.json.decode(body.removeprefix(BOM_UTF8))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedBody(f"it is no JSON ({error})") from None
    if not isinstance(document, dict):
        raise MalformedBody("it is no JSON object")
    return document  # pyright: ignore[reportUnknownVariableType] -- JSON of unknown shape


def _part(document: dict[str, Any], name: str) -> bytes:
    return msgspec.json.encode({name: document.get(name) or []})


def _inner(document: dict[str, Any], *names: str) -> Iterator[dict[str, Any]]:
    """Yield the dictionaries that lists within lists hold; what has another shape holds none."""
    if not names:
        yield document
        return
    listed: Any = document.get(names[0])
    for one in listed if isinstance(listed, list) else ():  # pyright: ignore[reportUnknownVariableType] -- JSON of unknown shape
        if isinstance(one, dict):
            yield from _inner(one, *names[1:])  # pyright: ignore[reportUnknownArgumentType] -- JSON of unknown shape
