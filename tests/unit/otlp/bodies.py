"""OTLP bodies for tests, said once as plain OTLP/JSON and sent in either encoding."""

from __future__ import annotations

import base64
import json
import math
from typing import Any, cast

from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

TRACE = "0123456789abcdef0123456789abcdef"
SPAN = "00f067aa0ba902b7"
START = 1_790_000_000_000_000_000


def value(plain: Any) -> dict[str, Any]:
    """Return a plain value as an OTLP/JSON AnyValue."""
    match plain:
        case None:
            return {}
        case str():
            return {"stringValue": plain}
        case bool():
            return {"boolValue": plain}
        case int():
            return {"intValue": str(plain)}
        case float():
            return {"doubleValue": plain if math.isfinite(plain) else str(plain).replace("inf", "Infinity")}
        case bytes():
            return {"bytesValue": base64.b64encode(plain).decode()}
        case list():
            return {"arrayValue": {"values": [value(item) for item in cast(list[Any], plain)]}}
        case _:
            return {"kvlistValue": {"values": attributes(plain)}}


def attributes(plain: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a dict as OTLP/JSON attributes."""
    return [{"key": key, "value": value(item)} for key, item in plain.items()]


def span(said: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """Return an OTLP/JSON span with these attributes; `fields` replaces fields, None leaves one out."""
    whole = {
        "traceId": TRACE,
        "spanId": SPAN,
        "name": "step",
        "kind": 1,
        "startTimeUnixNano": str(START),
        "endTimeUnixNano": str(START + 1_000_000),
        "attributes": attributes(said or {}),
        **fields,
    }
    return {key: item for key, item in whole.items() if item is not None}


def traces(*spans: dict[str, Any]) -> dict[str, Any]:
    """Return an OTLP/JSON trace request of these spans."""
    scope = {"name": "test", "version": "1"}
    resource = {"attributes": attributes({"service.name": "tests"})}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": scope, "spans": list(spans)}]}]}


def logs(*records: dict[str, Any]) -> dict[str, Any]:
    """Return an OTLP/JSON log request of these records."""
    return {"resourceLogs": [{"scopeLogs": [{"scope": {"name": "test"}, "logRecords": list(records)}]}]}


def as_json(request: dict[str, Any]) -> bytes:
    """Return a request as an OTLP/JSON body."""
    return json.dumps(request).encode()


def as_protobuf(request: dict[str, Any]) -> bytes:
    """Return a request as an OTLP/protobuf body."""
    plain = json.loads(json.dumps(request))
    _base64_ids(plain)
    message = ExportTraceServiceRequest() if "resourceSpans" in plain else ExportLogsServiceRequest()
    ParseDict(plain, message)
    return message.SerializeToString()


def _base64_ids(node: Any) -> None:
    if isinstance(node, dict):
        held = cast(dict[str, Any], node)
        for key, item in held.items():
            if key in ("traceId", "spanId", "parentSpanId") and isinstance(item, str):
                held[key] = base64.b64encode(bytes.fromhex(item)).decode()
            else:
                _base64_ids(item)
    elif isinstance(node, list):
        for item in cast(list[Any], node):
            _base64_ids(item)
