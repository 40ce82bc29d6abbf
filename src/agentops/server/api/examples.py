"""Examples for the OpenAPI document: every answer, body, error and parameter, made from its schema.

A field's example goes by its name and is used wherever the schema allows it, so that a route that is added
has examples by itself and none can contradict its model.
"""

from __future__ import annotations

from typing import Any, Final, cast

Json = dict[str, Any]

_SESSION: Final = "0198f0c2-7c1e-7d43-9a55-3f0c8a1be9d2"
_TRACE: Final = _SESSION.replace("-", "")
_SPAN: Final = "00f067aa0ba902b7"
_KEY: Final = "7d1f6a52-3c0e-4b8f-9a61-2e5d0c47b913"
_BEGAN: Final = "2026-11-20T14:02:11.482000Z"
_ENDED: Final = "2026-11-20T14:02:19.010250Z"
_MESSAGE: Final = {"role": "user", "parts": [{"type": "text", "content": "Where is my order?"}]}
_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
    "null": (type(None),),
}
_FALLBACK: Final[dict[str, Any]] = {
    "string": "text",
    "integer": 2,
    "number": 0.5,
    "boolean": False,
    "object": {},
}
_BY_NAME: Final[Json] = {
    "a": _SESSION,
    "agent": "support",
    "agents": "support",
    "api_key": _KEY,
    "at": _BEGAN,
    "attributes": {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4.1-mini"},
    "auth": False,
    "average_cost_per_trace": "0.0031000",
    "b": "0198f0c2-9d02-7b11-8c3e-5a7711f0c4aa",
    "bearer": "eyJhbGciOi…",
    "body": "looking for order 1042",
    "bytes": 41_943_040,
    "cache_read": 0,
    "cache_write": 0,
    "code": "session_not_found",
    "completion_cost": "0.0019000",
    "cost_source": "computed",
    "cost_usd": 0.0031,
    "created_at": _BEGAN,
    "day": "2026-11-20",
    "days": 30,
    "duration_ms": 7528.25,
    "end_time": _ENDED,
    "ended_at": _ENDED,
    "engine": "26.9.2.1",
    "environment": "default",
    "error": None,
    "error_message": None,
    "error_type": None,
    "error_types": [],
    "event_id": _SPAN,
    "expires_at": None,
    "expires_in_days": 90,
    "file": None,
    "finish_reason": "stop",
    "first_at": _BEGAN,
    "gaps": [[12, 14]],
    "group_by": "model",
    "host_env": {"os": "Linux", "python": "3.13.1"},
    "id": "default",
    "input": [_MESSAGE],
    "input_format": "messages",
    "input_preview": "Where is my order?",
    "instance": "worker-1",
    "interval": "day",
    "jwt": "eyJhbGciOi…",
    "key": _KEY,
    "key_id": _KEY[:8],
    "kind": "llm",
    "last-event-id": "1795183331482007",
    "last_at": _ENDED,
    "last_seen_at": _ENDED,
    "last_used_at": None,
    "level": 0.05,
    "limit": 50,
    "lines": {"at": _BEGAN, "what": "key.created", "project": "default"},
    "log_id": "7dd138a3260931ec",
    "logger": "shop.orders",
    "lost": {},
    "message": None,
    "messages": {**_MESSAGE, "direction": "input"},
    "min_cost": 0.01,
    "also": "tool:search",
    "min_duration": "2s",
    "model": "gpt-4.1-mini",
    "models": "gpt-4.1-mini",
    "name": "answer",
    "names": "find_order",
    "next_cursor": None,
    "note": "asked twice",
    "object_id": "3f0c8a1be9d2",
    "order": "desc",
    "output": [{"role": "assistant", "parts": [{"type": "text", "content": "It ships today."}]}],
    "output_format": "messages",
    "output_preview": "It ships today.",
    "parent_id": None,
    "parent_span_id": None,
    "pid": 4711,
    "previous": None,
    "project": "default",
    "project_id": "default",
    "prompt_cost": "0.0012000",
    "provider": "openai",
    "providers": "openai",
    "q": "refund",
    "quota_bytes_per_minute": None,
    "rates": {"input_mtok": 0.4, "output_mtok": 1.6},
    "reason": "trace_id: must be 16 bytes",
    "resource": {"service.name": "support-bot"},
    "resource_attributes": {"service.name": "support-bot"},
    "response_id": "chatcmpl-9f2c",
    "retention_days": 30,
    "scope": "record",
    "scopes": "record",
    "service": "support-bot",
    "session_id": _SESSION,
    "session_url": "http://127.0.0.1:8420/sessions/" + _SESSION,
    "sessions": _SESSION,
    "severity": 9,
    "severity_text": "INFO",
    "since": "7d",
    "source_id": None,
    "span_attributes": {"gen_ai.request.model": "gpt-4.1-mini"},
    "span_id": _SPAN,
    "span_kind": 1,
    "span_name": "answer",
    "stack": None,
    "start_ms": 120.5,
    "start_time": _BEGAN,
    "started_at": _BEGAN,
    "state": "success",
    "state_reason": None,
    "status": "ok",
    "status_code": "OK",
    "status_message": None,
    "store": "chdb:///home/me/.agentops/store",
    "success": 2,
    "table": "spans",
    "tag": "production",
    "tag_a": "prompt-v1",
    "tag_b": "prompt-v2",
    "tags": "production",
    "test": "mann_whitney",
    "token": "eyJhbGciOi…",
    "token_cost": "0.0031000",
    "tool": "find_order",
    "tools": "find_order",
    "total_cost": "0.0031000",
    "trace_id": _TRACE,
    "trace_ids": _TRACE,
    "trace_state": None,
    "tz": "Europe/Berlin",
    "until": "2026-11-21T00:00:00+01:00",
    "url": "chdb:///home/me/.agentops/store",
    "user": "user-7",
    "user_id": "user-7",
    "valid": True,
    "value": "gpt-4.1-mini",
    "version": "1.0.0",
}
_PARAMETERS: Final = {"cursor": "", "error": "ToolError", "Trace-Id": str(int(_TRACE, 16))}
"""Parameters that are called as a field is which means something else."""
_SENT_SPAN: Final = {
    "traceId": _TRACE,
    "spanId": _SPAN,
    "name": "chat gpt-4.1-mini",
    "kind": 3,
    "startTimeUnixNano": "1795183331482000000",
    "endTimeUnixNano": "1795183339010250000",
    "attributes": [{"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}}],
}
_SENT_SPANS: Final = {"resourceSpans": [{"scopeSpans": [{"spans": [_SENT_SPAN]}]}]}
_SENT_LOG: Final = {
    "traceId": _TRACE,
    "timeUnixNano": "1795183331482000000",
    "severityNumber": 9,
    "body": {"stringValue": "looking for order 1042"},
}
_EVENT_03: Final = {
    "id": "6f1c2b90-58d7-4a0e-8f36-90b1c7e2d4a5",
    "session_id": _SESSION,
    "event_type": "actions",
    "action_type": "search",
    "init_timestamp": _BEGAN,
}
_BODIES: Final[Json] = {
    "exportTraces": _SENT_SPANS,
    "exportLogs": {"resourceLogs": [{"scopeLogs": [{"logRecords": [_SENT_LOG]}]}]},
    "exportMetrics": {"resourceMetrics": []},
    "importSessions": _SENT_SPANS,
    "v2CreateSession": {
        "session": {"session_id": _SESSION, "init_timestamp": _BEGAN, "tags": ["production"]}
    },
    "v2UpdateSession": {"session": {"session_id": _SESSION, "end_state": "Success", "end_timestamp": _ENDED}},
    "v2CreateEvents": {"events": [_EVENT_03]},
    "v2UpdateEvents": {"events": [{**_EVENT_03, "end_timestamp": _ENDED}]},
    "v2CreateAgent": {
        "id": "b2a0d7f4-1e63-4c58-a9b2-0f7c35e8d641",
        "name": "support",
        "session_id": _SESSION,
    },
    "v2ReauthorizeJwt": {"session_id": _SESSION},
}
"""Bodies whose schema is somebody else's, by operation."""
_ANSWERS: Final[Json] = {
    "exportTraces": {"partialSuccess": {}},
    "exportLogs": {"partialSuccess": {}},
    "exportMetrics": {"partialSuccess": {}},
    "exportSession": {"session": {"session_id": _SESSION, "name": "answer"}, "events": [], "logs": []},
    "exportSessions": _SENT_SPANS,
    "listen": 'id: 1795183331482007\ndata: {"sessions": ["' + _SESSION + '"]}\n\n',
    "compactStore": '{"bytes":41943040}\n{"bytes":20971520}\n',
    "repriceCalls": '{"seen":500,"changed":12}\n',
    "getMetrics": "# TYPE agentops_spans_committed_total counter\nagentops_spans_committed_total 120\n",
    "v4UploadLogs": {"url": f"http://127.0.0.1:8420/sessions/{_SESSION}?view=logs", "size": 22},
    "v4UploadObject": {"url": "http://127.0.0.1:8420/v4/objects/3f0c8a1be9d2", "size": 22},
    "v4GetObject": "looking for order 1042\n",
}
_TEXTS: Final = {
    "application/x-ndjson": '{"session":{"session_id":"' + _SESSION + '"},"events":[],"logs":[]}\n',
    "text/csv": f"event_id,parent_id,session_id\n{_SPAN},,{_SESSION}\n",
    "text/html": "<!doctype html><html><head><title>answer</title></head>…</html>",
    "application/vnd.apache.parquet": "PAR1…",
    "application/x-protobuf": "",
}
_ERRORS: Final[dict[str, tuple[str, str, str]]] = {
    "400": ("invalid_parameter", "since: 'yesterday' cannot be used.", "Use ISO 8601, or 24h or 7d."),
    "401": ("no_key", "This server needs a key.", "Send Authorization: Bearer <key>."),
    "403": (
        "forbidden_origin",
        "A page of http://a.example may not use this server.",
        "Use its own address.",
    ),
    "404": (
        "session_not_found",
        "There is no session 'x'.",
        "GET /api/sessions lists the sessions there are.",
    ),
    "405": ("method_not_allowed", "/api/sessions does not take POST.", "Use GET."),
    "409": ("project_exists", "There is a project 'shop' already.", "Choose another name."),
    "413": ("body_too_large", "The body is larger than 64 MiB.", "Send smaller batches."),
    "415": (
        "unsupported_media_type",
        "Content-Type: text/plain is not taken here.",
        "Send application/json.",
    ),
    "422": ("invalid_body", "tags: Input should be a valid list.", "See /openapi.json for what tags may be."),
    "429": (
        "too_many_requests",
        "This key has sent its bytes of this minute.",
        "Wait for Retry-After seconds.",
    ),
    "500": (
        "internal_error",
        "The server failed to answer this request.",
        "The server's log has the details.",
    ),
    "503": ("overloaded", "More arrives than can be stored just now.", "Send it again after Retry-After."),
}


def illustrate(document: Json) -> None:
    """Put an example beside every answer, body, error and parameter of an OpenAPI document."""
    schemas: dict[str, Json] = document["components"]["schemas"]
    for methods in document["paths"].values():
        for operation in methods.values():
            name: str = operation["operationId"]
            for parameter in operation.get("parameters", ()):
                given: str = parameter["name"]
                shown = _first(_example(parameter["schema"], given, schemas))
                parameter["examples"] = {"one": {"value": _PARAMETERS.get(given, shown)}}
            for media, content in operation.get("requestBody", {}).get("content", {}).items():
                _put(content, media, _BODIES.get(name), schemas)
            for status, answer in operation["responses"].items():
                for media, content in answer.get("content", {}).items():
                    told = _ANSWERS.get(name) if status < "3" else _error(status)
                    _put(content, media, told, schemas)


def _put(content: Json, media: str, told: Any, schemas: dict[str, Json]) -> None:
    text = _TEXTS.get(media.partition(";")[0])
    if content["schema"].get("type") == "string":
        shown = told if isinstance(told, str) else text or ""
    else:
        shown = _example(content["schema"], "", schemas) if told is None else told
    content["examples"] = {"one": {"value": shown}}


def _error(status: str) -> Json:
    code, message, hint = _ERRORS[status]
    return {"error": {"code": code, "message": message, "hint": hint}}


def _first(value: Any) -> Any:
    """Return what a repeatable parameter is given once."""
    return cast(list[Any], value)[0] if isinstance(value, list) else value


def _example(schema: Json, name: str, schemas: dict[str, Json]) -> Any:
    if "const" in schema:
        return schema["const"]
    if "examples" in schema:
        return schema["examples"][0]
    if "$ref" in schema:
        return _example(schemas[schema["$ref"].rpartition("/")[2]], name, schemas)
    known = _BY_NAME.get(name)
    forms: list[Json] = schema.get("anyOf") or [schema]
    if name in _BY_NAME and any(_fits(known, form) for form in forms):
        return known
    form = forms[0]
    if form is not schema:
        return _example(form, name, schemas)
    if "enum" in form:
        return form["enum"][0]
    kind = form.get("type", "null")
    if kind == "array":
        each: list[Json] = form.get("prefixItems") or [form.get("items", {})]
        return [_example(one, "" if "prefixItems" in form else name, schemas) for one in each]
    if kind == "object" and "properties" in form:
        fields: dict[str, Json] = form["properties"]
        # A value to filter by is one of its filter.
        names = {key: name if key == "value" and name in _BY_NAME else key for key in fields}
        return {key: _example(one, names[key], schemas) for key, one in fields.items()}
    return form.get("default", _FALLBACK.get(kind))


def _fits(value: Any, form: Json) -> bool:
    if "enum" in form:
        return value in form["enum"]
    if "type" not in form:
        return not ("$ref" in form or "anyOf" in form)
    kind = form["type"]
    if isinstance(value, bool) and kind != "boolean":
        return False
    if kind == "array" and isinstance(value, list):
        items = cast(list[Any], value)
        return all(_fits(one, form.get("items", {})) for one in items)
    return isinstance(value, _TYPES[kind]) and "properties" not in form
