"""OTLP/JSON bodies for tests: spans as few words as a test needs."""

from __future__ import annotations

import time
from typing import Any, cast

MS = 1_000_000
SECOND = 1_000_000_000


def value(given: Any) -> dict[str, Any]:
    """Return a value as OTLP/JSON's AnyValue."""
    if isinstance(given, bool):
        return {"boolValue": given}
    if isinstance(given, int):
        return {"intValue": str(given)}
    if isinstance(given, float):
        return {"doubleValue": given}
    if isinstance(given, list):
        return {"arrayValue": {"values": [value(one) for one in cast(list[Any], given)]}}
    if isinstance(given, dict):
        return {"kvlistValue": {"values": attributes(cast(dict[str, Any], given))}}
    return {"stringValue": given}


def attributes(given: dict[str, Any]) -> list[dict[str, Any]]:
    """Return attributes as OTLP/JSON's key-value list."""
    return [{"key": key, "value": value(one)} for key, one in given.items()]


def span(
    trace: int,
    number: int,
    parent: int = 0,
    *,
    name: str = "work",
    start_ns: int | None = None,
    ms: float | None = 10,
    error: str | None = None,
    status: int | None = None,
    **given: Any,
) -> dict[str, Any]:
    """Return a span. `ms=None` makes it a start record; attributes: `gen_ai__request__model=` for dots."""
    start = start_ns if start_ns is not None else time.time_ns() - SECOND + number * MS
    made: dict[str, Any] = {
        "traceId": f"{trace:032x}",
        "spanId": f"{number:016x}",
        "parentSpanId": f"{parent:016x}" if parent else "",
        "name": name,
        "kind": 1,
        "startTimeUnixNano": str(start),
        "attributes": attributes({key.replace("__", "."): one for key, one in given.items()}),
    }
    if ms is not None:
        made["endTimeUnixNano"] = str(start + int(ms * MS))
    if error is not None:
        made["status"] = {"code": 2, "message": error}
    elif status is not None:
        made["status"] = {"code": status}
    return made


def body(*spans: dict[str, Any], scope: str = "test", **resource: Any) -> dict[str, Any]:
    """Return an export request of these spans, from one process."""
    named = {key.replace("__", "."): one for key, one in {"service__name": "test", **resource}.items()}
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": attributes(named)},
                "scopeSpans": [{"scope": {"name": scope, "version": "1"}, "spans": list(spans)}],
            }
        ]
    }


def ours(*spans: dict[str, Any], instance: str = "process-1") -> dict[str, Any]:
    """Return an export request as our own recorder sends it."""
    return body(*spans, scope="agentops", telemetry__distro__name="agentops", service__instance__id=instance)
